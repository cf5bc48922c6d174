package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/model"
	"popsim/pop"
)

// Limits of the picture of a run.
const (
	ShownTraces  = 3         // neurons with traces, if none are named
	TraceSamples = 20_000    // samples of a trace
	ShownSpikes  = 4_000_000 // spikes of the raster, the first of them
	shownNeurons = 5000      // rows of the raster, the first of them
	traceBins    = 1500      // in which a trace is drawn by its least and largest value
	rateBins     = 200       // of the rate of all neurons over time
)

// The panels of a run beside its states.
const (
	rasterPanel   = "raster"
	ratePanel     = "rate"  // of all neurons over time
	stimulusPanel = "I"     // I with the waveform
	gatesPanel    = "gates" // all states between 0 and 1
)

// View selects the contents of the picture of a run. The zero View is the usual picture.
type View struct {
	Traced   []int64               // neurons with traces
	Span     float64               // of the run, ms
	Dt       float64               // step, ms
	Waveform func(k int64) float64 // added to I, times gain, in step k; nil means none
	Panels   []string              // of ViewPanels; nil means the states of one neuron, or the raster of several above V
	Order    string                // a parameter, I, or rate: rows of the raster ascend in it; "" means by number
}

// ViewPanels are the panels that a run of m may show.
func ViewPanels(m *model.Model) []string {
	all := []string{rasterPanel, ratePanel, stimulusPanel}
	if gates(m) != nil {
		all = append(all, gatesPanel)
	}
	for _, s := range m.States {
		all = append(all, s.Name)
	}
	return all
}

// Check returns an error about a panel or order that m does not have, which lists those it has.
func (v View) Check(m *model.Model) error {
	all := ViewPanels(m)
	for _, p := range v.Panels {
		if !slices.Contains(all, p) {
			return fmt.Errorf("a picture of %s has no panel %q; it has %s", m.Name, p, strings.Join(all, ", "))
		}
	}
	if v.Order != "" && v.Order != ratePanel && v.Order != stimulusPanel && m.Index(v.Order) < 0 {
		return fmt.Errorf("neurons cannot be ordered by %q; they can by rate, I and parameters of %s", v.Order, m.Name)
	}
	return nil
}

// gates lists the places of the states that are pure numbers.
func gates(m *model.Model) (at []int) {
	for j, s := range m.States {
		if s.Unit == "1" {
			at = append(at, j)
		}
	}
	return at
}

// Activity collects the data of the picture of a run during the run: spikes, and the states of a few neurons.
type Activity struct {
	Full bool // there were more spikes than ShownSpikes

	spec    pop.Spec
	view    View
	neurons int // rows of the raster
	times   []float64
	ids     []int64
	counts  []int64   // spikes of each row of the raster
	rate    []float64 // spikes of all neurons in each bin
	traces  [][]Trace // by place in View.Traced, then by state
}

// NewActivity returns an empty collection for a run.
func NewActivity(spec pop.Spec, view View) *Activity {
	a := &Activity{spec: spec, view: view, neurons: min(spec.N, shownNeurons), rate: make([]float64, rateBins)}
	a.counts = make([]int64, a.neurons)
	for range view.Traced {
		a.traces = append(a.traces, make([]Trace, len(spec.Model.States)))
	}
	if view.Panels == nil {
		a.view.Panels = a.usual()
	}
	return a
}

// usual are the panels of a picture where none are named.
func (a *Activity) usual() (panels []string) {
	if a.spec.N > 1 {
		panels = []string{rasterPanel, a.spec.Model.States[0].Name}
	} else {
		for _, s := range a.spec.Model.States {
			if s.Unit != "1" {
				panels = append(panels, s.Name)
			}
		}
		if gates(a.spec.Model) != nil {
			panels = append(panels, gatesPanel)
		}
	}
	if a.view.Waveform != nil {
		panels = append(panels, stimulusPanel)
	}
	return panels
}

