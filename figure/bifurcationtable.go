package figure

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"popsim/dynamics"
	"popsim/table"
)

// stretch is spiking by reset over a part of the interval: with one number of spikes per period (0 where irregular), or
// along a fixed point of the reset map that repels.
type stretch struct {
	spikes  int
	repels  bool
	firings []dynamics.Firing
	fixed   []dynamics.Repeller // one per firing where repels
}

// FiringParts is the number of parts of spiking by reset: each with one number of spikes per period, or a repelling
// fixed point of the reset map.
func (b *Bifurcation) FiringParts() int { return len(b.stretches()) }

// stretches cuts the firing into stretches.
func (b *Bifurcation) stretches() (list []stretch) {
	var open *stretch
	for _, f := range b.Trains {
		switch {
		case f.Silent:
			open = nil
			continue
		case open == nil || open.spikes != f.Period:
			list = append(list, stretch{spikes: f.Period})
			open = &list[len(list)-1]
		}
		open.firings = append(open.firings, f)
	}
	// A fixed point belongs to the stretch whose last one is nearest, among those that go on.
	var going []int
	for _, f := range b.Trains {
		var next []int
		for _, q := range f.Repelling {
			nearest := -1
			for _, k := range going {
				if nearest < 0 || math.Abs(list[k].last().W-q.W) < math.Abs(list[nearest].last().W-q.W) {
					nearest = k
				}
			}
			if nearest < 0 || slices.Contains(next, nearest) {
				list = append(list, stretch{spikes: 1, repels: true})
				nearest = len(list) - 1
			}
			list[nearest].firings = append(list[nearest].firings, f)
			list[nearest].fixed = append(list[nearest].fixed, q)
			next = append(next, nearest)
		}
		going = next
	}
	return list
}

func (x stretch) last() dynamics.Repeller { return x.fixed[len(x.fixed)-1] }

// period is that of firing k in ms, NaN where it has none.
func (x stretch) period(k int) float64 {
	switch f := x.firings[k]; {
	case x.repels:
		return x.fixed[k].Interval
	case f.Period == 0:
		return math.NaN()
	default:
		return sum(f.Intervals)
	}
}

// low is the least V of firing k.
func (x stretch) low(k int) float64 {
	if x.repels {
		return x.fixed[k].VMin
	}
	return x.firings[k].VMin
}

func sum(list []float64) (total float64) {
	for _, x := range list {
		total += x
	}
	return total
}

// branchColumns gathers the table of branches row by row.
type branchColumns struct {
	branch, spikes                    []int64
	kind, stable                      []string
	at, low, high, period, rate       []float64
	re, im, multRe, multIm, lyapunovs []float64
	states                            [][]float64
}

