package recording

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"popsim/table"
)

// handOn gives a sink the rows of a table in blocks of blockRows, and with all the rest of them too, which may be none.
// It returns how many rows were given.
func handOn(sink Sink, t *table.Table, all bool) (given int, err error) {
	n := t.Rows()
	for first := 0; err == nil && (n-first >= blockRows || all && first >= given); first += blockRows {
		end := min(n, first+blockRows)
		part := new(table.Table)
		for _, c := range t.Columns {
			part.Columns = append(part.Columns, c.Slice(first, end))
		}
		err = sink(part)
		given = end
		if end-first < blockRows {
			break
		}
	}
	return given, err
}

// spool keeps the rows of a table on disk until a run has ended: a file of blocks, each with the names and kinds of its
// columns and their values, which can be cut where a checkpoint was.
type spool struct {
	file   *os.File
	out    *bufio.Writer
	length int64
	buffer []byte
}

func openSpool(path string) (*spool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	return &spool{file: f, out: bufio.NewWriterSize(f, 1<<16)}, nil
}

// cut drops all bytes after a length.
func (s *spool) cut(length int64) error {
	info, err := s.file.Stat()
	if err == nil && info.Size() < length {
		err = fmt.Errorf("%s is shorter than its checkpoint", s.file.Name())
	}
	if err == nil {
		err = s.file.Truncate(length)
	}
	if err == nil {
		_, err = s.file.Seek(length, io.SeekStart)
	}
	s.length = length
	return err
}

// add appends a block of numbers.
func (s *spool) add(t *table.Table) error {
	b := binary.LittleEndian.AppendUint32(s.buffer[:0], uint32(len(t.Columns)))
	b = binary.LittleEndian.AppendUint32(b, uint32(t.Rows()))
	for _, c := range t.Columns {
		b = append(b, byte(len(c.Name)))
		b = append(b, c.Name...)
		switch v := c.Values.(type) {
		case []int64:
			b = append(b, 'i')
			for _, x := range v {
				b = binary.LittleEndian.AppendUint64(b, uint64(x))
			}
		case []float64:
			b = append(b, 'f')
			for _, x := range v {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
			}
		default:
			return fmt.Errorf("bug: recording: a column of %T", v)
		}
	}
	s.buffer = b
	s.length += int64(len(b))
	_, err := s.out.Write(b)
	return err
}

// sync brings all to the disk.
func (s *spool) sync() error {
	if err := s.out.Flush(); err != nil {
		return err
	}
	return s.file.Sync()
}

// replay gives all rows to a sink, in the blocks in which a run without a spool gives them.
func (s *spool) replay(sink Sink) error {
	if err := s.out.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(s.file, 1<<16)
	held := new(table.Table)
	for {
		block, err := readBlock(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.file.Name(), err)
		}
		join(held, block)
		given, err := handOn(sink, held, false)
		if err != nil {
			return err
		}
		drop(held, given)
	}
	if len(held.Columns) == 0 {
		return nil
	}
	_, err := handOn(sink, held, true)
	return err
}

func readBlock(in io.Reader) (*table.Table, error) {
	var head [2]uint32
	if err := binary.Read(in, binary.LittleEndian, &head); err != nil {
		return nil, err
	}
	t := new(table.Table)
	for range head[0] {
		var length [1]byte
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		name := make([]byte, int(length[0])+1) // and the kind
		if _, err := io.ReadFull(in, name); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		data := make([]byte, 8*int(head[1]))
		if _, err := io.ReadFull(in, data); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		title, kind := string(name[:len(name)-1]), name[len(name)-1]
		if kind == 'i' {
			v := make([]int64, head[1])
			for k := range v {
				v[k] = int64(binary.LittleEndian.Uint64(data[8*k:]))
			}
			t.Columns = append(t.Columns, table.Col(title, v))
			continue
		}
		v := make([]float64, head[1])
		for k := range v {
			v[k] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*k:]))
		}
		t.Columns = append(t.Columns, table.Col(title, v))
	}
	return t, nil
}

// join appends the rows of a block with the same columns.
func join(t, block *table.Table) {
	if len(t.Columns) == 0 {
		t.Columns = block.Columns
		return
	}
	for j := range t.Columns {
		switch v := t.Columns[j].Values.(type) {
		case []int64:
			t.Columns[j].Values = append(v, block.Columns[j].Values.([]int64)...)
		case []float64:
			t.Columns[j].Values = append(v, block.Columns[j].Values.([]float64)...)
		}
	}
}

// drop removes the first rows.
func drop(t *table.Table, n int) {
	for j := range t.Columns {
		switch v := t.Columns[j].Values.(type) {
		case []int64:
			t.Columns[j].Values = v[:copy(v, v[n:])]
		case []float64:
			t.Columns[j].Values = v[:copy(v, v[n:])]
		}
	}
}

// Both gives each block to two sinks.
func Both(a, b Sink) Sink {
	return func(block *table.Table) error {
		if err := a(block); err != nil {
			return err
		}
		return b(block)
	}
}
