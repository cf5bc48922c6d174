package network_test

import (
	"os"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/network"
)

// A bytesNet is networks of one projection by several rules, each with the same number of sources and targets and the
// same mean number of synapses of a source.
type bytesNet struct{ sources, targets, each int }

// rules are the rules of the projection; those of a network from all to all have fewer targets.
func (b bytesNet) rules() []bytesRule {
	return []bytesRule{
		{"in-degree", network.InDegree{K: b.each * b.sources / b.targets}, false, b.targets},
		{"in-degree, no multapses", network.InDegree{K: b.each * b.sources / b.targets}, true, b.targets},
		{"out-degree", network.OutDegree{K: b.each}, false, b.targets},
		{"total", network.Total{N: int64(b.each * b.sources)}, false, b.targets},
		{"probability", network.Probability{P: float64(b.each) / float64(b.targets)}, false, b.targets},
		{"all-to-all", network.AllToAll{}, false, b.each},
	}
}

type bytesRule struct {
	name        string
	rule        network.Rule
	noMultapses bool
	targets     int
}

// spec is the network by one rule.
func (b bytesNet) spec(r bytesRule, weight, delay network.Law, onGrid bool) *network.Spec {
	from := network.Population{Name: "A", N: b.sources, Model: model.LIFModel}
	for _, x := range model.LIFModel.Defaults() {
		from.P = append(from.P, kernels.Values{x})
	}
	to := from
	to.Name, to.N = "B", r.targets
	return &network.Spec{
		Populations: []network.Population{from, to}, Dt: 0.1, OnGrid: onGrid,
		Synapses: []network.Synapse{{Name: "s", Kind: network.ExpCurrent, Tau: 0.5}},
		Projections: []network.Projection{{
			Name: "P", From: []network.Part{{Population: 0, N: from.N}}, To: []network.Part{{Population: 1, N: to.N}},
			Rule: r.rule, NoMultapses: r.noMultapses, Weight: weight, Delay: delay,
		}},
	}
}

// Numbers of ranges of the cells of the table.
var bytesRanges = [4]int{1, 2, 16, 64}

// bytesCells are bounds of the bytes of a synapse, with index and padding, by number of ranges, for any rule: about 2 %
// above what they are where a source has 1000, 500, 62 and 16 synapses in a range. Without index and padding it takes 6
// with a float32 weight of its own, 10 with a float64 weight, 18 with a fraction of a step, 2 without any. Where delays
// are spread over 40 steps, runs by delay hold 25 to 0.4 edges; those with float32 weights alone are packed, from 16
// ranges on. Inside the step float64 weights of unknown sign have two tables.
var bytesCells = []struct {
	name          string
	weight, delay network.Law
	onGrid        bool
	most          [4]float64
	peak          bool // whether the peak while building has the bound peakFactor in the long mode
}{
	{"own float32, one delay", drawnWeight, oneDelay, true, [4]float64{6.1, 6.1, 6.4, 7.5}, true},
	{"own float32, one delay", drawnWeight, oneDelay, false, [4]float64{6.1, 6.1, 6.4, 7.5}, true},
	{"own float32, spread", drawnWeight, spreadDelay, true, [4]float64{6.6, 7.15, 6.4, 7.5}, true},
	{"own float32, spread", drawnWeight, spreadDelay, false, [4]float64{6.6, 7.15, 6.4, 7.5}, true},
	{"own float32, fractional", drawnWeight, fractionalDelay, false, [4]float64{19.6, 20.9, 36, 67}, true},
	{"own float64, one delay", givenWeight, oneDelay, true, [4]float64{10.2, 10.2, 10.7, 12.2}, true},
	{"own float64, one delay", givenWeight, oneDelay, false, [4]float64{10.2, 10.2, 10.7, 12.7}, true},
	{"own float64, spread", givenWeight, spreadDelay, true, [4]float64{11, 11.8, 21.3, 42}, true},
	{"own float64, spread", givenWeight, spreadDelay, false, [4]float64{11.2, 12.2, 24.1, 53}, true},
	{"shared, one delay", network.Constant(1), oneDelay, true, [4]float64{2.1, 2.1, 2.3, 2.8}, false},
	{"shared, one delay", network.Constant(1), oneDelay, false, [4]float64{2.1, 2.1, 2.3, 2.8}, false},
	{"shared, spread", network.Constant(1), spreadDelay, true, [4]float64{2.4, 2.7, 6.5, 17.3}, false},
	{"shared, spread", network.Constant(1), spreadDelay, false, [4]float64{2.4, 2.7, 6.5, 17.3}, false},
}

