// Package measure computes the measures of runs of a network in a sweep: those of populations and those of tables
// [measure.NAME].
package measure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/statistics"
	"popsim/sweep"
)

// Defaults are the measures of populations that are kept where none is named.
var Defaults = []string{"rate", "cv", "synchrony"}

// Names lists the measures of populations.
func Names() (names []string) {
	for _, c := range statistics.Columns {
		names = append(names, strings.TrimSuffix(c.Name, "_Hz"))
	}
	return names
}

// Set is a set of measures of runs of a network.
type Set struct {
	spec    *network.Spec
	columns []sweep.JobColumn
	plain   []statistics.Column
	tables  []description.Measure
	of      []int // populations that measures are taken of: those of neurons, or all where none is
}

// New chooses measures by name: those of Names, and tables [measure.NAME]. No names stand for Defaults and all tables.
func New(res *description.Result, names []string) (*Set, error) {
	s := &Set{spec: res.Spec}
	for j, p := range res.Spec.Populations {
		if p.Model != nil {
			s.of = append(s.of, j)
		}
	}
	if s.of == nil {
		for j := range res.Spec.Populations {
			s.of = append(s.of, j)
		}
	}
	known := Names()
	if len(names) == 0 {
		names = Defaults
		s.tables = res.Measures
	}
	for _, m := range res.Measures {
		known = append(known, m.Name)
	}
	for _, name := range names {
		plain := slices.IndexFunc(statistics.Columns,
			func(c statistics.Column) bool { return c.Name == name || c.Name == name+"_Hz" })
		table := slices.IndexFunc(res.Measures, func(m description.Measure) bool { return m.Name == name })
		switch {
		case plain >= 0:
			s.plain = append(s.plain, statistics.Columns[plain])
		case table >= 0:
			s.tables = append(s.tables, res.Measures[table])
		default:
			return nil, fmt.Errorf("networks have no measure %q%s; the measures are %s", name, expression.Nearest(name, known),
				strings.Join(known, ", "))
		}
	}
	s.addRegimes(res, names)
	s.name()
	for i, c := range s.columns {
		if slices.ContainsFunc(s.columns[:i], func(o sweep.JobColumn) bool { return o.Name == c.Name }) {
			return nil, fmt.Errorf("measure %s is named twice", c.Name)
		}
	}
	return s, nil
}

// addRegimes adds the tables of regimes where their criteria are measured, CV and synchrony.
func (s *Set) addRegimes(res *description.Result, names []string) {
	if !slices.Contains(names, "cv") || !slices.Contains(names, "synchrony") {
		return
	}
	for _, m := range res.Measures {
		there := slices.ContainsFunc(s.tables, func(o description.Measure) bool { return o.Name == m.Name })
		if m.Kind == description.Regime && !there {
			s.tables = append(s.tables, m)
		}
	}
}

// within reports measures whose times lie beyond the end of a run, ms.
func (s *Set) within(end float64) error {
	for _, m := range s.tables {
		if err := m.Within(end); err != nil {
			return err
		}
	}
	return nil
}

// name lists the columns.
func (s *Set) name() {
	for _, c := range s.plain {
		base, unit := c.Name, ""
		if cut, ok := strings.CutSuffix(base, "_Hz"); ok {
			base, unit = cut, "_Hz"
		}
		if base == "rate" {
			s.columns = append(s.columns, sweep.JobColumn{Name: c.Name})
		}
		for _, j := range s.of {
			s.columns = append(s.columns, sweep.JobColumn{Name: base + "_" + s.spec.Populations[j].Name + unit})
		}
	}
	for _, m := range s.tables {
		switch m.Kind {
		case description.FirstAbove:
			s.columns = append(s.columns, sweep.JobColumn{Name: m.Name, Words: m.Names},
				sweep.JobColumn{Name: m.Name + timeOf, At: m.After})
		case description.PopulationVector:
			s.columns = append(s.columns, sweep.JobColumn{Name: m.Name + "_deg"}, sweep.JobColumn{Name: m.Name + lengthOf})
			for _, t := range pathOf(m)[1:] {
				name := fmt.Sprintf("%s%s%g_deg", m.Name, movedOf, t)
				s.columns = append(s.columns, sweep.JobColumn{Name: name, At: t - m.From})
			}
		case description.Regime:
			s.columns = append(s.columns, sweep.JobColumn{Name: m.Name, Words: statistics.Regimes})
		}
	}
}

