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
		"1,2\n3,4\n":                                  "line 1: 2 columns, but one is needed; this would keep the first: cut -d',' -f1",
		"1;2\n":                                       "2 columns",
		"1\n1e999\n":                                  "does not fit",
		"I\n":                                         "holds no numbers",
		"":                                            "holds no numbers",
		"1\n# why\n":                                  `line 2: "# why" is not a number`,
		strings.Repeat("1", 70000):                    "line 1: ",
	} {
		got, err := readCSVColumn(strings.NewReader(text), "I.csv")
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
		{npy(1, "{'descr': [('a', '<f8')], "+tail+"(2,), }\n"), "an array of records"},
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
		got, err := readNPYColumn(bytes.NewReader(c.file), "I.npy")
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
	if _, err := ReadColumn("none.csv"); err == nil || !strings.Contains(err.Error(), "none.csv cannot be read: no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
	path := filepath.Join(t.TempDir(), "I.txt")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadColumn(path); err == nil || !strings.Contains(err.Error(), "use .npy or .csv") {
		t.Errorf("an unknown ending: %v", err)
	}
}

// FuzzReadNPY looks for panics and for memory that follows the header instead of the file.
func FuzzReadNPY(f *testing.F) {
	f.Add(npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", 0, 0, 0, 0, 0, 0, 0xf0, 0x3f))
	f.Add(npy(3, "{'descr': [('a', '<f8'), ('µ', '<U2')], 'fortran_order': False, 'shape': (3,), }\n"))
	f.Add(npy(2, "{'descr': '<i4', 'fortran_order': False, 'shape': (99999999, 99999999), }\n"))
	f.Add([]byte(npyMagic))
	f.Fuzz(func(t *testing.T, file []byte) {
		values, err := readNPYColumn(bytes.NewReader(file), "f.npy")
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
		values, err := readCSVColumn(strings.NewReader(text), "f.csv")
		if err == nil && len(values) > len(text) {
			t.Errorf("%d values from %d bytes", len(values), len(text))
		}
	})
}
