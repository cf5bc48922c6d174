package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/network"
	"popsim/network/description"
	"popsim/sched"
)

// Network is a network of the library with its settings.
type Network struct {
	Title    string                // of its row
	Name     string                // in the library
	Settings []description.Setting // that make it smaller
	Large    bool                  // takes long or gigabytes: measured only if Selection.Rows names it
	OnGrid   bool
	ISA      kernels.ISA
	Workers  int
}

// networks are those of which there are rows. The first is the only one of quick rows.
var networks = []Network{
	{
		Title:    "brunel-tenth",
		Name:     "brunel",
		Settings: []description.Setting{{Name: "N_E", Text: "1000"}, {Name: "J", Text: "1mV"}},
	},
	{Title: "brunel", Name: "brunel"},
	{Title: "cuba", Name: "cuba"},
	{Title: "coba", Name: "coba"},
	{
		Title:    "coba-40000",
		Name:     "coba",
		Settings: []description.Setting{{Name: "N_E", Text: "32000"}, {Name: "P", Text: "0.002"}},
		Large:    true,
	},
	{Title: "cobahh", Name: "cobahh"},
	{Title: "hpc", Name: "hpc", Large: true},
	{Title: "hpc-fifth", Name: "hpc", Settings: []description.Setting{{Name: "scale", Text: "0.2"}}, Large: true},
	{Title: "microcircuit-tenth", Name: "microcircuit", Settings: []description.Setting{{Name: "scale", Text: "0.1"}}},
	{
		Title:    "microcircuit-dc",
		Name:     "microcircuit",
		Settings: []description.Setting{{Name: "dc", Text: "1"}},
		Large:    true,
	},
}

// RowName is the name of the network's row, after "BenchmarkNetwork/".
func (n Network) RowName() string {
	spikes := "inside"
	if n.OnGrid {
		spikes = "grid"
	}
	return fmt.Sprintf("network=%s/spikes=%s/isa=%v/workers=%d", n.Title, spikes, n.ISA, n.Workers)
}

// Networks lists those of a selection, on the widest instruction set or the requested one, with one worker and with as
// many as possible. A selection of models has none.
func (q Selection) Networks() (list []Network) {
	if len(q.Models) > 0 {
		return nil
	}
	isa := q.ISA
	if isa == kernels.Auto {
		isa = kernels.Available()[0]
	}
	all := networks
	if q.Quick {
		all = all[:1]
	}
	for _, n := range all {
		for _, onGrid := range []bool{true, false} {
			for _, workers := range slices.Compact([]int{1, sched.Allowed()}) {
				n.OnGrid, n.ISA, n.Workers = onGrid, isa, workers
				if q.includes(n.RowName()) && (q.Rows != nil || !n.Large) {
					list = append(list, n)
				}
			}
		}
	}
	return list
}

// A network is measured in laps of whole epochs after a start. The result is the lowest tenth of their times: the
// fastest may have had few spikes, and slow ones are disturbed by other processes.
const (
	networkStart   = 100.0 // ms
	networkStretch = 15.0  // ms
	leastStretches = 5
	networkLap     = 15 // least steps of a lap: reading the processor time costs as much as a small epoch
)

// lap is when some steps began: by the clock, by the processor time in ns, and by their number.
type lap struct {
	at        time.Time
	processor float64
	steps     int64
}

// networkWork is the measured cost of a network.
type networkWork struct {
	Stretches int
	Clock     []float64 // ns by the clock for a ms of each lap, in ascending order
	Processor []float64 // the same of all processors
	Build     time.Duration
	Spikes    int
	Dt        float64
	Summary   network.Summary
	Mean      meanWork
	Laps      []network.EpochTime // means of epochs, their ranges one after the other, in ascending order of time
}

// meanWork is what a second of a network takes on average over many steps: unlike the lowest tenth it stands for the
// mean activity, and for other work on the machine too.
type meanWork struct {
	Clock, Processor float64 // s
	Usual            float64 // Clock without the slowest tenth of the stretches
	Spikes           float64
}

