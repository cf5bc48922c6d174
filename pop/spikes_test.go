package pop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"popsim/kernels"
)

// tossed is a population whose shards hold events of an epoch as kernels leave them, a lane after the other: theta
// draws the place within a step.
func tossed(shards, events, length int, theta func(r *rand.Rand) float64) *Population {
	r := rand.New(rand.NewPCG(1, 2))
	pop := &Population{dt: 0.1, first: 123456789, length: length}
	for s := range shards {
		p := &shard{first: 1000 * s}
		for range events / shards {
			p.events = append(p.events, kernels.Event{Lane: r.Int32N(1000), Step: r.Int32N(int32(length)), Theta: theta(r)})
		}
		slices.SortStableFunc(p.events, func(a, b kernels.Event) int { return int(a.Lane - b.Lane) })
		pop.shards = append(pop.shards, p)
	}
	return pop
}

// thetas are where spikes lie in their step: anywhere, on the grid, crowded, and where neighbours round to one time.
var thetas = map[string]func(r *rand.Rand) float64{
	"anywhere": (*rand.Rand).Float64,
	"grid":     func(*rand.Rand) float64 { return 1 },
	"crowded":  func(r *rand.Rand) float64 { return 0.25 + 1e-3*r.Float64() },
	"rounded":  func(r *rand.Rand) float64 { return 0.5 - float64(r.IntN(3))*1e-9 },
	"ends":     func(r *rand.Rand) float64 { return float64(r.IntN(2)) },
}

// Spikes come by time, then by neuron, none is lost, and a second epoch finds nothing of the first.
func TestSpikesInOrder(t *testing.T) {
	for name, theta := range thetas {
		for _, events := range []int{0, 1, 5, 3000} {
			c := tossed(5, events, 7, theta)
			want := []Spike{}
			for _, s := range c.shards {
				for _, e := range s.events {
					want = append(want, Spike{c.time(c.first, e), int64(s.first) + int64(e.Lane)})
				}
			}
			slices.SortFunc(want, func(a, b Spike) int {
				if a.Time != b.Time {
					return map[bool]int{true: -1, false: 1}[a.Time < b.Time]
				}
				return int(a.Neuron - b.Neuron)
			})
			for range 2 {
				if got := c.sorted(); !slices.Equal(got, want) {
					t.Errorf("%s, %d events: out of order", name, events)
				}
			}
		}
	}
}

func BenchmarkSpikes(b *testing.B) {
	for _, name := range []string{"anywhere", "grid"} {
		for _, events := range []int{1000, 300000} {
			b.Run(fmt.Sprintf("theta=%s/n=%d", name, events), func(b *testing.B) {
				c := tossed(8, events, 256, thetas[name])
				for b.Loop() {
					c.sorted()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(events), "ns/spike")
			})
		}
	}
}
