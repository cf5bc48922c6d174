package network

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// cellKind is a model of randomSpec: an input current near its rheobase, and its resistance.
type cellKind struct {
	model   *model.Model
	current float64 // unit of I
	r       float64 // mV for a unit of I
	rest    float64 // mV
}

// randomNet makes networks.
type randomNet struct {
	*rand.Rand
	kinds []cellKind
	of    []cellKind // of populations
	s     *Spec
}

func newRandomNet(t *testing.T, seed uint64) *randomNet {
	t.Helper()
	return &randomNet{Rand: rand.New(rand.NewPCG(seed, 1)), kinds: []cellKind{
		{model.LIFModel, 21, 1, 0},
		{model.LIFModel, 21, 1, 0},
		{model.LIFModel, 21, 1, 0},
		{model.AdExModel, 8, 1, -65},
		{model.EIFModel, 7, 1, -65},
		{model.HHModel, 8, 3, -65},
		{ownModel(t, ownLIF), 210, 0.1, -70},
		{ownModel(t, ownEIF), 70, 0.1, -65},
	}}
}

// chance is true with probability p.
func (r *randomNet) chance(p float64) bool { return r.Float64() < p }

// between is a number of a range.
func (r *randomNet) between(lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// spec is a random network: some populations of few models and kinds of synapses, connected by any rules.
func (r *randomNet) spec() *Spec {
	s := &Spec{Dt: []float64{0.1, 0.1, 0.125, 0.05}[r.IntN(4)], Seed: r.Uint64(), OnGrid: r.chance(0.4)}
	r.s = s
	kind := r.kinds[r.IntN(len(r.kinds))]
	for i := range 1 + r.IntN(4) {
		if r.chance(0.3) {
			kind = r.kinds[r.IntN(len(r.kinds))]
		}
		r.population(fmt.Sprint("P", i), kind)
	}
	if r.chance(0.3) {
		r.sources()
	}
	kinds := []Kind{Delta, ExpCurrent, ExpCurrent, AlphaCurrent, ExpConductance, AlphaConductance, BiexpConductance, NMDA}
	if r.chance(0.6) { // LIF stays uncoupled
		kinds = kinds[:4]
	}
	for i := range 1 + r.IntN(3) {
		y := Synapse{Name: fmt.Sprint("s", i), Kind: kinds[r.IntN(len(kinds))], Tau: r.between(0.5, 8), Alpha: 0.5, Mg: 1}
		y.Rise, y.Decay = r.between(0.3, 2), r.between(3, 60)
		y.E = []float64{0, -80}[r.IntN(2)]
		if r.of[0].rest == 0 {
			y.E = []float64{70, -10}[r.IntN(2)]
		}
		y.Approximate = r.chance(0.3)
		s.Synapses = append(s.Synapses, y)
	}
	for i := range 1 + r.IntN(7) {
		r.projection(fmt.Sprint("p", i))
	}
	for i := range r.IntN(4) {
		r.input(fmt.Sprint("i", i))
	}
	return s
}

// population appends neurons.
func (r *randomNet) population(name string, kind cellKind) {
	sizes := []int{1, 2, 3, 7, 8, 13, 31, 37, 64, 65, 90}
	p := Population{Name: name, N: sizes[r.IntN(len(sizes))], Model: kind.model}
	if kind.model == model.HHModel {
		r.s.Dt = 0.025
	}
	if r.s.OnGrid && kind.model == model.LIFModel && r.chance(0.05) {
		p.N = bitSources + 1
	}
	for _, q := range kind.model.Params {
		v := kernels.Values{q.Default}
		if q.Name == "tau" && r.chance(0.3) {
			v = make(kernels.Values, p.N)
			for i := range v {
				v[i] = r.between(9, 12)
			}
		}
		if q.Name == "t_ref" && r.chance(0.5) {
			v[0] = []float64{0, 0.03, 1, 2.26}[r.IntN(4)]
		}
		p.P = append(p.P, v)
	}
	for range p.N {
		p.I = append(p.I, kind.current*r.between(0.9, 1.5))
	}
	if kind.model.Methods[0].Name != "rk4" && strings.HasPrefix(kind.model.Name, "own") {
		for _, m := range kind.model.Methods {
			if m.Name == "rk4" {
				p.Method = m
			}
		}
	}
	r.s.Populations, r.of = append(r.s.Populations, p), append(r.of, kind)
}

// sources appends sources of spikes.
func (r *randomNet) sources() {
	p := Population{Name: "source", N: 1 + r.IntN(40), Source: &Source{Rate: kernels.Values{r.between(5, 200)}}}
	if r.chance(0.4) {
		p.Source.Times = make([][]float64, p.N)
		for i := range p.Source.Times {
			for range r.IntN(6) {
				p.Source.Times[i] = append(p.Source.Times[i], math.Round(r.between(0, 400))/10)
			}
			slices.Sort(p.Source.Times[i])
		}
	}
	r.s.Populations, r.of = append(r.s.Populations, p), append(r.of, cellKind{})
}

// part is a population or some of it.
func (r *randomNet) part(targets bool) Part {
	for {
		p := r.IntN(len(r.s.Populations))
		q := &r.s.Populations[p]
		if targets && q.Model == nil {
			continue
		}
		if r.chance(0.6) {
			return Part{p, 0, q.N}
		}
		first := r.IntN(q.N)
		return Part{p, first, 1 + r.IntN(q.N-first)}
	}
}

// pool is some parts that do not overlap.
func (r *randomNet) pool(targets bool) (pool []Part) {
	for range 1 + r.IntN(3) {
		p := r.part(targets)
		if !slices.ContainsFunc(pool, func(q Part) bool { return common(p, q) > 0 }) {
			pool = append(pool, p)
		}
	}
	return pool
}

// weight is a weight of a synapse onto a pool, and its size.
func (r *randomNet) weight(synapse int, to []Part, degree float64) Law {
	y, size := &r.s.Synapses[synapse], math.Inf(1)
	for _, p := range to {
		k := r.of[p.Population]
		switch {
		case y.Kind == Delta:
			size = min(size, 1)
		case y.Kind.conductance():
			size = min(size, 0.1/k.r)
		default:
			size = min(size, k.current/4)
		}
	}
	size *= r.between(0.2, 1) / max(1, math.Sqrt(degree))
	sign := 1.0
	if !y.Kind.conductance() && r.chance(0.5) {
		sign = -1
	}
	switch x := r.Float64(); {
	case x < 0.05:
		return Constant(0)
	case x < 0.55:
		return Constant(sign * size)
	case x < 0.65:
		return Draw{Kind: Normal, A: sign * size}
	case x < 0.75:
		return PerEdge(func(pre, post int) float64 { return sign * size * float64((pre*31+post*7)%5) / 2 })
	case y.Kind.conductance():
		return Draw{Kind: Uniform, B: size}
	}
	return Draw{Kind: Normal, A: sign * size, B: size}
}

// delay is a delay: whole steps or not, of all edges or of each.
func (r *randomNet) delay(one bool) Law {
	steps := []float64{1, 1, 2, 3, 10, 15, 37, 150}[r.IntN(8)]
	switch x := r.Float64(); {
	case x < 0.5:
		return Constant(steps * r.s.Dt)
	case one || x < 0.7:
		return Constant((steps + r.Float64()) * r.s.Dt)
	case x < 0.85:
		return Draw{Kind: Uniform, A: r.s.Dt, B: steps * r.s.Dt, Round: r.s.Dt}
	}
	return Draw{Kind: Uniform, A: r.s.Dt, B: steps * r.s.Dt}
}

// projection appends edges of any rule.
func (r *randomNet) projection(name string) {
	s := r.s
	p := Projection{Name: name, From: r.pool(false), To: r.pool(true), Synapse: r.IntN(len(s.Synapses))}
	p.NoAutapses, p.NoMultapses = r.chance(0.4), r.chance(0.2)
	if r.chance(0.4) { // a square
		q := r.part(true)
		p.From, p.To = []Part{q}, []Part{q}
	}
	from, to := size(p.From), size(p.To)
	degree := float64(from) / 10
	switch x := r.IntN(12); {
	case x < 4:
		p.Rule, degree = AllToAll{}, float64(from)
	case x < 6:
		p.Rule, degree = Ring{r.between(0.5, 2), r.between(10, 120)}, float64(from)
	case x < 7 && from == to:
		p.Rule, degree = OneToOne{}, 1
	case x < 9:
		p.Rule = Probability{0.1}
	case x < 10 && from > 12:
		p.Rule = InDegree{from / 10}
	case x < 11 && to > 12:
		p.Rule = OutDegree{to / 10}
	default:
		p.Rule, p.NoAutapses, p.NoMultapses = Total{int64(from * to / 10)}, false, false
	}
	p.Weight, p.Delay = r.weight(p.Synapse, p.To, degree), r.delay(s.Synapses[p.Synapse].Kind == NMDA)
	if ring, ok := p.Rule.(Ring); ok && s.Synapses[p.Synapse].Kind.conductance() {
		p.Rule = Ring{min(ring.JPlus, 1.05), ring.Sigma}
		if ring.JPlus < 1 {
			p.Rule = Ring{1, ring.Sigma}
		}
	}
	s.Projections = append(s.Projections, p)
}

// input appends spike trains, a current or noise.
func (r *randomNet) input(name string) {
	in := Input{Name: name, To: r.pool(true), Synapse: r.IntN(len(r.s.Synapses))}
	if r.chance(0.3) {
		in.Start, in.Stop = r.between(0, 10), r.between(15, 40)
	}
	switch x := r.Float64(); {
	case x < 0.6:
		in.Poisson, in.Delay = &Poisson{Rate: r.between(100, 3000)}, r.between(0, 2)
		in.Weight = r.weight(in.Synapse, in.To, 4)
	case x < 0.75:
		in.Weight, in.Spikes = r.weight(in.Synapse, in.To, 1), make([][]float64, size(in.To))
		for i := range in.Spikes {
			in.Spikes[i] = []float64{float64(i % 7), 7.31 + float64(i%3)}
		}
	case x < 0.9:
		size := r.of[in.To[0].Population].current / 10
		in.Current = func(step int64) float64 { return size * float64(step%7) / 7 }
	default:
		in.Noise = &Noise{SD: r.of[in.To[0].Population].current / 10, Tau: 5}
	}
	r.s.Inputs = append(r.s.Inputs, in)
}

// stateAfter is the states of neurons and synapses after some steps. Sums of numbers that stand for no arrivals, which
// depend on how many were added, are 0.
func stateAfter(t *testing.T, s *Spec, c Config, steps int64) []float64 {
	t.Helper()
	n, err := Build(t.Context(), s, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Run(t.Context(), steps, Recorder{}); err != nil {
		t.Fatal(err)
	}
	return statesOf(n)
}

// statesOf lists the states of all neurons and synapses; what has only been decaying is 0.
func statesOf(n *Network) (all []float64) {
	for _, column := range n.columns() {
		for _, x := range column {
			if math.Abs(x) < 1e5*empty {
				x = 0
			}
			all = append(all, x)
		}
	}
	return all
}

// listedSpec is the network with its edges listed, so that none are summed, spread or joined otherwise.
func listedSpec(n *Network) *Spec {
	s := *n.layout.spec
	s.Projections = slices.Clone(s.Projections)
	lists := make([]Edges, len(s.Projections))
	n.PoolEdges(func(i, pre, post int, weight, delay float64) bool {
		e := &lists[i]
		e.Pre, e.Post = append(e.Pre, int32(pre)), append(e.Post, int32(post))
		e.Weight, e.Delay = append(e.Weight, weight), append(e.Delay, delay)
		return true
	})
	for i := range lists {
		p := &s.Projections[i]
		if s.Synapses[p.Synapse].Kind == NMDA {
			lists[i].Delay = nil
		}
		if lists[i].Pre == nil {
			lists[i] = Edges{Pre: []int32{}, Post: []int32{}, Weight: []float64{}, Delay: lists[i].Delay}
		}
		p.Rule, p.Weight = lists[i], nil
		if lists[i].Delay != nil {
			p.Delay = nil
		}
	}
	return &s
}

// inTwo is the spikes of a network that is saved after half of the steps and continued by another.
func inTwo(t *testing.T, s *Spec, a, b Config, half, steps int64) (spikes []Spike) {
	t.Helper()
	record := Recorder{Spikes: func(x []Spike) error {
		spikes = append(spikes, x...)
		return nil
	}}
	first, err := Build(t.Context(), s, a)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Run(t.Context(), half, record); err != nil {
		t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := first.Save(&saved); err != nil {
		t.Fatal(err)
	}
	second, err := Build(t.Context(), s, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Restore(&saved); err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context(), steps-half, record); err != nil {
		t.Fatal(err)
	}
	return spikes
}

// TestRandomNetworks: random networks give the same bits with any workers, ranges and instruction sets, and after a
// checkpoint; and the spikes of the same edges listed, but for rounding.
func TestRandomNetworks(t *testing.T) {
	count := 16
	if os.Getenv("POPSIM_LONG") != "" {
		count = 2000
	}
	spikes, refused := 0, 0
	for seed := 1; seed <= count; seed++ {
		r := newRandomNet(t, uint64(seed))
		s := r.spec()
		if err := s.Check(); err != nil {
			refused++
			continue
		}
		spikes += r.compare(t, seed)
	}
	if refused > count/10 || spikes < 20*count {
		t.Errorf("%d of %d networks are refused, and the others have %d spikes", refused, count, spikes)
	}
}

// compare runs the network in several ways and returns the number of its spikes.
func (r *randomNet) compare(t *testing.T, seed int) int {
	const steps = 250
	s := r.s
	isas := kernels.Available()
	ms := steps * s.Dt
	n, err := Build(t.Context(), s, Config{Workers: 1, Ranges: 1})
	if err != nil {
		if !strings.Contains(err.Error(), "less than a step apart") { // edges of nmda
			t.Errorf("%d: %v", seed, err)
		}
		return 0
	}
	want := collect(t, s, Config{Workers: 1, Ranges: 1}, ms)
	state := stateAfter(t, s, Config{Workers: 1, Ranges: 1}, steps)
	for _, c := range []Config{
		{Workers: 3, Ranges: 1 + r.IntN(60), ISA: isas[r.IntN(len(isas))]}, {Workers: 2, Ranges: 7, ISA: kernels.Go},
	} {
		if got := collect(t, s, c, ms); !slices.Equal(got, want) {
			t.Errorf("%d: other bits with %+v%s", seed, c, firstOther(got, want))
		}
		if x := stateAfter(t, s, c, steps); !slices.Equal(x, state) {
			t.Errorf("%d: other states with %+v", seed, c)
		}
		half := int64(1 + r.IntN(steps-1))
		if got := inTwo(t, s, Config{Workers: 1, Ranges: 1 + r.IntN(5)}, c, half, steps); !slices.Equal(got, want) {
			t.Errorf("%d: other bits with %+v, continued after %d steps%s", seed, c, half, firstOther(got, want))
		}
	}
	l := listedSpec(n)
	if _, err := Build(t.Context(), l, Config{Workers: 1}); err != nil {
		return len(want) // edges that are stored, of nmda with delays less than a step apart
	}
	const tolerance = 1e-6 // steps: rounding errors of 1e-16, which spikes amplify
	got := collect(t, l, Config{Workers: 1}, ms)
	same := func(a, b Spike) bool {
		return a.Neuron == b.Neuron && math.Abs(float64(a.Step-b.Step)+a.Theta-b.Theta) <= tolerance
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("%d: other spikes with edges listed%s", seed, firstOther(got, want))
	}
	return len(want)
}

// firstOther describes the first spike that differs by more than rounding.
func firstOther(got, want []Spike) string {
	for i := range min(len(got), len(want)) {
		a, b := got[i], want[i]
		if d := float64(a.Step-b.Step) + a.Theta - b.Theta; a.Neuron != b.Neuron || math.Abs(d) > 1e-9 {
			return fmt.Sprintf("; spike %d of %d, %d: %v, %v", i, len(got), len(want), a, b)
		}
	}
	return fmt.Sprintf("; %d, %d spikes, differing by rounding", len(got), len(want))
}
