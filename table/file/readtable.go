package file

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"popsim/table"
)

// ReadTable reads back a table that an Output has written as .csv, .npy, .npz or .parquet. CSV does not say what a
// column holds: one of whole numbers alone reads as int64, one of numbers and missing values as float64, any other as
// string. A plain .npy has one column, named value.
func ReadTable(path string) (*table.Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, cause(err))
	}
	var t *table.Table
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".csv":
		t, err = readCSV(f)
	case ".npy":
		t, err = readNPY(f)
	case ".npz":
		t, err = readNPZ(f, info.Size())
	case ".parquet":
		t, err = readParquet(f, info.Size())
	default:
		return nil, UnknownFormat(path, []string{".csv", ".npy", ".npz", ".parquet"})
	}
	if err == nil {
		err = t.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, cause(err))
	}
	return t, nil
}

func readCSV(r io.Reader) (*table.Table, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("no header line: %w", err)
	}
	names := slices.Clone(head)
	cells := make([][]string, len(names))
	for {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for j, s := range row {
			cells[j] = append(cells[j], s)
		}
	}
	t := new(table.Table)
	for j, name := range names {
		t.Columns = append(t.Columns, table.Column{Name: name, Values: inferred(cells[j])})
	}
	return t, nil
}

// inferred converts cells to the narrowest of int64, float64 and string that holds all of them. Only the format of
// AppendInt counts as an integer: -0 and 1e3 are floats.
func inferred(cells []string) any {
	ints := make([]int64, len(cells))
	floats := make([]float64, len(cells))
	whole := len(cells) > 0
	for i, s := range cells {
		var err error
		if whole {
			ints[i], err = strconv.ParseInt(s, 10, 64)
			whole = err == nil && strconv.FormatInt(ints[i], 10) == s
		}
		if s == "" {
			floats[i] = math.NaN()
		} else if floats[i], err = strconv.ParseFloat(s, 64); err != nil {
			return cells
		}
	}
	if whole {
		return ints
	}
	return floats
}

func readNPZ(f io.ReaderAt, size int64) (*table.Table, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, err
	}
	t := new(table.Table)
	for _, entry := range z.File {
		r, err := entry.Open()
		if err != nil {
			return nil, err
		}
		one, err := readNPY(r)
		_ = r.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name, err)
		}
		if len(one.Columns) != 1 {
			return nil, fmt.Errorf("%s holds a structured array; one plain array per column was expected", entry.Name)
		}
		c := one.Columns[0]
		c.Name = strings.TrimSuffix(entry.Name, ".npy")
		t.Columns = append(t.Columns, c)
	}
	return t, nil
}

func readParquet(f io.ReaderAt, size int64) (t *table.Table, err error) {
	in, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	t = new(table.Table)
	for j, field := range in.Schema().Fields() {
		if !field.Leaf() || !field.Required() {
			return nil, fmt.Errorf("column %q is optional or nested; plain columns were expected", field.Name())
		}
		c := table.Column{Name: field.Name()}
		switch field.Type().Kind() {
		case parquet.Double:
			c.Values, err = readChunks(in, j, parquet.Value.Double)
		case parquet.Int64:
			c.Values, err = readChunks(in, j, parquet.Value.Int64)
		case parquet.ByteArray:
			c.Values, err = readChunks(in, j, func(v parquet.Value) string { return string(v.ByteArray()) })
		default:
			err = fmt.Errorf("column %q holds %s; DOUBLE, INT64 or BYTE_ARRAY was expected", c.Name, field.Type())
		}
		if err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, c)
	}
	return t, nil
}

// readChunks reads column j of all row groups.
func readChunks[T any](in *parquet.File, j int, value func(parquet.Value) T) ([]T, error) {
	all := []T{}
	batch := make([]parquet.Value, parquetBatch)
	for _, group := range in.RowGroups() {
		pages := group.ColumnChunks()[j].Pages()
		for {
			page, err := pages.ReadPage()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, errors.Join(err, pages.Close())
			}
			for values := page.Values(); err == nil; {
				var n int
				n, err = values.ReadValues(batch)
				for _, v := range batch[:n] {
					all = append(all, value(v))
				}
			}
			parquet.Release(page)
			if err != io.EOF {
				return nil, errors.Join(err, pages.Close())
			}
		}
		if err := pages.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readNPY reads a one-dimensional array, plain or structured, as a table.
func readNPY(r io.Reader) (*table.Table, error) {
	a, err := readNPYHeader(r)
	if err != nil {
		return nil, err
	}
	if len(a.shape) != 1 {
		return nil, fmt.Errorf("the array has shape %s; (N,) is needed", a.shapeText())
	}
	var (
		t      = &table.Table{Columns: make([]table.Column, len(a.fields))}
		floats = make([][]float64, len(a.fields))
		ints   = make([][]int64, len(a.fields))
		strs   = make([][]string, len(a.fields))
		j      = 0
	)
	err = a.read(r, func(f npyField, b []byte) {
		switch f.kind {
		case 'f':
			floats[j] = append(floats[j], f.float(b))
		case 'U':
			strs[j] = append(strs[j], f.text(b))
		default:
			ints[j] = append(ints[j], f.int(b))
		}
		j = (j + 1) % len(a.fields)
	})
	for j, f := range a.fields {
		switch f.kind {
		case 'f':
			t.Columns[j] = table.Col(f.name, floats[j])
		case 'U':
			t.Columns[j] = table.Col(f.name, strs[j])
		default:
			t.Columns[j] = table.Col(f.name, ints[j])
		}
	}
	return t, err
}

func (f npyField) text(b []byte) string {
	var s strings.Builder
	for ; len(b) >= 4; b = b[4:] {
		r := rune(f.order.Uint32(b))
		if r == 0 {
			break
		}
		s.WriteRune(r)
	}
	return s.String()
}
