package recording

import (
	"math"
	"slices"

	"popsim/network"
	"popsim/table"
)

// Trace selects the neurons whose states and synaptic variables are recorded over time.
type Trace struct {
	Of    []int // neurons, by their numbers in the network; none: no trace
	Every int64 // steps from one row to the next
	Sink  Sink
}

// nothing is larger than the value, chosen for speed, of a synaptic variable that is meant to be 0.
const nothing = 1e-250

// variable is a column of a trace: a state, or a synaptic variable.
type variable struct {
	name    string
	state   string // name of the state; "" for synapses
	synapse int
	models  []bool // by population: whether its neurons have it
}

// tracer collects the rows of a trace.
type tracer struct {
	net        *network.Network
	spec       *network.Spec
	cfg        Trace
	population []int // of each neuron of cfg.Of
	variables  []variable
	places     [][]int // by population, then variable: index of the state, or -1

	next int64 // the first step that has not been noted

	neurons []int64 // the current block
	times   []float64
	values  [][]float64 // by variable
	state   []float64
}

// Variables are the names of the columns that a trace of neurons has after time_ms and neuron.
func Variables(spec *network.Spec, of []int) (names []string) {
	for _, v := range variablesOf(spec, populationsOf(spec, of)) {
		names = append(names, v.name)
	}
	return names
}

func newTracer(net *network.Network, spec *network.Spec, cfg Trace, firsts []int) *tracer {
	if len(cfg.Of) == 0 || cfg.Sink == nil {
		return nil
	}
	t := &tracer{net: net, spec: spec, cfg: cfg, population: populationsOf(spec, cfg.Of)}
	t.variables = variablesOf(spec, t.population)
	t.values = make([][]float64, len(t.variables))
	most := 0
	for j, p := range spec.Populations {
		places := make([]int, len(t.variables))
		for i, v := range t.variables {
			places[i] = -1
			if v.state != "" && p.Model != nil && v.models[j] {
				places[i] = p.Model.StateIndex(v.state)
			}
		}
		t.places = append(t.places, places)
		if p.Model != nil {
			most = max(most, len(p.Model.States))
		}
	}
	t.state = make([]float64, most)
	return t
}

func populationsOf(spec *network.Spec, of []int) []int {
	found := make([]int, len(of))
	for k, i := range of {
		first := 0
		for j, p := range spec.Populations {
			if i < first+p.N {
				found[k] = j
				break
			}
			first += p.N
		}
	}
	return found
}

// variablesOf lists the states of the models of some populations, each name with its unit once, then the synaptic
// variables that arrivals change there.
func variablesOf(spec *network.Spec, populations []int) []variable {
	var all []variable
	n := len(spec.Populations)
	note := func(v variable, j int) {
		k := slices.IndexFunc(all, func(o variable) bool { return o.name == v.name })
		if k < 0 {
			v.models = make([]bool, n)
			all = append(all, v)
			k = len(all) - 1
		}
		all[k].models[j] = true
	}
	traced := make([]bool, n)
	for _, j := range populations {
		traced[j] = spec.Populations[j].Model != nil
	}
	for j, p := range spec.Populations {
		if traced[j] {
			for _, s := range p.Model.States {
				note(variable{name: s.Column(), state: s.Name}, j)
			}
		}
	}
	for k, s := range spec.Synapses {
		for _, j := range receivers(spec, k) {
			if s.Kind != network.Delta && traced[j] {
				note(variable{name: synapticColumn(s, spec.Populations[j].Model.CurrentUnit), synapse: k}, j)
			}
		}
	}
	return all
}

// receivers are the populations in which a synapse ends, of NMDA those whose spikes open its gates, in their order.
func receivers(spec *network.Spec, synapse int) (populations []int) {
	note := func(parts []network.Part) {
		for _, part := range parts {
			populations = append(populations, part.Population)
		}
	}
	for _, p := range spec.Projections {
		if p.Synapse == synapse && spec.Synapses[synapse].Kind == network.NMDA {
			note(p.From)
		} else if p.Synapse == synapse {
			note(p.To)
		}
	}
	for _, in := range spec.Inputs {
		if in.Synapse == synapse && in.Current == nil && in.Noise == nil && spec.Synapses[synapse].Kind != network.NMDA {
			note(in.To)
		}
	}
	for j, p := range spec.Populations {
		if p.Synaptic[spec.Synapses[synapse].Name] != nil {
			populations = append(populations, j)
		}
	}
	slices.Sort(populations)
	return slices.Compact(populations)
}

// synapticColumn is the name of a synaptic variable in a trace: I_NAME_pA, g_NAME_nS, s_NAME.
func synapticColumn(s network.Synapse, current string) string {
	switch {
	case s.Kind == network.NMDA:
		return "s_" + s.Name
	case s.Kind < network.ExpConductance:
		return "I_" + s.Name + "_" + current
	case current == "pA":
		return "g_" + s.Name + "_nS"
	case current == "uA/cm2":
		return "g_" + s.Name + "_mS/cm2"
	}
	return "g_" + s.Name + "_" + current + "/mV"
}

// after is the first step after k of which there are rows.
func (t *tracer) after(k int64) int64 { return (k/t.cfg.Every + 1) * t.cfg.Every }

// note adds the rows at the start of step k, if it has any.
func (t *tracer) note(k int64) error {
	if k%t.cfg.Every != 0 || k < t.next {
		return nil
	}
	t.next = k + 1
	time := float64(k) * t.spec.Dt
	for n, i := range t.cfg.Of {
		j := t.population[n]
		present := t.net.State(i, t.state)
		t.times, t.neurons = append(t.times, time), append(t.neurons, int64(i))
		for c, v := range t.variables {
			x := math.NaN()
			switch at := t.places[j][c]; {
			case !present:
			case at >= 0:
				x = t.state[at]
			case v.state == "" && v.models[j]:
				x = t.net.Synaptic(i, v.synapse)
				if math.Abs(x) < nothing {
					x = 0
				}
			}
			t.values[c] = append(t.values[c], x)
		}
	}
	if len(t.times) < blockRows {
		return nil
	}
	return t.flush(false)
}

func (t *tracer) flush(all bool) error {
	block := table.NewTable(table.Col("time_ms", t.times), table.Col("neuron", t.neurons))
	for c, v := range t.variables {
		block.Columns = append(block.Columns, table.Col(v.name, t.values[c]))
	}
	n, err := handOn(t.cfg.Sink, block, all)
	for c, v := range t.values {
		t.values[c] = v[:copy(v, v[n:])]
	}
	t.times, t.neurons = t.times[:copy(t.times, t.times[n:])], t.neurons[:copy(t.neurons, t.neurons[n:])]
	return err
}
