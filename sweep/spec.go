package sweep

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/model"
)

// Spec says what is asked: a model, a grid over its parameters, and how long each point is watched. The zero value of
// a field means its default.
type Spec struct {
	Model  *model.Model
	Method string    // empty means the model's default
	P      []float64 // parameters where no axis sets them; nil means the model's defaults
	I      float64   // input current where no axis sets it
	Init   []float64 // initial state where no axis sets it, NaN for a state left alone; nil, NaN: the rest at I = 0
	Grid   Grid      // axes named as parameters, I, or a state with a 0 behind it: V0 w0 m0 h0 n0

	Time    float64 // of each point, ms; 0 means 2000
	Discard float64 // ms at the start that count neither for the rate nor for extremes
	Dt      float64 // step, ms; 0 means the method's own
	From    From    // where the points of an f-I curve start

	Full     bool     // run every point to its end, none is retired
	NoError  bool     // no second resolution: rate_error_Hz stays empty
	Measures []string // columns, see MeasureNames; nil means the usual ones
	Late     bool     // keep the late intervals of every point, for maps of intervals
	Resets   bool     // keep w after the resets that follow the run, for maps of the attractor; adex only
}

// DefaultTime is how long a point is watched, ms.
const DefaultTime = 2000.0

// From says in which state a point starts. A neuron that fires at the end of a point is carried on from its next spike
// (see follow), so that a train is handed on in the same phase whatever the time of the run, and whether it was retired.
type From int

// The starts.
const (
	FromRest From = iota // the initial state of the spec
	FromUp               // the end state of the point with the next lower current; the lowest from rest
	FromDown             // the end state of the point with the next higher current; the highest from rest
	FromAll              // all three, one after the other
)

var fromNames = []string{"rest", "up", "down", "all"}

func (f From) String() string { return fromNames[f] }

// ParseFrom reads rest, up, down or all; the empty text means rest.
func ParseFrom(text string) (From, error) {
	if i := slices.Index(fromNames, text); i >= 0 {
		return From(i), nil
	}
	if text == "" {
		return FromRest, nil
	}
	return 0, fmt.Errorf("sweep: a curve starts from %s, not from %q", strings.Join(fromNames, ", "), text)
}

// branches lists the starts that f stands for.
func (f From) branches() []From {
	if f == FromAll {
		return []From{FromRest, FromUp, FromDown}
	}
	return []From{f}
}

// target is what an axis sets.
type target struct {
	kind  targetKind
	index int // of the parameter or the state
}

type targetKind int

const (
	setsParam targetKind = iota
	setsCurrent
	setsState
)

// targetOf finds what a name on an axis means in model m, and the unit of its values. The error suggests the nearest name.
func targetOf(m *model.Model, name string) (target, string, error) {
	if name == "I" {
		return target{kind: setsCurrent}, m.CurrentUnit, nil
	}
	if j := m.Index(name); j >= 0 {
		return target{setsParam, j}, m.Params[j].Unit, nil
	}
	known := []string{"I"}
	for _, q := range m.Params {
		known = append(known, q.Name)
	}
	for j, s := range m.States {
		if s.Name+"0" == name {
			return target{setsState, j}, s.Unit, nil
		}
		known = append(known, s.Name+"0")
	}
	if near := model.Nearest(name, known); near != "" {
		return target{}, "", fmt.Errorf("sweep: %s has no %q; did you mean %q?", m.Name, name, near)
	}
	return target{}, "", fmt.Errorf("sweep: %s has no %q (have %s)", m.Name, name, strings.Join(known, ", "))
}

// plan is a Spec with its defaults resolved and its points numbered.
//
// A chain is a sequence of points in which each may start from the end state of the one before; started from rest,
// every point is a chain of its own. Chains are what is queued, cut into parts and resumed. Rows are numbered by
// branch, then by point.
type plan struct {
	Spec
	method  model.Method
	targets []target
	points  int
	rows    int
	starts  []From
	current int   // the axis of I, or -1
	order   []int // places on the axis of I (points, if zipped) by ascending current; nil unless carried
	rank    []int // the inverse of order
	first   []int // the first chain of each branch, and the number of all
	coarse  float64
	columns []int // measures
}

// Check names all faults of the spec at once: unknown names, impossible parameters at any point, a step that the method
// cannot take, times that make no sense.
func (s Spec) Check() error {
	_, err := s.plan()
	return err
}

