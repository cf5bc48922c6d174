package file

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"popsim/table"
)

// The .npy format: a magic string and version, the length of a header, the header (a Python dictionary of type, order
// and shape, padded so that the data start at a multiple of 64 bytes), then the data. Version 1 is written where it
// can be: ASCII and less than 64 kB; else version 3, which is UTF-8. numpy.load reads both without pickle.
const (
	npyMagic   = "\x93NUMPY"
	npyAlign   = 64
	rowsDigits = 19 // the header leaves room for any number of rows, which is known only at the end of a stream
)

// npyHeader is everything before the data. Its length depends on descr alone.
func npyHeader(descr string, rows int) []byte {
	dict := fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': (%d,), }", descr, rows)
	room := len(dict) - len(fmt.Sprint(rows)) + rowsDigits + 1 // and a line feed
	head := []byte(npyMagic + "\x01\x00")
	start := len(head) + 2
	ascii := !strings.ContainsFunc(descr, func(r rune) bool { return r >= utf8.RuneSelf })
	if !ascii || start+room+npyAlign > math.MaxUint16 {
		head[6] = 3
		start += 2
	}
	length := (start+room+npyAlign-1)/npyAlign*npyAlign - start
	if head[6] == 1 {
		head = binary.LittleEndian.AppendUint16(head, uint16(length))
	} else {
		head = binary.LittleEndian.AppendUint32(head, uint32(length))
	}
	head = append(head, dict...)
	head = append(head, strings.Repeat(" ", length-len(dict)-1)...)
	return append(head, '\n')
}

// descr is NumPy's name for the column's type; width is the number of characters of a string.
func descr(c table.Column, width int) string {
	if c.Kind() == "U" {
		return fmt.Sprintf("'<U%d'", width)
	}
	return "'<" + c.Kind() + "'"
}

// longest is the number of characters of the longest string of the column, at least 1 and Width.
func longest(c table.Column) int {
	width := max(1, c.Width)
	if v, ok := c.Values.([]string); ok {
		for _, s := range v {
			width = max(width, utf8.RuneCountInString(s))
		}
	}
	return width
}

// appendValue appends element i as NumPy stores it, little-endian; a string as width UTF-32 characters, padded by
// zeros.
func appendValue(b []byte, c table.Column, i, width int) ([]byte, error) {
	switch v := c.Values.(type) {
	case []float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v[i])), nil
	case []int64:
		return binary.LittleEndian.AppendUint64(b, uint64(v[i])), nil
	case []string:
		n := 0
		for _, r := range v[i] {
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
			n++
		}
		if n > width {
			return b, fmt.Errorf("column %q: %q is longer than the %d characters of the first block", c.Name, v[i], width)
		}
		return append(b, make([]byte, 4*(width-n))...), nil
	}
	panic("bug: a column of unknown type")
}

// npyEncoder writes one array: plain for one column, structured for several. The number of rows is put into the header
// at the end.
type npyEncoder struct {
	w      *bufio.Writer
	at     io.WriterAt
	descr  string
	widths []int
	rows   int
	buf    []byte
}

func (e *npyEncoder) write(t *table.Table) error {
	if e.descr == "" {
		var fields []string
		for _, c := range t.Columns {
			width := longest(c)
			e.widths = append(e.widths, width)
			fields = append(fields, fmt.Sprintf("(%s, %s)", pythonString(c.Name), descr(c, width)))
			e.descr = descr(c, width)
		}
		if len(fields) > 1 {
			e.descr = "[" + strings.Join(fields, ", ") + "]"
		}
		if _, err := e.w.Write(npyHeader(e.descr, 0)); err != nil {
			return err
		}
	}
	var err error
	for i := range t.Rows() {
		e.buf = e.buf[:0]
		for j, c := range t.Columns {
			if e.buf, err = appendValue(e.buf, c, i, e.widths[j]); err != nil {
				return err
			}
		}
		if _, err = e.w.Write(e.buf); err != nil {
			return err
		}
	}
	e.rows += t.Rows()
	return nil
}

func (e *npyEncoder) close() error {
	if err := e.w.Flush(); err != nil {
		return err
	}
	_, err := e.at.WriteAt(npyHeader(e.descr, e.rows), 0)
	return err
}

// pythonString is s as a Python literal.
func pythonString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(s) + "'"
}
