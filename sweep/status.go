package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// While a part runs, a small file beside it says so: where, since when, and how far it is. It is written anew every
// beatEvery, so one that is older than lostAfter belongs to a process that was killed, or whose machine is gone.
const (
	beatMark  = ".running"
	beatEvery = 20 * time.Second
	lostAfter = 3 * beatEvery
)

// Beat is what a running part says of itself.
type Beat struct {
	Host        string
	Process     int
	Job         string    `json:",omitempty"` // of the batch system
	Started     time.Time // of this process; earlier ones may have done their share
	Done, Total int64     // points, each resolution counted apart
}

// heart writes beats until it is ended. That one cannot be written is no reason to stop.
type heart struct {
	path string
	stop chan struct{}
	once sync.Once
	gone sync.WaitGroup
}

func startBeat(part string, progress func() (done, total int64)) *heart {
	h := &heart{path: part + beatMark, stop: make(chan struct{})}
	b := Beat{Process: os.Getpid(), Started: time.Now().Round(time.Second), Job: jobName()}
	b.Host, _ = os.Hostname()
	beat := func() {
		b.Done, b.Total = progress()
		if text, err := json.Marshal(b); err == nil {
			_ = os.WriteFile(h.path, append(text, '\n'), 0o666)
		}
	}
	beat()
	h.gone.Go(func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				beat()
			case <-h.stop:
				return
			}
		}
	})
	return h
}

func (h *heart) end() {
	h.once.Do(func() {
		close(h.stop)
		h.gone.Wait()
		_ = os.Remove(h.path)
	})
}

// jobName is what the batch system calls this process, or "".
func jobName() string {
	if array, task := os.Getenv("SLURM_ARRAY_JOB_ID"), os.Getenv("SLURM_ARRAY_TASK_ID"); array != "" && task != "" {
		return array + "_" + task
	}
	return os.Getenv("SLURM_JOB_ID")
}

// PartState is what has become of a part.
type PartState int

// The states of a part.
const (
	Missing     PartState = iota // nothing is there
	Done                         // its file is there and whole
	Running                      // it was heard of within the last minute
	Lost                         // it said that it runs, but has fallen silent
	Interrupted                  // it has left pieces, from which --resume goes on
	Refused                      // its file is torn, or belongs to another experiment
	Empty                        // nothing is there, and no point is left for it
)

var stateNames = []string{"missing", "done", "running", "lost", "interrupted", "refused", "empty"}

func (s PartState) String() string { return stateNames[s] }

// PartStatus is a part of a sweep as far as files tell.
type PartStatus struct {
	Part
	State  PartState
	Share  float64   // of its points that are done and kept, or said to be done, 0 to 1
	Beat   Beat      // of one that runs or is lost
	Heard  time.Time // when a file of the part was last written; zero for one that is missing
	Faults error     // why it is refused

	chains int // 0 where no part tells yet
}

// Status is a sweep in parts.
type Status struct {
	Path   string
	Parts  []PartStatus // by number
	Points int          // of the whole sweep; 0 where no part tells yet
	Digest string       // of the experiment, likewise
}

// ReadStatus finds out from the files beside path how far a sweep in parts is. Parts are read through, as merging does.
func ReadStatus(path string) (*Status, error) { return new(Watch).Status(path) }

// Watch reads the same status again and again, and every part once. Its zero value is ready.
type Watch struct {
	known map[string]knownPart
	first *pieceFile // a part that is whole, by which the others are judged
	mine  []byte     // its experiment
}

// knownPart is a part that was found whole, and the file it was found in.
type knownPart struct {
	pieceFile
	size    int64
	written time.Time
}

// open is openPiece, unless the file has been read before.
func (w *Watch) open(path string) (pieceFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return pieceFile{}, fmt.Errorf("sweep: %w", err)
	}
	if k, ok := w.known[path]; ok && k.size == info.Size() && k.written.Equal(info.ModTime()) {
		return k.pieceFile, nil
	}
	q, err := openPiece(path)
	if err == nil {
		if w.known == nil {
			w.known = map[string]knownPart{}
		}
		q.Record = nil
		w.known[path] = knownPart{q, info.Size(), info.ModTime()}
	}
	return q, err
}

