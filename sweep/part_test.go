package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"popsim/table"
	"popsim/table/file"
)

// TestBlocks: parts read block by block make the bytes of an unsplit run in every format, however they are cut,
// wherever the rows of a block lie.
func TestBlocks(t *testing.T) {
	carried := smallMap(t)
	resting := carried
	resting.From = FromRest
	for name, s := range map[string]Spec{"carried": carried, "at rest": resting} {
		whole := mustRun(t, s)
		dir := t.TempDir()
		keep := filepath.Join(dir, "map.csv")
		const parts = 3
		for i := 1; i <= parts; i++ {
			if _, err := Run(context.Background(), s, Config{Keep: keep, Part: Part{i, parts}}); err != nil {
				t.Fatal(err)
			}
		}
		m, err := OpenParts(keep)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for kind, table := range map[string]func(*Result) *table.Table{
			"points": (*Result).Table, "late": (*Result).LateTable, "resets": (*Result).ResetTable,
		} {
			for _, ending := range []string{".csv", ".npz", ".npy", ".json", ".parquet"} {
				want := fileOf(t, dir, ending, func(o *file.Output) error { return o.WriteTable(table(whole)) })
				for _, rows := range []int{1, 5, blockRows} {
					m.rows = rows
					got := fileOf(t, dir, ending, func(o *file.Output) error {
						return m.Blocks(ending == ".npy", func(b *Result) error { return o.Append(table(b)) })
					})
					if got != want {
						t.Errorf("%s, %s%s, blocks of %d rows: other bytes", name, kind, ending, rows)
					}
				}
			}
		}
	}
}

