// Package verify checks on this machine the accuracy and reproducibility of popsim: closed forms, published thresholds
// and bifurcation points, the order of every method against an independent integrator, and the same bits for any
// instruction set, number of workers, size of shards and length of epochs, for networks, for a sweep in parts, and
// after an interruption.
package verify

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"

	"popsim/dynamics"
	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

// Check is one property of popsim with its test.
type Check struct {
	Name string
	// Prove returns the result beside the allowed error, in words, and whether the property holds. The error says why it
	// could not be tested, which counts as a failure.
	Prove func(context.Context) (figure string, ok bool, err error)
}

// Report writes a line for each check, and how many passed. The error says that some failed.
func Report(ctx context.Context, list []Check, w io.Writer) error {
	failed := 0
	for _, c := range list {
		figure, ok, err := c.Prove(ctx)
		if e := ctx.Err(); e != nil {
			return e
		}
		verdict := "ok  "
		if err != nil {
			ok, figure = false, err.Error()
		}
		if !ok {
			verdict = "FAIL"
			failed++
		}
		fmt.Fprintf(w, "%s  %s: %s\n", verdict, c.Name, figure)
	}
	fmt.Fprintf(w, "%d passed, %d failed\n", len(list)-failed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed on this machine", failed, len(list))
	}
	return nil
}

// Checks lists all checks, in the order of the report.
func Checks() []Check {
	list := []Check{
		{"lif, the lecture's example", slideExample},
		{"eif, rate against quadrature", eifQuadrature},
		{"eif, saddle-node against its closed form", eifFold},
		{"adex, saddle-node and Hopf point against their closed forms", adexSpecials},
		{"hh, Hopf points and folds of cycles", hhSpecials},
		{"rhh, folds of cycles at the ends of the isola", rhhIsola},
		{"rhh:brainpy, onset on a saddle-node, Hopf point and fold of cycles", leakSpecials},
		{"hh, current of the first spike from rest", func(ctx context.Context) (string, bool, error) {
			return threshold(ctx, model.HHModel, 2, 2.5, 2.24033362437)
		}},
		{"rhh, current of the first spike from rest", func(ctx context.Context) (string, bool, error) {
			return threshold(ctx, model.RHHModel, 1, 1.5, 1.29377270798)
		}},
	}
	add := func(name string, prove proof) { list = append(list, Check{name, prove}) }
	for _, dt := range []float64{1, 0.1} {
		add(fmt.Sprintf("lif, closed form at dt %v ms", dt), func(ctx context.Context) (string, bool, error) {
			return lifClosedForm(ctx, dt)
		})
	}
	for _, m := range model.All {
		for _, q := range m.Methods {
			if q.Order > 0 {
				add(fmt.Sprintf("%s, order of %s", m.Name, q.Name), func(ctx context.Context) (string, bool, error) {
					return order(ctx, m, q)
				})
			}
		}
	}
	for _, m := range model.All {
		add(m.Name+", same bits on "+setNames(), proofFor(m, sameOnSets))
		add(m.Name+", same bits for 1, 2, 3 workers and shards of 64 to 1024", proofFor(m, sameWhenCut))
	}
	list = append(list, networkChecks()...)
	return append(list,
		Check{"sweep in 1, 3 and 7 parts, merged: same bytes as whole", mergedParts},
		Check{"sweep interrupted and resumed: same bytes as in one go", resumedSweep})
}

// proof is the type of Check.Prove.
type proof = func(ctx context.Context) (figure string, ok bool, err error)

// proofFor returns the proof for a model.
func proofFor(m *model.Model, prove func(ctx context.Context, m *model.Model) (string, bool, error)) proof {
	return func(ctx context.Context) (string, bool, error) { return prove(ctx, m) }
}

// setNames lists the instruction sets of this machine.
func setNames() string {
	text := ""
	for i, a := range kernels.Available() {
		if i > 0 {
			text += ", "
		}
		text += a.String()
	}
	return text
}

// trains runs a population and returns its spikes by neuron, ms.
func trains(ctx context.Context, spec pop.Spec, cfg pop.Config, duration float64) ([][]float64, error) {
	all := make([][]float64, spec.N)
	cfg.Spike = func(block []pop.Spike) error {
		for _, s := range block {
			all[s.Neuron] = append(all[s.Neuron], s.Time)
		}
		return nil
	}
	_, err := pop.Run(ctx, spec, cfg, duration)
	return all, err
}

