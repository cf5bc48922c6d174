package network

import (
	"errors"
	"fmt"
)

// Restart sets the network back to step 0 with the initial states and inputs of s, as if it had been built from s. s
// equals the Spec of the network but for Trial, and Start and Synaptic of its populations; the graph is kept. After an
// error the network cannot be run.
func (n *Network) Restart(s *Spec) error {
	if err := n.layout.spec.sameGraph(s); err != nil {
		return err
	}
	l := *n.layout
	l.spec = s
	n.layout, n.step, n.inputs = &l, 0, nil
	n.inputReceptors()
	if len(l.receptors) != len(n.layout.series) {
		return errors.New("bug: network: inputs of another trial need other receptors")
	}
	for i, r := range n.ranges {
		fresh := &shard{
			net: n, number: r.number, segs: r.segs, rowSteps: r.rowSteps, tables: r.tables, tablesOf: r.tablesOf,
			unstored: r.unstored,
		}
		for _, step := range []func() error{fresh.layOut, fresh.prepareInputs, fresh.completeSums} {
			if err := step(); err != nil {
				return err
			}
		}
		fresh.startPacked()
		fresh.startSchedule()
		fresh.findListed()
		n.ranges[i] = fresh
	}
	return nil
}

// sameGraph returns an error if the graph of t may differ from that of s.
func (s *Spec) sameGraph(t *Spec) error {
	same := len(s.Populations) == len(t.Populations) && len(s.Synapses) == len(t.Synapses) &&
		len(s.Projections) == len(t.Projections) && len(s.Inputs) == len(t.Inputs) &&
		s.Seed == t.Seed && s.Dt == t.Dt && s.OnGrid == t.OnGrid
	for i := 0; same && i < len(s.Populations); i++ {
		p, q := &s.Populations[i], &t.Populations[i]
		same = p.N == q.N && p.Name == q.Name && p.Model == q.Model
	}
	for i := 0; same && i < len(s.Projections); i++ {
		same = s.Projections[i].Name == t.Projections[i].Name
	}
	if !same {
		return fmt.Errorf("a network is restarted with its own description; this is another")
	}
	return nil
}
