package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// testJobs are 3 x 2 points of 2 trials whose values identify their point and trial; ran counts the runs.
func testJobs(ran *atomic.Int64) *Jobs {
	j := &Jobs{
		Grid:   Grid{Axes: []Axis{Values("g", "1", 3, 4, 5), Values("eta", "1", 1, 2)}},
		Trials: 2, Identity: "a test",
		Columns: []JobColumn{
			{Name: "rate_Hz"},
			{Name: "spikes", Count: true},
			{Name: "status", Words: []string{"ok", "nan"}},
		},
	}
	j.Run = func(_ context.Context, point, trial, _ int) ([]float64, error) {
		ran.Add(1)
		return []float64{j.Grid.At(point, 0) + 0.1*float64(trial), float64(100*point + trial), float64(point % 2)}, nil
	}
	return j
}

func TestJobsTable(t *testing.T) {
	var ran atomic.Int64
	r, err := RunJobs(context.Background(), testJobs(&ran), Config{Workers: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Table()
	want := map[string]any{
		"g": []float64{3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5}, "eta": []float64{1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2},
		"trial": []int64{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, "spikes": []int64{
			0, 1, 100, 101, 200, 201, 300, 301, 400,
			401, 500, 501,
		},
		"status": []string{"ok", "ok", "nan", "nan", "ok", "ok", "nan", "nan", "ok", "ok", "nan", "nan"},
	}
	for name, values := range want {
		if c, _ := got.Column(name); !reflect.DeepEqual(c.Values, values) {
			t.Errorf("%s: %v, want %v", name, c.Values, values)
		}
	}
	if n := r.Count("status", "nan"); n != 6 || r.Finished() != 12 || ran.Load() != 12 {
		t.Errorf("%d of status nan, %d finished, %d ran", n, r.Finished(), ran.Load())
	}
	if v := r.Values("rate_Hz", 5); !reflect.DeepEqual(v, []float64{5, 5.1}) {
		t.Errorf("values of the last point: %v", v)
	}
}

// TestJobsResume: jobs that an error ends are resumed without running anything twice.
func TestJobsResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.csv")
	var ran atomic.Int64
	stop := errors.New("the machine is gone")
	j := testJobs(&ran)
	whole, err := RunJobs(context.Background(), j, Config{Workers: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := j.Run
	ran.Store(0)
	j.Run = func(ctx context.Context, point, trial, workers int) ([]float64, error) {
		if ran.Load() == 5 {
			return nil, stop
		}
		return run(ctx, point, trial, workers)
	}
	if _, err := RunJobs(context.Background(), j, Config{Workers: 1, Keep: path}, nil); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	j.Run = run
	if _, err := RunJobs(context.Background(), j, Config{Workers: 1, Keep: path}, nil); err == nil ||
		!strings.Contains(err.Error(), "resume continues") {
		t.Errorf("checkpoints that are kept: %v", err)
	}
	other := testJobs(&ran)
	other.Identity = "another"
	if _, err := RunJobs(context.Background(), other, Config{Workers: 1, Keep: path, Resume: true}, nil); err == nil ||
		!strings.Contains(err.Error(), "another experiment") {
		t.Errorf("checkpoints of another experiment: %v", err)
	}
	r, err := RunJobs(context.Background(), j, Config{Workers: 2, Keep: path, Resume: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ran.Load() != 12 || !reflect.DeepEqual(r.Table(), whole.Table()) {
		t.Errorf("%d runs, want 12; or the tables differ", ran.Load())
	}
}

// TestJobsParts: parts are joined to the same table, and their status is reported.
func TestJobsParts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.csv")
	var ran atomic.Int64
	j := testJobs(&ran)
	whole, err := RunJobs(context.Background(), j, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 5; i++ {
		if i == 4 {
			if _, err := OpenJobsParts(path); err == nil || !strings.Contains(err.Error(), "a part is missing") {
				t.Errorf("a missing part: %v", err)
			}
			if s, err := ReadStatus(path); err != nil || s.Count(Done) != 3 || s.Points != 12 || s.Whole() {
				t.Errorf("status %v, %v", s, err)
			}
		}
		record := func(r *JobsResult) any { return map[string]any{"part": i, "rows": r.Finished()} }
		if _, err := RunJobs(context.Background(), j, Config{Keep: path, Part: Part{i, 5}}, record); err != nil {
			t.Fatal(err)
		}
	}
	if !HoldsJobs(path) || HoldsJobs(path+"x") {
		t.Error("parts of jobs are not distinguished from others")
	}
	m, err := OpenJobsParts(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.Result.Table(), whole.Table()) || len(m.Records) != 5 || m.Count != 5 ||
		m.Result.Jobs.Digest() != j.Digest() {
		t.Errorf("%d parts, %d records; or the tables differ", m.Count, len(m.Records))
	}
	if _, err := OpenParts(path); err == nil {
		t.Error("parts of jobs are taken for those of another sweep")
	}
	name := PartPath(path, Part{2, 5})
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-40]++
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJobsParts(path); err == nil || !strings.Contains(err.Error(), "torn") {
		t.Errorf("a torn part: %v", err)
	}
}

// TestJobsStop: a sweep that is stopped keeps the finished jobs, and a failing job ends it.
func TestJobsStop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.csv")
	var ran atomic.Int64
	j := testJobs(&ran)
	stop := make(chan struct{})
	run := j.Run
	j.Run = func(ctx context.Context, point, trial, workers int) ([]float64, error) {
		if ran.Load() == 3 {
			close(stop)
		}
		return run(ctx, point, trial, workers)
	}
	r, err := RunJobs(context.Background(), j, Config{Workers: 1, Keep: path, Stop: stop}, nil)
	if !errors.Is(err, context.Canceled) || r.Finished() != 4 || r.Kept != 4 || !HasCheckpoints(path) {
		t.Errorf("%v, %d finished, %d kept", err, r.Finished(), r.Kept)
	}
}

func ExampleRunJobs() {
	j := &Jobs{
		Grid:    Grid{Axes: []Axis{Values("x", "1", 1, 2, 3)}},
		Columns: []JobColumn{{Name: "square"}},
	}
	j.Run = func(_ context.Context, point, _, _ int) ([]float64, error) {
		x := j.Grid.At(point, 0)
		return []float64{x * x}, nil
	}
	r, err := RunJobs(context.Background(), j, Config{}, nil)
	fmt.Println(r.Values("square", 2), err)
	// Output: [9] <nil>
}