// AddSpikes adds spikes, in order of time. In models that reset, a trace of V goes to V_th and jumps to V_reset there.
func (a *Activity) AddSpikes(block []pop.Spike) error {
	for _, s := range block {
		a.addJump(s)
		a.rate[min(rateBins-1, int(s.Time/a.view.Span*rateBins))]++
		if s.Neuron >= int64(a.neurons) {
			continue
		}
		a.counts[s.Neuron]++
		if len(a.times) == ShownSpikes {
			a.Full = true
			continue
		}
		a.times, a.ids = append(a.times, s.Time), append(a.ids, s.Neuron)
	}
	return nil
}

// addJump adds a spike of a model that resets to the trace of its neuron.
func (a *Activity) addJump(s pop.Spike) {
	j, m := slices.Index(a.view.Traced, s.Neuron), a.spec.Model
	if j < 0 || m.Fires != model.Reset {
		return
	}
	p := make([]float64, len(m.Params))
	for k, v := range a.spec.P {
		p[k] = v.At(int(s.Neuron))
	}
	t := &a.traces[j][0]
	t.T, t.V = append(t.T, s.Time, s.Time), append(t.V, m.Threshold(p), m.ResetTo(p))
}

// AddState adds the state of a neuron at time ms to its traces, if it has some.
func (a *Activity) AddState(time float64, neuron int64, state []float64) error {
	if j := slices.Index(a.view.Traced, neuron); j >= 0 {
		for k := range a.traces[j] {
			t := &a.traces[j][k]
			t.T, t.V = append(t.T, time), append(t.V, state[k])
		}
	}
	return nil
}

// Figure returns the picture.
func (a *Activity) Figure(title string) *Figure {
	if n := a.spec.N; n > 1 {
		title += fmt.Sprintf("  (%d neurons)", n)
	}
	f := &Figure{Title: title, ShareX: true}
	for _, name := range []string{rasterPanel, ratePanel} {
		if slices.Contains(a.view.Panels, name) {
			f.Panels = append(f.Panels, a.ofAll(name))
		}
	}
	for j, neuron := range a.view.Traced {
		for _, name := range a.view.Panels {
			if name == rasterPanel || name == ratePanel {
				continue
			}
			p := a.ofOne(name, j)
			if a.spec.N > 1 {
				p.YLabel = fmt.Sprintf("neuron %d\n%s", neuron, p.YLabel)
			}
			f.Panels = append(f.Panels, p)
		}
	}
	for j := range f.Panels {
		f.Panels[j].XRange = [2]float64{0, a.view.Span}
		f.Panels[j].XLabel = "time (ms)"
	}
	return f
}

// ofAll is the raster, or the rate over time.
func (a *Activity) ofAll(name string) Panel {
	if name == ratePanel {
		bin := a.view.Span / rateBins
		line := Line{Width: 0.8}
		for k, n := range a.rate {
			r := 1000 * n / (bin * float64(a.spec.N))
			line.X, line.Y = append(line.X, bin*float64(k), bin*float64(k+1)), append(line.Y, r, r)
		}
		return Panel{YLabel: "rate (Hz)", Height: 30, Lines: []Line{line}}
	}
	rows, label := a.order()
	ids := make([]int64, len(a.ids))
	for k, i := range a.ids {
		ids[k] = rows[i]
	}
	p := Raster("", a.times, ids).Panels[0]
	p.YLabel = label
	top := float64(a.neurons - 1)
	p.YRange = [2]float64{-0.5 - 0.01*top, 0.5 + 1.01*top}
	if a.neurons == 1 {
		p.Height = 15
	}
	return p
}

