// Package network simulates populations of neurons coupled by synapses with delays.
//
// A Spec describes the network in resolved numbers; Build draws its graph and lays it out for delivery; Network.Run
// advances it. Everything a run produces is a function of the Spec alone: the graph is a pure function of (seed,
// projection, index), and the sums over arrivals are made in one canonical order (oldest emission step, then source,
// projection, draw), so neither the number of workers nor the instruction set changes a bit.
//
// # Units and time
//
// Times are in ms, V in mV, rates in spikes/s. Currents have the unit of the model's input current. Step k covers
// [k dt, (k+1) dt). At one instant, for one neuron: refractoriness ends, all arrivals of that instant are added, then
// the threshold is tested. A spike at t with delay d arrives at t + d; spikes and arrivals keep their place inside the
// step unless Spec.OnGrid.
package network

import (
	"fmt"
	"slices"

	"popsim/kernels"
	"popsim/model"
	"popsim/rng"
)

// Spec is a network in resolved numbers. Neurons are numbered from 0 through all populations in their order.
type Spec struct {
	Populations []Population
	Synapses    []Synapse
	Projections []Projection
	Inputs      []Input

	Dt    float64 // step, ms
	Seed  uint64  // of the graph, of everything drawn while the network runs
	Trial uint64  // the inputs of each trial are drawn anew; the graph is that of Seed in all of them

	// OnGrid stamps every spike with the end of its step and lets it arrive at the end of the step of arrival, the time
	// of emission plus the delay rounded to whole steps. Refractory periods of LIF are rounded to whole steps.
	OnGrid bool
}

// Population is N neurons of one model, or N sources of spike trains. Exactly one of Model and Source is not nil.
type Population struct {
	Name string
	N    int

	Model  *model.Model
	Method model.Method     // the zero Method is the model's first
	P      []kernels.Values // in the order of Model.Params
	I      kernels.Values   // constant input current; nil is 0
	Start  []kernels.Values // in the order of Model.States; a nil entry, or nil, is the model's own initial state

	// TRef (ms) is of models that cross: the next spike comes no sooner than that after the last, and then as soon as V is
	// at least V_th. Where it is nil, the next spike is an upward crossing after V has been 20 mV below V_th.
	TRef kernels.Values

	// Synaptic holds initial values of synaptic variables by name of the synapse: the current or conductance s at t = 0
	// in each neuron; what is not named is 0.
	Synaptic map[string]kernels.Values

	Source *Source
}

// Source makes the spike trains of a population without neurons: independent Poisson trains, or given times.
type Source struct {
	Rate  kernels.Values // spikes/s, of each source or of all; used where Times is nil
	Times [][]float64    // ms, for each source, ascending
}

// Kind is what an arrival does to its target.
type Kind int

// The kinds of synapses; their equations are those of docs/networks.md.
const (
	Delta Kind = iota
	ExpCurrent
	AlphaCurrent
	ExpConductance
	AlphaConductance
	BiexpConductance
	NMDA
)

// kindNames holds the name of each Kind as descriptions spell it.
var kindNames = []string{
	"delta", "exp-current", "alpha-current", "exp-conductance", "alpha-conductance", "biexp-conductance", "nmda",
}

// String is the name of the kind as descriptions spell it.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown kind"
	}
	return kindNames[k]
}

// Kinds lists the names of all kinds in their order.
func Kinds() []string { return append([]string(nil), kindNames...) }

// Synapse is a kind of synapse with its constants; what a kind does not have is 0.
type Synapse struct {
	Name string
	Kind Kind

	Tau         float64 // ms: exp and alpha kinds
	Rise, Decay float64 // ms: biexp and nmda
	E           float64 // mV: reversal potential of conductances
	Alpha       float64 // 1/ms: nmda
	Mg          float64 // mM: nmda

	// Approximate lets an arrival raise the gate of nmda at once by what it would in the end, k0 + k1 s: see
	// docs/numerics.md.
	Approximate bool
}

// Part is the run of N neurons from First on of a population, by its index in Spec.Populations. A list of parts is one
// pool, whose members are numbered through the parts in their order.
type Part struct {
	Population int
	First, N   int
}

// Projection connects a pool of sources to a pool of targets.
type Projection struct {
	Name     string
	From, To []Part
	Synapse  int // index in Spec.Synapses

	Rule   Rule
	Weight Law // mV for delta, else in units of the current; nil where Rule is Edges with weights
	Delay  Law // ms, at least Dt; nil where Rule is Edges with delays

	NoAutapses  bool // no edge from a neuron to itself
	NoMultapses bool // at most one edge from one neuron to another
}