// presetOf is the spec of n neurons of a published set.
func presetOf(m *model.Model, name string, n int) (pop.Spec, error) {
	set, err := m.Preset(name)
	if err != nil {
		return pop.Spec{}, err
	}
	return pop.Spec{Model: m, N: n, P: kernels.Uniform(set.Params)}, nil
}

func slideExample(ctx context.Context) (string, bool, error) {
	const first, period, allowed = 30.44522437723422, 40.44522437723422, 1e-9 // ms
	spec, err := presetOf(model.LIFModel, "slide", 1)
	if err != nil {
		return "", false, err
	}
	spec.I = kernels.Values{21}
	got, err := trains(ctx, spec, pop.Config{}, 200)
	if err != nil {
		return "", false, err
	}
	worst := 0.0
	for i, t := range got[0] {
		worst = max(worst, math.Abs(t-first-float64(i)*period))
	}
	return fmt.Sprintf("%d spikes in 200 ms, off by %.1e ms at most (5, %.0e)", len(got[0]), worst, allowed),
		len(got[0]) == 5 && worst <= allowed, nil
}

func lifClosedForm(ctx context.Context, dt float64) (string, bool, error) {
	const n, allowed = 200, 1e-9 // ms
	q := model.LIFOf(model.LIFModel.Defaults())
	spec := pop.Spec{Model: model.LIFModel, N: n, I: make(kernels.Values, n)}
	for i := range spec.I {
		spec.I[i] = 20.1 + 0.5*float64(i)
	}
	got, err := trains(ctx, spec, pop.Config{Dt: dt}, 1000)
	if err != nil {
		return "", false, err
	}
	worst, spikes := 0.0, 0
	for i, train := range got {
		vInf := q.VRest + q.R*spec.I[i]
		period := q.Tau * math.Log((vInf-q.VReset)/(vInf-q.VTh))
		for k, t := range train {
			worst = max(worst, math.Abs(t-period-float64(k)*(period+q.TRef)))
		}
		spikes += len(train)
	}
	return fmt.Sprintf("%d spikes of %d neurons, off by %.1e ms at most (%.0e)", spikes, n, worst, allowed),
		spikes > 0 && worst <= allowed, nil
}

// eifQuadrature compares with T = t_ref + tau ∫ dV/(V_rest - V + delta_T exp((V-V_T)/delta_T) + R I) from reset to
// cut-off.
func eifQuadrature(ctx context.Context) (string, bool, error) {
	const allowed = 1e-4 // relative, at the default step
	q := model.EIFOf(model.EIFModel.Defaults())
	currents := kernels.Values{2, 3, 5, 10, 20, 50}
	spec := pop.Spec{Model: model.EIFModel, N: len(currents), I: currents, Init: []kernels.Values{{q.VReset}}}
	sum, err := pop.Run(ctx, spec, pop.Config{Train: true}, 2000)
	if err != nil {
		return "", false, err
	}
	worst := 0.0
	for i := range sum.Trains.Len() {
		train := sum.Trains.At(i)
		slowness := func(v float64) float64 {
			return q.Tau / (q.VRest - v + q.DeltaT*math.Exp((v-q.VT)/q.DeltaT) + q.R*spec.I[i])
		}
		period := q.TRef
		const pieces = 64
		for k := range pieces {
			width := (q.VTh - q.VReset) / pieces
			lo := q.VReset + float64(k)*width
			period += quad.Fixed(slowness, lo, lo+width, 40, nil, 0)
		}
		worst = max(worst, math.Abs(train.Mean()/period-1))
	}
	return fmt.Sprintf("mean intervals off by %.1e relative at most (%.0e)", worst, allowed), worst <= allowed, nil
}

// known is a published special point: its label, and the current at which it lies.
type known struct {
	label string
	at    float64
}

