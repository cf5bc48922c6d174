package sweep

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// partNamed parses the name of a file that belongs to a part of base; rest is what follows the number of the part, ""
// for the file of the part itself.
func partNamed(name, base string) (p Part, rest string, ok bool) {
	text, ok := strings.CutPrefix(name, base+partMark)
	number, text, ok2 := strings.Cut(text, "-of-")
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	var err1, err2 error
	p.Number, err1 = strconv.Atoi(number)
	p.Of, err2 = strconv.Atoi(text[:end])
	return p, text[end:], ok && ok2 && err1 == nil && err2 == nil && p.Number >= 1 && p.Number <= p.Of
}

// Parts are the files of all parts of a sweep. Rows are read from them when they are needed.
type Parts struct {
	Spec Spec // with its defaults resolved
	Work Work // of all of them

	plan  *plan
	parts []checkpointFile // in the order of chains
	files map[int]*os.File
	lists map[int][][]int64 // by part: for every list, the offset in the file of each indexEvery-th slot
	rows  int               // number of rows of a block
}

// Limits on what is held while parts are read.
const (
	blockRows  = 1 << 16 // rows in memory at a time
	indexEvery = 256     // slots from one stored offset of a list to the next
	openFiles  = 64      // files open at a time
)

// OpenParts finds the parts of a sweep with Config.Keep = path and checks them, with little memory. The error names
// parts that are missing, overlapping, damaged or of another experiment.
func OpenParts(path string) (*Parts, error) {
	found, err := beside(path, partMark)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(name string) bool {
		_, rest, ok := partNamed(filepath.Base(name), filepath.Base(path))
		return !ok || rest != ""
	})
	if len(found) == 0 {
		return nil, fmt.Errorf("sweep: no parts are kept for %s; they are named %s", path, PartPath(path, Part{1, 1}))
	}
	m := &Parts{files: map[int]*os.File{}, lists: map[int][][]int64{}, rows: blockRows}
	var faults []error
	for _, name := range found {
		q, err := openCheckpoint(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		m.parts = append(m.parts, q)
		m.Work.add(q.Work)
	}
	if len(m.parts) == 0 {
		return nil, errors.Join(faults...)
	}
	slices.SortStableFunc(m.parts, func(a, b checkpointFile) int { return a.First - b.First })
	if err := m.check(faults); err != nil {
		return nil, err
	}
	return m, nil
}

// check makes the plan of the sweep, and checks that the parts are all of it. faults are errors of files that could not
// be read.
func (m *Parts) check(faults []error) error {
	first := m.parts[0]
	if first.Jobs != nil {
		return fmt.Errorf("sweep: %s is of a sweep of networks", first.path)
	}
	spec, err := first.Experiment.spec()
	if err != nil {
		return fmt.Errorf("sweep: %s: %w", first.path, err)
	}
	chains, err := spec.chains()
	if err != nil {
		return fmt.Errorf("sweep: %s: %w", first.path, err)
	}
	if err := errors.Join(append(faults, m.gaps(chains)...)...); err != nil {
		return err
	}
	held := int64(0)
	for _, q := range m.parts {
		held += q.end - q.start
	}
	// No memory is allocated that the files do not fill: a damaged header may claim any number of points.
	if slots := spec.Grid.Points() * float64(len(spec.From.branches())); slots*leastSlot > float64(held) {
		return torn(m.parts[len(m.parts)-1].path)
	}
	if m.plan, err = first.plan(); err != nil {
		return err
	}
	m.Spec = m.plan.Spec
	for _, q := range m.parts {
		if lo, hi := m.slots(q); q.end-q.start < int64(8*(hi-lo)*len(m.plan.kept())) {
			return torn(q.path)
		}
	}
	return nil
}

// gaps reports parts of other experiments, and where parts are missing, overlap or go beyond the number of chains.
func (m *Parts) gaps(chains int) (faults []error) {
	first := m.parts[0]
	mine := first.Experiment.text()
	next, last := 0, ""
	for _, q := range m.parts {
		switch {
		case !bytes.Equal(q.identity(), mine):
			faults = append(faults, fmt.Errorf("sweep: %s and %s belong to different experiments", first.path, q.path))
			continue
		case q.End > chains:
			faults = append(faults, torn(q.path))
		case q.First > next:
			faults = append(faults, fmt.Errorf("sweep: a part is missing before %s: chains %d to %d of %d",
				q.path, next, q.First-1, chains))
		case q.First < next:
			faults = append(faults, fmt.Errorf("sweep: %s and %s overlap in chains %d to %d",
				last, q.path, q.First, min(next, q.End)-1))
		}
		next, last = max(next, q.End), q.path
	}
	if next < chains {
		faults = append(faults, fmt.Errorf("sweep: a part is missing after %s: chains %d to %d of %d",
			last, next, chains-1, chains))
	}
	return faults
}