// BranchTable is the table of -o.
func (b *Bifurcation) BranchTable() *table.Table {
	if b.Regions != nil {
		return b.curveTable()
	}
	nan := math.NaN()
	m := b.Model
	c := branchColumns{states: make([][]float64, len(m.States))}
	add := func(branch int, kind dynamics.Kind, at, low, high, period float64, stable bool) {
		c.branch, c.kind = append(c.branch, int64(branch)), append(c.kind, string(kind))
		c.at, c.low, c.high = append(c.at, at), append(c.low, low), append(c.high, high)
		c.period, c.stable = append(c.period, period), append(c.stable, strconv.FormatBool(stable))
	}
	for k, b := range b.Diagram.Branches {
		for _, r := range b.Rows {
			add(k, b.Kind, r.Parameter, r.VMin, r.VMax, r.Period, r.Stable)
			lead := complex(nan, nan)
			if len(r.Spectrum) > 0 {
				lead = r.Spectrum[0]
			}
			eigenvalue, multiplier := lead, complex(nan, nan)
			if b.Kind == dynamics.Cycle {
				eigenvalue, multiplier = multiplier, lead
			}
			c.re, c.im = append(c.re, real(eigenvalue)), append(c.im, imag(eigenvalue))
			c.multRe, c.multIm = append(c.multRe, real(multiplier)), append(c.multIm, imag(multiplier))
			c.rate = append(c.rate, 1000/r.Period)
			c.spikes, c.lyapunovs = append(c.spikes, 0), append(c.lyapunovs, nan)
			for j := range m.States {
				c.states[j] = append(c.states[j], r.State[j])
			}
		}
	}
	for k, x := range b.stretches() {
		for j, f := range x.firings {
			add(len(b.Diagram.Branches)+k, dynamics.Cycle, f.Parameter, x.low(j), f.VMax, x.period(j), !x.repels)
			c.re, c.im = append(c.re, nan), append(c.im, nan)
			multiplier, rate, exponent := f.Multiplier, f.Rate, f.Lyapunov
			if x.repels {
				multiplier, rate = x.fixed[j].Slope, 1000/x.fixed[j].Interval
				exponent = math.Log(math.Abs(multiplier))
			}
			if math.IsInf(exponent, -1) { // no state survives the reset; tables have no infinite numbers
				exponent = nan
			}
			c.multRe, c.multIm = append(c.multRe, multiplier), append(c.multIm, math.Abs(0*multiplier))
			c.rate, c.spikes, c.lyapunovs = append(c.rate, rate), append(c.spikes, int64(x.spikes)), append(c.lyapunovs,
				exponent)
			for j := range m.States {
				c.states[j] = append(c.states[j], nan)
			}
		}
	}
	t := table.NewTable(table.Col("branch", c.branch), table.Col("kind", c.kind), table.Col(b.Axes[0].Name, c.at),
		table.Col(b.column("_min"), c.low), table.Col(b.column("_max"), c.high), table.Col("period_ms",
			c.period), table.Col("stable", c.stable),
		table.Col("rate_Hz", c.rate), table.Col("eigenvalue_re_per_ms", c.re), table.Col("eigenvalue_im_per_ms", c.im),
		table.Col("multiplier_re", c.multRe), table.Col("multiplier_im", c.multIm))
	for j, x := range m.States[1:] {
		t.Columns = append(t.Columns, table.Col(x.Column(), c.states[j+1]))
	}
	if b.Trains != nil {
		t.Columns = append(t.Columns, table.Col("spikes", c.spikes), table.Col("lyapunov_per_spike", c.lyapunovs))
	}
	return t
}

// ResetTable is the table of --resets.
func (b *Bifurcation) ResetTable() *table.Table {
	var at, w, isi []float64
	var number, spikes []int64
	for _, f := range b.Trains {
		for k, interval := range f.Intervals {
			at, isi = append(at, f.Parameter), append(isi, interval)
			number, spikes = append(number, int64(k)), append(spikes, int64(f.Period))
			if f.Resets == nil {
				w = append(w, math.NaN())
			} else {
				w = append(w, f.Resets[k])
			}
		}
	}
	survives := "w_pA"
	if m := b.Model; m != nil && m.Outside() && len(m.States) > 1 {
		survives = m.States[1].Column()
	}
	return table.NewTable(table.Col(b.Axes[0].Name, at), table.Col("spikes", spikes), table.Col("reset", number),
		table.Col(survives, w), table.Col("isi_ms", isi))
}

// Special is a special point over one or two quantities.
type Special struct {
	label       string
	x, y        float64 // y is NaN over one quantity
	v           float64
	frequency   float64
	period      float64
	criticality string
	lyapunov    float64
	branch      int
	note        string
	axes        []Quantity
	spikes      int    // per period of an orbit of the reset map; 0 elsewhere
	first       string // the first state
	vUnit       string // with a space before it; empty of a pure number
}

// column is the heading of a column of the first state, of what of it ("", "_min", "_max"): V_min_mV, or S1_min of a
// state that is no potential.
func (b *Bifurcation) column(of string) string {
	if b.Model == nil || b.Model.States[0].Unit == "mV" {
		return "V" + of + "_mV"
	}
	return b.Model.States[0].Name + of
}

// first is the name of the first state.
func (b *Bifurcation) first() string {
	if b.Model == nil {
		return "V"
	}
	return b.Model.States[0].Name
}

// vUnit is the unit of the first state, with a space before it; empty of a pure number.
func (b *Bifurcation) vUnit() string {
	switch m := b.Model; {
	case m == nil:
		return " mV"
	case m.States[0].Unit == "1":
		return ""
	default:
		return " " + m.States[0].Unit
	}
}