// Laws of the cells.
var (
	drawnWeight = network.Draw{Kind: network.Normal, A: 1, B: 0.1, Redraw: &[2]float64{0, 2}}
	givenWeight = network.PerEdge(func(pre, post int) float64 { return 1 + 1/float64(1+pre+post) })

	oneDelay        = network.Constant(1.5)
	spreadDelay     = network.Draw{Kind: network.Normal, A: 1.5, B: 0.75, Redraw: &[2]float64{0.1, 4}, Round: 0.1}
	fractionalDelay = network.Draw{Kind: network.Normal, A: 1.5, B: 0.75, Redraw: &[2]float64{0.1, 4}}
)

// TestBytesOfSynapses bounds the bytes of a synapse for each rule, kind of weights and delays, and number of ranges.
// There are too few sources for rows of bits, which TestMemoryOfGraphs has.
func TestBytesOfSynapses(t *testing.T) {
	b := bytesNet{sources: 240, targets: 4000, each: 1000}
	for _, rule := range b.rules() {
		for _, c := range bytesCells {
			s := b.spec(rule, c.weight, c.delay, c.onGrid)
			for i, ranges := range bytesRanges {
				n, err := network.Build(t.Context(), s, network.Config{Workers: 2, Ranges: ranges})
				if err != nil {
					t.Fatal(err)
				}
				y := n.Summary()
				if each := float64(y.Bytes) / float64(y.Edges); each > c.most[i] {
					t.Errorf("%s, %s, grid %v, %d ranges: %.2f bytes a synapse; at most %v",
						rule.name, c.name, c.onGrid, ranges, each, c.most[i])
				}
				n.Close()
			}
		}
	}
}

// TestBuildingOfSynapses measures, for the same cells in larger networks, the peak of memory while building over what
// stays, and over its forecast, which holds spikes on their way besides; and the processor time of building, ns a
// synapse, with one worker and with two. Bounded are peaks of graphs that are large beside the scratch memory.
func TestBuildingOfSynapses(t *testing.T) {
	if os.Getenv("POPSIM_LONG") == "" {
		t.Skip("takes two minutes; POPSIM_LONG runs it")
	}
	b := bytesNet{sources: 1000, targets: 20_000, each: 1000}
	for _, rule := range b.rules() {
		for _, c := range bytesCells {
			s := b.spec(rule, c.weight, c.delay, c.onGrid)
			for _, ranges := range bytesRanges {
				m := measureBuilding(t, s, ranges)
				t.Logf("%-23s %-23s grid %-5v %2d: %6.2f B, peak %.2f, of forecast %.2f, %3.0f, %3.0f ns",
					rule.name, c.name, c.onGrid, ranges, m.each, m.peak, m.forecast, m.ns[0], m.ns[1])
				_, dense := rule.rule.(network.AllToAll)
				if c.peak && !dense && m.known && m.peak > peakFactor+smallGraphs {
					t.Errorf("%s, %s, grid %v, %d ranges: peak %.2f of what stays; at most %v",
						rule.name, c.name, c.onGrid, ranges, m.peak, peakFactor)
				}
			}
		}
	}
}

// smallGraphs is by how much peaks over what stays may exceed peakFactor for graphs of 1e6 synapses, 6 MB and more:
// what the runtime of Go holds differs from one measurement to the next by some 100 kB.
const smallGraphs = 0.05

type building struct {
	each, peak, forecast float64
	ns                   [2]float64
	known                bool
}

func measureBuilding(t *testing.T, s *network.Spec, ranges int) (m building) {
	t.Helper()
	for i, workers := range []int{1, 2} {
		c := network.Config{Workers: workers, Ranges: ranges}
		before, _ := resident(workers == 2)
		begin := processorTime()
		n, err := network.Build(t.Context(), s, c)
		if err != nil {
			t.Fatal(err)
		}
		y := n.Summary()
		m.ns[i] = float64(processorTime()-begin) / float64(y.Edges)
		if workers == 2 {
			most, known := resident(false)
			left, _ := resident(true)
			f, err := s.ForecastOf(c)
			if err != nil {
				t.Fatal(err)
			}
			m.each, m.known = float64(y.Bytes)/float64(y.Edges), known
			m.peak = float64(most-before) / float64(left-before)
			m.forecast = float64(most-before) / float64(f.Bytes)
		}
		n.Close()
	}
	return m
}
