// Package table holds results as named columns of equal length: float64, where NaN means missing, int64 or strings. It
// imports nothing, so that packages that compute can return tables; popsim/table/file writes and reads them.
package table

import (
	"errors"
	"fmt"
)

// Column is one named column, made by Col.
type Column struct {
	Name   string
	Values any // []float64 (NaN is missing), []int64 or []string
	Width  int // of strings: least width in characters, if later blocks of the table may hold longer ones; else 0
}

// Col returns the column of the given name and values, which it does not copy.
func Col[T float64 | int64 | string](name string, values []T) Column {
	return Column{Name: name, Values: values}
}

// Len returns the number of rows.
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

// Kind returns the type of the column as NumPy names it: f8, i8 or U; empty for a type that a column cannot hold.
func (c Column) Kind() string {
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

// Slice returns the column of rows lo to hi-1, which shares its values with c.
func (c Column) Slice(lo, hi int) Column {
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

// NewTable returns a table of the given columns.
func NewTable(columns ...Column) *Table { return &Table{Columns: columns} }

// Rows returns the number of rows.
func (t *Table) Rows() int {
	if len(t.Columns) == 0 {
		return 0
	}
	return t.Columns[0].Len()
}

// Column returns the first column of that name.
func (t *Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Check reports all errors of the table together: no columns, columns without a name or with the name of another, of
// unequal length, or of another type.
func (t *Table) Check() error {
	if len(t.Columns) == 0 {
		return errors.New("a table without columns")
	}
	var faults []error
	seen := map[string]bool{}
	for i, c := range t.Columns {
		switch {
		case c.Name == "":
			faults = append(faults, fmt.Errorf("column %d has no name", i+1))
		case seen[c.Name]:
			faults = append(faults, fmt.Errorf("two columns are named %q", c.Name))
		}
		seen[c.Name] = true
		if c.Kind() == "" {
			faults = append(faults, fmt.Errorf("column %q holds %T, not []float64, []int64 or []string", c.Name, c.Values))
		} else if c.Len() != t.Rows() {
			faults = append(faults, fmt.Errorf("column %q has %d rows, the first has %d", c.Name, c.Len(), t.Rows()))
		}
	}
	return errors.Join(faults...)
}