// plan returns the plan of the sweep that a file belongs to.
func (q checkpointFile) plan() (*plan, error) {
	spec, err := q.Experiment.spec()
	if err != nil {
		return nil, fmt.Errorf("sweep: %s: %w", q.path, err)
	}
	p, err := spec.plan()
	if err != nil {
		return nil, fmt.Errorf("sweep: %s: %w", q.path, err)
	}
	return p, nil
}

// slots returns the range of slots of a part.
func (m *Parts) slots(q checkpointFile) (lo, hi int) {
	p := m.plan
	return p.slot(q.First, 0), p.slot(q.End-1, 0) + p.links(q.End-1)
}

// Count returns the number of parts.
func (m *Parts) Count() int { return len(m.parts) }

// Rows returns the number of rows of the whole sweep.
func (m *Parts) Rows() int { return m.plan.rows }

// Records returns the results of Config.Record stored with the parts; parts without one are left out.
func (m *Parts) Records() (all []json.RawMessage) {
	for _, q := range m.parts {
		if q.Record != nil {
			all = append(all, q.Record)
		}
	}
	return all
}

// Digest returns a short text that identifies the experiment.
func (m *Parts) Digest() string { return m.plan.experiment().digest() }

// Close closes the files.
func (m *Parts) Close() {
	for _, f := range m.files {
		_ = f.Close()
	}
	clear(m.files)
}

// Result reads all parts into memory. It is the same as that of the sweep in one run.
func (m *Parts) Result() (*Result, error) {
	r := newResult(m.plan, 0, m.plan.chains())
	for _, q := range m.parts {
		if err := r.load(q); err != nil {
			return nil, err
		}
	}
	r.LaneSteps = m.Work.LaneSteps
	return r, nil
}

// Blocks calls visit with all rows in their order, a block at a time; a block is valid during the call. even says that
// columns of words must be as wide in each block as the longest word of all blocks, which some file formats need; it
// takes a further pass over the files.
func (m *Parts) Blocks(even bool, visit func(block *Result) error) error {
	var widths map[int]int
	if even {
		var err error
		if widths, err = m.widths(); err != nil {
			return err
		}
	}
	for lo := 0; lo < m.plan.rows; lo += m.rows {
		b, err := m.block(span{lo, min(m.plan.rows, lo+m.rows)})
		if err != nil {
			return err
		}
		b.widths = widths
		if err := visit(b); err != nil {
			return err
		}
	}
	return nil
}

// block reads some rows.
func (m *Parts) block(rows span) (*Result, error) {
	p, n := m.plan, rows.end-rows.first
	r := &Result{Spec: p.Spec, plan: p, rows: &rows}
	slots, order := make([]int, n), make([]int, n)
	for i := range slots {
		slots[i], order[i] = p.slotOf(rows.first+i), i
	}
	if !slices.IsSorted(slots) {
		slices.SortFunc(order, func(a, b int) int { return slots[a] - slots[b] })
	}
	for _, j := range p.kept() {
		r.columns[j] = make([]float64, n)
	}
	if p.Late {
		r.late = make([][]float64, n)
	}
	if p.Resets {
		r.resets = make([][]float64, n)
	}
	for i := 0; i < n; { // a run of contiguous slots of one part
		first := slots[order[i]]
		at, found := slices.BinarySearchFunc(m.parts, first, func(q checkpointFile, slot int) int {
			lo, hi := m.slots(q)
			if slot >= hi {
				return -1
			}
			return max(0, lo-slot)
		})
		if !found {
			panic("bug: sweep: a slot in no part")
		}
		_, hi := m.slots(m.parts[at])
		end := i + 1
		for end < n && slots[order[end]] == first+end-i && slots[order[end]] < hi {
			end++
		}
		if err := m.read(at, first, order[i:end], r); err != nil {
			return nil, err
		}
		i = end
	}
	return r, nil
}

// file returns the open file of part at.
func (m *Parts) file(at int) (*os.File, error) {
	if f := m.files[at]; f != nil {
		return f, nil
	}
	if len(m.files) >= openFiles {
		m.Close()
	}
	f, err := os.Open(m.parts[at].path)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	m.files[at] = f
	return f, nil
}

