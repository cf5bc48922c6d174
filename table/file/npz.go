package file

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"os"

	"popsim/table"
)

// npzEncoder writes a zip archive with one .npy per column. An archive holds one column after the other, so the rows
// are kept in a spool for each column until close.
type npzEncoder struct {
	w      *bufio.Writer
	dir    string // where long spools go
	head   *table.Table
	spools []*spool
	widths []int // of the longest string
	rows   int
	buf    []byte
}

func (e *npzEncoder) write(t *table.Table) error {
	if e.head == nil {
		e.head = header(t)
		e.widths = make([]int, len(t.Columns))
		for range t.Columns {
			e.spools = append(e.spools, &spool{dir: e.dir})
		}
	}
	for j, c := range t.Columns {
		e.widths[j] = max(e.widths[j], longest(c))
		for lo := 0; lo < c.Len(); lo += spooledRows {
			e.buf = appendSpooled(e.buf[:0], c.Slice(lo, min(lo+spooledRows, c.Len())))
			if err := e.spools[j].write(e.buf); err != nil {
				return err
			}
		}
	}
	e.rows += t.Rows()
	return nil
}

// spooledRows is the number of rows that are written to a spool at once.
const spooledRows = 1 << 12

// appendSpooled appends c in the format of spools: numbers as in the file, strings with their length before them, since
// the common width is not known yet.
func appendSpooled(b []byte, c table.Column) []byte {
	switch v := c.Values.(type) {
	case []float64:
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
	case []int64:
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, uint64(x))
		}
	case []string:
		for _, x := range v {
			b = append(binary.AppendUvarint(b, uint64(len(x))), x...)
		}
	}
	return b
}

func (e *npzEncoder) close() error {
	defer e.discard()
	z := zip.NewWriter(e.w)
	for j, c := range e.head.Columns {
		entry, err := z.CreateHeader(&zip.FileHeader{Name: c.Name + ".npy", Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := entry.Write(npyHeader(descr(c, e.widths[j]), e.rows)); err != nil {
			return err
		}
		r, err := e.spools[j].reader()
		if err != nil {
			return err
		}
		if c.Kind() == "U" {
			err = unspoolStrings(entry, r, c.Name, e.widths[j], e.rows)
		} else {
			_, err = io.Copy(entry, r)
		}
		if err != nil {
			return err
		}
		e.spools[j].discard()
	}
	return z.Close()
}

func unspoolStrings(w io.Writer, r *bufio.Reader, name string, width, rows int) error {
	var text, out []byte
	one := table.Column{Name: name}
	for range rows {
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		text = append(text[:0], make([]byte, n)...)
		if _, err := io.ReadFull(r, text); err != nil {
			return err
		}
		one.Values = []string{string(text)}
		if out, err = appendValue(out[:0], one, 0, width); err != nil {
			return err
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	return nil
}

func (e *npzEncoder) discard() {
	for _, s := range e.spools {
		s.discard()
	}
}

// spoolInMemory is the number of bytes of a spool above which it is kept in a file: tables of up to a few hundred
// thousand rows stay in memory.
const spoolInMemory = 4 << 20

// spool is a queue of bytes, in memory while it is short and in a nameless file after.
type spool struct {
	dir  string
	buf  bytes.Buffer
	file *os.File
	w    *bufio.Writer
}

func (s *spool) write(p []byte) error {
	if s.file == nil && s.buf.Len()+len(p) <= spoolInMemory {
		_, err := s.buf.Write(p)
		return err
	}
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, ".column.*.tmp")
		if err != nil {
			return err
		}
		os.Remove(f.Name()) // where the system allows it, even a killed process leaves nothing behind
		s.file, s.w = f, bufio.NewWriterSize(f, bufSize)
		if _, err := s.buf.WriteTo(s.w); err != nil {
			return err
		}
		s.buf = bytes.Buffer{}
	}
	_, err := s.w.Write(p)
	return err
}

// reader reads the spool from its start; nothing may be written after.
func (s *spool) reader() (*bufio.Reader, error) {
	if s.file == nil {
		return bufio.NewReader(&s.buf), nil
	}
	if err := s.w.Flush(); err != nil {
		return nil, err
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return bufio.NewReaderSize(s.file, bufSize), err
}

func (s *spool) discard() {
	if s.file != nil {
		_ = s.file.Close()
		os.Remove(s.file.Name())
	}
	*s = spool{dir: s.dir}
}
