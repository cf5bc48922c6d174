package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"popsim/table"
)

// hard is a table of values that formats get wrong.
func hard() *table.Table {
	floats := []float64{
		math.NaN(), math.Copysign(0, -1), 5e-324, math.MaxFloat64, -math.MaxFloat64, math.Inf(1),
		math.Inf(-1), 0.1, 1e21, 1.5e-7, 123456789,
	}
	n := len(floats)
	ints, texts := make([]int64, n), make([]string, n)
	copy(ints, []int64{0, -1, math.MaxInt64, math.MinInt64})
	copy(texts, []string{"ok", "", `a "quoted", word`, "two\nlines", "µA/cm²", " spaces ", "[1]"})
	return table.NewTable(table.Col("I", floats), table.Col("spikes", ints), table.Col("status", texts),
		table.Col("it's, (a) \"name\" µ", floats))
}

// same reports whether two tables have the same names, types and bits, where all NaN are equal.
func same(a, b *table.Table) bool {
	return slices.EqualFunc(a.Columns, b.Columns, func(c, d table.Column) bool {
		if c.Name != d.Name || c.Kind() != d.Kind() {
			return false
		}
		switch v := c.Values.(type) {
		case []float64:
			return slices.EqualFunc(v, d.Values.([]float64), func(x, y float64) bool {
				return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
			})
		case []int64:
			return slices.Equal(v, d.Values.([]int64))
		}
		return slices.Equal(c.Values.([]string), d.Values.([]string))
	})
}