// read reads the slots from first on from part at and stores them at the given places of r, one slot for each place.
func (m *Parts) read(at, first int, places []int, r *Result) error {
	q := m.parts[at]
	f, err := m.file(at)
	if err != nil {
		return err
	}
	lo, hi := m.slots(q)
	buf := make([]byte, 8*len(places))
	for k, j := range m.plan.kept() {
		if _, err := f.ReadAt(buf, q.start+8*(int64(k)*int64(hi-lo)+int64(first-lo))); err != nil {
			return fmt.Errorf("sweep: %s: %w", q.path, err)
		}
		for i, place := range places {
			r.columns[j][place] = math.Float64frombits(binary.LittleEndian.Uint64(buf[8*i:]))
		}
	}
	for k, lists := range r.lists() {
		index, err := m.index(at)
		if err != nil {
			return err
		}
		l := listReader{path: q.path}
		l.seek(f, index[k][(first-lo)/indexEvery], q.end)
		for range (first - lo) % indexEvery {
			l.skip()
		}
		for _, place := range places {
			lists[place] = l.next()
		}
		if l.err != nil {
			return l.err
		}
	}
	return nil
}

// index returns the offsets of the lists of part at, see Parts.lists.
func (m *Parts) index(at int) ([][]int64, error) {
	if found := m.lists[at]; found != nil {
		return found, nil
	}
	q := m.parts[at]
	f, err := m.file(at)
	if err != nil {
		return nil, err
	}
	lo, hi := m.slots(q)
	l := listReader{path: q.path}
	l.seek(f, q.start+int64(8*(hi-lo)*len(m.plan.kept())), q.end)
	var all [][]int64
	for _, kept := range []bool{m.plan.Late, m.plan.Resets} {
		if !kept {
			continue
		}
		var places []int64
		for i := range hi - lo {
			if i%indexEvery == 0 {
				places = append(places, l.at)
			}
			l.skip()
		}
		all = append(all, places)
	}
	if l.err == nil && l.at != q.end {
		l.err = torn(q.path)
	}
	m.lists[at] = all
	return all, l.err
}

// listReader reads lists of values, each preceded by its length. The first error is kept, and later reads return
// nothing.
type listReader struct {
	path string
	r    *bufio.Reader
	at   int64 // in the file
	end  int64
	err  error
}

// seek makes the reader start at an offset of f; the lists end at end.
func (l *listReader) seek(f *os.File, at, end int64) {
	l.r, l.at, l.end = bufio.NewReaderSize(io.NewSectionReader(f, at, end-at), 1<<15), at, end
}

// length reads the length of the next list.
func (l *listReader) length() int {
	var b [4]byte
	if _, err := io.ReadFull(l.r, b[:]); err != nil && l.err == nil {
		l.err = torn(l.path)
	}
	l.at += 4
	n := int64(binary.LittleEndian.Uint32(b[:]))
	if 8*n > l.end-l.at && l.err == nil {
		l.err = torn(l.path)
	}
	if l.err != nil {
		return 0
	}
	l.at += 8 * n
	return int(n)
}

// skip skips a list.
func (l *listReader) skip() {
	if _, err := l.r.Discard(8 * l.length()); err != nil && l.err == nil {
		l.err = torn(l.path)
	}
}

// next reads a list.
func (l *listReader) next() []float64 {
	b := make([]byte, 8*l.length())
	if _, err := io.ReadFull(l.r, b); err != nil && l.err == nil {
		l.err = torn(l.path)
	}
	list := make([]float64, len(b)/8)
	for i := range list {
		list[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return list
}

// widths returns the number of characters of the longest word of each measure in words, over all rows.
func (m *Parts) widths() (map[int]int, error) {
	found := map[int]int{}
	kept := m.plan.kept()
	for _, j := range m.plan.columns {
		words := measureList[j].words
		if words == nil {
			continue
		}
		seen := make([]bool, len(words))
		for at, q := range m.parts {
			f, err := m.file(at)
			if err != nil {
				return nil, err
			}
			lo, hi := m.slots(q)
			column := io.NewSectionReader(f, q.start+8*int64(slices.Index(kept, j))*int64(hi-lo), int64(8*(hi-lo)))
			r := bufio.NewReaderSize(column, 1<<16)
			var b [8]byte
			for range hi - lo {
				if _, err := io.ReadFull(r, b[:]); err != nil {
					return nil, torn(q.path)
				}
				if x := math.Float64frombits(binary.LittleEndian.Uint64(b[:])); x >= 0 && int(x) < len(seen) {
					seen[int(x)] = true
				}
			}
		}
		for i, word := range words {
			if seen[i] {
				found[j] = max(found[j], utf8.RuneCountInString(word))
			}
		}
	}
	return found, nil
}

// Merge reads the parts of a sweep with Config.Keep = path into one result, the same as that of the sweep in one run.
// The error names parts that are missing, overlapping, damaged or of another experiment.
func Merge(path string) (*Result, error) {
	m, err := OpenParts(path)
	if err != nil {
		return nil, err
	}
	return m.Result()
}