// Status is ReadStatus.
func (w *Watch) Status(path string) (*Status, error) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	type files struct{ whole, beat, pieces []string }
	cuts := map[int]map[int]*files{} // by the number of parts, then by part
	for _, e := range entries {
		p, rest, ok := partNamed(e.Name(), base)
		if !ok || strings.HasSuffix(rest, tempMark) {
			continue
		}
		if cuts[p.Of] == nil {
			cuts[p.Of] = map[int]*files{}
		}
		f := cuts[p.Of][p.Number]
		if f == nil {
			f = new(files)
			cuts[p.Of][p.Number] = f
		}
		switch name := filepath.Join(dir, e.Name()); {
		case rest == "":
			f.whole = append(f.whole, name)
		case rest == beatMark:
			f.beat = append(f.beat, name)
		case strings.HasPrefix(rest, pieceMark):
			f.pieces = append(f.pieces, name)
		}
	}
	var ofs []int
	for of := range cuts {
		ofs = append(ofs, of)
	}
	slices.Sort(ofs)
	switch {
	case len(ofs) == 0:
		return nil, fmt.Errorf("sweep: no parts are kept for %s, nor does one run; they are named %s", path, PartPath(path, Part{1, 1}))
	case len(ofs) > 1:
		return nil, fmt.Errorf("sweep: beside %s lie parts of %d and of %d; remove those that do not belong to it", path, ofs[0], ofs[1])
	}
	s := &Status{Path: path}
	now := time.Now()
	for i := 1; i <= ofs[0]; i++ {
		t := PartStatus{Part: Part{i, ofs[0]}}
		f := cuts[ofs[0]][i]
		switch {
		case f == nil:
		case f.whole != nil:
			t.State, t.Share, t.Heard = Done, 1, written(f.whole[0])
			q, err := w.open(f.whole[0])
			if err == nil && w.first == nil {
				w.first, w.mine = &q, q.Experiment.text()
			}
			if err == nil && !bytes.Equal(q.Experiment.text(), w.mine) {
				err = fmt.Errorf("sweep: %s belongs to another experiment than the parts before it", f.whole[0])
			}
			if first, end := t.Part.chains(w.chains()); err == nil && (q.First != first || q.End != end) {
				err = fmt.Errorf("sweep: %s holds chains %d to %d, which are not those of part %d of %d", f.whole[0], q.First, q.End-1, i, ofs[0])
			}
			if err != nil {
				t.State, t.Share, t.Faults = Refused, 0, err
			}
		case f.beat != nil:
			t.State, t.Heard = Running, written(f.beat[0])
			if text, err := os.ReadFile(f.beat[0]); err == nil {
				_ = json.Unmarshal(text, &t.Beat) // one that is being written is read the next time
			}
			if t.Beat.Total > 0 {
				t.Share = float64(t.Beat.Done) / float64(t.Beat.Total)
			}
			for _, name := range f.pieces {
				if w := written(name); w.After(t.Heard) {
					t.Heard = w
				}
			}
			if !t.Heard.IsZero() && now.Sub(t.Heard) > lostAfter { // a file that has gone meanwhile is of a part that ends
				t.State = Lost
			}
		default:
			t.State = Interrupted
			for _, name := range f.pieces {
				if w := written(name); w.After(t.Heard) {
					t.Heard = w
				}
			}
		}
		s.Parts = append(s.Parts, t)
	}
	if chains := w.chains(); chains > 0 { // known now, whichever part told it
		for i := range s.Parts {
			t := &s.Parts[i]
			first, end := t.Part.chains(chains)
			t.chains = end - first
			switch {
			case t.State == Missing && t.chains == 0:
				t.State = Empty
			case t.State == Interrupted || t.State == Lost:
				t.Share = float64(inPieces(cuts[ofs[0]][t.Number].pieces)) / float64(max(1, t.chains))
			}
		}
	}
	if w.first != nil {
		if spec, err := w.first.Experiment.spec(); err == nil {
			s.Points, s.Digest = int(spec.Grid.Points())*len(spec.From.branches()), w.first.Experiment.digest()
		}
	}
	return s, nil
}

// chains is the number of chains of the sweep; 0 where no part tells yet.
func (w *Watch) chains() int {
	if w.first == nil {
		return 0
	}
	spec, err := w.first.Experiment.spec()
	if err != nil {
		return 0
	}
	n, _ := spec.chains()
	return n
}

// written is when a file was last written.
func written(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// inPieces is the number of chains that pieces of these names hold.
func inPieces(names []string) (chains int) {
	for _, name := range names {
		_, text, _ := strings.Cut(filepath.Base(name), pieceMark)
		first, end, _ := strings.Cut(text, "-")
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(end)
		if errors.Join(err1, err2) == nil {
			chains += b - a
		}
	}
	return chains
}

// Count is the number of parts in a state.
func (s *Status) Count(state PartState) int {
	n := 0
	for _, p := range s.Parts {
		if p.State == state {
			n++
		}
	}
	return n
}

// Whole tells whether every part that has points is done.
func (s *Status) Whole() bool { return s.Count(Done)+s.Count(Empty) == len(s.Parts) }

// Share is how much of the sweep is done, 0 to 1: of its points and curves, or of its parts where none tells of these yet.
func (s *Status) Share() float64 {
	sum, of, told := 0.0, 0.0, slices.ContainsFunc(s.Parts, func(p PartStatus) bool { return p.chains > 0 })
	for _, p := range s.Parts {
		weight := 1.0
		if told {
			weight = float64(p.chains)
		}
		sum, of = sum+weight*p.Share, of+weight
	}
	return sum / of
}
