package report

import (
	"archive/zip"
	"bufio"
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
)

// ReadColumn reads one finite number per element from a .npy file (real numbers of any width, shape (N,) or (N, 1)) or
// per line from a .csv file of one column, whose first line may be a name. Errors tell the line or the element.
func ReadColumn(path string) ([]float64, error) {
	if path == "" {
		return nil, errors.New("report: no file is named; a .npy or .csv file would do")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("report: %s cannot be read: %w", path, cause(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("report: %s is a directory; a file in it would do", path)
	}
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".npy":
		return readNPYColumn(f, path)
	case ".csv":
		return readCSVColumn(f, path)
	}
	return nil, unknownEnding(path, []string{".npy", ".csv"})
}

// maxLine is the longest line a column of numbers may have.
const maxLine = 1 << 16

// readCSVColumn is ReadColumn for text.
func readCSVColumn(r io.Reader, path string) ([]float64, error) {
	var values []float64
	line := 0
	fail := func(format string, args ...any) ([]float64, error) {
		return nil, fmt.Errorf("report: %s line %d: "+format, append([]any{path, line}, args...)...)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for blank := 0; lines.Scan(); {
		line++
		text := strings.TrimSpace(lines.Text())
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // the mark with which spreadsheets begin UTF-8
		}
		if text == "" { // allowed at the end of the file alone
			blank++
			continue
		}
		if blank > 0 {
			line -= blank
			return fail("the line is empty, a number was expected")
		}
		if i := strings.IndexAny(text, ",;\t"); i >= 0 {
			return fail("%d columns, but one is needed; this would keep the first: cut -d'%c' -f1", 1+strings.Count(text, text[i:i+1]), text[i])
		}
		text = unquote(text)
		v, err := strconv.ParseFloat(text, 64)
		switch {
		case errors.Is(err, strconv.ErrRange):
			return fail("%q does not fit into a double", text)
		case err != nil && line == 1 && isName(text):
			continue
		case err != nil:
			return fail("%q is not a number", text)
		case math.IsNaN(v) || math.IsInf(v, 0):
			return fail("%q is not a finite number", text)
		}
		values = append(values, v)
	}
	if err := lines.Err(); err != nil {
		line++
		return fail("%w", err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("report: %s holds no numbers", path)
	}
	return values, nil
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// isName says whether s can head a column: a mistyped number, such as 1.o5, cannot.
func isName(s string) bool {
	return s != "" && !strings.ContainsRune("+-.0123456789", rune(s[0]))
}

// ReadTable reads back a table that an Output has written as .csv, .npy, .npz or .parquet. CSV does not say what a column
// holds: one of whole numbers alone reads as int64, one of numbers and missing values as float64, any other as string.
// A plain .npy has one column, named value.
func ReadTable(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("report: %s cannot be read: %w", path, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("report: %s cannot be read: %w", path, cause(err))
	}
	var t *Table
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
		return nil, unknownEnding(path, []string{".csv", ".npy", ".npz", ".parquet"})
	}
	if err == nil {
		err = t.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("report: reading %s: %w", path, cause(err))
	}
	return t, nil
}

func readCSV(r io.Reader) (*Table, error) {
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
	t := new(Table)
	for j, name := range names {
		t.Columns = append(t.Columns, Column{Name: name, Values: inferred(cells[j])})
	}
	return t, nil
}

// inferred is the narrowest of int64, float64 and string that holds all cells. Only what AppendInt would write counts
// as an integer: -0 and 1e3 are floats.
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

func readNPZ(f io.ReaderAt, size int64) (*Table, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, err
	}
	t := new(Table)
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

func readParquet(f io.ReaderAt, size int64) (t *Table, err error) {
	in, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	t = new(Table)
	for j, field := range in.Schema().Fields() {
		if !field.Leaf() || !field.Required() {
			return nil, fmt.Errorf("column %q is optional or nested; plain columns were expected", field.Name())
		}
		c := Column{Name: field.Name()}
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