func (s Spec) plan() (*plan, error) {
	p := &plan{Spec: s, current: -1}
	var faults []error
	fault := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	if p.P == nil {
		p.P = p.Model.Defaults()
	}
	if p.Init == nil {
		p.Init = slices.Repeat([]float64{math.NaN()}, len(p.Model.States))
	}
	if p.Time == 0 {
		p.Time = DefaultTime
	}
	var err error
	p.method, err = p.Model.Method(p.Method)
	fault(err)
	p.Method = p.method.Name
	if p.Dt == 0 {
		p.Dt = p.method.Dt
	}
	fault(p.Grid.Check())
	for _, a := range p.Grid.Axes {
		t, _, err := targetOf(p.Model, a.Name)
		fault(err)
		p.targets = append(p.targets, t)
	}
	if len(p.P) != len(p.Model.Params) || len(p.Init) != len(p.Model.States) {
		fault(fmt.Errorf("sweep: %s has %d parameters and %d states, not %d and %d",
			p.Model.Name, len(p.Model.Params), len(p.Model.States), len(p.P), len(p.Init)))
	}
	for _, x := range []struct {
		what string
		ms   float64
		ok   bool
	}{
		{"dt", p.Dt, p.Dt > 0},
		{"time", p.Time, p.Time >= p.Dt},
		{"discard", p.Discard, p.Discard >= 0 && p.Discard < p.Time},
	} {
		if !x.ok || math.IsInf(x.ms, 0) {
			fault(fmt.Errorf("sweep: %s is %v ms; 0 < dt <= time and 0 <= discard < time would do", x.what, x.ms))
		}
	}
	p.columns, err = measuresOf(p.Measures)
	fault(err)
	p.current = p.Grid.axis("I")
	if (p.Resets || p.watchesW()) && (p.Model.StateIndex("w") < 0 || p.Model.Start != nil) {
		fault(fmt.Errorf("sweep: %s has no w; adex has", p.Model.Name))
	}
	if p.From != FromRest && p.current < 0 {
		fault(fmt.Errorf("sweep: from %s carries states through the currents; I must be an axis", p.From))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	p.points = int(p.Grid.Points())
	p.number()
	return p, p.checkPoints()
}

// watchesW tells whether extremes of w are asked for.
func (p *plan) watchesW() bool {
	return slices.Contains(p.columns, mWMin) || slices.Contains(p.columns, mWMax)
}

// number lays out rows and chains.
func (p *plan) number() {
	p.starts = p.From.branches()
	p.rows = p.points * len(p.starts)
	if p.From != FromRest {
		axis := p.Grid.Axes[p.current]
		p.order = make([]int, axis.Len())
		for i := range p.order {
			p.order[i] = i
		}
		slices.SortStableFunc(p.order, func(i, j int) int { return cmp.Compare(axis.At(i), axis.At(j)) })
		p.rank = make([]int, axis.Len())
		for r, i := range p.order {
			p.rank[i] = r
		}
	}
	p.first = []int{0}
	for _, from := range p.starts {
		n := p.points
		if from != FromRest {
			n /= len(p.order)
		}
		p.first = append(p.first, p.first[len(p.first)-1]+n)
	}
}

// chains is the number of chains.
func (p *plan) chains() int { return p.first[len(p.first)-1] }

// branch is the number of the branch of a chain.
func (p *plan) branch(chain int) int {
	b := 0
	for chain >= p.first[b+1] {
		b++
	}
	return b
}

// links is the number of points of a chain.
func (p *plan) links(chain int) int {
	if p.starts[p.branch(chain)] == FromRest {
		return 1
	}
	return len(p.order)
}

// point is the point at place link of a chain.
func (p *plan) point(chain, link int) int {
	b := p.branch(chain)
	chain -= p.first[b]
	switch p.starts[b] {
	case FromRest:
		return chain
	case FromDown:
		link = len(p.order) - 1 - link
	}
	stride := p.Grid.Stride(p.current)
	return chain/stride*stride*len(p.order) + p.order[link]*stride + chain%stride
}

// slot numbers the points in the order of chains, and along each: where results are kept.
func (p *plan) slot(chain, link int) int {
	b := p.branch(chain)
	return b*p.points + (chain-p.first[b])*p.links(chain) + link
}

// slotOf is the slot of a row of the table. Rows go by branch, then by point.
func (p *plan) slotOf(row int) int {
	b, point := row/p.points, row%p.points
	if p.starts[b] == FromRest {
		return row
	}
	n, stride := len(p.order), p.Grid.Stride(p.current)
	link := p.rank[point/stride%n]
	if p.starts[b] == FromDown {
		link = n - 1 - link
	}
	chain := point/(stride*n)*stride + point%stride
	return b*p.points + chain*n + link
}

// at writes the parameters of a point into params, and returns its current.
func (p *plan) at(point int, params []float64) (current float64) {
	copy(params, p.P)
	current = p.I
	for j, t := range p.targets {
		switch t.kind {
		case setsParam:
			params[t.index] = p.Grid.At(point, j)
		case setsCurrent:
			current = p.Grid.At(point, j)
		}
	}
	return current
}

// enter writes the initial state of a point over its rest y.
func (p *plan) enter(point int, y []float64) {
	for j, x := range p.Init {
		if !math.IsNaN(x) {
			y[j] = x
		}
	}
	for j, t := range p.targets {
		if t.kind == setsState {
			y[t.index] = p.Grid.At(point, j)
		}
	}
}

// distinct calls visit with the first point of every set of parameters and of every current, in the order of points; alike
// is the number of points that share what it has to look at. A grid has far fewer of these than points where some of its
// axes set no parameter.
func (p *plan) distinct(sets func(target) bool, visit func(point, alike int)) {
	n, alike := 1, 1
	for j, a := range p.Grid.Axes {
		switch {
		case p.Grid.Zip:
			n = p.points
		case sets(p.targets[j]):
			n *= a.Len()
		default:
			alike *= a.Len()
		}
	}
	for i := range n {
		point, rest := i, i
		if !p.Grid.Zip {
			point = 0
			for j := len(p.Grid.Axes) - 1; j >= 0; j-- {
				if sets(p.targets[j]) {
					length := p.Grid.Axes[j].Len()
					point += rest % length * p.Grid.Stride(j)
					rest /= length
				}
			}
		}
		visit(point, alike)
	}
}

func (t target) setsParam() bool   { return t.kind == setsParam }
func (t target) setsCurrent() bool { return t.kind == setsCurrent }

// checkPoints looks at the parameters and the current of every point, and finds the second resolution that is stable at
// all of them.
func (p *plan) checkPoints() error {
	params := make([]float64, len(p.P))
	stable := math.Inf(1)
	bad := 0
	var first error
	fault := func(point, alike int, err error) {
		if bad += alike; first == nil {
			first = fmt.Errorf("sweep: point %d of %d: %w", point+1, p.points, err)
		}
	}
	p.distinct(target.setsParam, func(point, alike int) {
		p.at(point, params)
		if err := p.Model.Check(params); err != nil {
			fault(point, alike, err)
			return
		}
		limit, _ := p.Model.StepLimits(p.method, params)
		stable = min(stable, limit)
	})
	if bad == 0 {
		p.distinct(target.setsCurrent, func(point, alike int) {
			if x := p.at(point, params); math.IsNaN(x) || math.IsInf(x, 0) {
				fault(point, alike, fmt.Errorf("the current is %v; it must be a finite number", x))
			}
		})
	}
	switch {
	case bad > 1:
		return fmt.Errorf("%w (and %d more like it)", first, bad-1)
	case bad == 1:
		return first
	case p.Dt > stable:
		return fmt.Errorf("sweep: dt is %v ms, but %s with method %s needs at most %.4g ms here: beyond, it is unstable or wrong by a tenth", p.Dt, p.Model.Name, p.Method, stable)
	}
	p.coarse = 2 * p.Dt
	if p.coarse > stable {
		p.coarse = p.Dt / 2
	}
	return nil
}

// Chains is the number of checkpoints a sweep can be cut into: its points, or, where states are carried through the currents, its
// curves. The error is that of the grid.
func (s Spec) Chains() (int, error) { return s.chains() }

// AccurateDt is the largest step (ms) whose error is small at every corner of the grid, as Model.StepLimits has it.
func (s Spec) AccurateDt() float64 {
	p, err := s.plan()
	if err != nil {
		return math.NaN()
	}
	params := make([]float64, len(p.P))
	least := math.Inf(1)
	p.distinct(target.setsParam, func(point, _ int) {
		p.at(point, params)
		_, accurate := p.Model.StepLimits(p.method, params)
		least = min(least, accurate)
	})
	return least
}

// Forecast is what a sweep will cost at most, known before it starts.
type Forecast struct {
	Points int     // rows of the table, the branches of a curve counted apart
	Steps  float64 // lane-steps if no lane is retired, the second resolution included
	Bytes  float64 // memory for results and lanes
}

// Forecast counts before anything is allocated. The error is that of the grid, or of an unknown method or measure.
func (s Spec) Forecast(workers int) (Forecast, error) {
	if err := s.Grid.Check(); err != nil {
		return Forecast{}, err
	}
	method, err := s.Model.Method(s.Method)
	if err != nil {
		return Forecast{}, err
	}
	columns, err := measuresOf(s.Measures)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{Points: int(s.Grid.Points()) * len(s.From.branches())}
	dt, time := cmp.Or(s.Dt, method.Dt), cmp.Or(s.Time, DefaultTime)
	f.Steps = float64(f.Points) * time / dt
	if !s.NoError {
		f.Steps *= 1.5
	}
	perRow := pointBytes + 8*float64(len(columns)+len(s.Grid.Axes))*(1+tableShare)
	for _, kept := range []bool{s.Late, s.Resets} {
		if kept {
			perRow += lateGuess * 8 * 3
		}
	}
	f.Bytes = float64(f.Points)*perRow + float64(max(1, workers)*width*2*laneBytes)
	return f, nil
}

const (
	pointBytes = 125 // of every point, whatever is asked for: words, a picture, what judges it; measured
	tableShare = 1.5 // the table copies the columns; the rest is not yet collected
	lateGuess  = 16  // late intervals of a point, on average
	laneBytes  = 8*64 + 8*memory + 512
)
