package recording

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// Checkpoint keeps a run on disk beside a path, so that it can be continued to the same bytes after its process has
// been killed: a file PATH.checkpoint with the state of network and recording, and for each table a file of the rows so
// far. Rows later than the checkpoint are dropped when the run continues.
type Checkpoint struct {
	path, identity string
	names          []string
	spools         map[string]*spool
}

const (
	checkpointMark   = "popsim run checkpoint 1\n" // its number changes with the format
	checkpointEnding = ".checkpoint"
)

// NewCheckpoint returns the checkpoint of a run beside a path. identity describes all that the results of the run
// depend on.
func NewCheckpoint(path, identity string) *Checkpoint {
	return &Checkpoint{path: path + checkpointEnding, identity: identity, spools: map[string]*spool{}}
}

// Exists reports whether there is a checkpoint of an earlier run.
func (c *Checkpoint) Exists() bool {
	_, err := os.Stat(c.path)
	return err == nil
}

// Sink keeps the rows of a table by that name.
func (c *Checkpoint) Sink(name string) (Sink, error) {
	s, err := openSpool(c.path + "." + name)
	if err != nil {
		return nil, err
	}
	c.names = append(c.names, name)
	c.spools[name] = s
	return s.add, nil
}

// ErrStopped is the error of a run that was ended by a stop. It is also a context.Canceled.
var ErrStopped = fmt.Errorf("stopped: %w", context.Canceled)

// The wall-clock time between two tests whether a run is to be saved or stopped. No result depends on it.
const (
	leastPause = 20 * time.Millisecond
	firstPause = 10 // steps
)

// Advance is Recording.Advance with a checkpoint every so often, and one where stop is closed, after which it returns
// ErrStopped. The run has already taken so many seconds. What a run whose ctx is done has reached since the last
// checkpoint is lost.
func (c *Checkpoint) Advance(
	ctx context.Context,
	r *Recording,
	to int64,
	every time.Duration,
	seconds float64,
	stop <-chan struct{},
) error {
	begin, due, pause := time.Now(), time.Now().Add(every), int64(firstPause)
	for r.net.Steps() < to {
		now := time.Now()
		if err := r.Advance(ctx, min(to, r.net.Steps()+pause)); err != nil {
			return err
		}
		if time.Since(now) < leastPause {
			pause *= 2
		}
		stopped := false
		select {
		case <-stop:
			stopped = true
		default:
		}
		if r.net.Steps() == to || !stopped && time.Now().Before(due) {
			continue
		}
		if err := c.Save(r, seconds+time.Since(begin).Seconds()); err != nil {
			return err
		}
		if stopped {
			return ErrStopped
		}
		due = time.Now().Add(every)
	}
	return nil
}

// checkpointHead is the start of the file of a checkpoint, after its mark.
type checkpointHead struct {
	Identity string
	Lengths  map[string]int64 // of the tables
	Seconds  float64          // that the run has taken
}

// Save writes the state of a run that has taken so many seconds.
func (c *Checkpoint) Save(r *Recording, seconds float64) error {
	if err := r.flush(true); err != nil {
		return err
	}
	head := checkpointHead{c.identity, map[string]int64{}, seconds}
	for _, name := range c.names {
		if err := c.spools[name].sync(); err != nil {
			return err
		}
		head.Lengths[name] = c.spools[name].length
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(checkpointMark)
	for _, part := range [][]byte{text, r.save()} {
		b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
		b.Write(part)
	}
	if err := r.net.Save(&b); err != nil {
		return err
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return replace(c.path, b.Bytes())
}

// tempEnding ends the name of a checkpoint that is being written.
const tempEnding = ".tmp"

// removeIfThere removes a file, if there is one.
func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// replace writes a file under another name and renames it, so that under its own name it is always complete.
func replace(path string, data []byte) error {
	f, err := os.Create(path + tempEnding)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Restore sets a recording that has just begun, and its network, to their states at Save. The tables lose later rows.
// seconds is the time that the run had taken.
func (c *Checkpoint) Restore(r *Recording) (seconds float64, err error) {
	data, err := os.ReadFile(c.path)
	if err != nil {
		return 0, err
	}
	n := len(data) - sha256.Size
	if n < len(checkpointMark) || !bytes.HasPrefix(data, []byte(checkpointMark)) {
		return 0, fmt.Errorf("%s is no checkpoint, or one of another version", c.path)
	}
	if sum := sha256.Sum256(data[:n]); !bytes.Equal(sum[:], data[n:]) {
		return 0, fmt.Errorf("%s is torn: its checksum does not fit; remove it", c.path)
	}
	data = data[len(checkpointMark):n]
	text, data, ok := part(data)
	state, data, ok2 := part(data)
	var head checkpointHead
	if !ok || !ok2 || json.Unmarshal(text, &head) != nil {
		return 0, fmt.Errorf("%s is torn; remove it", c.path)
	}
	if head.Identity != c.identity {
		return 0, fmt.Errorf("%s belongs to another run; remove it, or give the same network, values, times and tables",
			c.path)
	}
	for _, name := range c.names {
		length, ok := head.Lengths[name]
		if !ok {
			return 0, fmt.Errorf("%s holds nothing about the table of %s", c.path, name)
		}
		if err := c.spools[name].cut(length); err != nil {
			return 0, err
		}
	}
	if err := r.restore(state); err != nil {
		return 0, fmt.Errorf("%s: %w", c.path, err)
	}
	if err := r.net.Restore(bytes.NewReader(data)); err != nil {
		return 0, fmt.Errorf("%s: %w", c.path, err)
	}
	return head.Seconds, nil
}

// part splits off bytes that are preceded by their number.
func part(b []byte) (first, rest []byte, ok bool) {
	if len(b) < 8 || binary.LittleEndian.Uint64(b) > uint64(len(b)-8) {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint64(b)
	return b[8 : 8+n], b[8+n:], true
}

// Start empties the tables of a run that begins anew.
func (c *Checkpoint) Start() error {
	if err := removeIfThere(c.path); err != nil {
		return err
	}
	for _, s := range c.spools {
		if err := s.cut(0); err != nil {
			return err
		}
	}
	return nil
}

// Replay writes the rows of a table to a sink.
func (c *Checkpoint) Replay(name string, sink Sink) error {
	if s := c.spools[name]; s != nil {
		return s.replay(sink)
	}
	return nil
}

// Close closes the files, which are kept.
func (c *Checkpoint) Close() {
	for _, s := range c.spools {
		_ = s.out.Flush()
		_ = s.file.Close()
	}
	clear(c.spools)
}

// Remove removes all files, one that a killed run left half written among them; it is called after the tables are
// written.
func (c *Checkpoint) Remove() error {
	names := slices.Clone(c.names)
	c.Close()
	err := errors.Join(removeIfThere(c.path+tempEnding), removeIfThere(c.path))
	for _, name := range names {
		err = errors.Join(err, os.Remove(c.path+"."+name))
	}
	return err
}
