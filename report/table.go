package report

import (
	"errors"
	"fmt"
)

// Column is one named column: []float64 (NaN is missing), []int64 or []string. It is made by Col.
type Column struct {
	Name   string
	Values any // []float64, []int64 or []string
	Width  int // of strings: characters for which to leave room, where later blocks may hold longer ones than this; else 0
}

// Col is the column of the given name and values, which it does not copy.
func Col[T float64 | int64 | string](name string, values []T) Column {
	return Column{Name: name, Values: values}
}

// Len is the number of rows.
func (c Column) Len() int {
	switch v := c.Values.(type) {
	case []float64:
		return len(v)
	case []int64:
		return len(v)
	case []string:
		return len(v)
	}
	return 0
}

// kind names the type of the column in the words of NumPy's headers: f8, i8 or U.
func (c Column) kind() string {
	switch c.Values.(type) {
	case []float64:
		return "f8"
	case []int64:
		return "i8"
	case []string:
		return "U"
	}
	return ""
}

// slice is rows lo to hi of the column, without copying.
func (c Column) slice(lo, hi int) Column {
	switch v := c.Values.(type) {
	case []float64:
		c.Values = v[lo:hi]
	case []int64:
		c.Values = v[lo:hi]
	case []string:
		c.Values = v[lo:hi]
	}
	return c
}

// Table is an ordered set of columns of equal length.
type Table struct {
	Columns []Column
}

// NewTable is the table of the given columns.
func NewTable(columns ...Column) *Table { return &Table{Columns: columns} }

// Rows is the number of rows.
func (t *Table) Rows() int {
	if len(t.Columns) == 0 {
		return 0
	}
	return t.Columns[0].Len()
}

// Column is the first column of that name.
func (t *Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Check names all faults of the table at once: no columns, columns without a name or with the name of another, of
// unequal length, or of a type that is not one of the three.
func (t *Table) Check() error {
	if len(t.Columns) == 0 {
		return errors.New("report: a table without columns")
	}
	var faults []error
	seen := map[string]bool{}
	for i, c := range t.Columns {
		switch {
		case c.Name == "":
			faults = append(faults, fmt.Errorf("report: column %d has no name", i+1))
		case seen[c.Name]:
			faults = append(faults, fmt.Errorf("report: two columns are named %q", c.Name))
		}
		seen[c.Name] = true
		if c.kind() == "" {
			faults = append(faults, fmt.Errorf("report: column %q holds %T; []float64, []int64 or []string would do", c.Name, c.Values))
		} else if c.Len() != t.Rows() {
			faults = append(faults, fmt.Errorf("report: column %q has %d rows, the first has %d", c.Name, c.Len(), t.Rows()))
		}
	}
	return errors.Join(faults...)
}

// header is t without its rows: what all blocks of one output have in common.
func (t *Table) header() *Table {
	h := &Table{Columns: make([]Column, len(t.Columns))}
	for i, c := range t.Columns {
		h.Columns[i] = c.slice(0, 0)
	}
	return h
}

// fits says whether a block may follow others with the columns of h.
func (h *Table) fits(block *Table) error {
	if len(block.Columns) != len(h.Columns) {
		return fmt.Errorf("report: a block of %d columns after blocks of %d", len(block.Columns), len(h.Columns))
	}
	for i, c := range block.Columns {
		if want := h.Columns[i]; c.Name != want.Name || c.kind() != want.kind() {
			return fmt.Errorf("report: column %d of this block is %q (%s), of the blocks before %q (%s)",
				i+1, c.Name, c.kind(), want.Name, want.kind())
		}
	}
	return nil
}
