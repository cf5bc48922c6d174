package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"popsim/kernels"
	"popsim/pop"
	"popsim/sched"
	"popsim/table"
)

// Result holds the results of a sweep: a row for each point, by branch, then in the order of the grid.
type Result struct {
	Spec      Spec // with its defaults resolved
	Kernel    *kernels.Kernel
	Workers   int
	Elapsed   time.Duration
	LaneSteps int64 // steps made, summed over lanes and both resolutions
	Kept      int   // points that this run wrote to checkpoints
	Resumed   Work  // cost of the checkpoints from which the run was resumed; not included in LaneSteps and Elapsed
	Bytes     int   // of columns, for each lane and resolution
	Sched     sched.Stats
	Phases    pop.Phases // Merge is the time spent on checkpoints

	plan *plan
	base int // the first slot that is stored here
	// of a block of Parts: its rows, which are stored in their order instead of by slot; else nil
	rows    *span
	widths  map[int]int         // of a block of Parts: characters of the longest word of each measure in all blocks
	columns [measures][]float64 // by slot; nil for measures that were not asked for
	late    [][]float64         // late intervals by slot, if asked for
	resets  [][]float64         // w after resets by slot, if asked for
}

// newResult returns a result with room for the chains first to end-1.
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

// kept lists the measures that are stored: those of the table, and those that Result itself reads, of an f-I curve also
// bursts.
func (p *plan) kept() []int {
	keep := slices.Concat(p.columns, []int{mRate, mRateError, mSpikes, mEnded})
	if len(p.Grid.Axes) == 1 && p.From == FromRest {
		keep = append(keep, mBurstSpikes, mBurstRate)
	}
	slices.Sort(keep)
	return slices.Compact(keep)
}

// note stores the rate of the second resolution in the column of the error, where put finds it.
func (r *Result) note(slot int, x record, _, _ []float64) {
	r.columns[mRateError][slot-r.base] = x[mRate]
}

// put stores the measures of a point. To the error of the rate because the run is finite, which x holds, it adds the
// numerical error: the difference from the rate of the second resolution, or twice that where the second step is half
// the first. That is the error of a method of order 1, and more than that of other methods.
func (r *Result) put(slot int, x record, late, resets []float64) {
	at := slot - r.base
	if r.plan.NoError {
		x[mRateError] = math.NaN()
	} else {
		d := math.Abs(x[mRate] - r.columns[mRateError][at])
		if r.plan.coarse < r.plan.Dt {
			d *= 2
		}
		x[mRateError] += d
	}
	for j, c := range r.columns {
		if c != nil {
			c[at] = x[j]
		}
	}
	if r.late != nil {
		r.late[at] = late
	}
	if r.resets != nil {
		slices.Sort(resets)
		r.resets[at] = resets
	}
}

// slots returns the number of points that are stored here.
func (r *Result) slots() int { return len(r.columns[mEnded]) }

// place returns the index of a row in the columns; it may be out of their range.
func (r *Result) place(row int) int {
	if r.rows != nil {
		return row - r.rows.first
	}
	return r.plan.slotOf(row) - r.base
}

// span returns a range that includes all rows stored here.
func (r *Result) span() span {
	switch {
	case r.rows != nil:
		return *r.rows
	case r.plan.From == FromRest: // its slots are rows
		return span{r.base, r.base + r.slots()}
	}
	return span{0, r.plan.rows}
}

// Present returns a range that includes all rows that are present: all rows, except in a part or in a block of Parts.
func (r *Result) Present() (first, end int) { s := r.span(); return s.first, s.end }

// Rows returns the number of rows of the whole sweep.
func (r *Result) Rows() int { return r.plan.rows }

// Points returns the number of points of the grid. Row k belongs to point k mod Points.
func (r *Result) Points() int { return r.plan.points }

// Starts lists the starts of the branches in the order of their rows; each branch has Points rows.
func (r *Result) Starts() []From { return slices.Clone(r.plan.starts) }

// CurrentAxis returns the number of the axis that sets the current, or -1.
func (r *Result) CurrentAxis() int { return r.plan.current }

// Varies reports whether an axis sets the parameter, state or current of that name.
func (r *Result) Varies(name string) bool { return r.plan.Grid.axis(name) >= 0 }

// Holds reports whether the sweep has stored a measure, named with or without its unit.
func (r *Result) Holds(measure string) bool {
	j := measureNamed(measure)
	return j >= 0 && r.columns[j] != nil
}

// Value returns the value of a row in the column of that name: a measure, named with or without its unit, or an axis.
// It is NaN where the value is missing and where the result has no such column (Column returns an error then). A word
// is its number; see Word.
func (r *Result) Value(name string, row int) float64 {
	if j := measureNamed(name); j >= 0 {
		return r.value(j, row)
	}
	if j := r.plan.Grid.axis(name); j >= 0 {
		return r.Axis(row, j)
	}
	return math.NaN()
}

// Column returns Value of every row. It returns an error if the result has no column of that name.
func (r *Result) Column(name string) ([]float64, error) {
	if !r.Holds(name) && r.plan.Grid.axis(name) < 0 {
		names := make([]string, 0, len(r.plan.Grid.Axes)+len(r.plan.columns))
		for _, a := range r.plan.Grid.Axes {
			names = append(names, a.Name)
		}
		for _, j := range r.plan.columns {
			names = append(names, measureList[j].name)
		}
		return nil, fmt.Errorf("the result has no column %q; it has %s", name, strings.Join(names, ", "))
	}
	values := make([]float64, r.Rows())
	for row := range values {
		values[row] = r.Value(name, row)
	}
	return values, nil
}

