package verify

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
	"popsim/verify/reference"
)

// Equations lists the checks of a model from a file with the parameters and the current of a preset: vector code
// against the formulas, the derivatives, the order of every method against an independent integrator, and the same bits
// on all instruction sets and for any division of the work.
func Equations(m *model.Model, set model.Preset) []Check {
	o := own{m, set}
	list := []Check{
		{"vector code against the formulas, at 200 states", o.meaning},
		{"derivatives against differences, at 200 states", o.derivatives},
	}
	for _, q := range m.Methods {
		list = append(list, Check{"order of " + q.Name, func(ctx context.Context) (string, bool, error) {
			return o.order(ctx, q)
		}})
	}
	return append(list,
		Check{"same bits on " + setNames(), func(ctx context.Context) (string, bool, error) {
			var configs []pop.Config
			for _, a := range kernels.Available() {
				configs = append(configs, pop.Config{ISA: a})
			}
			return o.same(ctx, configs)
		}},
		Check{"same bits for 1, 2, 3 workers and shards of 64 to 1024", func(ctx context.Context) (string, bool, error) {
			return o.same(ctx, cuts)
		}})
}

// own is a model from a file with values of its parameters and its current.
type own struct {
	m *model.Model
	model.Preset
}

// states are n states spread around the start: states between 0 and 1 go through that range, others move by half of
// themselves and half a unit.
func (o own) states(n int) [][]float64 {
	r := rand.New(rand.NewPCG(1, 2))
	start := o.start()
	all := make([][]float64, n)
	for k := range all {
		for _, x := range start {
			y := x + (r.Float64()-0.5)*(1+math.Abs(x))
			if x > 0 && x < 1 {
				y = r.Float64()
			}
			all[k] = append(all[k], y)
		}
	}
	return all
}

func (o own) start() []float64 {
	y := make([]float64, len(o.m.States))
	o.m.Initial(o.Params, y)
	return y
}

// spec is a population of n neurons.
func (o own) spec(method string, n int) pop.Spec {
	return pop.Spec{Model: o.m, Method: method, N: n, P: kernels.Uniform(o.Params), I: kernels.Values{o.I}}
}

// last runs a population and returns its last states, by neuron, and which neurons have fired.
func last(ctx context.Context, spec pop.Spec, cfg pop.Config, duration float64) (
	ends [][]float64, fired []bool, err error,
) {
	ends, fired = make([][]float64, spec.N), make([]bool, spec.N)
	all := make([]int64, spec.N)
	for i := range all {
		all[i] = int64(i)
	}
	cfg.Spike = func(block []pop.Spike) error {
		for _, s := range block {
			fired[s.Neuron] = true
		}
		return nil
	}
	cfg.Trace = &pop.Trace{Of: all, Every: cfg.Dt, Row: func(_ float64, i int64, y []float64) error {
		ends[i] = append(ends[i][:0], y...)
		return nil
	}}
	_, err = pop.Run(ctx, spec, cfg, duration)
	return ends, fired, err
}

// meaning makes one step of forward Euler from many states and compares it with y + dt F(y) in plain arithmetic on the
// formulas as they were written. Steps in which the neuron fires are left out.
func (o own) meaning(ctx context.Context) (string, bool, error) {
	// Shared exponentials multiply up to 160 rounded numbers, and sums are in another order; the second number allows for
	// terms of a slope that cancel.
	const allowed, cancelled = 1e-12, 1e3
	const dt = 0x1p-7 // ms
	states := o.states(200)
	spec := o.spec("euler", len(states))
	spec.Init = make([]kernels.Values, len(o.m.States))
	for _, y := range states {
		for j, x := range y {
			spec.Init[j] = append(spec.Init[j], x)
		}
	}
	worst, compared := 0.0, 0
	dy := make([]float64, len(o.m.States))
	for _, set := range kernels.Available() {
		ends, fired, err := last(ctx, spec, pop.Config{Dt: dt, ISA: set}, dt)
		if err != nil {
			continue // one of the states becomes infinite
		}
		for i, y := range states {
			o.m.Deriv(o.Params, o.I, y, dy)
			if fired[i] || slices.ContainsFunc(dy, math.IsNaN) {
				continue
			}
			for j, x := range y {
				want := x + dt*dy[j]
				scale := math.Abs(x) + dt*math.Abs(dy[j]) + cancelled*dt*(1+math.Abs(x))
				worst = max(worst, math.Abs(ends[i][j]-want)/scale)
				compared++
			}
		}
	}
	return fmt.Sprintf("%d values, off by %.1e at most, relative to a state and its change (%.0e)",
			compared, worst, allowed),
		worst <= allowed && compared > 0, nil
}