// saved writes t to a new file in blocks of so many rows.
func saved(t *testing.T, name string, data *table.Table, block int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	out, err := Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Abort()
	if data.Rows() == 0 {
		if err := out.WriteTable(data); err != nil {
			t.Fatal(err)
		}
	}
	for lo := 0; lo < data.Rows(); lo += block {
		part := new(table.Table)
		for _, c := range data.Columns {
			part.Columns = append(part.Columns, c.Slice(lo, min(lo+block, data.Rows())))
		}
		if err := out.Append(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if len(left) > 0 {
		t.Errorf("%v is left beside %s", left, name)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	for _, ending := range []string{".csv", ".npy", ".npz", ".parquet"} {
		for name, data := range map[string]*table.Table{
			"hard":   hard(),
			"floats": table.NewTable(table.Col("x", []float64{1.5, math.NaN(), 3})),
			"single": table.NewTable(table.Col("n", []int64{4})),
			"empty":  table.NewTable(table.Col("neuron", []int64{}), table.Col("time_ms", []float64{})),
		} {
			want := data
			if ending == ".npy" && len(data.Columns) == 1 {
				want = table.NewTable(table.Column{Name: "value", Values: data.Columns[0].Values})
			}
			if ending == ".csv" && data.Rows() == 0 {
				want = table.NewTable(table.Col("neuron", []float64{}), table.Col("time_ms", []float64{}))
			}
			got, err := ReadTable(saved(t, "t"+ending, data, 1000))
			if err != nil {
				t.Errorf("%s%s: %v", name, ending, err)
			} else if !same(got, want) {
				t.Errorf("%s%s reads back as\n%v, want\n%v", name, ending, got, want)
			}
		}
	}
}

func TestBytesDoNotDependOnBlocks(t *testing.T) {
	const rows = 20000
	times, neurons := make([]float64, rows), make([]int64, rows)
	for i := range rows {
		times[i], neurons[i] = 0.1*float64(i), int64(i*7%100)
	}
	data := table.NewTable(table.Col("neuron", neurons), table.Col("time_ms", times))
	for _, o := range openers {
		want, err := os.ReadFile(saved(t, "t"+o.ending, data, rows))
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range []int{1, 777, 4096} {
			got, err := os.ReadFile(saved(t, "t"+o.ending, data, block))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: blocks of %d rows give other bytes than one block (%v)", o.ending, block, err)
			}
		}
	}
}

func TestSpoolsOnDisk(t *testing.T) {
	const rows = spoolInMemory/8 + 1000
	v := make([]float64, rows)
	for i := range v {
		v[i] = math.Sqrt(float64(i))
	}
	data := table.NewTable(table.Col("t", v), table.Col("label", slices.Repeat([]string{"a"}, rows)))
	got, err := ReadTable(saved(t, "t.npz", data, rows/3))
	if err != nil || !same(got, data) {
		t.Errorf("a table of %d rows does not read back: %v", rows, err)
	}
}

func TestCSVText(t *testing.T) {
	var b bytes.Buffer
	out := NewCSV(&b)
	data := table.NewTable(table.Col("I", []float64{
		21, 0.1, math.NaN(), 1e-6, 2.5e22, 1e20, -34773033831314215000,
		1<<53 - 1,
	}),
		table.Col("n", []int64{1, 2, 3, 4, 5, 6, 7, 8}))
	if err := errors.Join(out.WriteTable(data), out.Commit()); err != nil {
		t.Fatal(err)
	}
	want := "I,n\n21,1\n0.1,2\n,3\n1e-06,4\n2.5e+22,5\n1e+20,6\n-3.4773033831314215e+19,7\n9007199254740991,8\n"
	if b.String() != want {
		t.Errorf("CSV is %q, want %q", b.String(), want)
	}
}

func TestJSON(t *testing.T) {
	data := hard()
	text, err := os.ReadFile(saved(t, "t.json", data, 3))
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(rows) != data.Rows() || rows[0]["I"] != nil || rows[7]["I"] != 0.1 || rows[3]["status"] != "two\nlines" {
		t.Errorf("JSON reads back as %v", rows)
	}
	text, err = os.ReadFile(saved(t, "e.json", table.NewTable(table.Col("x", []float64{})), 1))
	if err != nil || string(text) != "[]\n" {
		t.Errorf("an empty table is %q, want [] (%v)", text, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.csv")
	if err := os.WriteFile(old, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "t.xls"):           "use .csv, .npz, .npy, .parquet or .json",
		filepath.Join(dir, "none", "t.csv"):   "cannot be written: no such file or directory",
		filepath.Join(old, "t.csv"):           "cannot be written: not a directory",
		old:                                   "exists; use --force to overwrite it",
		filepath.Join(dir, "t"):               "has no ending of a known format",
		mkdir(t, filepath.Join(dir, "d.csv")): "is a directory",
	} {
		if _, err := Create(path, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Create(%s): %v, want %q", path, err, want)
		}
	}
	out, err := Create(old, true)
	if err != nil {
		t.Fatal(err)
	}
	out.Abort()
	if text, _ := os.ReadFile(old); string(text) != "kept" {
		t.Errorf("after Abort the old file holds %q", text)
	}
	if out, err = Create(old, true); err != nil {
		t.Fatal(err)
	}
	if err := out.Commit(); err == nil {
		t.Error("Commit without a table is no error")
	}
	link := filepath.Join(dir, "link.csv")
	if err := os.Symlink(old, link); err != nil {
		t.Skip(err)
	}
	if out, err = Create(link, true); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.WriteTable(table.NewTable(table.Col("x", []int64{1}))), out.Commit()); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(old); string(text) != "x\n1\n" {
		t.Errorf("through a link the file became %q", text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A file goes to where the symbolic links lead, by way of directories too, whether there is a file already or not; the
// links stay, and the record lies beside the name that was given. Links that lead in a circle are refused.
func TestLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	mkdir(t, "far")
	mkdir(t, filepath.Join("far", "away"))
	for link, to := range map[string]string{
		"here": filepath.Join("far", "away"), "a.csv": "b.csv", "b.csv": "here" + string(filepath.Separator) +
			filepath.Join("..", "c.csv"), "x.csv": "y.csv", "y.csv": "x.csv",
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Skip(err) // no links here
		}
	}
	for _, force := range []bool{false, true} {
		if err := errors.Join(Write("a.csv", []byte("x\n"), force), WriteRecord("a.csv", Record{Seed: 7})); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join("far", "c.csv")); string(text) != "x\n" {
		t.Errorf("far/c.csv holds %q (%v)", text, err)
	}
	if err := Write("a.csv", nil, false); err == nil {
		t.Error("the target of two links was overwritten without force")
	}
	if r, err := ReadRecord("a.csv"); r.Seed != 7 {
		t.Errorf("no record beside a.csv: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join("far", "*")); len(left) != 2 {
		t.Errorf("far holds %v, want away and c.csv", left)
	}
	for _, link := range []string{"a.csv", "b.csv", "x.csv"} {
		if err := Write("x.csv", nil, true); err == nil {
			t.Error("links in a circle were written through")
		}
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v", link, err)
		}
	}
}

func mkdir(t *testing.T, path string) string {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	out, err := Create("/dev/full", false)
	if err != nil {
		t.Fatal(err)
	}
	if !out.Direct() {
		t.Error("/dev/full is taken for a file")
	}
	block := table.NewTable(table.Col("x", make([]float64, bufSize)))
	if err := errors.Join(out.Append(block), out.Append(block)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing to a full disk: %v", err)
	}
	if err := out.Commit(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Commit after a failure: %v, want the failure", err)
	}
	if err := WriteRecord("/dev/full", Record{}); err != nil {
		t.Errorf("a record beside a device: %v, want none", err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	err = NewCSV(full).WriteTable(block)
	if want := "writing standard output: no space left on device"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// failing is a format whose last write fails, as on a full disk.
type failing struct{ discarded bool }

func (*failing) write(*table.Table) error { return nil }
func (*failing) close() error             { return &fs.PathError{Op: "write", Path: "tmp", Err: syscall.ENOSPC} }
func (f *failing) discard()               { f.discarded = true }

func TestFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	out, err := Create(filepath.Join(dir, "t.csv"), false)
	if err != nil {
		t.Fatal(err)
	}
	f := new(failing)
	out.enc = f
	err = errors.Join(out.WriteTable(table.NewTable(table.Col("x", []int64{1}))), out.Commit())
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "t.csv: no space left") {
		t.Errorf("Commit: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 || !f.discarded {
		t.Errorf("%v is left", left)
	}
}

func TestBrokenPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	out := NewCSV(w)
	if err := errors.Join(out.WriteTable(table.NewTable(table.Col("x", []int64{1}))), out.Commit()); !errors.Is(err,
		syscall.EPIPE) {
		t.Errorf("a pipe without a reader: %v, want EPIPE", err)
	}
}

func TestBlocksMustAgree(t *testing.T) {
	out := NewCSV(new(bytes.Buffer))
	if err := out.Append(table.NewTable(table.Col("x", []int64{1}))); err != nil {
		t.Fatal(err)
	}
	for _, other := range []*table.Table{
		table.NewTable(table.Col("y", []int64{1})),
		table.NewTable(table.Col("x", []float64{1})),
		table.NewTable(table.Col("x", []int64{1}), table.Col("y", []int64{1})),
		table.NewTable(table.Col("x", []int64{1}), table.Col("x", []int64{1, 2})),
		table.NewTable(),
		table.NewTable(table.Column{Name: "x", Values: []int{1}}),
	} {
		if err := out.Append(other); err == nil {
			t.Errorf("%v is taken after blocks of x", other)
		}
	}
}

func TestWriteRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fi.csv")
	r := Record{
		Version: "1", Command: []string{"popsim", "fi", "lif", "I=0:5:1"}, Model: "lif",
		Parameters: []Parameter{{"tau", 10.0, "ms"}, {"I", "0:5:1", "pA"}}, Extra: map[string]any{"b": 1, "a": "<2>"},
	}
	for range 2 {
		if err := WriteRecord(path, r); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path + RecordEnding)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(text, &back); err != nil || back.Parameters[0] != r.Parameters[0] ||
		!strings.Contains(string(text), `"<2>"`) {
		t.Errorf("the record reads back as %+v (%v):\n%s", back, err, text)
	}
}

// TestRecordKeys requires every key of a record, for every verb.
func TestRecordKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := WriteRecord(path, Record{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path + RecordEnding)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"version", "command", "model", "preset", "parameters", "dt_ms", "method", "seed", "kernel", "instruction_set",
		"workers",
		"phases", "memory_bytes", "warnings",
	} {
		if _, ok := keys[key]; !ok {
			t.Errorf("an empty record has no %q", key)
		}
	}
	for _, list := range []string{"parameters", "phases", "warnings"} {
		if keys[list] == nil {
			t.Errorf("%q of an empty record is null, not a list", list)
		}
	}
}