// value returns measure j of a row.
func (r *Result) value(j, row int) float64 {
	at := r.place(row)
	if at < 0 || at >= len(r.columns[j]) {
		return math.NaN()
	}
	return r.columns[j][at]
}

// Late lists the distinct late intervals of a row, ms, in ascending order: those of one period if the train has a
// period, else the last ones. It needs Spec.Late. The caller must not change the slice.
func (r *Result) Late(row int) []float64 { return r.list(r.late, row) }

// Resets lists w (pA) right after the resets that follow the run of a row, in ascending order: those of one period if
// the train has a period, else 64. It needs Spec.Resets. The caller must not change the slice.
func (r *Result) Resets(row int) []float64 { return r.list(r.resets, row) }

// list returns the list of a row, nil where it is missing.
func (r *Result) list(lists [][]float64, row int) []float64 {
	at := r.place(row)
	if at < 0 || at >= len(lists) {
		return nil
	}
	return lists[at]
}

// Axis returns the value of axis j in a row.
func (r *Result) Axis(row, j int) float64 { return r.plan.Grid.At(row%r.plan.points, j) }

// Branch returns the start of the branch of a row.
func (r *Result) Branch(row int) From { return r.plan.starts[row/r.plan.points] }

// Word returns the word of a row in a column of words, such as status; "" where it is missing or not stored.
func (r *Result) Word(name string, row int) string {
	if j := measureNamed(name); j >= 0 {
		return r.word(j, row)
	}
	return ""
}

// word returns the word of measure j of a row.
func (r *Result) word(j, row int) string {
	x := r.value(j, row)
	if math.IsNaN(x) || measureList[j].words == nil {
		return ""
	}
	return measureList[j].words[int(x)]
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

// Table returns the result as a table: the axes, the branch if there are several, the measures of the spec. Rows whose
// run was not finished, after an interruption or in a part, are left out.
func (r *Result) Table() *table.Table {
	t, _ := r.table(func(int) int { return 1 })
	return t
}

// MainTable returns the table that the spec selects: LateTable, ResetTable or Table.
func (r *Result) MainTable() *table.Table {
	switch {
	case r.Spec.Late:
		return r.LateTable()
	case r.Spec.Resets:
		return r.ResetTable()
	}
	return r.Table()
}

// LateTable returns the map of intervals: a row for each distinct late interval of each point (isi_ms), with the
// measures of the point repeated. A point without intervals has one row, in which isi_ms is missing. It needs
// Spec.Late.
func (r *Result) LateTable() *table.Table { return r.listTable("isi_ms", r.Late) }

// ResetTable returns the attractor of the reset map: a row for each of Resets (w_reset_pA) of each point, likewise. It
// needs Spec.Resets.
func (r *Result) ResetTable() *table.Table { return r.listTable("w_reset_pA", r.Resets) }

// listTable returns the table with a row for each value of a list, which is a column after the axes.
func (r *Result) listTable(column string, list func(row int) []float64) *table.Table {
	t, head := r.table(func(row int) int { return max(1, len(list(row))) })
	var values []float64
	for row := r.span().first; row < r.span().end; row++ {
		switch found := list(row); {
		case !r.finished(row):
		case len(found) == 0:
			values = append(values, math.NaN())
		default:
			values = append(values, found...)
		}
	}
	t.Columns = slices.Insert(t.Columns, head, table.Col(column, values))
	return t
}

// finished reports whether the run of a row was finished.
func (r *Result) finished(row int) bool { return !math.IsNaN(r.value(mEnded, row)) }

// table returns the table of the finished rows, each repeated as often as repeat says; head is the number of columns
// before the measures.
func (r *Result) table(repeat func(row int) int) (t *table.Table, head int) {
	var rows []int
	for row := r.span().first; row < r.span().end; row++ {
		if r.finished(row) {
			for range repeat(row) {
				rows = append(rows, row)
			}
		}
	}
	t = new(table.Table)
	for j, a := range r.plan.Grid.Axes {
		t.Columns = append(t.Columns, table.Col(a.Name, gather(rows, func(row int) float64 { return r.Axis(row, j) })))
	}
	if r.plan.From != FromRest {
		t.Columns = append(t.Columns,
			table.Col("branch", gather(rows, func(row int) string { return r.Branch(row).String() })))
	}
	head = len(t.Columns)
	for _, j := range r.plan.columns {
		m := measureList[j]
		switch {
		case m.words != nil:
			c := table.Col(m.name, gather(rows, func(row int) string { return r.word(j, row) }))
			c.Width = r.widths[j]
			t.Columns = append(t.Columns, c)
		case m.count:
			t.Columns = append(t.Columns, table.Col(m.name, gather(rows, func(row int) int64 { return int64(r.value(j, row)) })))
		default:
			t.Columns = append(t.Columns, table.Col(m.name, gather(rows, func(row int) float64 { return r.value(j, row) })))
		}
	}
	return t, head
}

// gather returns the value of each row.
func gather[T any](rows []int, value func(row int) T) []T {
	values := make([]T, len(rows))
	for i, row := range rows {
		values[i] = value(row)
	}
	return values
}
