package network

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"popsim/kernels"
)

// oddities changes a network of one projection between two populations of n neurons; each is refused with an error that
// holds the text, or has the number of edges.
var oddities = map[string]struct {
	n      int
	change func(s *Spec, p *Projection)
	fault  string
	edges  int64
}{
	"dt NaN":           {3, func(s *Spec, p *Projection) { s.Dt = math.NaN() }, "dt NaN ms", 0},
	"no neurons":       {0, func(s *Spec, p *Projection) {}, "0 neurons; at least 1", 0},
	"negative neurons": {3, func(s *Spec, p *Projection) { s.Populations[0].N = -1 }, "-1 neurons", 0},
	"too many neurons": {3, func(s *Spec, p *Projection) { s.Populations[0].N = math.MaxInt }, "neurons; at most", 0},
	"part beyond": {
		3,
		func(s *Spec, p *Projection) { p.To = []Part{{1, 2, 2}} },
		"neurons 2 to 3 of B, which has 3",
		0,
	},
	"part overflows": {3, func(s *Spec, p *Projection) { p.To = []Part{{1, math.MaxInt, 2}} }, "which has 3", 0},
	"empty pool":     {3, func(s *Spec, p *Projection) { p.To = nil }, "no neurons", 0},
	"no population":  {3, func(s *Spec, p *Projection) { p.From = []Part{{7, 0, 1}} }, "no population 7", 0},
	"same names": {
		3,
		func(s *Spec, p *Projection) { s.Projections = append(s.Projections, *p) },
		`two projections are named "P"`,
		0,
	},
	"one neuron":      {1, func(s *Spec, p *Projection) {}, "", 1},
	"one onto itself": {1, func(s *Spec, p *Projection) { p.To = p.From }, "", 1},
	"no rule":         {3, func(s *Spec, p *Projection) { p.Rule = nil }, "rule is missing", 0},
	"p 0":             {3, func(s *Spec, p *Projection) { p.Rule = Probability{0} }, "", 0},
	"p 1":             {3, func(s *Spec, p *Projection) { p.Rule = Probability{1} }, "", 9},
	"p above 1":       {3, func(s *Spec, p *Projection) { p.Rule = Probability{1.01} }, "probability 1.01", 0},
	"p NaN":           {3, func(s *Spec, p *Projection) { p.Rule = Probability{math.NaN()} }, "probability NaN", 0},
	"p least":         {3, func(s *Spec, p *Projection) { p.Rule = Probability{math.SmallestNonzeroFloat64} }, "", 0},
	"degree 0":        {3, func(s *Spec, p *Projection) { p.Rule = InDegree{0} }, "", 0},
	"degree -1":       {3, func(s *Spec, p *Projection) { p.Rule = OutDegree{-1} }, "out-degree -1", 0},
	"degree beyond":   {3, func(s *Spec, p *Projection) { p.Rule = InDegree{math.MaxInt} }, "it lies between 0 and", 0},
	"all by degree":   {5, func(s *Spec, p *Projection) { p.Rule, p.NoMultapses = InDegree{5}, true }, "", 25},
	"more than all": {
		5,
		func(s *Spec, p *Projection) { p.Rule, p.NoMultapses = OutDegree{6}, true },
		"the neurons to be connected are 5",
		0,
	},
	"more than others": {5, func(s *Spec, p *Projection) {
		p.Rule, p.NoMultapses, p.NoAutapses, p.To = InDegree{5}, true, true, p.From
	}, "the neurons to be connected are 4", 0},
	"alone, in": {
		1,
		func(s *Spec, p *Projection) { p.Rule, p.NoAutapses, p.To = InDegree{3}, true, p.From },
		"none but itself",
		0,
	},
	"alone, out": {
		1,
		func(s *Spec, p *Projection) { p.Rule, p.NoAutapses, p.To = OutDegree{3}, true, p.From },
		"none but itself",
		0,
	},
	"alone, total": {
		1,
		func(s *Spec, p *Projection) { p.Rule, p.NoAutapses, p.To = Total{3}, true, p.From },
		"only one neuron",
		0,
	},
	"total -1":     {3, func(s *Spec, p *Projection) { p.Rule = Total{-1} }, "total -1", 0},
	"all by total": {4, func(s *Spec, p *Projection) { p.Rule, p.NoMultapses = Total{16}, true }, "", 16},
	"total beyond": {4, func(s *Spec, p *Projection) { p.Rule, p.NoMultapses = Total{17}, true }, "16 pairs", 0},
	"twice in a pool": {
		4,
		func(s *Spec, p *Projection) { p.From, p.NoMultapses = []Part{{0, 0, 3}, {0, 2, 2}}, true },
		"is twice in a pool",
		0,
	},
	"pool repeats": {4, func(s *Spec, p *Projection) { p.From = []Part{{0, 0, 3}, {0, 2, 2}} }, "", 20},
	"one to many": {
		3,
		func(s *Spec, p *Projection) { p.Rule, p.To = OneToOne{}, []Part{{1, 0, 2}} },
		"3 sources and 2 targets",
		0,
	},
	"ring of no width": {3, func(s *Spec, p *Projection) { p.Rule = Ring{1.6, 0} }, "width 0 degrees", 0},
	"ring NaN":         {3, func(s *Spec, p *Projection) { p.Rule = Ring{math.NaN(), 10} }, "height NaN", 0},
	"weight NaN":       {3, func(s *Spec, p *Projection) { p.Weight = Constant(math.NaN()) }, "weight: NaN", 0},
	"weight infinite": {
		3,
		func(s *Spec, p *Projection) { p.Weight = Draw{Kind: Normal, A: math.Inf(1)} },
		"must be finite",
		0,
	},
	"weight too large": {
		3,
		func(s *Spec, p *Projection) { p.Weight = Draw{Kind: Normal, A: 1e39} },
		"weight +Inf of the edge from 0 to 0",
		0,
	},
	"weight computed": {
		3,
		func(s *Spec, p *Projection) { p.Weight = PerEdge(func(int, int) float64 { return math.NaN() }) },
		"weight NaN of the edge from 0 to 0",
		0,
	},
	"weight negative": {3, func(s *Spec, p *Projection) { p.Weight = Constant(-2) }, "", 9},
	"no weight":       {3, func(s *Spec, p *Projection) { p.Weight = nil }, "weight is missing", 0},
	"nil function":    {3, func(s *Spec, p *Projection) { p.Weight = PerEdge(nil) }, "the function is nil", 0},
	"sd negative": {
		3,
		func(s *Spec, p *Projection) { p.Weight = Draw{Kind: Normal, A: 1, B: -1} },
		"standard deviation -1",
		0,
	},
	"sd 0": {3, func(s *Spec, p *Projection) { p.Weight = Draw{Kind: Normal, A: 1} }, "", 9},
	"never within": {
		3,
		func(s *Spec, p *Projection) { p.Weight = Draw{Kind: Normal, A: 1, B: 1, Redraw: &[2]float64{20, 30}} },
		"no number of the law lies within 20..30",
		0,
	},
	"bounds crossed": {
		3,
		func(s *Spec, p *Projection) { p.Weight = Draw{Kind: Uniform, B: 1, Clip: &[2]float64{1, 0}} },
		"the lower one comes first",
		0,
	},
	"round negative": {
		3,
		func(s *Spec, p *Projection) { p.Weight = Draw{Kind: Uniform, B: 1, Round: -1} },
		"multiples of -1",
		0,
	},
	"no distribution": {3, func(s *Spec, p *Projection) { p.Weight = Draw{Kind: 9} }, "no distribution 9", 0},
	"one step":        {3, func(s *Spec, p *Projection) { p.Delay = Constant(0.1) }, "", 9},
	"below one step":  {3, func(s *Spec, p *Projection) { p.Delay = Constant(0.09) }, "at least 0.1 is needed", 0},
	"a second":        {3, func(s *Spec, p *Projection) { p.Delay = Constant(1000) }, "", 9},
	"a second, fine":  {3, func(s *Spec, p *Projection) { p.Delay, s.Dt = Constant(1000), 0.01 }, "", 9},
	"above a second":  {3, func(s *Spec, p *Projection) { p.Delay = Constant(1000.1) }, "at most 1000 ms", 0},
	"both ends": {
		3,
		func(s *Spec, p *Projection) { p.Delay = Draw{Kind: Uniform, A: 0.1, B: 1000, Round: 0.1} },
		"",
		9,
	},
	"delay NaN": {3, func(s *Spec, p *Projection) { p.Delay = Constant(math.NaN()) }, "delay (ms): NaN", 0},
	"delay drawn low": {
		3,
		func(s *Spec, p *Projection) { p.Delay = Draw{Kind: Normal, A: 1.5, B: 1} },
		"reach down to 0 ms",
		0,
	},
	"delay drawn high": {
		3,
		func(s *Spec, p *Projection) { p.Delay = Draw{Kind: Uniform, A: 1, B: 1e4} },
		"reach up to 1e+04 ms",
		0,
	},
	"delay computed": {
		3,
		func(s *Spec, p *Projection) { p.Delay = PerEdge(func(i, j int) float64 { return float64(i) }) },
		"delay 0 ms from 0 to 0",
		0,
	},
	"list of none": {3, func(s *Spec, p *Projection) { p.Rule = Edges{} }, "", 0},
	"list, source": {
		3,
		func(s *Spec, p *Projection) { p.Rule = Edges{Pre: []int32{3}, Post: []int32{0}} },
		"source 3 of 3",
		0,
	},
	"list, unequal": {3, func(s *Spec, p *Projection) { p.Rule = Edges{Pre: []int32{3}} }, "unequal length", 0},
	"list, weight": {
		3,
		func(s *Spec, p *Projection) { p.Rule = Edges{[]int32{1}, []int32{0}, []float64{math.Inf(1)}, nil} },
		"weight +Inf",
		0,
	},
	"list, delay": {
		3,
		func(s *Spec, p *Projection) { p.Rule = Edges{[]int32{1}, []int32{0}, nil, []float64{0}} },
		"delay 0 ms",
		0,
	},
	"list, twice": {
		3,
		func(s *Spec, p *Projection) { p.Rule = Edges{Pre: []int32{1, 1}, Post: []int32{0, 0}} },
		"",
		2,
	},
	"list, not twice": {3, func(s *Spec, p *Projection) {
		p.Rule, p.NoMultapses = Edges{Pre: []int32{1, 1}, Post: []int32{0, 0}}, true
	}, "edges 0 and 1 connect", 0},
	"list, no autapses": {3, func(s *Spec, p *Projection) {
		p.Rule, p.NoAutapses, p.To = Edges{Pre: []int32{1}, Post: []int32{1}}, true, p.From
	}, "edge 0 is an autapse", 0},
	"parameter NaN": {
		3,
		func(s *Spec, p *Projection) { s.Populations[1].P[4] = kernels.Values{math.NaN()} },
		"population B: tau: value NaN",
		0,
	},
	"parameter refused": {
		3,
		func(s *Spec, p *Projection) { s.Populations[1].P[4] = kernels.Values{1, 2, -1} },
		"population B, neuron 2",
		0,
	},
	"values of others": {
		3,
		func(s *Spec, p *Projection) { s.Populations[1].I = kernels.Values{1, 2} },
		"2 values for 3 neurons",
		0,
	},
	"states too many": {
		3,
		func(s *Spec, p *Projection) { s.Populations[1].Start = make([]kernels.Values, 3) },
		"3 initial states",
		0,
	},
	"synaptic unknown": {
		3,
		func(s *Spec, p *Projection) { s.Populations[1].Synaptic = map[string]kernels.Values{"x": {1}} },
		"x, which is no synapse",
		0,
	},
	"model and source": {3, func(s *Spec, p *Projection) { s.Populations[0].Source = &Source{} }, "not both", 0},
	"source of nothing": {
		3,
		func(s *Spec, p *Projection) { s.Populations[0].Model, s.Populations[0].Source = nil, &Source{} },
		"a rate or spike times",
		0,
	},
	"source as target": {3, func(s *Spec, p *Projection) {
		s.Populations[1].Model, s.Populations[1].Source = nil, &Source{Rate: kernels.Values{1}}
	}, "take no input", 0},
	"times descending": {1, func(s *Spec, p *Projection) {
		s.Populations[0].Model, s.Populations[0].Source = nil, &Source{Times: [][]float64{{2, 1}}}
	}, "ascend; 1 ms comes after 2 ms", 0},
	"gain negative": {3, func(s *Spec, p *Projection) {
		s.Inputs = []Input{{To: p.To, Weight: Constant(1), Poisson: &Poisson{Rate: 1}, Gain: kernels.Values{-1}}}
	}, "gain -1 of neuron 0", 0},
	"rate too high": {3, func(s *Spec, p *Projection) {
		s.Inputs = []Input{{To: p.To, Weight: Constant(1), Poisson: &Poisson{Rate: 1e20}}}
	}, "at most", 0},
	"rate drawn high": {3, func(s *Spec, p *Projection) {
		s.Inputs = []Input{{To: p.To, Weight: Constant(1), Poisson: &Poisson{Law: &Draw{A: 1e20}, Redraw: 1}}}
	}, "at most", 0},
	"stops before": {3, func(s *Spec, p *Projection) {
		s.Inputs = []Input{{To: p.To, Weight: Constant(1), Poisson: &Poisson{Rate: 1}, Start: 5, Stop: 5}}
	}, "it must stop after it starts", 0},
	"two inputs in one": {3, func(s *Spec, p *Projection) {
		s.Inputs = []Input{{To: p.To, Weight: Constant(1), Poisson: &Poisson{Rate: 1}, Spikes: [][]float64{}}}
	}, "exactly one of", 0},
	"no synapse": {3, func(s *Spec, p *Projection) { p.Synapse = 1 }, "no synapse 1", 0},
}