// specials compares special points over the current with their published places.
func specials(ctx context.Context, m *model.Model, preset string, lo, hi, allowed float64, want ...known) (
	figure string, ok bool, err error,
) {
	set, err := m.Preset(preset)
	if err != nil {
		return "", false, err
	}
	d, err := dynamics.Bifurcation(ctx, m, set.Params, 0, dynamics.Free{Name: "I", Lo: lo, Hi: hi})
	if err != nil {
		return "", false, err
	}
	worst, text := 0.0, ""
	for _, x := range want {
		off, at := math.Inf(1), math.NaN()
		for _, p := range d.Points {
			if e := math.Abs(p.Parameter - x.at); p.Label == x.label && e < off {
				off, at = e, p.Parameter
			}
		}
		worst = max(worst, off)
		text += fmt.Sprintf("%s %.12g, ", x.label, at)
	}
	return fmt.Sprintf("I = %soff by %.1e at most (%.0e)", text, worst, allowed), worst <= allowed, nil
}

func hhSpecials(ctx context.Context) (string, bool, error) {
	return specials(ctx, model.HHModel, "", 0, 160, 1e-8,
		known{dynamics.Hopf, 9.77543799539313}, known{dynamics.Hopf, 154.522433665808},
		known{dynamics.CycleFold, 6.26032127451372}, known{dynamics.CycleFold, 7.8423471201904},
		known{dynamics.CycleFold, 7.91778549})
}

func rhhIsola(ctx context.Context) (string, bool, error) {
	return specials(ctx, model.RHHModel, "", -5, 20, 1e-6,
		known{dynamics.CycleFold, -1.57652305}, known{dynamics.CycleFold, 11.19988696})
}

func leakSpecials(ctx context.Context) (string, bool, error) {
	return specials(ctx, model.RHHModel, "brainpy", -5, 40, 1e-6,
		known{dynamics.SNIC, -0.653440653757415}, known{dynamics.Hopf, 16.2028611},
		known{dynamics.CycleFold, 35.5119053539998})
}

func eifFold(ctx context.Context) (string, bool, error) {
	rheobase := dynamics.Rheobase(model.EIFModel, model.EIFModel.Defaults())
	return specials(ctx, model.EIFModel, "", 0, 10, 1e-9, known{dynamics.Fold, rheobase})
}

func adexSpecials(ctx context.Context) (string, bool, error) {
	e, err := dynamics.NewExponential(model.AdExModel, model.AdExModel.Defaults())
	if err != nil {
		return "", false, err
	}
	_, fold := e.Fold()
	_, hopf, _, _ := e.Hopf()
	return specials(ctx, model.AdExModel, "", 0, 20, 1e-9, known{dynamics.Fold, fold}, known{dynamics.Hopf, hopf})
}

// threshold finds the least step of current from rest that causes a spike.
func threshold(ctx context.Context, m *model.Model, lo, hi, want float64) (string, bool, error) {
	const allowed = 1e-4 // µA/cm², at the default step
	const n = 65
	for range 2 { // two rounds of 64 parts
		spec := pop.Spec{Model: m, N: n, I: make(kernels.Values, n)}
		for i := range n {
			spec.I[i] = lo + (hi-lo)*float64(i)/(n-1)
		}
		got, err := trains(ctx, spec, pop.Config{}, 100)
		if err != nil {
			return "", false, err
		}
		first := slices.IndexFunc(got, func(t []float64) bool { return len(t) > 0 })
		if first < 1 {
			return fmt.Sprintf("no threshold between %v and %v", lo, hi), false, nil
		}
		lo, hi = spec.I[first-1], spec.I[first]
	}
	return fmt.Sprintf("between %.7g and %.7g (%.7g within %.0e)", lo, hi, want, allowed),
		lo-allowed <= want && want <= hi+allowed, nil
}

// courses are the cases on which orders are measured: currents strong enough for ten spikes or so in the time.
var courses = map[string]struct {
	currents []float64
	end      float64 // ms
}{
	"eif":  {[]float64{9, 11, 13, 15, 17, 19}, 120},
	"adex": {[]float64{11, 12, 13, 14, 16, 18}, 150},
	"hh":   {[]float64{9, 12}, 120},
	"rhh":  {[]float64{4, 6}, 120},
}

