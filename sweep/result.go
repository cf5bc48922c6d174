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
	columns [measures][]float64 // nil for measures that were not asked for
	late    [][]float64         // late intervals of each row, if asked for
}

func newResult(e *engine) *Result {
	r := &Result{Spec: e.Spec, Kernel: e.kernel, plan: e.plan}
	keep := append([]int{mRate, mRateError, mEnded, mSpikes}, e.plan.columns...)
	for _, j := range keep {
		if r.columns[j] != nil {
			continue
		}
		r.columns[j] = make([]float64, r.plan.rows)
		for i := range r.columns[j] {
			r.columns[j][i] = math.NaN()
		}
	}
	if e.Late {
		r.late = make([][]float64, r.plan.rows)
	}
	return r
}

// put keeps what a lane found.
func (r *Result) put(row int, x record, late []float64) {
	for j, c := range r.columns {
		if c != nil {
			c[row] = x[j]
		}
	}
	if r.late != nil {
		r.late[row] = distinct(late)
	}
}

// compare adds to the error of a rate what the second resolution tells. It is the whole difference from twice the
// step, and twice that from half of it: what a method of first order would have, and more than others do.
func (r *Result) compare(row int, x record) {
	d := math.Abs(r.columns[mRate][row] - x[mRate])
	if r.plan.coarse < r.plan.Dt {
		d *= 2
	}
	r.columns[mRateError][row] += d
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

// Rows is the number of rows.
func (r *Result) Rows() int { return r.plan.rows }

// Value is a measure of a row by the name of its column; NaN where it is missing or was not asked for. Words are
// numbers here; see Word.
func (r *Result) Value(name string, row int) float64 {
	if j := measureNamed(name); j >= 0 && r.columns[j] != nil {
		return r.columns[j][row]
	}
	return math.NaN()
}

// Word is a measure that is a word, such as the status; "" where it is missing or was not asked for.
func (r *Result) Word(name string, row int) string {
	x := r.Value(name, row)
	if math.IsNaN(x) {
		return ""
	}
	return measureList[measureNamed(name)].words[int(x)]
}

// Failed counts the rows that were run and whose status is nan.
func (r *Result) Failed() int {
	n := 0
	for _, x := range r.columns[mStatus] {
		if x == statusNaN {
			n++
		}
	}
	return n
}

// Table is the result as a table: the axes, the branch where a curve has several starts, the measures that were asked for.
// Rows that an interruption has left out are not in it.
func (r *Result) Table() *report.Table {
	return r.table(r.plan.columns, func(row int) int { return 1 })
}

// LateTable is the map of intervals: a row for each distinct late interval of each point (isi_ms), a point without
// intervals has none. The measures follow, repeated. It needs Spec.Late.
func (r *Result) LateTable() *report.Table {
	t := r.table(r.plan.columns, func(row int) int { return len(r.late[row]) })
	var isi []float64
	for row, late := range r.late {
		if r.finished(row) {
			isi = append(isi, late...)
		}
	}
	at := len(r.plan.Grid.Axes)
	if len(r.plan.starts) > 1 || r.plan.From != FromRest {
		at++
	}
	t.Columns = slices.Insert(t.Columns, at, report.Col("isi_ms", isi))
	return t
}

// finished tells whether a row was run to its end.
func (r *Result) finished(row int) bool { return !math.IsNaN(r.columns[mEnded][row]) }

// table lays out the finished rows, each as often as repeat says.
func (r *Result) table(columns []int, repeat func(row int) int) *report.Table {
	var rows []int
	for row := range r.plan.rows {
		if r.finished(row) {
			for range repeat(row) {
				rows = append(rows, row)
			}
		}
	}
	t := new(report.Table)
	for j, a := range r.plan.Grid.Axes {
		values := make([]float64, len(rows))
		for i, row := range rows {
			values[i] = r.plan.Grid.At(row%r.plan.points, j)
		}
		t.Columns = append(t.Columns, report.Col(axisColumn(a), values))
	}
	if r.plan.From != FromRest {
		names := make([]string, len(rows))
		for i, row := range rows {
			names[i] = r.plan.starts[row/r.plan.points].String()
		}
		t.Columns = append(t.Columns, report.Col("branch", names))
	}
	for _, j := range columns {
		t.Columns = append(t.Columns, r.column(j, rows))
	}
	return t
}

// column is a measure of the given rows. A count that is missing anywhere makes a column of numbers.
func (r *Result) column(j int, rows []int) report.Column {
	m, from := measureList[j], r.columns[j]
	if m.words != nil {
		values := make([]string, len(rows))
		for i, row := range rows {
			values[i] = r.Word(m.name, row)
		}
		return report.Col(m.name, values)
	}
	values := make([]float64, len(rows))
	for i, row := range rows {
		values[i] = from[row]
	}
	if !m.count {
		return report.Col(m.name, values)
	}
	counts := make([]int64, len(rows))
	for i, x := range values {
		counts[i] = int64(x)
	}
	return report.Col(m.name, counts)
}

// axisColumn is the heading of an axis: the name of the parameter alone, as tables have it.
func axisColumn(a Axis) string { return a.Name }
