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

// While a part runs, a small file beside it says on which machine, since when, and how many points are done. It is
// rewritten every heartbeatEvery, so a file older than lostAfter belongs to a process that was killed, or whose machine
// has failed.
const (
	heartbeatMark  = ".running"
	heartbeatEvery = 20 * time.Second
	lostAfter      = 3 * heartbeatEvery
)

// Heartbeat is the content of that file.
type Heartbeat struct {
	Host        string
	Process     int
	Job         string    `json:",omitempty"` // name of the job in the batch system
	Started     time.Time // start of this process; earlier ones may have written checkpoints
	Done, Total int64     // points, each resolution counted separately
}

// heartbeat rewrites the file until end is called. A failed write is ignored.
type heartbeat struct {
	path string
	stop chan struct{}
	once sync.Once
	gone sync.WaitGroup
}

// startHeartbeat writes the file beside the file of a part, and rewrites it in a goroutine of its own.
func startHeartbeat(part, job string, progress func() (done, total int64)) *heartbeat {
	h := &heartbeat{path: part + heartbeatMark, stop: make(chan struct{})}
	b := Heartbeat{Process: os.Getpid(), Started: time.Now().Round(time.Second), Job: job}
	b.Host, _ = os.Hostname()
	beat := func() {
		b.Done, b.Total = progress()
		if text, err := json.Marshal(b); err == nil {
			_ = os.WriteFile(h.path, append(text, '\n'), 0o666)
		}
	}
	beat()
	h.gone.Go(func() {
		tick := time.NewTicker(heartbeatEvery)
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

func (h *heartbeat) end() {
	h.once.Do(func() {
		close(h.stop)
		h.gone.Wait()
		_ = os.Remove(h.path)
	})
}

// PartState is the state of a part as far as its files show it.
type PartState int

// The states of a part.
const (
	Missing     PartState = iota // there is no file
	Done                         // its file is complete
	Running                      // its heartbeat is less than a minute old
	Lost                         // its heartbeat is older
	Interrupted                  // there are checkpoints and no heartbeat
	Refused                      // its file is damaged, or belongs to another experiment
	Empty                        // there are more parts than chains, and this one has none
)

var stateNames = []string{"missing", "done", "running", "lost", "interrupted", "refused", "empty"}

func (s PartState) String() string { return stateNames[s] }

// PartStatus describes a part of a sweep as far as its files show it.
type PartStatus struct {
	Part
	State PartState
	// part of its points that is done, 0 to 1: by the checkpoints, or by the heartbeat of a running one
	Share     float64
	Heartbeat Heartbeat // of one that runs or is lost
	Written   time.Time // when a file of the part was last written; zero for one that is missing
	Faults    error     // why it is refused

	chains int // 0 while no part is known
}

// Status describes a sweep in parts.
type Status struct {
	Path   string
	Parts  []PartStatus // by number
	Points int          // of the whole sweep; 0 while no part is known
	Digest string       // of the experiment, likewise
}

// ReadStatus determines the status of the sweep in parts with Config.Keep = path from the files beside path. The files
// of parts are read in full and checked.
func ReadStatus(path string) (*Status, error) { return new(Watch).Status(path) }

// Watch determines the status repeatedly, and reads the file of each part only once. Its zero value is ready for use.
type Watch struct {
	known map[string]knownPart
	first *checkpointFile // a complete part, with which the others must agree
	mine  []byte          // its identity
}

// knownPart is a part that was found complete, with the size and time of its file.
type knownPart struct {
	checkpointFile
	size    int64
	written time.Time
}

// open is openCheckpoint, unless the file has been read before.
func (w *Watch) open(path string) (checkpointFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return checkpointFile{}, fmt.Errorf("sweep: %w", err)
	}
	if k, ok := w.known[path]; ok && k.size == info.Size() && k.written.Equal(info.ModTime()) {
		return k.checkpointFile, nil
	}
	q, err := openCheckpoint(path)
	if err == nil {
		if w.known == nil {
			w.known = map[string]knownPart{}
		}
		q.Record = nil
		w.known[path] = knownPart{q, info.Size(), info.ModTime()}
	}
	return q, err
}

// Status is like ReadStatus.
func (w *Watch) Status(path string) (*Status, error) {
	of, files, err := partFiles(path)
	if err != nil {
		return nil, err
	}
	s, now := &Status{Path: path}, time.Now()
	for i := 1; i <= of; i++ {
		s.Parts = append(s.Parts, w.part(Part{i, of}, files[i], now))
	}
	chains := w.chains() // known now, whichever part it is known from
	if chains == 0 {
		return s, nil
	}
	for i := range s.Parts {
		t := &s.Parts[i]
		first, end := t.Part.chains(chains)
		t.chains = end - first
		switch {
		case t.State == Missing && t.chains == 0:
			t.State = Empty
		case t.State == Interrupted || t.State == Lost:
			t.Share = float64(chainsInNames(files[t.Number].checkpoints)) / float64(max(1, t.chains))
		}
	}
	_, s.Points = w.first.size()
	s.Digest = digestOf(w.mine)
	return s, nil
}

// filesOfPart are the paths of the files of one part; empty if there are none.
type filesOfPart struct {
	whole, beat string
	checkpoints []string
}

// partFiles finds the files of all parts that are kept for path, by the number of the part, and how many parts the
// sweep was cut into. The error says so where there are no parts, or parts of sweeps that were cut differently.
func partFiles(path string) (of int, files map[int]filesOfPart, err error) {
	found, err := beside(path, partMark)
	if err != nil {
		return 0, nil, err
	}
	files = map[int]filesOfPart{}
	for _, name := range found {
		p, rest, ok := partNamed(filepath.Base(name), filepath.Base(path))
		switch {
		case !ok || strings.HasSuffix(rest, tempMark):
			continue
		case of != 0 && of != p.Of:
			return 0, nil, fmt.Errorf("sweep: beside %s lie parts of %d and of %d; remove those that do not belong to "+
				"it", path, min(of, p.Of), max(of, p.Of))
		}
		of = p.Of
		f := files[p.Number]
		switch {
		case rest == "":
			f.whole = name
		case rest == heartbeatMark:
			f.beat = name
		case strings.HasPrefix(rest, checkpointMark):
			f.checkpoints = append(f.checkpoints, name)
		}
		files[p.Number] = f
	}
	if of == 0 {
		err = fmt.Errorf("sweep: no parts are kept for %s, nor does one run; they are named %s", path,
			PartPath(path, Part{1, 1}))
	}
	return of, files, err
}

// part returns the status of a part, as far as its own files show it.
func (w *Watch) part(p Part, f filesOfPart, now time.Time) PartStatus {
	t := PartStatus{Part: p}
	for _, name := range f.checkpoints {
		if x := written(name); x.After(t.Written) {
			t.Written = x
		}
	}
	switch {
	case f.whole != "":
		t.State, t.Share, t.Written = Done, 1, written(f.whole)
		if t.Faults = w.check(p, f.whole); t.Faults != nil {
			t.State, t.Share = Refused, 0
		}
	case f.beat != "":
		t.State = Running
		if x := written(f.beat); x.After(t.Written) {
			t.Written = x
		}
		if text, err := os.ReadFile(f.beat); err == nil {
			_ = json.Unmarshal(text, &t.Heartbeat) // one that is being written is read the next time
		}
		if t.Heartbeat.Total > 0 {
			t.Share = float64(t.Heartbeat.Done) / float64(t.Heartbeat.Total)
		}
		if !t.Written.IsZero() && now.Sub(t.Written) > lostAfter { // a file that has gone meanwhile is of a part that ends
			t.State = Lost
		}
	case f.checkpoints != nil:
		t.State = Interrupted
	}
	return t
}

// check returns what is wrong with the file of a part: it is damaged, or belongs to another experiment than the parts
// before it, or holds another part.
func (w *Watch) check(p Part, path string) error {
	q, err := w.open(path)
	if err != nil {
		return err
	}
	if w.first == nil {
		w.first, w.mine = &q, q.identity()
	}
	if !bytes.Equal(q.identity(), w.mine) {
		return fmt.Errorf("sweep: %s belongs to another experiment than the parts before it", path)
	}
	if first, end := p.chains(w.chains()); q.First != first || q.End != end {
		return fmt.Errorf("sweep: %s holds chains %d to %d, which are not those of part %d of %d", path, q.First,
			q.End-1, p.Number, p.Of)
	}
	return nil
}

// chains returns the number of chains of the sweep; 0 if no part is complete yet.
func (w *Watch) chains() int {
	if w.first == nil {
		return 0
	}
	n, _ := w.first.size()
	return n
}

// written returns when a file was last written.
func written(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// chainsInNames returns the number of chains in checkpoints with these names.
func chainsInNames(names []string) (chains int) {
	for _, name := range names {
		_, text, _ := strings.Cut(filepath.Base(name), checkpointMark)
		first, end, _ := strings.Cut(text, "-")
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(end)
		if errors.Join(err1, err2) == nil {
			chains += b - a
		}
	}
	return chains
}

// Count returns the number of parts in a state.
func (s *Status) Count(state PartState) int {
	n := 0
	for _, p := range s.Parts {
		if p.State == state {
			n++
		}
	}
	return n
}

// Whole reports whether every part that has points is done.
func (s *Status) Whole() bool { return s.Count(Done)+s.Count(Empty) == len(s.Parts) }

// Share returns how much of the sweep is done, 0 to 1, weighted by chains; by parts if no part is complete yet.
func (s *Status) Share() float64 {
	sum, of, known := 0.0, 0.0, slices.ContainsFunc(s.Parts, func(p PartStatus) bool { return p.chains > 0 })
	for _, p := range s.Parts {
		weight := 1.0
		if known {
			weight = float64(p.chains)
		}
		sum, of = sum+float64(weight*p.Share), of+weight
	}
	return sum / of
}
