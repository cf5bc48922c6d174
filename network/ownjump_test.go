package network

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// TestJumpsAndNMDAOntoOwnEquations holds neurons of equations of the user's own that take jumps of V, or conductances
// of NMDA, to the solutions for the built-in models: the number of spikes is right and errors fall as those of a method
// of order 2 do, also where a jump causes the spike.
func TestJumpsAndNMDAOntoOwnEquations(t *testing.T) {
	models := map[string]*model.Model{
		"lif": ownModel(t, ownLIF), "eif": ownModel(t, ownEIF), "hh": ownModel(t, ownHH),
	}
	tried := 0
	for _, c := range truthNeurons(t) {
		m := models[c.Model]
		if m == nil || !c.has("delta") && !c.has("nmda") {
			continue
		}
		tried++
		var e []float64
		for _, dt := range []float64{0.02, 0.01, 0.005, 0.0025} {
			spikes := collect(t, c.as(t, m, dt), Config{Workers: 1}, c.TEnd)
			if len(spikes) != len(c.Spikes) {
				t.Errorf("%s at dt %g: %d spikes; want %d", c.ID, dt, len(spikes), len(c.Spikes))
				break
			}
			worst := 0.0
			for i, x := range spikes {
				worst = max(worst, math.Abs((float64(x.Step)+x.Theta)*dt-c.Spikes[i]))
			}
			e = append(e, worst)
		}
		t.Logf("%s: %.3g", c.ID, e)
		if len(e) == 4 && e[3] > max(e[0]/16, solverFloor) { // as in TestOtherModelsKeepOrder
			t.Errorf("%s: errors %.3g ms; order 2 expected", c.ID, e)
		}
		want := collect(t, c.as(t, m, 0.025), Config{Workers: 1, ISA: kernels.Go}, c.TEnd)
		for _, isa := range kernels.Available() {
			if got := collect(t, c.as(t, m, 0.025), Config{Workers: 1, ISA: isa}, c.TEnd); !slices.Equal(got, want) {
				t.Errorf("%s: other spikes with %v", c.ID, isa)
			}
		}
	}
	if tried != 14 {
		t.Errorf("%d cases; 14 are known", tried)
	}
}

// TestJumpsOntoOwnEquationsOnGrid compares them with those onto the built-in lif.
func TestJumpsOntoOwnEquationsOnGrid(t *testing.T) {
	for _, c := range truthNeurons(t) {
		if c.Model != "lif" || !c.has("delta") {
			continue
		}
		steps := func(s *Spec) (steps []int64) {
			s.OnGrid = true
			for _, x := range collect(t, s, Config{Workers: 1}, c.TEnd) {
				steps = append(steps, x.Step)
			}
			return steps
		}
		got, want := steps(c.as(t, ownModel(t, ownLIF), 0.05)), steps(c.spec(t, 0.05))
		apart := func(a, b int64) int { return int(min(1, max(0, max(a-b, b-a)-gridApart))) }
		if slices.CompareFunc(got, want, apart) != 0 {
			t.Errorf("%s: spikes in steps %d; want %d", c.ID, got, want)
		}
	}
}

// TestJumpsOntoLaggingStates requires order 2 of strang-cn too, whose gates are half a step behind V.
func TestJumpsOntoLaggingStates(t *testing.T) {
	m := ownModel(t, ownHH)
	strang, err := m.Method("strang-cn")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, c := range truthNeurons(t) {
		if c.Model != "hh" || !c.has("delta") {
			continue
		}
		tried++
		var e []float64
		for _, dt := range []float64{0.02, 0.01, 0.005, 0.0025, 0.00125} {
			s := c.as(t, m, dt)
			s.Populations[0].Method = strang
			worst := 0.0
			spikes := collect(t, s, Config{Workers: 1}, c.TEnd)
			if len(spikes) != len(c.Spikes) {
				t.Fatalf("%s at dt %g: %d spikes; want %d", c.ID, dt, len(spikes), len(c.Spikes))
			}
			for i, x := range spikes {
				worst = max(worst, math.Abs((float64(x.Step)+x.Theta)*dt-c.Spikes[i]))
			}
			e = append(e, worst)
		}
		t.Logf("%s: %.3g", c.ID, e)
		if e[4] > e[0]/100 {
			t.Errorf("%s: errors %.3g ms; order 2 expected", c.ID, e)
		}
	}
	if tried == 0 {
		t.Error("no case")
	}
}

