package sweep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// jobsText is the form of Jobs in the header of a checkpoint.
type jobsText struct {
	Axes     []axisText
	Zip      bool
	Trials   int
	Columns  []JobColumn
	Identity string
}

func (j *Jobs) text() *jobsText {
	return &jobsText{axisTexts(j.Grid.Axes), j.Grid.Zip, j.Trials, j.Columns, j.Identity}
}

// jobs is the inverse of text; Run is missing.
func (x *jobsText) jobs() (*Jobs, error) {
	j := &Jobs{Trials: x.Trials, Columns: x.Columns, Identity: x.Identity}
	var err error
	if j.Grid, err = gridOf(x.Axes, x.Zip); err != nil {
		return nil, err
	}
	return j, j.Check()
}

func (x *jobsText) bytes() []byte {
	text, err := json.Marshal(x)
	if err != nil {
		panic("bug: sweep: " + err.Error())
	}
	return text
}

// Digest is a short name of the jobs, the same for all their parts.
func (j *Jobs) Digest() string { return digestOf(j.text().bytes()) }

// jobsCheckpointer writes finished rows to disk while jobs run. The job of a row sets its values before finished is
// called with it, under mu; save reads only rows for which it was called.
type jobsCheckpointer struct {
	r     *JobsResult
	path  string
	every time.Duration
	stop  func()

	mu    sync.Mutex
	ready []int // finished rows that are not on disk
	begin time.Time
	last  time.Time // of the last saving
	due   time.Time
	err   error
}

func (k *jobsCheckpointer) finished(row int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ready = append(k.ready, row)
	if k.err == nil && !time.Now().Before(k.due) {
		k.save()
	}
}

// save writes a checkpoint for each contiguous range of rows that are ready.
func (k *jobsCheckpointer) save() {
	now := time.Now()
	seconds := now.Sub(k.last).Seconds()
	slices.Sort(k.ready)
	for first := 0; first < len(k.ready); {
		end := first + 1
		for end < len(k.ready) && k.ready[end] == k.ready[end-1]+1 {
			end++
		}
		from, to := k.ready[first], k.ready[end-1]+1
		if err := write(checkpointPath(k.path, from, to), k.r.checkpoint(from, to, seconds, nil)); err != nil &&
			k.err == nil {
			k.err = err
			k.stop()
		}
		k.r.Kept += to - from
		first, seconds = end, 0
	}
	k.ready = k.ready[:0]
	k.last = time.Now()
	wait := k.every
	if wait == 0 {
		wait = max(min(time.Since(k.begin)/checkpointShare, checkpointMost), checkpointLeast, checkpointShare*k.last.Sub(now))
	}
	k.due = k.last.Add(wait)
}

// rest saves the rows that are ready, after the last job.
func (k *jobsCheckpointer) rest() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ready) > 0 {
		k.save()
	}
	return k.err
}

// runKept runs the rows that are not on disk, keeping what is finished there; a part is joined into one file at the
// end.
func (r *JobsResult) runKept(ctx context.Context, cfg Config, record func(*JobsResult) any, begin time.Time) error {
	path, end := cfg.Keep, r.first+len(r.values)
	if cfg.Part.Of > 0 {
		path = PartPath(path, cfg.Part)
	}
	switch {
	case cfg.Resume:
		if _, err := os.Stat(path); err == nil && cfg.Part.Of > 0 {
			return errors.Join(r.take(path), Discard(path))
		}
		if err := r.resume(path); err != nil {
			return err
		}
	case cfg.Discard:
		if err := Discard(path); err != nil {
			return err
		}
	case HasCheckpoints(path):
		return fmt.Errorf("sweep: checkpoints of an unfinished run are kept beside %s; resume continues from them", path)
	}
	if cfg.Part.Of > 0 {
		tick, done := cfg.Tick, new(latest)
		cfg.Tick = func(n, of int64) {
			done.set(n)
			if tick != nil {
				tick(n, of)
			}
		}
		beat := startHeartbeat(path, cfg.Job, func() (int64, int64) { return done.get(), int64(len(r.values)) })
		defer beat.end()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	k := &jobsCheckpointer{
		r: r, path: path, every: cfg.Every, stop: stop, begin: begin, last: begin,
		due: begin.Add(max(cfg.Every, checkpointLeast)),
	}
	err := r.run(ctx, cfg, r.open(), k.finished)
	if e := k.rest(); e != nil {
		return e
	}
	if err != nil || cfg.Part.Of == 0 {
		return err
	}
	r.Elapsed = time.Since(begin)
	var content any
	if record != nil {
		content = record(r)
	}
	if err := write(path, r.checkpoint(r.first, end, r.Elapsed.Seconds()+r.Resumed, content)); err != nil {
		return err
	}
	return Discard(path)
}

// latest holds the largest number passed to it.
type latest struct {
	mu sync.Mutex
	n  int64
}

func (l *latest) set(n int64) {
	l.mu.Lock()
	l.n = max(l.n, n)
	l.mu.Unlock()
}

func (l *latest) get() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// checkpoint writes the rows first to end-1, which have cost so many seconds.
func (r *JobsResult) checkpoint(first, end int, seconds float64, record any) []byte {
	var b bytes.Buffer
	b.WriteString(checkpointMagic)
	h := header{Jobs: r.Jobs.text(), First: first, End: end, Work: Work{Seconds: seconds}}
	if text, err := json.Marshal(record); err == nil && record != nil {
		h.Record = text
	}
	head, err := json.Marshal(h)
	if err != nil {
		panic("bug: sweep: " + err.Error())
	}
	b.Write(head)
	b.WriteByte('\n')
	for row := first; row < end; row++ {
		b.Write(doubles(r.values[row-r.first]))
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

// resume loads the checkpoints that are kept for path.
func (r *JobsResult) resume(path string) error {
	found, err := beside(path, checkpointMark)
	if err != nil {
		return err
	}
	for _, name := range found {
		if strings.HasSuffix(name, tempMark) { // what a killed run was writing
			if err := os.Remove(name); err != nil {
				return fmt.Errorf("sweep: %w", err)
			}
			continue
		}
		if err := r.take(name); err != nil {
			return err
		}
	}
	return nil
}

// take loads a file of these jobs.
func (r *JobsResult) take(path string) error {
	q, err := openCheckpoint(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(q.identity(), r.Jobs.text().bytes()) {
		return fmt.Errorf("sweep: %s belongs to another experiment; remove it, or give the same model or network, values, "+
			"times and measures", path)
	}
	r.Resumed += q.Work.Seconds
	return r.load(q)
}

// load copies the rows of a file into r.
func (r *JobsResult) load(q checkpointFile) error {
	payload, err := q.payload()
	if err != nil {
		return err
	}
	n := len(r.Jobs.Columns)
	switch {
	case q.First < r.first || q.End > r.first+len(r.values):
		return fmt.Errorf("sweep: %s holds runs %d to %d, which do not belong here", q.path, q.First, q.End-1)
	case len(payload) != 8*n*(q.End-q.First):
		return torn(q.path)
	}
	for row := q.First; row < q.End; row++ {
		values := make([]float64, n)
		for j := range values {
			values[j] = math.Float64frombits(binary.LittleEndian.Uint64(payload))
			payload = payload[8:]
		}
		r.values[row-r.first] = values
	}
	return nil
}