// measureNetwork builds a network and runs it for a time of the clock.
func measureNetwork(ctx context.Context, n Network, budget time.Duration) (w networkWork, err error) {
	d, err := description.Lookup(n.Name)
	if err != nil {
		return w, err
	}
	res, err := d.Resolve(description.Options{Settings: n.Settings, OnGrid: n.OnGrid})
	if err != nil {
		return w, err
	}
	begin := time.Now()
	net, err := res.Build(ctx, network.Config{Workers: n.Workers, ISA: n.ISA})
	if err != nil {
		return w, err
	}
	defer net.Close()
	w.Build, w.Dt, w.Summary = time.Since(begin), res.Spec.Dt, net.Summary()
	if err := net.Run(ctx, int64(networkStart/w.Dt), network.Recorder{}); err != nil {
		return w, err
	}
	var begun lap
	rec := network.Recorder{
		Spikes: func(block []network.Spike) error {
			w.Spikes += len(block)
			return nil
		},
		Progress: func(steps int64) error {
			if begun.at.IsZero() {
				begun = lap{time.Now(), processorTime(), steps}
			} else if done := steps - begun.steps; done >= networkLap {
				now, ms := lap{time.Now(), processorTime(), steps}, float64(done)*w.Dt
				w.Clock = append(w.Clock, float64(now.at.Sub(begun.at).Nanoseconds())/ms)
				w.Processor = append(w.Processor, (now.processor-begun.processor)/ms)
				begun = now
			}
			return nil
		},
	}
	for begin := time.Now(); w.Stretches < leastStretches || time.Since(begin) < budget; w.Stretches++ {
		begun = lap{}
		if err := net.Run(ctx, int64(math.Round(networkStretch/w.Dt)), rec); err != nil {
			return w, err
		}
	}
	slices.Sort(w.Processor)
	slices.Sort(w.Clock)
	if w.Mean, err = meanOf(ctx, net, w.Dt, budget); err != nil {
		return w, err
	}
	w.Laps, err = timeLaps(net, budget/2)
	return w, err
}

// Means are taken over stretches of this length, at least so many.
const (
	meanStretch = 100.0 // ms
	leastMean   = 3
)

// meanOf runs a network for a time of the clock.
func meanOf(ctx context.Context, net *network.Network, dt float64, budget time.Duration) (m meanWork, err error) {
	rec := network.Recorder{Spikes: func(block []network.Spike) error {
		m.Spikes += float64(len(block))
		return nil
	}}
	begin, processor := time.Now(), processorTime()
	var stretches []float64 // s
	for len(stretches) < leastMean || time.Since(begin) < budget {
		begun := time.Now()
		if err := net.Run(ctx, int64(math.Round(meanStretch/dt)), rec); err != nil {
			return m, err
		}
		stretches = append(stretches, time.Since(begun).Seconds())
	}
	seconds := float64(len(stretches)) * meanStretch / 1000
	m.Clock, m.Processor = time.Since(begin).Seconds()/seconds, (processorTime()-processor)/1e9/seconds
	m.Spikes /= seconds
	slices.Sort(stretches)
	usual := stretches[:max(1, len(stretches)*9/10)]
	for _, s := range usual {
		m.Usual += s / float64(len(usual)) / (meanStretch / 1000)
	}
	return m, nil
}

// timeLaps times epochs of a network for a time of the clock, in laps as in measureNetwork, and returns the mean epoch
// of each, in ascending order of time.
func timeLaps(net *network.Network, budget time.Duration) (laps []network.EpochTime, err error) {
	each := lapEpochs(net)
	for begin := time.Now(); time.Since(begin) < budget || len(laps) < 20; {
		times, err := net.Timed(each)
		if err != nil {
			return nil, err
		}
		laps = append(laps, meanEpoch(times))
	}
	slices.SortFunc(laps, func(a, b network.EpochTime) int { return cmp.Compare(a.Mean, b.Mean) })
	return laps, nil
}

// lapEpochs is the number of epochs of a lap.
func lapEpochs(net *network.Network) int {
	return (networkLap + net.Summary().Epoch - 1) / net.Summary().Epoch
}

// quiet is the lap of the lowest tenth.
func quiet(laps []network.EpochTime) network.EpochTime { return laps[len(laps)/10] }

