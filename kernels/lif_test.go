package kernels

import (
	"fmt"
	"math"
	"testing"

	"popsim/model"
)

// TestLongCalls: LIF gives the same bits as plain Go in calls of many chunks, where with AVX-512 lanes of different
// rates are ahead of each other by hundreds of steps, some fire in the step in which their refractory period ends, and
// events have room for more or less than all spikes.
func TestLongCalls(t *testing.T) {
	const n, dt = 3*Group + 5, 0.1
	currents := map[string]func(i int) float64{
		"equal":       func(int) float64 { return 24 },
		"apart":       func(i int) float64 { return 15 + 0.5*float64(i%64) },
		"some silent": func(i int) float64 { return []float64{10, 30, 300}[i%3] },
		"some beyond": func(i int) float64 { return []float64{24, 1e5, 24, 40, 24, 24, 24, 2e4, 24, 24, 24}[i%11] },
	}
	for name, current := range currents {
		for _, hold := range []float64{0.35, 1.55, 2, 7.3, 60} { // ms
			for _, isa := range Available() {
				t.Run(fmt.Sprintf("%s/t_ref=%v/isa=%v", name, hold, isa), func(t *testing.T) {
					set := Setting{I: make(Values, n), Gain: Values{1}}
					for i := range n {
						set.I[i] = current(i)
					}
					for _, x := range model.LIFModel.Defaults() {
						set.P = append(set.P, Values{x})
					}
					set.P[model.LIFModel.Index("t_ref")] = Values{hold}
					var shards [2]*Shard
					for j, isa := range []ISA{Go, isa} {
						shards[j] = kernelOn(t, model.LIFModel, model.LIFModel.Methods[0], isa).NewShard(0, n, dt, set)
						for i := range n {
							shards[j].Enter(i, 0, []float64{20 * float64(i) / n})
						}
					}
					first := int64(0)
					for _, steps := range []int{700, 3, 1100, 2300} {
						var events [2][]Event
						for j, s := range shards {
							events[j] = s.Advance(NewWorker(), first, steps, Drive{}, false, make([]Event, 0, 100*j))
						}
						if where := difference(shards, events); where != "" {
							t.Fatalf("%d steps from %d on: %s", steps, first, where)
						}
						first += int64(steps)
					}
				})
			}
		}
	}
}

// TestLongDrives: a driven LIF without extrema gives the same bits as plain Go in calls of many chunks, with waveforms
// above V_th, below it and across, of shared and own parameters, and with rows.
func TestLongDrives(t *testing.T) {
	const n, dt, longest = 2*Group + 9, 0.1, 2300
	waves := map[string]func(k int) float64{
		"above":  func(k int) float64 { return 30 + 5*math.Sin(0.01*float64(k)) },
		"below":  func(k int) float64 { return 12 + 5*math.Sin(0.01*float64(k)) },
		"across": func(k int) float64 { return 22 + 20*math.Sin(0.02*float64(k)) },
		"noise":  func(k int) float64 { return 22 + 300*math.Sin(float64(k*k)) },
		"beyond": func(k int) float64 { return []float64{24, 1e5, 24}[k/50%3] },
	}
	for name, wave := range waves {
		for _, hold := range []float64{0.35, 1.55, 1.75, 2, 5.05, 20, 60} { // ms
			for _, own := range []string{"none", "currents", "all"} {
				for _, isa := range Available() {
					t.Run(fmt.Sprintf("%s/t_ref=%v/own=%v/isa=%v", name, hold, own, isa), func(t *testing.T) {
						apart := func(x, each float64, varies bool) (v Values) {
							for i := 0; i == 0 || varies && i < n; i++ {
								v = append(v, x+each*float64(i))
							}
							return v
						}
						set := Setting{I: apart(0, 0.01, own != "none"), Gain: Values{1}}
						for _, x := range model.LIFModel.Defaults() {
							set.P = append(set.P, apart(x, 1e-3*x, own == "all"))
						}
						set.P[model.LIFModel.Index("t_ref")] = apart(hold, 1e-3, own == "all")
						var shards [2]*Shard
						for j, isa := range []ISA{Go, isa} {
							shards[j] = kernelOn(t, model.LIFModel, model.LIFModel.Methods[0], isa).NewShard(0, n, dt, set)
							for i := range n {
								shards[j].Enter(i, 0, []float64{20 * float64(i) / n})
							}
						}
						first := 0
						for call, steps := range []int{700, 3, 1100, 15, 200, longest} {
							drive := Drive{Waveform: make([]float64, steps)}
							for k := range drive.Waveform {
								drive.Waveform[k] = wave(first + k)
							}
							if call == 3 || call == 4 {
								drive.Row, drive.Stride = make([]float64, steps*3*Group), 3*Group
								for j := range drive.Row {
									drive.Row[j] = math.Sin(float64(j))
								}
							}
							var events [2][]Event
							for j, s := range shards {
								events[j] = s.Advance(NewWorker(), int64(first), steps, drive, false, make([]Event, 0, 100*j))
							}
							if where := difference(shards, events); where != "" {
								t.Fatalf("%d steps from %d on: %s", steps, first, where)
							}
							first += steps
						}
					})
				}
			}
		}
	}
}
