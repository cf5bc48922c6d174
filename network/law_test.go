package network

import (
	"fmt"
	"math"
	"testing"
)

// TestPairsAreEquallyLikely holds the number of edges of each pair of neurons, over many seeds, to the law of its rule:
// pools that overlap in part, so that autapses count, with and without multapses.
func TestPairsAreEquallyLikely(t *testing.T) {
	const n, seeds = 10, 400
	from, to := []Part{{0, 0, n}}, []Part{{0, 4, 6}, {1, 0, n}} // six neurons are in both pools
	self := func(pre, post int) bool { return post < 6 && pre == post+4 }
	for name, rule := range map[string]Rule{
		"in-degree": InDegree{6}, "out-degree": OutDegree{5}, "probability": Probability{0.3}, "total": Total{45},
		"dense total": Total{110},
	} {
		for excluded := range 4 {
			p := Projection{Rule: rule, NoAutapses: excluded&1 != 0, NoMultapses: excluded&2 != 0}
			counts := [n][16]float64{}
			for seed := range seeds {
				s := pairOf(n, p)
				s.Projections[0].From, s.Projections[0].To, s.Seed = from, to, uint64(seed)
				net, err := Build(t.Context(), s, Config{Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				net.Edges(func(_, pre, post int, _, _ float64) bool {
					counts[pre][post-4]++
					return true
				})
			}
			sum, pairs := 0.0, 0.0
			for pre := range n {
				for post := range 16 {
					if p.NoAutapses && self(pre, post) {
						if counts[pre][post] > 0 {
							t.Errorf("%s: an autapse", name)
						}
						continue
					}
					mean, variance := p.ofPair(pre, post, n, 16)
					sum += (counts[pre][post] - seeds*mean) * (counts[pre][post] - seeds*mean) / (seeds * variance)
					pairs++
				}
			}
			if z := (sum - pairs) / math.Sqrt(2*pairs); math.Abs(z) > fourSigma {
				t.Errorf("%s, autapses %t, multapses %t: numbers of edges of pairs are %.2g standard deviations from their law",
					name, !p.NoAutapses, !p.NoMultapses, z)
			}
		}
	}
}

// ofPair is the mean and variance of the number of edges of a pair in TestPairsAreEquallyLikely.
func (p *Projection) ofPair(pre, post, from, to int) (mean, variance float64) {
	sources, targets, pairs := float64(from), float64(to), float64(from*to)
	if p.NoAutapses {
		pairs -= 6
		if post < 6 {
			sources--
		}
		if pre >= 4 {
			targets--
		}
	}
	draws, q := 1.0, 0.0
	switch r := p.Rule.(type) {
	case Probability:
		q = r.P
	case InDegree:
		draws, q = float64(r.K), 1/sources
	case OutDegree:
		draws, q = float64(r.K), 1/targets
	case Total:
		draws, q = float64(r.N), 1/pairs
	}
	if p.NoMultapses {
		q *= draws
		return q, q * (1 - q)
	}
	return draws * q, draws * q * (1 - q)
}

// TestDegreesWithoutMultapses holds the scatter of degrees to that of draws without replacement.
func TestDegreesWithoutMultapses(t *testing.T) {
	const n, k = 500, 50
	for name, c := range map[string]struct {
		rule    Rule
		mean    float64
		out, in float64 // variances; 0: all are equal
	}{
		"in-degree":   {InDegree{k}, k, k * (1 - float64(k)/n), 0},
		"out-degree":  {OutDegree{k}, k, 0, k * (1 - float64(k)/n)},
		"total":       {Total{n * k}, k, k * (1 - 1.0/n) * (n - k) / n, k * (1 - 1.0/n) * (n - k) / n},
		"dense total": {Total{n * (n - k)}, n - k, k * (1 - 1.0/n) * (n - k) / n, k * (1 - 1.0/n) * (n - k) / n},
	} {
		out, in, edges := degrees(t, n, Projection{Rule: c.rule, NoMultapses: true})
		if edges != int(n*c.mean) {
			t.Errorf("%s: %d edges; want %g", name, edges, n*c.mean)
		}
		for _, side := range []struct {
			name     string
			x        []float64
			variance float64
		}{{"sources", out, c.out}, {"targets", in, c.in}} {
			if side.variance == 0 {
				continue // TestDegreesFollowTheRules
			}
			if z := dispersion(side.x, c.mean, side.variance); math.Abs(z) > fourSigma {
				t.Errorf("%s: degrees of %s are %.2g standard deviations from their law", name, side.name, z)
			}
		}
	}
}

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// cdf is the probability that a law without bounds gives at most x.
func (d *Draw) cdf(x float64) float64 {
	switch d.Kind {
	case Normal:
		return normalCDF((x - d.A) / d.B)
	case Lognormal:
		s2 := math.Log1p(d.B * d.B / d.A / d.A)
		if x <= 0 {
			return 0
		}
		return normalCDF((math.Log(x/d.A) + s2/2) / math.Sqrt(s2))
	}
	return min(1, max(0, (x-d.A)/(d.B-d.A)))
}

// bounded is the probability that a law gives at most x, or less than x.
func (d *Draw) bounded(x float64, less bool) float64 {
	f := d.cdf
	if r := d.Redraw; r != nil {
		all := d.cdf(r[1]) - d.cdf(r[0])
		f = func(x float64) float64 { return min(1, max(0, (d.cdf(x)-d.cdf(r[0]))/all)) }
	}
	if c := d.Clip; c != nil {
		switch {
		case x < c[0] || x == c[0] && less:
			return 0
		case x > c[1] || x == c[1] && !less:
			return 1
		}
	}
	return f(x)
}

// TestNumbersFollowTheirLaws compares 40,000 weights and as many delays of each law with it, in bins and at the bounds.
func TestNumbersFollowTheirLaws(t *testing.T) {
	const bins = 20
	for _, kind := range []Draw{{Kind: Normal, A: 2, B: 1}, {Kind: Lognormal, A: 2, B: 1}, {Kind: Uniform, A: 0.3, B: 4}} {
		for _, bounds := range []string{"redraw", "clip"} {
			d := kind
			b := &[2]float64{0.5, 3.5}
			if bounds == "redraw" {
				d.Redraw = b
			} else {
				d.Clip = b
			}
			net, err := Build(t.Context(), pairOf(200, Projection{Rule: AllToAll{}, Weight: d, Delay: d}), Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			var weights, delays []float64
			net.Edges(func(_, _, _ int, w, d float64) bool {
				weights, delays = append(weights, w), append(delays, d)
				return true
			})
			for name, x := range map[string][]float64{"weights": weights, "delays": delays} {
				// A bin for each bound, and equal ones between them.
				counts := make([]float64, bins+2)
				for _, v := range x {
					switch {
					case v == b[0]:
						counts[0]++
					case v == b[1]:
						counts[bins+1]++
					default:
						counts[1+int(bins*(v-b[0])/(b[1]-b[0]))]++
					}
				}
				sum, cells := 0.0, 0.0
				for i, c := range counts {
					at := func(j int) float64 { return b[0] + (b[1]-b[0])*float64(j)/bins }
					p := 0.0
					switch i {
					case 0:
						p = d.bounded(b[0], false) - d.bounded(b[0], true)
					case bins + 1:
						p = d.bounded(b[1], false) - d.bounded(b[1], true)
					case bins:
						p = d.bounded(b[1], true) - d.bounded(at(i-1), false)
					default:
						p = d.bounded(at(i), false) - d.bounded(at(i-1), false)
					}
					if e := p * float64(len(x)); e > 0 {
						sum += (c - e) * (c - e) / e
						cells++
					} else if c > 0 {
						t.Errorf("%v, %s, %s: %g numbers in cell %d, where none can be", kind, bounds, name, c, i)
					}
				}
				if z := (sum - (cells - 1)) / math.Sqrt(2*(cells-1)); math.Abs(z) > fourSigma {
					t.Errorf("%v, %s, %s: chi-squared is %.2g standard deviations from its mean", kind, bounds, name, z)
				}
			}
		}
	}
}

// TestRoundedDelaysFollowTheirLaws compares the numbers of whole steps of rounded delays, which are drawn by a table,
// with their law: redrawn and clipped delays differ where the bounds cut.
func TestRoundedDelaysFollowTheirLaws(t *testing.T) {
	const n, round = 200, 0.1
	for _, clip := range []bool{false, true} {
		d := Draw{Kind: Normal, A: 1.5, B: 0.75, Round: round}
		if clip {
			d.Clip = &[2]float64{0.1, 4}
		} else {
			d.Redraw = &[2]float64{0.05, 4.05}
		}
		net, err := Build(t.Context(), pairOf(n, Projection{Rule: AllToAll{}, Delay: d}), Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]float64, 42)
		net.Edges(func(_, _, _ int, _, delay float64) bool {
			counts[int(math.Round(delay/round))]++
			return true
		})
		sum, cells := 0.0, 0.0
		for k, c := range counts {
			lo, hi := (float64(k)-0.5)*round, (float64(k)+0.5)*round
			e := n * n * (d.bounded(hi, false) - d.bounded(lo, false))
			if e < 1 {
				if c > 10 {
					t.Errorf("clip %t: %g delays of %d steps; want %.2g", clip, c, k, e)
				}
				continue
			}
			sum += (c - e) * (c - e) / e
			cells++
		}
		if z := (sum - (cells - 1)) / math.Sqrt(2*(cells-1)); math.Abs(z) > fourSigma {
			t.Errorf("clip %t: chi-squared is %.2g standard deviations from its mean: %s", clip, z, fmt.Sprint(counts))
		}
	}
}