// meanEpoch is the mean of some epochs.
func meanEpoch(times []network.EpochTime) (m network.EpochTime) {
	n := time.Duration(len(times))
	for _, t := range times {
		m.Busiest, m.Mean, m.Early = m.Busiest+t.Busiest, m.Mean+t.Mean, m.Early+t.Early
		m.Delivery, m.Input, m.Update = m.Delivery+t.Delivery, m.Input+t.Input, m.Update+t.Update
		m.Spikes, m.Events = m.Spikes+t.Spikes, m.Events+t.Events
	}
	m.Busiest, m.Mean, m.Early = m.Busiest/n, m.Mean/n, m.Early/n
	m.Delivery, m.Input, m.Update = m.Delivery/n, m.Input/n, m.Update/n
	m.Spikes, m.Events = m.Spikes/float64(n), m.Events/float64(n)
	for r := range times[0].Ranges {
		sum := time.Duration(0)
		for _, t := range times {
			sum += t.Ranges[r]
		}
		m.Ranges = append(m.Ranges, sum/n)
	}
	return m
}

func (w networkWork) metrics() []metric {
	neurons, edges := float64(w.Summary.Neurons), float64(w.Summary.Edges)
	rate := float64(w.Spikes) / neurons / (float64(w.Stretches) * networkStretch / 1000)
	lowest, processor := math.NaN(), math.NaN() // ns for a ms
	if n := len(w.Clock); n > 0 {
		lowest, processor = w.Clock[n/10], w.Processor[n/10]
	}
	steps := neurons * float64(w.Summary.Epoch)
	part, mean := quiet(w.Laps), meanEpoch(w.Laps)
	var delivery []float64 // ns an event of each lap
	for _, l := range w.Laps {
		delivery = append(delivery, float64(l.Delivery)/l.Events)
	}
	slices.Sort(delivery)
	return []metric{
		{lowest * w.Dt / neurons, "ns/neuron-step"},
		{lowest / (edges * rate / 1000), "ns/synaptic-event"},
		{lowest / 1e6, "s/model-s"},
		{processor / 1e6, "cpu-s/model-s"},
		{rate, "Hz"},
		{float64(w.Build.Nanoseconds()) / edges, "build-ns/synapse"},
		{float64(w.Summary.Bytes) / edges, "B/synapse"},
		{delivery[len(delivery)/10], "delivery-ns/event"},
		{float64(part.Update) / steps, "update-ns/neuron-step"},
		{float64(part.Input) / steps, "input-ns/neuron-step"},
		{w.Mean.Clock, "mean-s/model-s"},
		{w.Mean.Processor, "mean-cpu-s/model-s"},
		{w.Mean.Spikes / neurons, "mean-Hz"},
		{w.Mean.Spikes * mean.Events / mean.Spikes, "events/model-s"},
		{float64(mean.Delivery) / mean.Events, "mean-delivery-ns/event"},
		{float64(mean.Update+mean.Input) / steps, "mean-update-ns/neuron-step"},
	}
}

// seconds is the time by the clock for a second of the network.
func (w networkWork) seconds() float64 {
	if len(w.Clock) == 0 {
		return math.NaN()
	}
	return w.Clock[len(w.Clock)/10] / 1e6
}

// networkRows prints a row for each network; efficiency is the speed per worker over that of one worker. The last row
// is that of a barrier of two workers, with nothing to do.
func (q Selection) networkRows(ctx context.Context, out io.Writer, _ Infof) error {
	list, one := q.Networks(), math.NaN()
	for _, n := range list {
		w, err := measureNetwork(ctx, n, 2*q.budget())
		if err != nil {
			return err
		}
		metrics := w.metrics()
		if n.Workers == 1 {
			one = w.seconds()
		} else if one > 0 {
			metrics = append(metrics, metric{one / (w.seconds() * float64(n.Workers)), "efficiency"})
			one = math.NaN()
		}
		if err := row(out, "BenchmarkNetwork/"+n.RowName(), w.Stretches, metrics); err != nil {
			return err
		}
	}
	const name = "BenchmarkBarrier/workers=2"
	if len(list) == 0 || sched.Allowed() < 2 || !q.includes(name) {
		return nil
	}
	barrier, err := barrierTime(ctx, barrierEpochs)
	if err != nil {
		return err
	}
	return row(out, name, barrierEpochs, []metric{{float64(barrier.Nanoseconds()), "ns/op"}})
}
