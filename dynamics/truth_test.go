package dynamics

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"popsim/model"
)

// row is one line of a stored table, by column.
type row map[string]string

func (r row) num(t testing.TB, column string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		t.Fatalf("column %s: %v in %v", column, err, r)
	}
	return x
}

// mustTable reads testdata/name.
func mustTable(t testing.TB, name string) []row {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for _, line := range lines[1:] {
		r := row{}
		for c, heading := range lines[0] {
			r[heading] = line[c]
		}
		rows = append(rows, r)
	}
	return rows
}

// mustJSON reads testdata/name into v.
func mustJSON(t testing.TB, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(name, err)
	}
}

// mustModel finds the model and its parameters with some changed; the stored names gL and nsum are known too.
func mustModel(t testing.TB, name string, changed map[string]float64) (*model.Model, []float64) {
	t.Helper()
	m, err := model.Lookup(strings.ToLower(name))
	if err != nil {
		t.Fatal(err)
	}
	p := m.Defaults()
	for k, v := range changed {
		switch k {
		case "gL":
			k = "g_L"
		case "nsum":
			k = "n_plus_h"
		}
		j := m.Index(k)
		if j < 0 {
			t.Fatalf("%s has no parameter %s", name, k)
		}
		p[j] = v
	}
	return m, p
}
