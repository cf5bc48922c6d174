//go:build !purego

package asm

import (
	"math"
	"slices"
	"testing"
	"time"
)

// hhDemoTwin is one step of HHDemo for one neuron.
func hhDemoTwin(v, m, h, n *float64, p []float64) {
	fma := math.FMA
	sum := func(p, q float64) float64 { return fma(p, q, p+q) }
	c := [11]float64{
		1, 1, 0x1.fffffffffffecp-2, 0x1.5555555554f69p-3, 0x1.555555555b3f7p-5, 0x1.111111140b74ep-7,
		0x1.6c16c149b5292p-10, 0x1.a019e1ba973f2p-13, 0x1.a01a99380a44cp-16, 0x1.7269d60d7f7a2p-19, 0x1.2726a6898a2f1p-22,
	}
	u := *v
	if -200 > u {
		u = -200
	}
	if 120 < u {
		u = 120
	}
	u = fma(u, -1.0/720, -1.0/18)
	nm, nn, z := float64(u*72), fma(-u, 72, 1.5), float64(u*u)
	even := fma(fma(fma(fma(z, c[10], c[8]), z, c[6]), z, c[4]), z, c[2])
	odd := fma(fma(fma(z, c[9], c[7]), z, c[5]), z, c[3])
	p1 := fma(fma(odd, u, even), z, u)
	p2 := sum(p1, p1)
	p4 := sum(p2, p2)
	p8 := sum(p4, p4)
	p9 := sum(p8, p1)
	p18 := sum(p9, p9)
	p36 := sum(p18, p18)
	p40 := sum(p36, p4)
	dm := sum(p36, p36)
	const e05, e15 = 0x1.a61298e1e069cp+0, 0x1.c8f87724b5c1dp-3
	const b1, a1, b2 = 4 * 0x1.feac5eef1220ap-3, 0x1.48962cd252fb5p-6, 0x1.769652df22f7ep-4
	bm, ah, bn, dh := fma(p40, b1, b1), fma(p36, a1, a1), fma(p9, b2, b2), fma(dm, e05, 1+e05)
	dn := fma(-dm, 10*e15, 10-10*e15)
	if math.Abs(nn) < 1.0/128 {
		dn = float64(fma(fma(fma(fma(nn, 10.0/120, -10.0/24), nn, 10.0/6), nn, -5), nn, 10) * nn)
	}
	gNa, gK, gL, eNa, eK, drive, dt, half := p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
	sm, sn, sh := fma(bm, dm, nm), fma(bn, dn, nn), fma(ah, dh, 1)
	im, in, ih := fma(sm, half, dm), fma(sn, half, dn), fma(sh, half, dh)
	t := float64(im * in)
	w := 1 / float64(t*ih)
	t, w = float64(w*t), float64(w*ih)
	im, in, ih = float64(w*in), float64(w*im), t
	*m = fma(float64(fma(-sm, *m, nm)*im), dt, *m)
	*n = fma(float64(fma(-sn, *n, nn)*in), dt, *n)
	*h = fma(float64(fma(-sh, *h, sh-1)*ih), dt, *h)
	x := float64(float64(*m**m) * float64(float64(*m**h)*gNa))
	y := float64(*n * *n)
	y = float64(float64(y*y) * gK)
	g := x + y + gL
	a := fma(x, eNa, fma(y, eK, drive))
	*v = fma(fma(-g, *v, a)/fma(g, half, 1), dt, *v)
}

func hhDemoState(n, lanes int) (s [5][]float64, par []float64) {
	v := golden(n, -65, -45)
	for j, x := range []float64{0, 0.053, 0.596, 0.318, 0} {
		s[j] = golden(n, x, x)
	}
	copy(s[0], v)
	par = golden(9*lanes, 0, 0)
	const dt = 0.02
	for j, x := range []float64{120, 36, 0.3, 50, -77, 0.3*-54.387 + 7, dt, dt / 2, 0} {
		for l := range lanes {
			par[j*lanes+l] = x
		}
	}
	return s, par
}

func TestHHDemo(t *testing.T) {
	const n, steps = 768, 2000
	for _, k := range hhDemos {
		lanes := map[string]int{"avx2": 4, "avx512": 8}[k.isa]
		s, par := hhDemoState(n, lanes)
		want := s
		for j := range s {
			want[j] = slices.Clone(s[j])
		}
		run := func(steps int) {
			k.f(&HHDemoBlock{V: &s[0][0], M: &s[1][0], H: &s[2][0], N: &s[3][0], Count: &s[4][0], Par: &par[0], Groups: n / lanes / k.g, Steps: steps})
		}
		p := make([]float64, 9)
		for j := range p {
			p[j] = par[j*lanes]
		}
		n := n / lanes / k.g * lanes * k.g
		run(steps)
		for i := range n {
			for range steps {
				hhDemoTwin(&want[0][i], &want[1][i], &want[2][i], &want[3][i], p)
			}
			for j := range 4 {
				if math.Float64bits(s[j][i]) != math.Float64bits(want[j][i]) {
					t.Fatalf("%s: i=%d state %d = %v, want %v", k.isa, i, j, s[j][i], want[j][i])
				}
			}
		}
		best := time.Hour
		for range 400 {
			start := time.Now()
			run(100)
			best = min(best, time.Since(start))
		}
		ns := float64(best.Nanoseconds()) / 100 / float64(n)
		t.Logf("%s %s %.4f ns/step, spikes %d", k.isa, k.name, ns, math.Float64bits(s[4][0]))
	}
}