// movedOf is between the name of a measure and a time in the names of columns of movements.
const movedOf = "_moved_"

// lengthOf ends the name of the column of the length of a population vector.
const lengthOf = "_length"

// timeOf ends the name of the column of the time of a choice.
const timeOf = "_time_ms"

// Columns are those of the measures, in the order of Values.
func (s *Set) Columns() []sweep.JobColumn { return s.columns }

// Missing returns a missing value for each column.
func (s *Set) Missing() []float64 { return slices.Repeat([]float64{math.NaN()}, len(s.columns)) }

// Meter takes the measures of one run, up to an end (ms).
type Meter struct {
	set    *Set
	tables []tableMeter
}

// tableMeter takes one measure of a table. decided reports whether spikes later than t (ms) cannot change its values.
type tableMeter interface {
	add(part, neuron int, t float64)
	values() []float64
	decided(t float64) bool
}

// Meter returns a meter for a run.
func (s *Set) Meter(end float64) *Meter {
	m := &Meter{set: s}
	for _, d := range s.tables {
		switch d.Kind {
		case description.FirstAbove:
			m.tables = append(m.tables, newFirstAbove(d, end))
		case description.PopulationVector:
			m.tables = append(m.tables, newVector(d, end))
		case description.Regime:
			m.tables = append(m.tables, regime{})
		}
	}
	return m
}

// Add adds a spike of neuron i of a population at t ms.
func (m *Meter) Add(population, i int, t float64) {
	for k, d := range m.set.tables {
		for part, p := range d.Parts {
			if p.Population == population && i >= p.First && i < p.First+p.N {
				m.tables[k].add(part, i-p.First, t)
			}
		}
	}
}

// Values are those of the columns; populations has the measures of all populations.
func (m *Meter) Values(populations []statistics.Population) (values []float64) {
	for _, c := range m.set.plain {
		if c.Name == "rate_Hz" {
			sum, n := 0.0, 0.0
			for _, j := range m.set.of {
				size := float64(m.set.spec.Populations[j].N)
				sum, n = sum+float64(size*populations[j].Rate), n+size
			}
			values = append(values, sum/n)
		}
		for _, j := range m.set.of {
			values = append(values, c.Of(&populations[j]))
		}
	}
	for k, t := range m.tables {
		if p := m.set.tables[k].Parts[0]; m.set.tables[k].Kind == description.Regime {
			which := statistics.Regime(&populations[p.Population], p.N)
			values = append(values, float64(which))
			continue
		}
		values = append(values, t.values()...)
	}
	return values
}

// Decided reports whether the measures of a run up to t (ms) are final. Those of populations never are.
func (m *Meter) Decided(t float64) bool {
	if len(m.set.plain) > 0 {
		return false
	}
	for _, d := range m.tables {
		if !d.decided(t) {
			return false
		}
	}
	return true
}

// edge is the share of a bin by which a spike may miss the beginning of the next and still belong to it.
const edge = 1e-9

// firstAbove counts spikes in bins from one end of a window to the next.
type firstAbove struct {
	d      description.Measure
	counts [][]int32 // by part, then bin
	sums   []int64   // by part: counts of the window whose last bin is the one before next
	next   int       // bin
	best   int       // the part that was first, -1 before that
	time   float64   // ms, the end of its window
}

func newFirstAbove(d description.Measure, end float64) *firstAbove {
	f := &firstAbove{d: d, sums: make([]int64, len(d.Parts)), best: -1, time: math.NaN()}
	for range d.Parts {
		f.counts = append(f.counts, make([]int32, int(end/d.Every+edge)))
	}
	return f
}

