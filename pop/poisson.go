package pop

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"popsim/kernels"
	"popsim/network"
)

// check returns the faults of a train.
func (q Poisson) check() error {
	switch {
	case !(q.Rate >= 0) || math.IsInf(q.Rate, 1):
		return fmt.Errorf("pop: trains of %v spikes/s; a rate is 0 or more", q.Rate)
	case math.IsNaN(q.Weight) || math.IsInf(q.Weight, 0):
		return fmt.Errorf("pop: trains of the weight %v; it must be a finite number", q.Weight)
	case !(q.Tau >= 0) || math.IsInf(q.Tau, 1):
		return fmt.Errorf("pop: the current of a train decays in %v ms; it must be above 0", q.Tau)
	}
	return nil
}

// coupled is a population whose neurons receive trains of spikes: package network runs it as a network without
// projections, which has arrivals inside steps.
type coupled struct {
	*Population
	net  *network.Network
	next int64 // the step of the trace that comes next
}

// runCoupled is Run for such a population.
func (p *Population) runCoupled(ctx context.Context) (Summary, error) {
	begin := time.Now()
	c := &coupled{Population: p}
	if p.cfg.Input != nil {
		return p.sum, errors.New("pop: trains of spikes do not go together with Config.Input")
	}
	spec, err := p.asNetwork()
	if err != nil {
		return p.sum, err
	}
	c.net, err = network.Build(ctx, spec, network.Config{Workers: p.cfg.Workers, ISA: p.cfg.ISA})
	if err != nil {
		return p.sum, err
	}
	defer c.net.Close()
	if p.cfg.Train {
		p.trains = newTrains(p.spec.N, p.cfg.mayHavePeriods(p.spec.Model))
	}
	p.sum.Sched.Busy = make([]time.Duration, min(p.cfg.Workers, c.net.Summary().Ranges)) // the number of workers
	p.sum.Shards = c.net.Summary().Ranges
	p.sum.Phases.Build = time.Since(begin)
	err = c.run(ctx)
	p.sum.Trains, p.sum.Elapsed = p.trains, time.Since(begin)
	p.sum.Phases.Step = p.sum.Elapsed - p.sum.Phases.Build - p.sum.Phases.Hand
	return p.sum, err
}

// asNetwork describes the population as a network.
func (p *Population) asNetwork() (*network.Spec, error) {
	method, err := p.spec.Model.Method(p.spec.Method)
	if err != nil {
		return nil, err
	}
	s := &network.Spec{Dt: p.dt, Seed: p.cfg.Noise.Seed, Populations: []network.Population{{
		Name: p.spec.Model.Name, N: p.spec.N, Model: p.spec.Model, Method: method, P: p.spec.P, I: p.spec.I,
		Start: p.spec.Init,
	}}}
	input := func(in network.Input) {
		in.To, in.IDs = []network.Part{{Population: 0, First: 0, N: p.spec.N}}, p.cfg.Noise.IDs
		s.Inputs = append(s.Inputs, in)
	}
	q := &p.cfg.Noise
	if q.White > 0 {
		input(network.Input{Name: "white", Noise: &network.Noise{SD: q.White}})
	}
	if q.OU > 0 {
		input(network.Input{Name: "ou", Noise: &network.Noise{SD: q.OU, Tau: q.Tau}})
	}
	if p.cfg.Waveform != nil {
		input(network.Input{Name: "waveform", Current: kept(p.cfg.Waveform), Gain: p.spec.Gain})
	}
	for i, t := range q.Poisson {
		y := network.Synapse{Name: fmt.Sprintf("poisson %d", i), Kind: network.Delta, Tau: t.Tau}
		if t.Tau > 0 {
			y.Kind = network.ExpCurrent
		}
		s.Synapses = append(s.Synapses, y)
		input(network.Input{
			Name: y.Name, Synapse: i, Weight: network.Constant(t.Weight), Poisson: &network.Poisson{Rate: t.Rate},
		})
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}

// kept makes a function of the step that may be called by several goroutines, in any order, of one that is called
// once for each step, in order.
func kept(f func(k int64) float64) func(k int64) float64 {
	var lock sync.Mutex
	var known []float64
	return func(k int64) float64 {
		lock.Lock()
		defer lock.Unlock()
		for int64(len(known)) <= k {
			known = append(known, f(int64(len(known))))
		}
		return known[k]
	}
}

// run advances the network to the end of the run.
func (c *coupled) run(ctx context.Context) error {
	for c.sum.Steps < c.total {
		steps := min(int64(mostSteps), c.total-c.sum.Steps)
		if c.cfg.Trace != nil {
			if err := c.trace(); err != nil {
				return err
			}
			steps = min(steps, c.next-c.sum.Steps)
		}
		if err := c.net.Run(ctx, steps, network.Recorder{Spikes: c.record}); err != nil {
			return err
		}
		c.sum.Steps += steps
		if c.cfg.Tick != nil {
			c.cfg.Tick(c.sum.Steps, c.total)
		}
	}
	if c.cfg.Trace != nil {
		return c.trace()
	}
	return nil
}

// record takes spikes in the order of their times.
func (c *coupled) record(spikes []network.Spike) error {
	c.spikes = c.spikes[:0]
	for _, q := range spikes {
		t := c.time(0, kernels.Event{Step: 0, Theta: float64(q.Step) + q.Theta})
		c.spikes = append(c.spikes, Spike{t, int64(q.Neuron)})
		if c.trains.Len() == 0 {
			continue
		}
		i := int(q.Neuron)
		if tail := &c.trains.tails[i]; tail.kept < 2 {
			c.trains.heads[i].begin(tail, t, c.cfg.From)
		} else {
			tail.add(t)
		}
		c.trains.note(i)
	}
	c.sum.Spikes += int64(len(spikes))
	if c.cfg.Spike == nil || len(spikes) == 0 {
		return nil
	}
	return c.hand(c.spikes)
}

// trace passes on the states at the present step if it is one of the trace.
func (c *coupled) trace() error {
	every := c.every()
	if c.sum.Steps%every != 0 {
		return nil
	}
	c.next = c.sum.Steps + every
	y := make([]float64, len(c.spec.Init))
	for _, i := range c.cfg.Trace.Of {
		c.net.State(int(i), y)
		if err := c.cfg.Trace.Row(float64(c.sum.Steps)*c.dt, i, y); err != nil {
			return err
		}
	}
	return nil
}
