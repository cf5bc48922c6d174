package file

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Column is a column of numbers of a file.
type Column struct {
	Name   string // its header, "" where there is none
	Values []float64
	Notes  []string // remarks for the user: a first line that may not be meant as it is read
}

// endings are the formats from which columns are read.
var endings = []string{".csv", ".npy", ".npz", ".parquet"}

var namedColumn = regexp.MustCompile(`(?i)^(.*?\.(?:csv|npy|npz|parquet)):(.+)$`)

// ReadColumn is ReadNamed without the name.
func ReadColumn(ref string) ([]float64, error) {
	c, err := ReadNamed(ref)
	return c.Values, err
}

// ReadNamed reads the column that ref names, PATH or PATH:COLUMN: one finite number per element of a .npy array (real
// numbers of any width, shape (N,) or (N, 1), or a field of records), per line of a .csv file, whose first line may
// name the columns, or per row of a column of a .npz or .parquet file. Without COLUMN the file must have just one. In a
// .csv file COLUMN may also be its number, from 1 on. Errors say at which line or element.
func ReadNamed(ref string) (Column, error) {
	path, column := ref, ""
	if m := namedColumn.FindStringSubmatch(ref); m != nil {
		path, column = m[1], m[2]
	}
	if path == "" {
		return Column{}, errors.New("no file is named; use .csv, .npy, .npz or .parquet")
	}
	f, err := os.Open(path)
	if err != nil {
		return Column{}, fmt.Errorf("%s cannot be read: %w", path, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return Column{}, fmt.Errorf("%s is a directory; name a file in it", path)
	}
	if err != nil {
		return Column{}, fmt.Errorf("%s cannot be read: %w", path, cause(err))
	}
	c := Column{Name: column}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
		c.Values, err = readNPYColumn(f, path, column)
	case ".npz":
		return readNPZColumn(f, info.Size(), path, column)
	case ".parquet":
		return readParquetColumn(f, info.Size(), path, column)
	case ".csv":
		return readCSVColumn(f, path, column)
	default:
		err = UnknownFormat(path, endings)
	}
	return c, err
}

// maxLine is the longest line a column of numbers may have.
const maxLine = 1 << 16

// csvReader reads a column of text.
type csvReader struct {
	path, column string
	line         int
	separator    byte // between columns; 0 where there is one column
	index        int  // of the column
	fields       int
	out          Column
}

func (r *csvReader) fail(format string, args ...any) error {
	return fmt.Errorf("%s line %d: "+format, append([]any{r.path, r.line}, args...)...)
}

// readCSVColumn is ReadNamed for text.
func readCSVColumn(text io.Reader, path, column string) (Column, error) {
	r := csvReader{path: path, column: column, out: Column{Name: ""}}
	buffered := bufio.NewReaderSize(text, maxLine)
	head, _ := buffered.Peek(maxLine)
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) ||
		bytes.IndexByte(head, 0) >= 0:
		return Column{}, fmt.Errorf("%s is UTF-16 text; save it as UTF-8", path)
	case bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(bytes.TrimRight(head, "\r"), '\r') >= 0:
		return Column{}, fmt.Errorf("the lines of %s end as on old Macs, with a carriage return alone; save it with line "+
			"ends of Unix or Windows", path)
	}
	lines := bufio.NewScanner(buffered)
	lines.Buffer(nil, maxLine)
	for blank := 0; lines.Scan(); {
		r.line++
		line := strings.TrimRight(lines.Text(), "\r")
		if r.line == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // the mark with which spreadsheets begin UTF-8
		}
		if strings.TrimSpace(line) == "" { // allowed at the end of the file alone
			blank++
			continue
		}
		if blank > 0 {
			r.line -= blank
			return Column{}, r.fail("the line is empty, a number was expected")
		}
		if err := r.add(line); err != nil {
			return Column{}, err
		}
	}
	if err := lines.Err(); err != nil {
		r.line++
		return Column{}, r.fail("%w", err)
	}
	if len(r.out.Values) == 0 {
		return Column{}, fmt.Errorf("%s holds no numbers", path)
	}
	return r.out, nil
}

var decimalComma = regexp.MustCompile(`^\s*"?[+-]?\d+,\d+"?\s*$`)

// add reads one line.
func (r *csvReader) add(line string) error {
	if r.line == 1 {
		if header, err := r.begin(line); header || err != nil {
			return err
		}
	}
	fields, err := r.split(line)
	if err != nil {
		return r.fail("%w", err)
	}
	if len(fields) != r.fields {
		if decimalComma.MatchString(line) && r.fields == 1 {
			return r.fail("%q has a decimal comma; write a point", line)
		}
		return r.fail("%d columns, but line 1 has %d", len(fields), r.fields)
	}
	text := strings.TrimSpace(fields[r.index])
	if decimalComma.MatchString(text) {
		return r.fail("%q has a decimal comma; write a point", text)
	}
	v, err := parseNumber(text)
	if err != nil {
		return r.fail("%w", err)
	}
	if r.line == 1 && text == "0" && r.fields == 1 {
		r.out.Notes = append(r.out.Notes,
			r.path+` begins with the number 0, which is also the header that pandas gives a column without a name; `+
				`it is read as a value, and header=False leaves it out`)
	}
	r.out.Values = append(r.out.Values, v)
	return nil
}