// order compares the errors of the spike times at dt and at a quarter of it, over all courses together.
func order(ctx context.Context, m *model.Model, q model.Method) (string, bool, error) {
	// terms of opposite sign bend the slope over two halvings, and w keeps a trace of first order at spikes
	const slack = 0.4
	c, known := courses[m.Name]
	if !known {
		c.currents, c.end = m.Typical.Currents[:2], 100
	}
	p, y := m.Defaults(), make([]float64, len(m.States))
	m.Initial(p, y)
	if m == model.RHHModel {
		y[0] = -20 // on the side of the firing
	}
	spec := pop.Spec{Model: m, Method: q.Name, N: len(c.currents), I: c.currents, Init: kernels.Uniform(y)}
	truth := make([][]dynamics.Spike, spec.N)
	for i, current := range c.currents {
		var err error
		truth[i], err = dynamics.Spikes(m, p, []dynamics.Segment{{Start: 0, I: current}}, y, c.end)
		if err != nil {
			return "", false, err
		}
	}
	missed := func(dt float64) (float64, error) {
		got, err := trains(ctx, spec, pop.Config{Dt: dt}, c.end)
		if err != nil {
			return 0, err
		}
		sum, n := 0.0, 0
		for i, train := range got {
			for k := range min(len(truth[i]), len(train), 10) {
				sum += math.Abs(train[k] - truth[i][k].Time)
				n++
			}
		}
		if n < 3*spec.N {
			return 0, fmt.Errorf("%d spikes at dt %v ms; more were expected", n, dt)
		}
		return sum / float64(n), nil
	}
	dt := q.Dt
	switch {
	case q.OnGrid:
		dt = min(dt, 0.0125)
	case q.Name == "cut-rk4":
		dt = 0.003 // where few steps are cut; before that the cut, not dt, decides the error
	}
	coarse, err := missed(dt)
	if err != nil {
		return "", false, err
	}
	fine, err := missed(dt / 4)
	if err != nil {
		return "", false, err
	}
	slope := math.Log2(coarse/fine) / 2
	return fmt.Sprintf("spikes off by %.1e ms at dt %v ms, %.1e at a quarter: order %.2f (%d)",
			coarse, dt, fine, slope, q.Order),
		slope >= float64(q.Order)-slack, nil
}

// crowd is a population in which all neurons differ.
func crowd(m *model.Model, method string) pop.Spec {
	const n = 500
	current := m.Typical.Current
	spec := pop.Spec{Model: m, Method: method, N: n, I: make(kernels.Values, n)}
	for i := range n {
		spec.I[i] = current * (0.8 + 0.4*math.Mod(float64(i+1)*math.Phi, 1))
	}
	return spec
}

// sameSpikes runs the crowd by every method under each configuration, and compares the bits of every spike with the
// first.
func sameSpikes(ctx context.Context, m *model.Model, configs []pop.Config) (string, bool, error) {
	const span = 100 // ms
	spikes := 0
	for _, q := range m.Methods {
		var want [][]float64
		for i, cfg := range configs {
			got, err := trains(ctx, crowd(m, q.Name), cfg, span)
			if err != nil {
				return "", false, err
			}
			if i == 0 {
				want = got
				for _, t := range want {
					spikes += len(t)
				}
				continue
			}
			for j := range want {
				if !slices.Equal(want[j], got[j]) {
					return fmt.Sprintf("neuron %d fires at other times by method %s", j, q.Name), false, nil
				}
			}
		}
	}
	return fmt.Sprintf("%d spikes of 500 neurons, methods: %d, ways: %d, none differs",
		spikes, len(m.Methods), len(configs)), spikes > 0, nil
}

func sameOnSets(ctx context.Context, m *model.Model) (string, bool, error) {
	var configs []pop.Config
	for _, a := range kernels.Available() {
		configs = append(configs, pop.Config{ISA: a})
	}
	if len(configs) == 1 {
		return "there is no other one here to compare with", true, nil
	}
	return sameSpikes(ctx, m, configs)
}

func sameWhenCut(ctx context.Context, m *model.Model) (string, bool, error) {
	return sameSpikes(ctx, m, cuts)
}

// cuts are ways to divide the work.
var cuts = []pop.Config{
	{Workers: 1}, {Workers: 2, Shard: 64}, {Workers: 3, Shard: 128, Epoch: 10}, {Workers: 2, Shard: 1024, Epoch: 7},
}