// Rule says which edges a projection has. It is one of InDegree, OutDegree, Probability, Total, AllToAll, OneToOne,
// Ring and Edges.
type Rule interface{ rule() }

// The rules. Sources and targets are drawn uniformly, with replacement unless NoMultapses.
type (
	// InDegree gives each target K edges.
	InDegree struct{ K int }
	// OutDegree gives each source K edges.
	OutDegree struct{ K int }
	// Probability makes each of the possible edges with probability P, at most one from one neuron to another.
	Probability struct{ P float64 }
	// Total draws N edges, source and target of each.
	Total struct{ N int64 }
	// AllToAll makes every possible edge.
	AllToAll struct{}
	// OneToOne connects source i to target i; the pools have equal sizes.
	OneToOne struct{}
	// Ring makes every possible edge; its weight is multiplied by J- + (J+ - J-) exp(-d²/(2 Sigma²)), d the distance on a
	// ring of 360 degrees, with J- such that the mean over the ring is 1.
	Ring struct{ JPlus, Sigma float64 }
	// Edges lists the edges: Pre and Post count through the pools. Weight or Delay is nil where the projection's law
	// gives it.
	Edges struct {
		Pre, Post     []int32
		Weight, Delay []float64
	}
)

func (InDegree) rule()    {}
func (OutDegree) rule()   {}
func (Probability) rule() {}
func (Total) rule()       {}
func (AllToAll) rule()    {}
func (OneToOne) rule()    {}
func (Ring) rule()        {}
func (Edges) rule()       {}

// Law gives a number for each edge. It is one of Constant, PerEdge and Draw.
type Law interface{ law() }

// Constant is the same number for all edges.
type Constant float64

// PerEdge computes the number of the edge from member pre of the pool From to member post of the pool To. It is called
// from several goroutines at once.
type PerEdge func(pre, post int) float64

// Draw draws a number for each edge. Drawn weights are rounded to float32.
type Draw struct {
	Kind   DrawKind
	A, B   float64     // Normal: mean, sd; Lognormal: mean and sd of the number itself; Uniform: lowest, highest
	Redraw *[2]float64 // drawn again until within these bounds; nil is none
	Clip   *[2]float64 // then set to the nearer of these bounds where outside; nil is none
	Round  float64     // then rounded to a multiple of this; 0 is none
}

func (Constant) law() {}
func (PerEdge) law()  {}
func (Draw) law()     {}

// DrawKind is a distribution.
type DrawKind int

// The distributions.
const (
	Normal DrawKind = iota
	Lognormal
	Uniform
)

// Input sends to each neuron of To a spike train, a current or noise of its own. Exactly one of Poisson, Spikes,
// Current and Noise is set.
type Input struct {
	Name    string
	To      []Part
	Synapse int     // index in Spec.Synapses; of trains
	Weight  Law     // of trains; PerEdge is called with pre = post
	Delay   float64 // ms, of trains, at least 0

	Poisson *Poisson
	Spikes  [][]float64              // ms, for each neuron of To, ascending
	Current func(step int64) float64 // mean of the current over step, for all of To
	Noise   *Noise

	// IDs are the ids of the random numbers of the neurons of To, in trains and in noise; nil is 0, 1, 2, ...
	IDs []uint32

	// Gain multiplies the rate, the current or the strength of the noise, for each neuron of To or all; nil is 1.
	Gain        kernels.Values
	Start, Stop float64 // ms, of noise rounded to whole steps; a Stop of 0 is none
}

// arrives reports whether the input is of trains, which reach a synapse.
func (in *Input) arrives() bool { return in.Poisson != nil || in.Spikes != nil }

// Poisson is the rate of independent trains: Rate, or Shape, or one number drawn anew from Law every Redraw ms from
// the input's Start on.
type Poisson struct {
	Rate   float64                  // spikes/s
	Shape  func(step int64) float64 // mean rate over step, spikes/s
	Law    *Draw
	Redraw float64 // ms
}

// most bounds the rate (spikes/s) where that is known without looking at every step; else it is 0.
func (p *Poisson) most() float64 {
	if p.Law != nil {
		_, hi := p.Law.bounds()
		return max(0, hi)
	}
	return p.Rate
}

// mostGain is the largest gain of the input.
func (in *Input) mostGain() float64 {
	if len(in.Gain) == 0 {
		return 1
	}
	return slices.Max(in.Gain)
}

// stream is the stream of random numbers of an input or source, by its name.
func (s *Spec) stream(name string) rng.Stream { return rng.NewStream(s.Seed, s.streamName(name)) }

// streamName is the name of that stream.
func (s *Spec) streamName(name string) string {
	if s.Trial > 0 {
		return fmt.Sprintf("%s, trial %d", name, s.Trial)
	}
	return name
}
