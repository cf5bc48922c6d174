package figure

import (
	"fmt"
	"slices"

	"popsim/network"
	"popsim/network/recording"
	"popsim/table"
)

// NetworkTraces collects V of a few neurons for the picture of a network.
type NetworkTraces struct {
	Of     []int // neurons, by their numbers in the network
	Traces []Trace
}

// NewNetworkTraces returns an empty collection for the first of some neurons.
func NewNetworkTraces(spec *network.Spec, of []int) *NetworkTraces {
	t := &NetworkTraces{Of: of[:min(len(of), 2*ShownTraces)]}
	for _, i := range t.Of {
		first := 0
		for _, p := range spec.Populations {
			if i < first+p.N {
				t.Traces = append(t.Traces, Trace{Name: fmt.Sprintf("%s %d", p.Name, i-first)})
				break
			}
			first += p.N
		}
	}
	return t
}

// Follow extends a trace over so many steps to these neurons; a trace without a table becomes one of these neurons
// only, in steps that suit a picture.
func (t *NetworkTraces) Follow(trace recording.Trace, steps float64) recording.Trace {
	switch {
	case len(t.Of) == 0:
	case trace.Sink == nil:
		trace = recording.Trace{Of: t.Of, Every: max(1, int64(steps/TraceSamples)), Sink: t.Append}
	default:
		trace.Sink = recording.Both(trace.Sink, t.Append)
	}
	return trace
}

// Append adds V of these neurons from a block of the table of a trace. The error is nil.
func (t *NetworkTraces) Append(block *table.Table) error {
	v, ok := block.Column("V_mV")
	if !ok {
		return nil
	}
	times, neurons, values := block.Columns[0].Values.([]float64), block.Columns[1].Values.([]int64), v.Values.([]float64)
	for k, i := range neurons {
		if j := slices.Index(t.Of, int(i)); j >= 0 {
			t.Traces[j].T, t.Traces[j].V = append(t.Traces[j].T, times[k]), append(t.Traces[j].V, values[k])
		}
	}
	return nil
}