// derivatives compares the Jacobian with differences extrapolated from two widths.
func (o own) derivatives(context.Context) (string, bool, error) {
	const allowed = 1e-6 // relative to the row of the Jacobian; kinks and cancellation cost the differences digits
	n := len(o.m.States)
	jac, high, low := make([]float64, n*n), make([]float64, n), make([]float64, n)
	worst, compared := 0.0, 0
	difference := func(y []float64, j int, h float64) []float64 {
		at, d := y[j], make([]float64, n)
		defer func() { y[j] = at }()
		y[j] = at + h
		o.m.Deriv(o.Params, o.I, y, high)
		y[j] = at - h
		o.m.Deriv(o.Params, o.I, y, low)
		for i := range d {
			d[i] = (high[i] - low[i]) / (2 * h)
		}
		return d
	}
	for _, y := range o.states(200) {
		o.m.Jacobian(o.Params, o.I, y, jac)
		for j := range n {
			h := 1e-4 * (1 + math.Abs(y[j]))
			wide, narrow := difference(y, j, h), difference(y, j, h/2)
			for i := range n {
				want := narrow[i] + (narrow[i]-wide[i])/3
				rough := math.Abs(narrow[i] - wide[i]) // a kink, or a formula that changes within h
				if want-want != 0 || rough > 1e-3*(1+math.Abs(want)) {
					continue
				}
				scale := 1 + math.Abs(want) + math.Abs(high[i]) + rough/allowed*1e-2
				worst = max(worst, math.Abs(jac[i*n+j]-want)/scale)
				compared++
			}
		}
	}
	return fmt.Sprintf("%d derivatives, off by %.1e at most (%.0e)", compared, worst, allowed),
		worst <= allowed && compared > 0, nil
}

// kinked finds functions whose derivatives jump; in a step across a jump methods have a lower order.
var kinked = regexp.MustCompile(`\b(where|min|max|abs)\(`)

const (
	orderSpikes = 6      // that are compared at most
	orderTime   = 1000.0 // ms within which they must come
	orderQuiet  = 100.0  // ms after which states are compared of a neuron that does not fire
	orderSlack  = 0.4    // terms of opposite sign bend the slope
	orderFloor  = 2e-10  // ms (or of a state): the errors of rounding and of the reference
	orderRounds = 6      // halvings of the first step
)

// order halves the step until the error of spike times, or of the last state of a neuron that does not fire, falls with
// the order of the method.
func (o own) order(ctx context.Context, q model.Method) (string, bool, error) {
	independent := reference.Neuron{Model: o.m, P: o.Params, Input: reference.Constant(o.I)}
	truth, end, err := independent.Spikes(o.start(), orderTime, orderSpikes)
	what, duration := fmt.Sprintf("%d spikes", len(truth)), 0.0
	if err == nil && len(truth) == 0 {
		_, end, err = independent.Spikes(o.start(), orderQuiet, 0)
		what, duration = fmt.Sprintf("states after %v ms", orderQuiet), orderQuiet
	} else if len(truth) > 0 {
		duration = 1.2*truth[len(truth)-1].Time + 5*q.Dt // methods of order 1 are late
	}
	if err != nil {
		return "", false, err
	}
	missed := func(dt float64) float64 { return o.missed(ctx, q.Name, dt, duration, truth, end) }
	promised, note := float64(q.Order), ""
	inPart := o.upstroke(q, truth)
	if inPart > 0 {
		note = fmt.Sprintf("; upstrokes explode and are taken in parts, good to %.0e of a step", inPart)
	}
	if kinked.MatchString(strings.Join(o.m.Equations, "\n")) {
		promised, note = 1, "; where, min, max and abs have kinks, at which methods lose order"
	}
	dt := q.Dt
	var figure string
	for range orderRounds {
		coarse, fine := missed(dt), missed(dt/4)
		if e := ctx.Err(); e != nil {
			return "", false, e
		}
		slope := math.Log2(coarse/fine) / 2
		figure = fmt.Sprintf("%s off by %.1e at dt %v ms, %.1e at a quarter: order %.2f (%d)%s",
			what, coarse, dt, fine, slope, q.Order, note)
		if slope >= promised-orderSlack && !math.IsInf(coarse, 0) || fine <= max(orderFloor, inPart*dt/4) {
			return figure, true, nil
		}
		dt /= 2
	}
	return figure, false, nil
}

