package sweep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
)

// FuzzMerge: a part's file with any contents and a correct checksum is joined or refused, without a panic and with
// memory in proportion to its size.
func FuzzMerge(f *testing.F) {
	file := filepath.Join(f.TempDir(), "seed.csv")
	for _, s := range []Spec{fuzzMap(f, FromRest), fuzzMap(f, FromAll)} {
		if _, err := Run(context.Background(), s, Config{Keep: file, Part: Part{1, 1}, Workers: 1}); err != nil {
			f.Fatal(err)
		}
		text, err := os.ReadFile(PartPath(file, Part{1, 1}))
		if err != nil {
			f.Fatal(err)
		}
		body := text[len(checkpointMagic) : len(text)-sha256.Size]
		f.Add(body)
		f.Add(body[:len(body)-8])
		f.Add(bytes.Replace(body, []byte(`"N":2`), []byte(`"N":200000000000`), 1))
		f.Add(bytes.Replace(body, []byte(`"End":`), []byte(`"End":7`), 1))
		f.Add(bytes.Replace(body, []byte(`"First":`), []byte(`"First":1`), 1))
		f.Add(bytes.Replace(body, []byte(`"P":[`), []byte(`"P":["1",`), 1))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		keep := filepath.Join(t.TempDir(), "map.csv")
		text := append([]byte(checkpointMagic), body...)
		sum := sha256.Sum256(text)
		if err := os.WriteFile(PartPath(keep, Part{1, 1}), append(text, sum[:]...), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Merge(keep)
		if (r == nil) == (err == nil) {
			t.Fatalf("result %v, error %v", r != nil, err)
		}
		if err == nil {
			csvOf(t, r.Table())
		}
	})
}

// fuzzMap is a sweep of two points.
func fuzzMap(t testing.TB, from From) Spec {
	m, p := mustModel(t, "lif", "", nil)
	s := Spec{Model: m, P: p, Time: 40, From: from, Late: true, NoError: true, Measures: []string{"rate"}}
	s.Grid.Axes = mustAxes(t, m, "I=21:25/2")
	return s
}