// begin reads the first line: it finds the separator of columns, the requested one, and whether the line is a header.
func (r *csvReader) begin(line string) (header bool, err error) {
	if i := strings.IndexAny(line, ",;\t"); i >= 0 && !decimalComma.MatchString(line) || r.column != "" && i >= 0 {
		r.separator = line[i]
		if strings.Contains(line, ";") {
			r.separator = ';'
		} else if strings.Contains(line, "\t") {
			r.separator = '\t'
		}
	}
	names, err := r.split(line)
	if err != nil {
		return false, r.fail("%w", err)
	}
	r.fields = len(names)
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	header = slices.ContainsFunc(names, isName)
	if r.column == "" && r.fields == 1 {
		if _, err := parseNumber(names[0]); err != nil && isName(names[0]) {
			r.out.Name = names[0]
			return true, nil
		}
		if decimalComma.MatchString(line) {
			return false, r.fail("%q has a decimal comma, or two columns; write decimals with a point, and name a column "+
				"as %s:1", line, r.path)
		}
		return false, nil
	}
	if r.column == "" {
		if !header {
			return false, r.fail("%d columns, but one is needed; %s:1 names the first", r.fields, r.path)
		}
		named := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
		return false, r.fail("%d columns, but one is needed; name it, as in %s:%s", r.fields, r.path, named[len(named)-1])
	}
	r.index, err = findColumn(names, r.column)
	if n, e := strconv.Atoi(r.column); err != nil && e == nil && n >= 1 && n <= r.fields {
		r.index, err = n-1, nil
	}
	if err != nil {
		if !header {
			return false, r.fail("there is no column %q: the first line has no names; a number from 1 to %d names a "+
				"column", r.column, r.fields)
		}
		return false, fmt.Errorf("%s: %w", r.path, err)
	}
	if header {
		r.out.Name = names[r.index]
	}
	return header, nil
}

// split divides a line into its fields.
func (r *csvReader) split(line string) ([]string, error) {
	if r.separator == 0 {
		if i := strings.IndexAny(unquote(strings.TrimSpace(line)), ",;\t"); i >= 0 && r.line > 1 {
			return strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(",;\t", c) }), nil
		}
		return []string{unquote(strings.TrimSpace(line))}, nil
	}
	c := csv.NewReader(strings.NewReader(line))
	c.Comma, c.LazyQuotes, c.TrimLeadingSpace = rune(r.separator), true, r.separator != '\t'
	return c.Read()
}

// findColumn finds a column by its header, which may carry a unit: I finds "I", "I (nA)" and "I_nA", where just one is
// there.
func findColumn(names []string, column string) (int, error) {
	if i := slices.Index(names, column); i >= 0 {
		return i, nil
	}
	found := -1
	for i, n := range names {
		if base, unit := SplitHeader(n); unit != "" && base == column {
			if found >= 0 {
				return 0, fmt.Errorf("the columns %q and %q both are %s", names[found], n, column)
			}
			found = i
		}
	}
	if found < 0 {
		return 0, fmt.Errorf("there is no column %q; the columns are %s", column, strings.Join(names, ", "))
	}
	return found, nil
}

var headerUnit = regexp.MustCompile(`^(.+?)\s*(?:\(([^()]+)\)|\[([^\[\]]+)\])$`)

// SplitHeader splits the header of a column into a name and a unit: "I (nA)", "I [nA]" and "I_nA". The part after an
// underscore may also belong to the name.
func SplitHeader(header string) (name, unit string) {
	if m := headerUnit.FindStringSubmatch(header); m != nil {
		return m[1], strings.TrimSpace(m[2] + m[3])
	}
	if i := strings.LastIndexByte(header, '_'); i > 0 && i+1 < len(header) {
		return header[:i], header[i+1:]
	}
	return header, ""
}

// parseNumber reads a finite decimal number, by the rule of the command line: no underscores, no hexadecimal digits.
func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%q does not fit into a double", text)
	case err != nil || strings.ContainsAny(text, "_xX"):
		return 0, fmt.Errorf("%q is not a number", text)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%q is not a finite number", text)
	}
	return v, nil
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// isName reports whether s can be the header of a column: a mistyped number, such as 1.o5, cannot.
func isName(s string) bool {
	return s != "" && !strings.ContainsRune("+-.0123456789", rune(s[0]))
}

// readNPZColumn is ReadNamed for archives of arrays.
func readNPZColumn(f io.ReaderAt, size int64, path, column string) (Column, error) {
	archive, err := zip.NewReader(f, size)
	if err != nil {
		return Column{}, fmt.Errorf("%s is not a .npz file: %w", path, err)
	}
	var names []string
	for _, member := range archive.File {
		names = append(names, strings.TrimSuffix(member.Name, ".npy"))
	}
	i, err := chooseColumn(names, column, path)
	if err != nil {
		return Column{}, err
	}
	r, err := archive.File[i].Open()
	if err != nil {
		return Column{}, fmt.Errorf("%s: %s: %w", path, names[i], err)
	}
	defer r.Close()
	values, err := readNPYColumn(r, path+":"+names[i], "")
	return Column{Name: names[i], Values: values}, err
}

// chooseColumn finds the column in a file whose columns all have names.
func chooseColumn(names []string, column, path string) (int, error) {
	if column == "" && len(names) != 1 {
		return 0, fmt.Errorf("%s has %d columns, but one is needed; name it, as %s:COLUMN: %s", path, len(names), path,
			strings.Join(names, ", "))
	}
	if column == "" {
		return 0, nil
	}
	i, err := findColumn(names, column)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return i, nil
}