func (f *firstAbove) add(part, _ int, t float64) {
	if k := int(t/f.d.Every + edge); k < len(f.counts[part]) {
		f.counts[part][k]++
	}
}

// examine examines the windows that end no later than bin end, up to the first in which a rate reaches the level.
func (f *firstAbove) examine(end int) {
	n := int(math.Round(f.d.Window / f.d.Every))
	for ; f.best < 0 && f.next < end; f.next++ {
		best, most := -1, 0.0
		for part, c := range f.counts {
			f.sums[part] += int64(c[f.next])
			if f.next >= n {
				f.sums[part] -= int64(c[f.next-n])
			}
			rate := float64(f.sums[part]) / float64(f.d.Parts[part].N) / f.d.Window * 1000
			if rate >= f.d.Level && rate > most {
				best, most = part, rate
			}
		}
		if t := float64(f.next+1) * f.d.Every; best >= 0 && f.next+1 >= n && t > f.d.After*(1+edge) {
			f.best, f.time = best, t
		}
	}
}

func (f *firstAbove) decided(t float64) bool {
	f.examine(min(len(f.counts[0]), int(t/f.d.Every-edge)))
	return f.best >= 0
}

// values are the part whose rate first reaches the level, the larger of two, and the end of that window.
func (f *firstAbove) values() []float64 {
	if f.examine(len(f.counts[0])); f.best < 0 {
		return []float64{math.NaN(), math.NaN()}
	}
	return []float64{float64(f.best), f.time}
}

// regime stands for a measure of all spikes of a population.
type regime struct{}

func (regime) add(int, int, float64) {}
func (regime) values() []float64     { return nil }
func (regime) decided(float64) bool  { return false }

// pathOf are the ends of the windows of a population vector, ms: that at which movements begin, those up to which they
// are measured, and at last that of the vector itself.
func pathOf(m description.Measure) []float64 {
	if m.From == 0 {
		return []float64{m.At}
	}
	var ends []float64
	for k := range int(math.Round((m.At-m.From)/m.Every)) + 1 {
		ends = append(ends, m.From+float64(float64(k)*m.Every))
	}
	return ends
}

// vector sums the directions of the spikes in windows.
type vector struct {
	window     float64   // ms
	ends       []float64 // of windows, ms
	n          float64   // neurons on the ring
	x, y, many []float64 // by window
}

func newVector(d description.Measure, end float64) *vector {
	v := &vector{window: d.Window, ends: pathOf(d), n: float64(d.Parts[0].N)}
	if last := &v.ends[len(v.ends)-1]; *last == 0 {
		*last = end
	}
	v.x, v.y, v.many = make([]float64, len(v.ends)), make([]float64, len(v.ends)), make([]float64, len(v.ends))
	return v
}

func (v *vector) add(_, neuron int, t float64) {
	for k, end := range v.ends {
		if t < end-v.window || t >= end {
			continue
		}
		sin, cos := math.Sincos(2 * math.Pi * float64(neuron) / v.n)
		v.x[k], v.y[k], v.many[k] = v.x[k]+cos, v.y[k]+sin, v.many[k]+1
	}
}

func (v *vector) decided(t float64) bool { return t >= v.ends[len(v.ends)-1] }

// direction is the mean direction of the spikes in window k, in degrees from -180 to 180; NaN without spikes.
func (v *vector) direction(k int) float64 {
	if v.many[k] == 0 {
		return math.NaN()
	}
	return math.Atan2(v.y[k], v.x[k]) * 180 / math.Pi
}

// values are the mean direction in degrees from 0 to 360, neuron i at i/n of a turn, the length of the mean vector, and
// movement of the direction since the first window: the sum of its shortest ways from window to window.
func (v *vector) values() []float64 {
	last := len(v.ends) - 1
	deg := v.direction(last)
	if deg < 0 {
		deg += 360
	}
	values := []float64{deg, math.Hypot(v.x[last], v.y[last]) / v.many[last]}
	moved := 0.0
	for k := 1; k <= last; k++ {
		moved += math.Remainder(v.direction(k)-v.direction(k-1), 360)
		values = append(values, moved)
	}
	return values
}