func TestOddDescriptions(t *testing.T) {
	for name, c := range oddities {
		t.Run(name, func(t *testing.T) {
			s := pairOf(c.n, Projection{Rule: AllToAll{}})
			c.change(s, &s.Projections[0])
			begin := time.Now()
			n, err := Build(t.Context(), s, Config{Workers: 2, Ranges: 2})
			if time.Since(begin) > 10*time.Second {
				t.Errorf("took %s", time.Since(begin))
			}
			switch {
			case c.fault == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.fault == "":
				if n.Summary().Edges != c.edges {
					t.Errorf("%d edges; want %d", n.Summary().Edges, c.edges)
				}
				if err := n.Run(t.Context(), 30, Recorder{}); err != nil {
					t.Error(err)
				}
			case err == nil:
				t.Errorf("built; want an error with %q", c.fault)
			case !strings.Contains(err.Error(), c.fault):
				t.Errorf("error %q; want one with %q", err, c.fault)
			}
		})
	}
}

// TestBuildingCanBeCancelled cancels building, and runs a network that has been closed.
func TestBuildingCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := pairOf(2000, Projection{Rule: OutDegree{1000}, Weight: PerEdge(func(pre, _ int) float64 {
		if pre == 100 {
			cancel()
		}
		return 1
	})})
	if _, err := Build(ctx, s, Config{Workers: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after cancellation", err)
	}
	n, err := Build(t.Context(), pairOf(3, Projection{Rule: AllToAll{}}), Config{})
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
	n.Close()
	if n.Run(t.Context(), 1, Recorder{}) == nil {
		t.Error("a closed network has run")
	}
}