// TestManyJumpsOntoOwnEquations holds lif from equations of the user's own, with jumps in almost every step, to the
// built-in lif, which is exact: the mean error of spikes falls as of a method of order 2, those in a step with jumps
// among them.
func TestManyJumpsOntoOwnEquations(t *testing.T) {
	const neurons, end = 100, 60.0 // ms
	own := ownModel(t, ownLIF)
	draw := rand.New(rand.NewPCG(3, 4))
	trains := func(rate float64) (all [][]float64) { // 1/ms
		for range neurons {
			var one []float64
			for at := draw.ExpFloat64() / rate; at < end; at += draw.ExpFloat64() / rate {
				one = append(one, at)
			}
			all = append(all, one)
		}
		return all
	}
	to := []Part{{0, 0, neurons}}
	inputs := []Input{
		{Name: "up", To: to, Weight: Constant(0.9), Spikes: trains(4)},
		{Name: "down", To: to, Weight: Constant(-0.7), Spikes: trains(3)},
	}
	run := func(m *model.Model, dt float64) (at [neurons][]float64) {
		s := &Spec{Dt: dt, Seed: 1, Synapses: []Synapse{{Name: "jump", Kind: Delta}}, Inputs: inputs}
		p := Population{Name: "A", N: neurons, Model: m, I: kernels.Values{230}}
		values := map[string]float64{
			"V_rest": -70, "V_reset": -65, "V_th": -50, "R": 0.1, "tau": 20, "t_ref": 2, "I": 0,
		}
		for _, q := range m.Params {
			p.P = append(p.P, kernels.Values{values[q.Name]})
		}
		s.Populations = []Population{p}
		for _, x := range collect(t, s, Config{Workers: 1}, end) {
			at[x.Neuron] = append(at[x.Neuron], (float64(x.Step)+x.Theta)*dt)
		}
		return at
	}
	want := run(model.LIFModel, 0.1)
	var e []float64
	for _, dt := range []float64{0.1, 0.05, 0.025, 0.0125} {
		sum, count, worst := 0.0, 0, 0.0
		for i, got := range run(own, dt) {
			if len(got) != len(want[i]) {
				t.Errorf("dt %g, neuron %d: %d spikes; want %d", dt, i, len(got), len(want[i]))
				continue
			}
			for k, x := range got {
				worst = max(worst, math.Abs(x-want[i][k]))
				sum += math.Abs(x - want[i][k])
				count++
			}
		}
		e = append(e, sum/float64(count))
		t.Logf("dt %g: mean %.3g, worst %.3g of %d", dt, sum/float64(count), worst, count)
	}
	if e[3] > e[0]/40 {
		t.Errorf("mean errors %.3g ms; order 2 expected", e)
	}
}

// TestSpikesOfJumpsWithoutEnd: a reset to just below the threshold under a strong current, in a step with a jump, is an
// error that names the neuron and the step.
func TestSpikesOfJumpsWithoutEnd(t *testing.T) {
	own := ownModel(t, ownLIF)
	to := []Part{{0, 0, 1}}
	s := &Spec{Dt: 0.1, Synapses: []Synapse{{Name: "jump", Kind: Delta}}, Inputs: []Input{
		{Name: "up", To: to, Weight: Constant(1), Spikes: [][]float64{{0.05}}},
	}}
	p := Population{Name: "A", N: 1, Model: own, I: kernels.Values{1e6}}
	values := map[string]float64{"V_rest": -70, "V_reset": -50 - 1e-9, "V_th": -50, "R": 0.1, "tau": 20}
	for _, q := range own.Params {
		p.P = append(p.P, kernels.Values{values[q.Name]})
	}
	s.Populations = []Population{p}
	n, err := Build(t.Context(), s, Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	err = n.Run(t.Context(), 1, Recorder{})
	if err == nil || !strings.Contains(err.Error(), "neuron 0 fires more than 100000 times in step 0") {
		t.Errorf("error %v", err)
	}
}
