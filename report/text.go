package report

import (
	"bufio"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendFloat appends v with the fewest digits that read back to the same bits, in plain decimal notation where that
// is short. Infinities are inf and -inf, which pandas, R and Go all read. (pandas.read_csv restores the last bit only
// with float_precision="round_trip".)
func appendFloat(b []byte, v float64) []byte {
	switch a := math.Abs(v); {
	case math.IsInf(v, 1):
		return append(b, "inf"...)
	case math.IsInf(v, -1):
		return append(b, "-inf"...)
	case a != 0 && (a < 1e-5 || a >= 1e21):
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// csvEncoder writes a header line and a line per row, separated by commas and ended by line feeds (RFC 4180 quoting).
type csvEncoder struct {
	w      *bufio.Writer
	line   []byte
	headed bool
}

func (e *csvEncoder) write(t *Table) error {
	if !e.headed {
		e.headed = true
		for j, c := range t.Columns {
			e.line = appendField(separate(e.line, j), c.Name)
		}
		if err := e.end(len(t.Columns)); err != nil {
			return err
		}
	}
	for i := range t.Rows() {
		for j, c := range t.Columns {
			e.line = separate(e.line, j)
			switch v := c.Values.(type) {
			case []float64:
				if !math.IsNaN(v[i]) {
					e.line = appendFloat(e.line, v[i])
				}
			case []int64:
				e.line = strconv.AppendInt(e.line, v[i], 10)
			case []string:
				e.line = appendField(e.line, v[i])
			}
		}
		if err := e.end(len(t.Columns)); err != nil {
			return err
		}
	}
	return nil
}

// end writes the line. A missing value alone on its line becomes "", since readers skip empty lines.
func (e *csvEncoder) end(columns int) error {
	if columns == 1 && len(e.line) == 0 {
		e.line = append(e.line, `""`...)
	}
	_, err := e.w.Write(append(e.line, '\n'))
	e.line = e.line[:0]
	return err
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

func (e *jsonEncoder) write(t *Table) error {
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
