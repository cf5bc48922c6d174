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

// Spec describes a sweep: a model, a grid over its parameters, and how long each point is simulated. The zero value of
// a field means its default.
type Spec struct {
	Model  *model.Model
	Method string    // empty means the model's default
	P      []float64 // parameters where no axis sets them; nil means the model's defaults
	I      float64   // input current where no axis sets it
	Init   []float64 // initial state where no axis sets it; nil, or NaN for a state, means the resting state at I = 0
	Grid   Grid      // axes named as parameters, I, or a state followed by 0: V0 w0 m0 h0 n0

	Time    float64 // of each point, ms; 0 means 2000
	Discard float64 // ms at the start that count neither for the rate nor for extremes
	Dt      float64 // step, ms; 0 means the method's own
	From    From    // where the points of an f-I curve start

	Full     bool     // run every point to its end; none is retired
	NoError  bool     // no second resolution; rate_error_Hz is then missing
	Measures []string // columns, see MeasureNames; nil means the usual ones
	Late     bool     // keep the late intervals of every point, see Result.Late
	Waveform []string // axes that set numbers of the waveform of a driven sweep, see Drive.Each
	Resets   bool     // keep w after the resets that follow the run of every point, see Result.Resets; adex only
}

// DefaultTime is the default of Spec.Time, ms.
const DefaultTime = 2000.0

// From says in which state a point starts. Where a point starts from the end of another at which the neuron fired, it
// starts at the neuron's next spike (see follow), so that the phase does not depend on the time of the run, nor on
// whether the point was retired.
type From int

// The starts.
const (
	FromRest From = iota // the initial state of the spec
	FromUp               // the end state of the point with the next lower current; the lowest from rest
	FromDown             // the end state of the point with the next higher current; the highest from rest
	FromAll              // all three, one after the other
)

var fromNames = []string{"rest", "up", "down", "all"}

// String returns rest, up, down or all.
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

// branches lists the starts that f stands for, each of which gives a branch of rows.
func (f From) branches() []From {
	if f == FromAll {
		return []From{FromRest, FromUp, FromDown}
	}
	return []From{f}
}

// target is the quantity that an axis sets.
type target struct {
	kind  targetKind
	index int // of the parameter or the state
}

type targetKind int

const (
	setsParam targetKind = iota
	setsCurrent
	setsState
	setsWaveform
)

// targetOf returns the quantity of model m that an axis with this name sets, and its unit. The error suggests the
// nearest name.
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
// A chain is a sequence of points each of which starts from the end state of the one before; with FromRest every point
// is a chain of its own. Chains are queued, cut into parts and resumed. Rows of the table are numbered by branch, then
// by point. Slots number the same points by branch, then by chain, then along the chain: chains that are run together
// are then stored together.
type plan struct {
	Spec
	method  model.Method
	targets []target
	points  int
	rows    int
	starts  []From
	current int     // the axis of I, or -1
	order   []int   // places on the axis of I (points, if zipped) by ascending current; nil with FromRest
	rank    []int   // the inverse of order
	first   []int   // the first chain of each branch, then the number of all chains
	coarse  float64 // step of the second resolution, ms
	columns []int   // numbers of the measures that the table shows
}

// Check reports all faults of the spec together: unknown names, impossible parameters at any point, a step that the
// method cannot take, impossible times.
func (s Spec) Check() error {
	_, err := s.plan()
	return err
}

// plan checks the spec and returns its plan.
func (s Spec) plan() (*plan, error) {
	p := &plan{Spec: s, current: -1}
	var faults []error
	fault := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	fault(p.setDefaults())
	fault(p.Grid.Check())
	for _, a := range p.Grid.Axes {
		t, err := target{kind: setsWaveform}, error(nil)
		if !slices.Contains(p.Waveform, a.Name) {
			t, _, err = targetOf(p.Model, a.Name)
		}
		fault(err)
		p.targets = append(p.targets, t)
	}
	if len(p.P) != len(p.Model.Params) || len(p.Init) != len(p.Model.States) {
		fault(fmt.Errorf("sweep: %s has %d parameters and %d states, not %d and %d",
			p.Model.Name, len(p.Model.Params), len(p.Model.States), len(p.P), len(p.Init)))
	}
	fault(p.checkTimes())
	var err error
	p.columns, err = measuresOf(p.Measures)
	fault(err)
	p.current = p.Grid.axis("I")
	if j := p.Model.StateIndex("w"); (p.Resets || p.watchesW()) &&
		(j < 1 || p.Model.Fires != model.Reset || p.Model.States[j].Unit != "pA") {
		fault(fmt.Errorf("sweep: %s has no w, a current in pA that spikes move; adex has", p.Model.Name))
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

// setDefaults resolves the fields of the spec that are not set. The error is an unknown method.
func (p *plan) setDefaults() (err error) {
	if p.P == nil {
		p.P = p.Model.Defaults()
	}
	if p.Init == nil {
		p.Init = slices.Repeat([]float64{math.NaN()}, len(p.Model.States))
	}
	if p.Time == 0 {
		p.Time = DefaultTime
	}
	p.method, err = p.Model.Method(p.Method)
	p.Method = p.method.Name
	if p.Dt == 0 {
		p.Dt = p.method.Dt
	}
	return err
}

// checkTimes returns the faults of dt, time and discard.
func (p *plan) checkTimes() error {
	var faults []error
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
			faults = append(faults,
				fmt.Errorf("sweep: %s is %v ms; 0 < dt <= time and 0 <= discard < time would do", x.what, x.ms))
		}
	}
	if len(faults) == 0 && p.Time/p.Dt >= 1<<53 {
		faults = append(faults, fmt.Errorf("sweep: time is %v ms, %.3g steps of %v ms; steps are counted up to 2^53", p.Time,
			p.Time/p.Dt, p.Dt))
	}
	return errors.Join(faults...)
}