func fileOf(t *testing.T, dir, ending string, fill func(*file.Output) error) string {
	t.Helper()
	path := filepath.Join(dir, "table"+ending)
	o, err := file.Create(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fill(o), o.Commit()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestStop: a sweep that is stopped keeps its finished points and continues from them.
func TestStop(t *testing.T) {
	s := smallMap(t)
	want := csvOf(t, mustRun(t, s).Table())
	keep := filepath.Join(t.TempDir(), "map.csv")
	stops := 0
	for {
		stop := make(chan struct{})
		stopped := false
		r, err := Run(context.Background(), s, Config{
			Keep: keep, Part: Part{1, 1}, Resume: true, Workers: 1, Batch: 3,
			Every: time.Hour, Stop: stop, Tick: func(int64, int64) {
				if !stopped {
					stopped = true
					close(stop)
				}
			},
		})
		if _, err := os.Stat(PartPath(keep, Part{1, 1}) + heartbeatMark); err == nil {
			t.Error("a part that no longer runs is reported as running")
		}
		if err == nil {
			if r.Resumed.LaneSteps == 0 {
				t.Error("what was done before does not count")
			}
			break
		}
		if !errors.Is(err, ErrStopped) || !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if stops++; stops > 100 {
			t.Fatal("it never ends")
		}
	}
	if stops < 10 {
		t.Errorf("stopped %d times", stops)
	}
	r, err := Merge(keep)
	if err != nil {
		t.Fatal(err)
	}
	if got := csvOf(t, r.Table()); got != want {
		t.Error("other bytes after being stopped")
	}
}

// TestReadStatus: the status of the parts of a sweep, from their files.
func TestReadStatus(t *testing.T) {
	s := smallMap(t)
	keep := filepath.Join(t.TempDir(), "map.csv")
	if _, err := ReadStatus(keep); err == nil || !strings.Contains(err.Error(), "no parts") {
		t.Errorf("nothing is there: %v", err)
	}
	const of = 7
	for _, i := range []int{1, 2, 6} {
		if _, err := Run(context.Background(), s, Config{
			Keep: keep, Part: Part{i, of},
			Record: func(*Result) any { return i },
		}); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	_, err := Run(context.Background(), s, Config{
		Keep: keep, Part: Part{3, of}, Workers: 1, Batch: 1, Stop: stop,
		Tick: func(int64, int64) {
			select {
			case <-stop:
			default:
				close(stop)
			}
		},
	})
	if !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	beat := func(i int, age time.Duration) {
		t.Helper()
		path := PartPath(keep, Part{i, of}) + heartbeatMark
		text, _ := json.Marshal(Heartbeat{Host: "here", Done: 1, Total: 4})
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	beat(4, 0)
	beat(5, time.Hour)
	other := s
	other.Discard = 10
	if _, err := Run(context.Background(), other, Config{Keep: keep, Part: Part{6, of}}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadStatus(keep)
	if err != nil {
		t.Fatal(err)
	}
	want := []PartState{Done, Done, Interrupted, Running, Lost, Refused, Missing}
	for i, p := range got.Parts {
		if p.State != want[i] || p.Number != i+1 || p.Of != of {
			t.Errorf("part %d of %d is %v, want %v", p.Number, p.Of, p.State, want[i])
		}
		if (p.Faults != nil) != (p.State == Refused) {
			t.Errorf("part %d: %v", p.Number, p.Faults)
		}
	}
	if p := got.Parts[2]; !(p.Share > 0 && p.Share < 1) {
		t.Errorf("share of the interrupted part: %v", p.Share)
	}
	if p := got.Parts[3]; p.Share != 0.25 || p.Heartbeat.Host != "here" {
		t.Errorf("the running part: %+v", p)
	}
	if got.Points != 72 || got.Count(Done) != 2 {
		t.Errorf("%d points, %d parts done", got.Points, got.Count(Done))
	}
	if _, err := Run(context.Background(), s, Config{Keep: keep, Part: Part{1, 2}}); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadStatus(keep); err == nil || !strings.Contains(err.Error(), "parts of 2 and of 7") {
		t.Errorf("two cuts: %v", err)
	}
}

// TestMergeMemory: the heap of a merge does not grow with the number of points. The parts are made up, since computing
// a million points is not what this is about.
func TestMergeMemory(t *testing.T) {
	points, parts := 200_000, 200
	if os.Getenv("POPSIM_LONG") != "" {
		points, parts = 1_000_000, 1000
	}
	m, p := mustModel(t, "adex", "", nil)
	s := Spec{Model: m, P: p, Measures: []string{
		"rate_Hz", "spikes", "latency_ms", "isi_cv", "V_min_mV", "V_max_mV",
		"pattern", "status",
	}}
	s.Grid.Axes = mustAxes(t, m, "I=0:60/1000", "b=0:60/"+strconv.Itoa(points/1000))
	pl, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	keep := filepath.Join(t.TempDir(), "map.npy")
	begin := time.Now()
	for i := 1; i <= parts; i++ {
		first, end := Part{i, parts}.chains(points)
		r := newResult(pl, first, end)
		for _, j := range pl.kept() {
			for k := range r.columns[j] {
				if r.columns[j][k] = float64(first + k); measureList[j].words != nil {
					r.columns[j][k] = float64(k % 2)
				}
			}
		}
		if err := os.WriteFile(PartPath(keep, Part{i, parts}), r.checkpoint(first, end, Work{}, nil), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	made := time.Since(begin)
	runtime.GC()
	before := heap()
	begin = time.Now()
	parted, err := OpenParts(keep)
	if err != nil {
		t.Fatal(err)
	}
	defer parted.Close()
	checked := time.Since(begin)
	o, err := file.Create(keep, false)
	if err != nil {
		t.Fatal(err)
	}
	most, rows := uint64(0), 0
	err = parted.Blocks(true, func(b *Result) error {
		table := b.Table()
		rows += table.Rows()
		most = max(most, heap())
		return o.Append(table)
	})
	if err := errors.Join(err, o.Commit()); err != nil {
		t.Fatal(err)
	}
	if rows != points {
		t.Errorf("%d rows, want %d", rows, points)
	}
	const room = 64 << 20 // a block of 65536 rows, its table, and what the collector has not yet taken
	if most-min(before, most) > room {
		t.Errorf("the heap grew from %d to %d bytes", before, most)
	}
	t.Logf("%d points in %d parts: made in %v, checked in %v, merged in %v; heap %d MB before, at most %d MB",
		points, parts, made.Round(time.Millisecond), checked.Round(time.Millisecond),
		(time.Since(begin) - checked).Round(time.Millisecond), before>>20, most>>20)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