// order gives each neuron of the raster its row, and the label of the rows.
func (a *Activity) order() (rows []int64, label string) {
	label = "neuron"
	if a.neurons < a.spec.N {
		label = fmt.Sprintf("neuron (the first %d)", a.neurons)
	}
	key := func(i int) float64 { return float64(i) }
	switch name := a.view.Order; {
	case name == "":
	case name == ratePanel:
		key = func(i int) float64 { return float64(a.counts[i]) }
	case name == stimulusPanel && a.spec.I != nil:
		key = a.spec.I.At
	case a.spec.P != nil && a.spec.Model.Index(name) >= 0 && a.spec.P[a.spec.Model.Index(name)] != nil:
		key = a.spec.P[a.spec.Model.Index(name)].At
	}
	if a.view.Order != "" {
		label += ", by " + a.view.Order
	}
	sorted := make([]int, a.neurons)
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortStableFunc(sorted, func(i, j int) int { return cmp.Compare(key(i), key(j)) })
	rows = make([]int64, a.neurons)
	for row, i := range sorted {
		rows[i] = int64(row)
	}
	return rows, label
}

// tracePanel is the height of the axes of a trace, mm; that of V of a single neuron is twice that.
const tracePanel = 22

// ofOne is a panel of the traced neuron in place j.
func (a *Activity) ofOne(name string, j int) Panel {
	m := a.spec.Model
	switch name {
	case stimulusPanel:
		t := thinnedTrace(a.stimulus(int(a.view.Traced[j])))
		return Panel{YLabel: unitLabel("I", m.CurrentUnit), Height: tracePanel, Lines: []Line{{X: t.T, Y: t.V, Width: 0.8}}}
	case gatesPanel:
		p := Panel{YLabel: "gates", Height: tracePanel, YRange: [2]float64{0, 1}}
		for k, at := range gates(m) {
			t := thinnedTrace(a.traces[j][at])
			p.Lines = append(p.Lines, Line{
				Name: m.States[at].Name, X: t.T, Y: t.V, Width: 0.8,
				Color: seriesColors[k%len(seriesColors)], Dash: []Dash{Solid, Dashed, DashDotted, Dotted}[k%4],
			})
		}
		return p
	}
	at := m.StateIndex(name)
	t := thinnedTrace(a.traces[j][at])
	p := Panel{YLabel: unitLabel(name, m.States[at].Unit), Height: tracePanel, Lines: []Line{{X: t.T, Y: t.V, Width: 0.8}}}
	if at == 0 && a.spec.N == 1 {
		p.Height = 2 * tracePanel
	}
	return p
}

func unitLabel(name, unit string) string {
	if unit == "" || unit == "1" {
		return name
	}
	return fmt.Sprintf("%s (%s)", name, unit)
}

// stimulus is the input current of a neuron at the times of its trace.
func (a *Activity) stimulus(neuron int) Trace {
	t := Trace{}
	base, gain := 0.0, 1.0
	if a.spec.I != nil {
		base = a.spec.I.At(neuron)
	}
	if a.spec.Gain != nil {
		gain = a.spec.Gain.At(neuron)
	}
	steps := a.view.Span / a.view.Dt
	every := max(1, math.Floor(steps/TraceSamples))
	for k := 0.0; k < steps; k += every {
		v := base
		if a.view.Waveform != nil {
			v += gain * a.view.Waveform(int64(k))
		}
		t.T, t.V = append(t.T, k*a.view.Dt), append(t.V, v)
	}
	return t
}

// thinnedTrace sorts the samples of a trace by time and keeps, of each of traceBins bins, the least and the largest
// value where they occur.
func thinnedTrace(t Trace) Trace {
	order := make([]int, len(t.T))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(t.T[i], t.T[j]) })
	thin := Trace{Name: t.Name}
	bin := max(1, len(order)/traceBins)
	for part := range slices.Chunk(order, bin) {
		low, high := 0, 0
		for i, k := range part {
			if t.V[k] < t.V[part[low]] {
				low = i
			}
			if t.V[k] > t.V[part[high]] {
				high = i
			}
		}
		keep := []int{min(low, high), max(low, high)}
		if low == high {
			keep = keep[:1]
		}
		for _, i := range keep {
			thin.T, thin.V = append(thin.T, t.T[part[i]]), append(thin.V, t.V[part[i]])
		}
	}
	return thin
}
