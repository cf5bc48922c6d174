package file

import (
	"bufio"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"popsim/table"
)

// appendFloat appends v with the fewest digits that read back to the same bits, in plain decimal notation where that is
// short. From 2^53 on v has an exponent: pandas reads a column that holds a whole number beyond 2^63 as text.
// Infinities are inf and -inf, which pandas, R and Go all read. (pandas.read_csv restores the last bit only with
// float_precision="round_trip".)
func appendFloat(b []byte, v float64) []byte {
	switch a := math.Abs(v); {
	case math.IsInf(v, 1):
		return append(b, "inf"...)
	case math.IsInf(v, -1):
		return append(b, "-inf"...)
	case a != 0 && (a < 1e-5 || a >= 1<<53):
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// csvEncoder writes a header line and a line per row, separated by commas and ended by line feeds (RFC 4180 quoting).
type csvEncoder struct {
	w      *bufio.Writer
	text   []byte
	headed bool
}

// csvRows is the number of rows that are formatted at once.
const csvRows = 1 << 10

func (e *csvEncoder) write(t *table.Table) error {
	e.text = e.text[:0]
	if !e.headed {
		e.headed = true
		for j, c := range t.Columns {
			e.text = appendField(separate(e.text, j), c.Name)
		}
		e.text = append(e.text, '\n')
	}
	for lo, rows := 0, t.Rows(); lo < rows; lo += csvRows {
		e.text = appendCSV(e.text, t, lo, min(rows, lo+csvRows))
		if _, err := e.w.Write(e.text); err != nil {
			return err
		}
		e.text = e.text[:0]
	}
	_, err := e.w.Write(e.text)
	return err
}

// appendCSV appends rows lo to hi-1 of t. A missing value alone on its line becomes "", since readers skip empty lines.
func appendCSV(b []byte, t *table.Table, lo, hi int) []byte {
	for i := lo; i < hi; i++ {
		start := len(b)
		for j := range t.Columns {
			b = separate(b, j)
			switch v := t.Columns[j].Values.(type) {
			case []float64:
				if x := v[i]; x == x {
					b = appendFloat(b, x)
				}
			case []int64:
				b = strconv.AppendInt(b, v[i], 10)
			case []string:
				b = appendField(b, v[i])
			}
		}
		if len(b) == start {
			b = append(b, `""`...)
		}
		b = append(b, '\n')
	}
	return b
}

func (e *csvEncoder) close() error { return nil }

func separate(b []byte, j int) []byte {
	if j > 0 {
		b = append(b, ',')
	}
	return b
}

// appendField quotes s where CSV needs it.
func appendField(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") && strings.TrimSpace(s) == s {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// jsonEncoder writes an array of one object per row, a row to a line.
type jsonEncoder struct {
	w    *bufio.Writer
	keys [][]byte // "name": of each column
	line []byte
	rows int
}

func (e *jsonEncoder) write(t *table.Table) error {
	if e.keys == nil {
		for _, c := range t.Columns {
			e.keys = append(e.keys, append(appendJSON(nil, c.Name), ':'))
		}
	}
	for i := range t.Rows() {
		e.line = append(e.line, ",\n"...)
		if e.rows == 0 {
			e.line = append(e.line[:0], "[\n"...)
		}
		e.rows++
		e.line = append(e.line, '{')
		for j, c := range t.Columns {
			e.line = append(separate(e.line, j), e.keys[j]...)
			switch v := c.Values.(type) {
			case []float64:
				if math.IsNaN(v[i]) || math.IsInf(v[i], 0) {
					e.line = append(e.line, "null"...)
				} else {
					e.line = appendFloat(e.line, v[i])
				}
			case []int64:
				e.line = strconv.AppendInt(e.line, v[i], 10)
			case []string:
				e.line = appendJSON(e.line, v[i])
			}
		}
		e.line = append(e.line, '}')
		if _, err := e.w.Write(e.line); err != nil {
			return err
		}
		e.line = e.line[:0]
	}
	return nil
}

func (e *jsonEncoder) close() error {
	end := "\n]\n"
	if e.rows == 0 {
		end = "[]\n"
	}
	_, err := e.w.WriteString(end)
	return err
}

// appendJSON appends s as a JSON string.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] >= utf8.RuneSelf {
			quoted, _ := json.Marshal(s) // a string always has one
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
