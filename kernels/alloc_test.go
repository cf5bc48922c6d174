package kernels

import (
	"testing"

	"popsim/model"
)

// TestAllocations: no kernel allocates once its worker and the slice of events have grown.
func TestAllocations(t *testing.T) {
	const n, steps = 100, 50
	for _, m := range model.All {
		for _, method := range m.Methods {
			for _, isa := range Available() {
				k, err := For(m, method, isa)
				if err != nil {
					t.Fatal(err)
				}
				set := Setting{I: Values{m.Typical.Current}, Gain: Values{1}}
				for _, x := range m.Defaults() {
					set.P = append(set.P, Values{x})
				}
				s, w := k.NewShard(0, n, method.Dt, set), NewWorker()
				for i := range n {
					s.ResetExtrema(i)
				}
				wave, row := make([]float64, steps), make([]float64, steps*n+Group)
				for name, drive := range map[string]Drive{"free": {}, "driven": {Waveform: wave, Row: row, Stride: n}} {
					events := make([]Event, 0, 1<<15)
					first := int64(0)
					got := testing.AllocsPerRun(20, func() {
						events = s.Advance(w, first, steps, drive, name == "driven", events[:0])
						first += steps
					})
					if got != 0 {
						t.Errorf("%s %s on %s, %s: %v allocations in a call", m.Name, method.Name, k.ISA, name, got)
					}
				}
			}
		}
	}
}
