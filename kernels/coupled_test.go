package kernels

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"popsim/kernels/asm"
	"popsim/rng"
)

// coupled is a group that takes every way through a kernel of conductances: lanes that are held, resting, about to
// fire, stiff, with states far outside and not numbers. Coefficients are those of a cell of 200 pF and 10 nS or the
// like.
func (f *filler) coupled() *asm.CoupledBlock {
	b := &asm.CoupledBlock{
		Coef: new(asm.CoupledCoefs), Now: 7, Dt: 0.025, Half: 0.0125, Sixth: 0.025 / 6, Tilt: 0.025 * 0.025 / 12,
		Mg: 1 / 3.57, Cut: 2, Stiff: 1,
	}
	fill := func(c *asm.Column, low, high float64) { copy(c[:], f.column(Group, low, high)) }
	for _, c := range []*asm.Column{&b.M, &b.H, &b.N} {
		fill(c, 0, 1)
	}
	fill(&b.V, -90, -20)
	fill(&b.G, 0, 2)
	fill(&b.J, -150, 50)
	fill(&b.Up, -50, 150)
	fill(&b.NMDA, 0, 1)
	fill(&b.NMDAJ, -10, 10)
	for _, c := range []*asm.Column{&b.GTilt, &b.JTilt, &b.NMDATilt, &b.NMDAJTilt} {
		fill(c, -0.1, 0.1)
	}
	for i := range Group {
		b.Free[i], b.Level[i] = math.Floor(6+3*f.number()), -20
		if f.number() < 0.3 {
			b.Level[i] = math.Inf(1)
		}
	}
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, 0, 120, -200, -40, -55} {
		b.V[5*i] = v
	}
	b.G[7], b.G[11], b.G[13], b.NMDA[17], b.V[7] = 1e4, 1e12, math.Inf(1), 1e8, -60
	c := b.Coef
	fill(&c.Per, 0.5, 1.5)
	fill(&c.Rate, 0.05, 0.3)
	fill(&c.Drive, -20, -3)
	fill(&c.VTh, -30, -20)
	fill(&c.Near, -50, -40)
	fill(&c.VT, -60, -50)
	fill(&c.PerDelta, 0.3, 1)
	fill(&c.Sharp, 0.1, 0.3)
	fill(&c.A, 0, 4)
	fill(&c.VRest, -75, -65)
	fill(&c.WRate, 0.001, 0.1)
	fill(&c.Na, 80, 120)
	fill(&c.K, 20, 40)
	fill(&c.ENa, 40, 60)
	fill(&c.EK, -90, -70)
	fill(&c.Shift, -0.08, -0.06)
	fill(&c.Sum, 0.8, 0.9)
	return b
}

// bits are those of all columns and masks of a block; any NaN counts as any other.
func coupledBits(b *asm.CoupledBlock) (bits []uint64) {
	v := reflect.ValueOf(b).Elem()
	for i := range v.NumField() {
		if c, ok := v.Field(i).Addr().Interface().(*asm.Column); ok {
			for _, x := range c {
				if math.IsNaN(x) {
					x = math.NaN()
				}
				bits = append(bits, math.Float64bits(x))
			}
		}
	}
	for _, x := range b.Done {
		bits = append(bits, uint64(x))
	}
	return bits
}

// TestCoupledKernels: every instruction set leaves the same bits, some lanes are finished and some are not, those whose
// state is NaN are not, and no kernel allocates.
func TestCoupledKernels(t *testing.T) {
	rounds := 50
	for k := NoCoupled + 1; k < coupledCount; k++ {
		for round := range rounds {
			var want []uint64
			for _, isa := range append([]ISA{Go}, Available()...) {
				f := &filler{s: rng.NewStream(uint64(round), fmt.Sprint("coupled", int(k)))}
				b := f.coupled()
				Coupled(isa, k, b)
				got := coupledBits(b)
				if want == nil {
					want = got
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("kernel %d: %v gives other bits than plain Go", k, isa)
				}
				complete := 0
				for l := range Group {
					done := b.Done[l/8]>>(l%8)&1 != 0
					if done {
						complete++
					}
					if done && (math.IsNaN(b.NextV[l]) || math.IsInf(b.NextV[l], 1)) {
						t.Fatalf("kernel %d, %v: lane %d is done with V = %g mV", k, isa, l, b.NextV[l])
					}
				}
				if complete == 0 || complete == Group {
					t.Errorf("kernel %d, %v: %d lanes of %d are done", k, isa, complete, Group)
				}
			}
		}
		for _, isa := range Available() {
			f := &filler{s: rng.NewStream(1, "coupled")}
			b := f.coupled()
			if n := testing.AllocsPerRun(10, func() { Coupled(isa, k, b) }); n != 0 {
				t.Errorf("kernel %d, %v: %g allocations in a call", k, isa, n)
			}
		}
	}
}
