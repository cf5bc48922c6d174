package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"testing"
	"time"

	"popsim/kernels/asm"
)

// BenchmarkUpdate is the update of a network of LIF neurons on the grid: a row of arrivals for each step of an epoch,
// jumps of V (also where each neuron has coefficients of its own) or those of an exponential current, and lists of
// spikes by step. The least time of 600 steps counts. bench/peers/update.c does the same work; scripts/update sets them
// side by side.
func BenchmarkUpdate(b *testing.B) {
	for _, isa := range Available() {
		for _, rows := range []string{"jumps", "each", "current"} {
			for _, steps := range []int{1, 5, 15, 50} {
				b.Run(fmt.Sprintf("isa=%s/rows=%s/steps=%d", isa, rows, steps), func(b *testing.B) {
					u := newUpdate(steps, rows)
					least := math.Inf(1)
					for range b.N {
						begin := time.Now()
						for range 600 / steps {
							u.epoch(isa)
						}
						least = min(least, float64(time.Since(begin).Nanoseconds())/float64(600/steps*steps*updateLanes))
					}
					b.ReportMetric(least, "ns/neuron-step")
					b.ReportMetric(float64(u.spikes)/(u.first*0.1/1000*updateLanes), "Hz")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

const updateLanes = 2048

// update is the neurons of BenchmarkUpdate: jumps or an exponential current are in use.
type update struct {
	jumps  *asm.LIFRowsBlock
	exp    *asm.LIFExpRowsBlock
	first  float64
	fired  []uint8
	ids    [][]int32 // of the lanes that spiked, by step
	spikes int
}

func newUpdate(steps int, rows string) *update {
	const dt, tau, tauS, n = 0.1, 20, 2, updateLanes
	c := func(n int) []float64 { return make([]float64, n) }
	u := &update{fired: make([]uint8, steps*n/8), ids: make([][]int32, steps)}
	coef := make([]asm.Column, asm.LIFRowsCoefs+1)
	for j, x := range []float64{
		asm.LIFRowsVInf: 24, asm.LIFRowsKeep: -Expm1(-dt / tau), asm.LIFRowsVTh: 20, asm.LIFRowsVReset: 10,
		asm.LIFRowsHold: 20, asm.LIFRowsCoefs: tauS / (tau - tauS) * (Exp(-dt/tau) - Exp(-dt/tauS)),
	} {
		for l := range coef[j] {
			coef[j][l] = x
		}
	}
	v := c(n)
	for l := range v {
		v[l] = 20 * float64(l) / n
	}
	if rows != "current" {
		u.jumps = &asm.LIFRowsBlock{
			Lanes: n, Steps: steps, V: v, Wake: c(n), Coef: coef, Alike: rows == "jumps", Jump: c(steps * n), JumpStride: n,
			Fired: u.fired, FiredStride: n / 8,
		}
		return u
	}
	u.exp = &asm.LIFExpRowsBlock{
		Lanes: n, Steps: steps, V: v, Wake: c(n), Coef: coef, Alike: true, Current: c(n), Decay: Exp(-dt / tauS),
		Row: c(steps * n), RowStride: n, Fired: u.fired, FiredStride: n / 8,
	}
	return u
}

// epoch advances all lanes by the steps of an epoch.
func (u *update) epoch(isa ISA) {
	if u.jumps != nil {
		u.jumps.First = u.first
		LIFRows(isa, u.jumps)
	} else {
		u.exp.First = u.first
		LIFExpRows(isa, u.exp)
	}
	for j := range u.ids {
		ids, fired := u.ids[j][:0], u.fired[j*updateLanes/8:][:updateLanes/8]
		for i := 0; i < len(fired); i += 8 {
			for word := binary.LittleEndian.Uint64(fired[i:]); word != 0; word &= word - 1 {
				ids = append(ids, int32(8*i+bits.TrailingZeros64(word)))
			}
		}
		u.ids[j] = ids
		u.spikes += len(ids)
	}
	u.first += float64(len(u.ids))
}
