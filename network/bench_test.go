//go:build unix

package network

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// processorTime is the time in ns that this process has had on processors.
func processorTime(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// Each iteration is 10 ms; ns/step is processor time for one neuron and step, all included; quiet is its lowest tenth
// over the iterations, which is the time of the program on a machine with other load.
func benchmark(b *testing.B, s *Spec) {
	n, err := Build(b.Context(), s, Config{Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	spikes := 0
	rec := Recorder{Spikes: func(x []Spike) error { spikes += len(x); return nil }}
	if err := n.Run(b.Context(), 2000, rec); err != nil {
		b.Fatal(err)
	}
	spikes = 0
	var times []float64
	b.ResetTimer()
	for range b.N {
		begin := processorTime(b)
		if err := n.Run(b.Context(), 100, rec); err != nil {
			b.Fatal(err)
		}
		times = append(times, processorTime(b)-begin)
	}
	work := 100 * float64(n.Summary().Neurons)
	sum := 0.0
	for _, t := range times {
		sum += t
	}
	slices.Sort(times)
	b.ReportMetric(sum/(float64(b.N)*work), "ns/step")
	b.ReportMetric(times[b.N/10]/work, "quiet-ns/step")
	b.ReportMetric(float64(spikes)/(work/100)/(float64(b.N)*0.01), "Hz")
}

func BenchmarkBrunelOnGrid(b *testing.B) { benchmark(b, brunel(true)) }
func BenchmarkBrunel(b *testing.B)       { benchmark(b, brunel(false)) }
func BenchmarkCUBAOnGrid(b *testing.B)   { benchmark(b, cuba(true)) }
func BenchmarkCUBA(b *testing.B)         { benchmark(b, cuba(false)) }

// BenchmarkLists is the network of Brunel on the grid with lists instead of rows of bits, in the units of rows of
// networks of package bench: scripts/netlimit reads them.
func BenchmarkLists(b *testing.B) {
	given := denseBits
	denseBits = 2
	defer func() { denseBits = given }()
	n, err := Build(b.Context(), brunel(true), Config{Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	const steps, start = 600, 3000 // of an iteration, whole epochs
	if err := n.Run(b.Context(), start, Recorder{}); err != nil {
		b.Fatal(err)
	}
	var parts EpochTime
	clock, processor := 0.0, 0.0
	for b.Loop() {
		begin, used := time.Now(), processorTime(b)
		if err := n.Run(b.Context(), steps, Recorder{}); err != nil {
			b.Fatal(err)
		}
		clock, processor = clock+time.Since(begin).Seconds(), processor+(processorTime(b)-used)/1e9
		times, err := n.Timed(int(steps / n.layout.steps))
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range times {
			parts.Delivery, parts.Update, parts.Input = parts.Delivery+t.Delivery, parts.Update+t.Update, parts.Input+t.Input
			parts.Spikes, parts.Events = parts.Spikes+t.Spikes, parts.Events+t.Events
		}
	}
	neurons, done := float64(n.Summary().Neurons), float64(b.N)*steps
	seconds := done * n.layout.spec.Dt / 1000
	b.ReportMetric(clock/seconds, "mean-s/model-s")
	b.ReportMetric(processor/seconds, "mean-cpu-s/model-s")
	b.ReportMetric(parts.Spikes/neurons/seconds, "mean-Hz")
	b.ReportMetric(parts.Events/seconds, "events/model-s")
	b.ReportMetric(float64(parts.Delivery)/parts.Events, "mean-delivery-ns/event")
	b.ReportMetric(float64(parts.Update+parts.Input)/(neurons*done), "mean-update-ns/neuron-step")
}
