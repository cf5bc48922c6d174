package sweep

import (
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/report"
)

// Result is what came out of a sweep: a row per point, by branch, then in the order of the grid.
type Result struct {
	Spec      Spec // with its defaults resolved
	Kernel    *kernels.Kernel
	Workers   int
	Elapsed   time.Duration
	LaneSteps int64 // done, both resolutions

	plan    *plan
	base    int                 // the first slot that is kept here
	columns [measures][]float64 // by slot; nil for measures that were not asked for
	late    [][]float64         // late intervals by slot, if asked for
	resets  [][]float64         // w after resets by slot, if asked for
}

// newResult makes room for the chains first to end-1.
func newResult(p *plan, first, end int) *Result {
	r := &Result{Spec: p.Spec, plan: p, base: p.slot(first, 0)}
	n := p.slot(end-1, 0) + p.links(end-1) - r.base
	for _, j := range p.kept() {
		r.columns[j] = slices.Repeat([]float64{math.NaN()}, n)
	}
	if p.Late {
		r.late = make([][]float64, n)
	}
	if p.Resets {
		r.resets = make([][]float64, n)
	}
	return r
}

// kept lists the measures that are kept: what was asked for, and what judgement needs.
func (p *plan) kept() []int {
	keep := slices.Concat(p.columns, []int{mRate, mRateError, mSpikes, mEnded})
	slices.Sort(keep)
	return slices.Compact(keep)
}

// put keeps what a lane found.
func (r *Result) put(slot int, x record, late, resets []float64) {
	for j, c := range r.columns {
		if c != nil {
			c[slot-r.base] = x[j]
		}
	}
	if r.late != nil {
		r.late[slot-r.base] = distinct(late)
	}
	if r.resets != nil {
		slices.Sort(resets)
		r.resets[slot-r.base] = resets
	}
}

// compare adds to the error of a rate what the second resolution tells. It is the whole difference from twice the
// step, and twice that from half of it: what a method of first order would have, and more than others do.
func (r *Result) compare(slot int, x record) {
	d := math.Abs(r.columns[mRate][slot-r.base] - x[mRate])
	if r.plan.coarse < r.plan.Dt {
		d *= 2
	}
	r.columns[mRateError][slot-r.base] += d
}

// distinct lists the intervals of a late train in ascending order: the means over its periods where it repeats itself,
// else all that differ by more than rounding.
func distinct(late []float64) []float64 {
	if p := period(late); p > 0 {
		x := repetitionOf(late, p, mean(late[len(late)%p:]))
		late = x.isi[:p]
	}
	found := slices.Clone(late)
	slices.Sort(found)
	return slices.CompactFunc(found, func(a, b float64) bool { return math.Abs(b-a) <= 1e-9*b })
}

// slots is the number of points that are kept here.
func (r *Result) slots() int { return len(r.columns[mEnded]) }

// Rows is the number of rows.
func (r *Result) Rows() int { return r.plan.rows }

// Value is a measure of a row by the name of its column; NaN where it is missing or was not asked for. Words are
// numbers here; see Word.
func (r *Result) Value(name string, row int) float64 {
	j, at := measureNamed(name), r.plan.slotOf(row)-r.base
	if j < 0 || at < 0 || at >= len(r.columns[j]) {
		return math.NaN()
	}
	return r.columns[j][at]
}

// Late lists the distinct late intervals of a row, ms, in ascending order: those of its period where the train repeats
// itself, else the last ones. It needs Spec.Late.
func (r *Result) Late(row int) []float64 { return r.list(r.late, row) }

// Resets lists w (pA) right after the resets that follow the run of a row, in ascending order: one period of a train that
// repeats itself, else many. It needs Spec.Resets.
func (r *Result) Resets(row int) []float64 { return r.list(r.resets, row) }

func (r *Result) list(lists [][]float64, row int) []float64 {
	at := r.plan.slotOf(row) - r.base
	if at < 0 || at >= len(lists) {
		return nil
	}
	return lists[at]
}

// Axis is the value of axis j in a row.
func (r *Result) Axis(row, j int) float64 { return r.plan.Grid.At(row%r.plan.points, j) }

// Branch is the start of a row.
func (r *Result) Branch(row int) From { return r.plan.starts[row/r.plan.points] }

// Word is a measure that is a word, such as the status; "" where it is missing or was not asked for.
func (r *Result) Word(name string, row int) string {
	x := r.Value(name, row)
	if math.IsNaN(x) {
		return ""
	}
	return measureList[measureNamed(name)].words[int(x)]
}

// Failed counts the rows whose status is nan.
func (r *Result) Failed() int {
	n := 0
	for _, x := range r.columns[mStatus] {
		if x == statusNaN {
			n++
		}
	}
	return n
}

// Table is the result as a table: the axes, the branch where a curve is carried, the measures that were asked for. Rows
// that were not run to their end, after an interruption or in a part, are not in it.
func (r *Result) Table() *report.Table {
	t, _ := r.table(func(int) int { return 1 })
	return t
}

// LateTable is the map of intervals: a row for each distinct late interval of each point (isi_ms), with the measures of
// the point repeated. A point without intervals has no row. It needs Spec.Late.
func (r *Result) LateTable() *report.Table { return r.listTable("isi_ms", r.Late) }

// ResetTable is the map of the attractor: a row for each of Resets (w_pA). It needs Spec.Resets.
func (r *Result) ResetTable() *report.Table { return r.listTable("w_pA", r.Resets) }

func (r *Result) listTable(column string, list func(row int) []float64) *report.Table {
	t, head := r.table(func(row int) int { return len(list(row)) })
	var values []float64
	for row := range r.Rows() {
		if r.finished(row) {
			values = append(values, list(row)...)
		}
	}
	t.Columns = slices.Insert(t.Columns, head, report.Col(column, values))
	return t
}

// finished tells whether a row was run to its end.
func (r *Result) finished(row int) bool { return !math.IsNaN(r.Value("ended", row)) }

// table lays out the finished rows, each as often as repeat says; head is the number of columns before the measures.
func (r *Result) table(repeat func(row int) int) (t *report.Table, head int) {
	var rows []int
	for row := range r.plan.rows {
		if r.finished(row) {
			for range repeat(row) {
				rows = append(rows, row)
			}
		}
	}
	t = new(report.Table)
	for j, a := range r.plan.Grid.Axes {
		t.Columns = append(t.Columns, report.Col(a.Name, gather(rows, func(row int) float64 { return r.Axis(row, j) })))
	}
	if r.plan.From != FromRest {
		t.Columns = append(t.Columns, report.Col("branch", gather(rows, func(row int) string { return r.Branch(row).String() })))
	}
	head = len(t.Columns)
	for _, j := range r.plan.columns {
		m := measureList[j]
		switch {
		case m.words != nil:
			t.Columns = append(t.Columns, report.Col(m.name, gather(rows, func(row int) string { return r.Word(m.name, row) })))
		case m.count:
			t.Columns = append(t.Columns, report.Col(m.name, gather(rows, func(row int) int64 { return int64(r.Value(m.name, row)) })))
		default:
			t.Columns = append(t.Columns, report.Col(m.name, gather(rows, func(row int) float64 { return r.Value(m.name, row) })))
		}
	}
	return t, head
}

func gather[T any](rows []int, value func(row int) T) []T {
	values := make([]T, len(rows))
	for i, row := range rows {
		values[i] = value(row)
	}
	return values
}