// watchesW reports whether extremes of w are asked for.
func (p *plan) watchesW() bool {
	return slices.Contains(p.columns, mWMin) || slices.Contains(p.columns, mWMax)
}

// number numbers the rows and the chains.
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

// chains returns the number of chains.
func (p *plan) chains() int { return p.first[len(p.first)-1] }

// branch returns the number of the branch of a chain.
func (p *plan) branch(chain int) int {
	b := 0
	for chain >= p.first[b+1] {
		b++
	}
	return b
}

// links returns the number of points of a chain.
func (p *plan) links(chain int) int {
	if p.starts[p.branch(chain)] == FromRest {
		return 1
	}
	return len(p.order)
}

// point returns the number of the point at place link of a chain.
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

// slot returns the slot of the point at place link of a chain.
func (p *plan) slot(chain, link int) int {
	b := p.branch(chain)
	return b*p.points + (chain-p.first[b])*p.links(chain) + link
}

// slotOf returns the slot of a row of the table.
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

// at writes the parameters of a point into params and returns its current.
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

// enter writes what the spec sets of the initial state of a point over its resting state y.
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

// distinct calls visit once for each combination of the values of the axes whose target satisfies sets, with the first
// point that has it; alike is the number of points that have it. These are far fewer than points where other axes are
// long.
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

// setsParam reports whether t is a parameter.
func (t target) setsParam() bool { return t.kind == setsParam }

// setsCurrent reports whether t is the current.
func (t target) setsCurrent() bool { return t.kind == setsCurrent }

// checkPoints checks the parameters and the current of every point, and sets the step of the second resolution: twice
// the step, or half of it where twice is not stable at every point.
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
		return fmt.Errorf("sweep: dt is %v ms, but %s with method %s needs at most %.4g ms here: beyond, it is unstable "+
			"or wrong by a tenth", p.Dt, p.Model.Name, p.Method, stable)
	}
	p.coarse = 2 * p.Dt
	if p.coarse > stable {
		p.coarse = p.Dt / 2
	}
	return nil
}

// Chains returns the largest number of parts of the sweep: its points, or its curves where points start from the end of
// others. The error is that of the grid.
func (s Spec) Chains() (int, error) { return s.chains() }

// AccurateDt returns the largest step (ms) that is accurate at every point by Model.StepLimits; NaN if the spec has
// faults.
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

// Forecast is the most that a sweep can cost.
type Forecast struct {
	Points int     // rows of the table, over all branches
	Steps  float64 // lane-steps if no lane is retired, the second resolution included
	Bytes  float64 // memory for results and lanes
}

// Forecast returns the forecast without allocating memory for points. The error is that of the grid, or of an unknown
// method or measure.
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
	perRow := pointBytes + float64(8*float64(len(columns)+len(s.Grid.Axes))*(1+tableShare))
	for _, kept := range []bool{s.Late, s.Resets} {
		if kept {
			perRow += lateGuess * 8 * 3
		}
	}
	f.Bytes = float64(float64(f.Points)*perRow) + float64(max(1, workers)*width*2*laneBytes)
	return f, nil
}

const (
	pointBytes = 125                   // memory of every point besides its columns; measured
	tableShare = 3                     // the table copies the columns; as much as both is garbage not yet collected
	lateGuess  = 16                    // average number of late intervals of a point
	laneBytes  = 8*64 + 8*memory + 512 // a lane and its columns
)