// upstrokeError is the largest error of a spike, in steps, if the upstroke goes to infinity within a step: of methods
// of order 4, and of lower ones.
var upstrokeError = [2]float64{1e-3, 0.03}

// upstroke is that error where a method with spikes inside the step meets such upstrokes; else 0.
func (o own) upstroke(q model.Method, truth []reference.Spike) float64 {
	if o.m.Fires != model.Reset || q.OnGrid || len(truth) == 0 {
		return 0
	}
	jac := make([]float64, len(o.m.States)*len(o.m.States))
	o.m.Jacobian(o.Params, o.I, truth[0].State, jac)
	if jac[0]*q.Dt < 1 {
		return 0
	}
	if q.Order >= 4 {
		return upstrokeError[0]
	}
	return upstrokeError[1]
}

// missed is the mean error of the spike times at a step, or the largest of the last states, relative to a state and one
// unit, where there are no spikes; +Inf where the run fails or spikes are missing.
func (o own) missed(
	ctx context.Context, method string, dt, duration float64, truth []reference.Spike, end []float64,
) float64 {
	sum := 0.0
	if len(truth) == 0 {
		steps := math.Round(duration / dt)
		ends, _, err := last(ctx, o.spec(method, 1), pop.Config{Dt: duration / steps}, duration)
		if err != nil {
			return math.Inf(1)
		}
		for j, x := range end {
			sum = max(sum, math.Abs(ends[0][j]-x)/(1+math.Abs(x)))
		}
		return sum
	}
	got, err := trains(ctx, o.spec(method, 1), pop.Config{Dt: dt}, duration)
	if err != nil || len(got[0]) < len(truth) {
		return math.Inf(1)
	}
	for k, s := range truth {
		sum += math.Abs(got[0][k] - s.Time)
	}
	return sum / float64(len(truth))
}

// same runs 200 neurons with currents around that of the preset, or around 0, by every method under each configuration,
// and compares the bits of every spike and of the last states with the first.
func (o own) same(ctx context.Context, configs []pop.Config) (string, bool, error) {
	const n, span = 200, 50 // ms
	spikes := 0
	for _, q := range o.m.Methods {
		spec := o.spec(q.Name, n)
		spec.I = nil
		for i := range n {
			part := math.Mod(float64(i+1)*math.Phi, 1)
			spec.I = append(spec.I, o.I+max(math.Abs(o.I), 1)*(0.4*part-0.2))
		}
		var want string
		for i, cfg := range configs {
			got, count, err := bits(ctx, spec, cfg, span)
			if err != nil {
				got = err.Error() // a step that is too large for the method fails the same way everywhere
			}
			if i == 0 {
				want = got
				spikes += count
			} else if got != want {
				return fmt.Sprintf("%s gives other bits", q.Name), false, nil
			}
		}
	}
	return fmt.Sprintf("%d spikes and the states of %d neurons, methods: %d, ways: %d, none differs",
		spikes, n, len(o.m.Methods), len(configs)), true, nil
}

// bits returns the spikes and states of a run to the last bit, as text.
func bits(ctx context.Context, spec pop.Spec, cfg pop.Config, span float64) (string, int, error) {
	var spikes, states strings.Builder
	count := 0
	cfg.Spike = func(block []pop.Spike) error {
		for _, s := range block {
			fmt.Fprintf(&spikes, "%d %x\n", s.Neuron, s.Time)
			count++
		}
		return nil
	}
	all := make([]int64, spec.N)
	for i := range all {
		all[i] = int64(i)
	}
	cfg.Trace = &pop.Trace{Of: all, Every: span / 4, Row: func(t float64, i int64, y []float64) error {
		fmt.Fprintf(&states, "%v %d %x\n", t, i, y)
		return nil
	}}
	_, err := pop.Run(ctx, spec, cfg, span)
	return spikes.String() + states.String(), count, err
}
