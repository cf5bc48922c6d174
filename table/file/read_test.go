package file

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"popsim/table"
)

// npy is a .npy file of the given header and data.
func npy(version byte, header string, data ...byte) []byte {
	b := append([]byte(npyMagic), version, 0, byte(len(header)), byte(len(header)>>8))
	if version > 1 {
		b = append(b, 0, 0)
	}
	return append(append(b, header...), data...)
}

func TestReadCSVColumn(t *testing.T) {
	for text, want := range map[string]string{
		"1\n2.5\n-3e2\n":                              "",
		"I (pA)\n1\n2.5\n-3e2":                        "",
		"\ufeff\"I\"\r\n1\r\n2.5\r\n-3e2\r\n\r\n\r\n": "",
		" \"1\" \n2.5\n-3e2\n":                        "",
		"I\n1\nabc\n":                                 `I.csv line 3: "abc" is not a number`,
		"1.o5\n1\n":                                   `line 1: "1.o5" is not a number`,
		"1\nNaN\n":                                    `line 2: "NaN" is not a finite number`,
		"1\n\n2\n":                                    "line 2: the line is empty",
		"1,2\n3,4\n":                                  "line 1: \"1,2\" has a decimal comma, or two columns",
		"1;2\n":                                       "2 columns, but one is needed; I.csv:1",
		"1\n1e999\n":                                  "does not fit",
		"I\n":                                         "holds no numbers",
		"":                                            "holds no numbers",
		",I\n0,10\n1,11\n":                            "line 1: 2 columns, but one is needed; name it, as in I.csv:I",
		"t,I\n0,10\n":                                 "I.csv:I",
		"I\n10,5\n11,5\n":                             `line 2: "10,5" has a decimal comma`,
		"10,5\n11,5\n":                                "decimal comma, or two columns",
		"I\n1_0\n":                                    `"1_0" is not a number`,
		"0x1p3\n":                                     `"0x1p3" is not a number`,
		"1\r2\r3\r":                                   "old Macs",
		"\xff\xfe1\x00\n\x00":                         "UTF-16",
		"1\x00\n\x002\x00":                            "UTF-16",
		"1\n# why\n":                                  `line 2: "# why" is not a number`,
		strings.Repeat("1", 70000):                    "line 1: ",
	} {
		column, err := readCSVColumn(strings.NewReader(text), "I.csv", "")
		got := column.Values
		switch {
		case want == "" && (err != nil || !slices.Equal(got, []float64{1, 2.5, -300})):
			t.Errorf("%q reads as %v, %v", text, got, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
}

func TestReadNPYColumn(t *testing.T) {
	const tail = "'fortran_order': False, 'shape': "
	for _, c := range []struct {
		file []byte
		want string // part of the error; "" for the values 1 and -2
	}{
		{npy(1, "{'descr': '<f8', "+tail+"(2,), }\n", 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0), ""},
		{npy(2, "{'descr': '<f4', "+tail+"(2, 1), }\n", 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0), ""},
		{npy(3, "{'descr': '>i2', "+tail+"(2L,), }\n", 0, 1, 0xff, 0xfe), ""},
		{npy(1, "{'descr': '|i1', 'fortran_order': True, 'shape': (2,)}", 1, 0xfe), ""},
		{npy(1, "{'descr': '<i4', "+tail+"(2, 2), }\n"), "has shape (2, 2); (N,) or (N, 1) is needed"},
		{npy(1, "{'descr': '<i4', "+tail+"(), }\n"), "has shape ()"},
		{npy(1, "{'descr': '|O', "+tail+"(2,), }\n"), "pickled Python objects"},
		{npy(1, "{'descr': '<c16', "+tail+"(2,), }\n"), `type "<c16" is not supported`},
		{npy(1, "{'descr': '<U3', "+tail+"(2,), }\n"), "an array of strings"},
		{
			npy(1, "{'descr': [('a', '<f8'), ('b', '<f8')], "+tail+"(2,), }\n"),
			"I.npy has 2 columns, but one is needed; name it, as I.npy:COLUMN: a, b",
		},
		{npy(1, "{'descr': '<f8', "+tail+"(2,), }\n", 1, 2, 3), "cut off: it holds 0 of 2 elements"},
		{npy(1, "{'descr': '<f8', "+tail+"(9000000000000000000,), }\n"), "cut off"},
		{npy(1, "{'descr': '<f8', "+tail+"(9000000000000000000, 9), }\n"), "has shape"},
		{npy(1, "{'descr': '<f4', "+tail+"(1,), }\n", 0, 0, 0x80, 0x7f), "element 0 is +Inf"},
		{npy(1, "{'descr': '<f4', "+tail+"(0,), }\n"), "holds no numbers"},
		{npy(1, "{'descr': '<f4', "), "makes no sense"},
		{npy(9, ""), "version 9"},
		{[]byte("PK\x03\x04"), "not a .npy file"},
		{[]byte(npyMagic + "\x02\x00\xff\xff\xff\xff"), "claims to be"},
		{nil, "not a .npy file"},
	} {
		got, err := readNPYColumn(bytes.NewReader(c.file), "I.npy", "")
		switch {
		case c.want == "" && (err != nil || !slices.Equal(got, []float64{1, -2})):
			t.Errorf("%q reads as %v, %v", c.file, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: %v, want %q", c.file, err, c.want)
		}
	}
}

func TestReadColumn(t *testing.T) {
	want := []float64{1, 2.5, 1e300}
	for _, ending := range []string{".csv", ".npy"} {
		got, err := ReadColumn(saved(t, "I"+ending, table.NewTable(table.Col("I", want)), 2))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s reads back as %v, %v", ending, got, err)
		}
	}
	if _, err := ReadColumn("none.csv"); err == nil || !strings.Contains(err.Error(),
		"none.csv cannot be read: no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
	path := filepath.Join(t.TempDir(), "I.txt")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadColumn(path); err == nil || !strings.Contains(err.Error(), "use .csv, .npy, .npz or .parquet") {
		t.Errorf("an unknown ending: %v", err)
	}
}

// TestReadNamed: a column of a table is found by its name, in every format, and by its number in text.
func TestReadNamed(t *testing.T) {
	want := []float64{1, 2.5, 1e300}
	columns := table.NewTable(table.Col("neuron", []int64{7, 8, 9}), table.Col("I_nA", want),
		table.Col("name", []string{"a", "b", "c"}))
	for _, ending := range endings {
		path := saved(t, "many"+ending, columns, 2)
		for _, column := range []string{"I_nA", "I"} {
			got, err := ReadNamed(path + ":" + column)
			if err != nil || !slices.Equal(got.Values, want) || got.Name != "I_nA" && ending != ".npy" {
				t.Errorf("%s:%s is %v, %v", ending, column, got, err)
			}
		}
		if got, err := ReadNamed(path + ":neuron"); err != nil || !slices.Equal(got.Values, []float64{7, 8, 9}) {
			t.Errorf("%s:neuron is %v, %v", ending, got, err)
		}
		for ref, want := range map[string]string{
			path + ":V": `there is no column "V"`,
			path:        "columns, but one is needed", path + ":name": "number",
		} {
			if _, err := ReadNamed(ref); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", filepath.Base(ref), err, want)
			}
		}
	}
	for text, column := range map[string]string{
		"a,b\n9,1\n9,2.5\n9,1e300\n": "b", "9;1\n9;2.5\n9;1e300": "2", "x\tI (nA)\n9\t1\n9\t2.5\n9\t1e300": "I",
		"\"a, b\",I\n\"9,9\",1\n8,2.5\n8,1e300\n": "I",
	} {
		got, err := readCSVColumn(strings.NewReader(text), "I.csv", column)
		if err != nil || !slices.Equal(got.Values, want) {
			t.Errorf("%q:%s is %v, %v", text, column, got, err)
		}
	}
	if _, err := readCSVColumn(strings.NewReader("t;I\n0;10,5\n"), "I.csv", "I"); err == nil ||
		!strings.Contains(err.Error(), "decimal comma") {
		t.Errorf("a decimal comma in a column: %v", err)
	}
	if got, err := readCSVColumn(strings.NewReader("0\n10\n11\n"), "I.csv", ""); err != nil || len(got.Notes) != 1 ||
		len(got.Values) != 3 {
		t.Errorf("the header of an unnamed series: %v, %v", got, err)
	}
}

// FuzzReadNPY fails on panics, and on memory in proportion to the size in the header instead of that of the file.
func FuzzReadNPY(f *testing.F) {
	f.Add(npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", 0, 0, 0, 0, 0, 0, 0xf0, 0x3f))
	f.Add(npy(3, "{'descr': [('a', '<f8'), ('µ', '<U2')], 'fortran_order': False, 'shape': (3,), }\n"))
	f.Add(npy(2, "{'descr': '<i4', 'fortran_order': False, 'shape': (99999999, 99999999), }\n"))
	f.Add([]byte(npyMagic))
	f.Fuzz(func(t *testing.T, file []byte) {
		values, err := readNPYColumn(bytes.NewReader(file), "f.npy", "")
		if err == nil && len(values) > len(file) {
			t.Errorf("%d values from %d bytes", len(values), len(file))
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add("I\n1\n2\n")
	f.Add("\ufeff1\r\n\r\n")
	f.Add("\"\n,\x00")
	f.Fuzz(func(t *testing.T, text string) {
		column, err := readCSVColumn(strings.NewReader(text), "f.csv", "")
		values := column.Values
		if err == nil && len(values) > len(text) {
			t.Errorf("%d values from %d bytes", len(values), len(text))
		}
	})
}