// Specials lists the special points of branches, of spiking by reset, and of the plane.
func (b *Bifurcation) Specials() (list []Special) {
	nan := math.NaN()
	if b.Regions != nil {
		for _, q := range b.Regions.Points {
			list = append(list, Special{
				q.Label, q.X, q.Y, q.V, q.Frequency, 1000 / q.Frequency, q.Criticality, nan, -1,
				"", b.Axes, 0, b.first(), b.vUnit(),
			})
		}
		return list
	}
	if b.Diagram == nil {
		return nil
	}
	for _, q := range b.Diagram.Points {
		list = append(list, Special{
			q.Label, q.Parameter, nan, q.V, q.Frequency, q.Period, q.Criticality, q.Lyapunov,
			q.Branch, q.Note, b.Axes, 0, b.first(), b.vUnit(),
		})
	}
	for _, q := range b.FiringPoints {
		at := b.Trains[q.Firing].Parameter
		branch := len(b.Diagram.Branches) + slices.IndexFunc(b.stretches(), func(x stretch) bool {
			return !x.repels && slices.ContainsFunc(x.firings,
				func(f dynamics.Firing) bool { return f.Parameter == at })
		})
		list = append(list, Special{
			q.Label, q.Parameter, nan, q.V, q.Frequency, q.Period, "", nan, branch, q.Note,
			b.Axes, q.Spikes, b.first(), b.vUnit(),
		})
	}
	return list
}

// String describes the point in words.
func (q Special) String() string {
	at := func(a Quantity, x float64) string {
		unit := " " + a.Unit
		if a.Unit == "1" {
			unit = ""
		}
		return fmt.Sprintf("%s = %.12g%s", a.Name, x, unit)
	}
	text := q.title() + " at " + at(q.axes[0], q.x)
	if len(q.axes) > 1 {
		text += ", " + at(q.axes[1], q.y)
	}
	text += fmt.Sprintf(", %s = %.6g%s", q.first, q.v, q.vUnit)
	if q.frequency > 0 {
		text += fmt.Sprintf(", %.6g Hz", q.frequency)
	}
	if q.note != "" {
		text += " (" + q.note + ")"
	}
	return text
}

// PointTable is the table of --points.
func (b *Bifurcation) PointTable() *table.Table {
	list := b.Specials()
	var label, criticality, note []string
	var x, y, v, frequency, period, lyapunov []float64
	var branch []int64
	for _, q := range list {
		label, criticality, note = append(label, q.label), append(criticality, q.criticality), append(note, q.note)
		x, y, v = append(x, q.x), append(y, q.y), append(v, q.v)
		frequency, period, lyapunov = append(frequency, q.frequency), append(period, q.period), append(lyapunov,
			q.lyapunov)
		branch = append(branch, int64(q.branch))
	}
	t := table.NewTable(table.Col("label", label), table.Col(b.Axes[0].Name, x))
	if b.Regions != nil {
		t.Columns = append(t.Columns, table.Col(b.Axes[1].Name, y))
	}
	t.Columns = append(t.Columns, table.Col(b.column(""), v), table.Col("frequency_Hz", frequency), table.Col("period_ms",
		period),
		table.Col("criticality", criticality))
	if b.Regions == nil {
		t.Columns = append(t.Columns, table.Col("lyapunov_coefficient", lyapunov), table.Col("branch", branch),
			table.Col("note", note))
	}
	return t
}

// curveTable is the table of -o over two quantities.
func (b *Bifurcation) curveTable() *table.Table {
	var curve []int64
	var label, criticality []string
	var x, y, v, frequency []float64
	for k, c := range b.Regions.Curves {
		for _, q := range c.Points {
			curve, label, criticality = append(curve, int64(k)), append(label, q.Label), append(criticality,
				q.Criticality)
			x, y, v, frequency = append(x, q.X), append(y, q.Y), append(v, q.V), append(frequency, q.Frequency)
		}
	}
	return table.NewTable(table.Col("curve", curve), table.Col("label", label), table.Col(b.Axes[0].Name, x),
		table.Col(b.Axes[1].Name, y),
		table.Col(b.column(""), v), table.Col("frequency_Hz", frequency), table.Col("criticality", criticality))
}
