package sweep

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"popsim/table"
	"popsim/table/file"
)

// csv is a table as bytes.
func csvOf(t testing.TB, table *table.Table) string {
	t.Helper()
	var b bytes.Buffer
	o := file.NewCSV(&b)
	if err := errors.Join(o.WriteTable(table), o.Commit()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// smallMap is a sweep with several starts, whose chains are not in the order of rows.
func smallMap(t testing.TB) Spec {
	m, p := mustModel(t, "adex", "", nil)
	s := Spec{Model: m, P: p, Time: 120, Discard: 20, From: FromAll, Measures: everything(m), Late: true, Resets: true}
	s.Grid.Axes = mustAxes(t, m, "b=0,5", "I=30,10,20,0", "a=1,2,4")
	return s
}

func TestPartsJoinToTheSameBytes(t *testing.T) {
	s := smallMap(t)
	whole := mustRun(t, s)
	want, wantLate := csvOf(t, whole.Table()), csvOf(t, whole.LateTable())
	if n := strings.Count(want, "\n"); n != 1+3*24 {
		t.Fatalf("%d lines, want %d", n, 1+3*24)
	}
	for _, parts := range []int{1, 3, 7} {
		keep := filepath.Join(t.TempDir(), "map.csv")
		for i := parts; i >= 1; i-- {
			if _, err := Run(context.Background(), s, Config{Keep: keep, Part: Part{i, parts}, Workers: i}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Merge(keep)
		if err != nil {
			t.Fatal(err)
		}
		if got := csvOf(t, r.Table()); got != want {
			t.Errorf("%d parts differ from the whole:\n%s\nwant\n%s", parts, got, want)
		}
		if got := csvOf(t, r.LateTable()); got != wantLate {
			t.Errorf("%d parts: maps of intervals differ", parts)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	s := smallMap(t)
	dir := t.TempDir()
	keep := filepath.Join(dir, "map.csv")
	run := func(s Spec, p Part) {
		t.Helper()
		if _, err := Run(context.Background(), s, Config{Keep: keep, Part: p}); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what, word string) {
		t.Helper()
		if _, err := Merge(keep); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", what, err, word)
		}
	}
	refused("nothing", "no parts")
	run(s, Part{1, 3})
	run(s, Part{3, 3})
	refused("hole", "missing before")
	if err := os.Remove(PartPath(keep, Part{3, 3})); err != nil {
		t.Fatal(err)
	}
	run(s, Part{2, 3})
	refused("end", "missing after")
	run(s, Part{3, 3})
	if _, err := Merge(keep); err != nil {
		t.Fatal(err)
	}
	run(s, Part{2, 2})
	refused("double", "overlap")
	if err := os.Remove(PartPath(keep, Part{2, 2})); err != nil {
		t.Fatal(err)
	}
	other := s
	other.I, other.Discard = 1, 60
	run(other, Part{2, 3})
	refused("foreign", "different experiments")
	run(s, Part{2, 3})
	data, err := os.ReadFile(PartPath(keep, Part{2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { return b[:len(b)-1] },
		func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		func(b []byte) []byte { return nil },
		func(b []byte) []byte { return b[:len(checkpointMagic)+3] },
	} {
		if err := os.WriteFile(PartPath(keep, Part{2, 3}), damage(bytes.Clone(data)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Merge(keep); err == nil {
			t.Error("a damaged part was merged")
		}
	}
}

// TestResume stops a sweep repeatedly, leaves a truncated temporary file, and continues with other batches, which begin
// at other points.
func TestResume(t *testing.T) {
	s := smallMap(t)
	want := csvOf(t, mustRun(t, s).Table())
	keep := filepath.Join(t.TempDir(), "map.csv")
	before := int64(0)
	for stop := int64(1); ; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		cfg := Config{
			Keep: keep, Resume: true, Workers: 1 + int(stop)%3, Batch: 1 + int(stop)%4, Every: 1,
			Tick: func(done, _ int64) {
				if done > before+20 {
					cancel()
				}
			},
		}
		if err := os.WriteFile(checkpointPath(keep, 3, 7)+tempMark, []byte("torn"), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Run(ctx, s, cfg)
		cancel()
		if err == nil {
			if got := csvOf(t, r.Table()); got != want {
				t.Errorf("resumed %d times: %s\nwant\n%s", stop, got, want)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || stop > 100 {
			t.Fatal(err)
		}
		now := 2 * int64(r.Table().Columns[0].Len())
		if now <= before {
			t.Errorf("after stop %d there are %d points, no more than before", stop, now)
		}
		before = now
	}
	if _, err := Run(context.Background(), s, Config{Keep: keep}); err == nil {
		t.Error("an unfinished run was overwritten without being asked to")
	}
	checkpoints, err := beside(keep, checkpointMark)
	if err != nil || len(checkpoints) < 3 {
		t.Fatalf("%d checkpoints are left, %v", len(checkpoints), err)
	}
	data, err := os.ReadFile(checkpoints[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{data[:len(data)-9], append(bytes.Clone(data[:100]), data...), nil} {
		if err := os.WriteFile(checkpoints[1], damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), s, Config{Keep: keep, Resume: true}); err == nil ||
			!strings.Contains(err.Error(), checkpoints[1]) {
			t.Errorf("resumed from a damaged checkpoint: %v", err)
		}
	}
	if err := os.WriteFile(checkpoints[1], data, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Discard = 10
	if _, err := Run(context.Background(), s, Config{Keep: keep, Resume: true}); err == nil ||
		!strings.Contains(err.Error(), "another experiment") {
		t.Errorf("resumed another experiment: %v", err)
	}
	if err := Discard(keep); err != nil || HasCheckpoints(keep) {
		t.Errorf("checkpoints are left: %v", err)
	}
}

func TestSameBitsForAnyWorkers(t *testing.T) {
	s := smallMap(t)
	want := csvOf(t, mustRun(t, s).Table())
	for _, workers := range []int{1, 2, 3, 8} {
		r, err := Run(context.Background(), s, Config{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if got := csvOf(t, r.Table()); got != want {
			t.Errorf("%d workers: other bits", workers)
		}
	}
}
