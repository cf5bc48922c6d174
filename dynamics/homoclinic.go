package dynamics

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// homoclinicLimit extrapolates the parameter of the cycles in rows, whose period grows without bound towards the last,
// to the infinite period. With the leading eigenvalues -s and u of the saddle near v, cycles of period T lie at mu =
// muH + A exp(-s T) + B exp(-u T) + ..., where the further terms have sums of s and u in the exponent (Shilnikov's map
// x -> mu + a x^(s/u), with x = exp(-u T)). off is the contribution of the last term; ok is false where the saddle has
// no real leading eigenvalues or the rows do not converge to a limit.
func (s *system) homoclinicLimit(rows []Row, v float64) (mu, off float64, ok bool) {
	const (
		mostTerms = 6
		gone      = 25 // exp(-25) is 1e-11
	)
	last := rows[len(rows)-1]
	mu = last.Parameter
	off = math.Inf(1)
	for range 3 { // the eigenvalues are those at the limit
		stable, unstable, saddle := s.leading(mu, v)
		if !saddle {
			return mu, off, false
		}
		var rates []float64
		for j := range mostTerms + 1 {
			for k := range mostTerms + 1 {
				if j+k > 0 {
					rates = append(rates, float64(j)*stable+float64(k)*unstable)
				}
			}
		}
		slices.Sort(rates)
		// Terms of the same rate cannot be distinguished.
		rates = slices.CompactFunc(rates, func(a, b float64) bool { return math.Abs(b-a) < 0.02*b })
		// Terms that have decayed to nothing at the periods used cannot be determined either.
		least := rates[0]
		rates = slices.DeleteFunc(rates, func(x float64) bool { return (x-least)*last.Period/2 > gone })
		off = math.Inf(1)
		before, best := last.Parameter, last.Parameter
		for n := 1; n <= min(mostTerms, len(rates)); n++ {
			x, fits := extrapolate(rows, rates[:n])
			if !fits {
				break
			}
			if d := math.Abs(x - before); d < off {
				off, best = d, x
			}
			before = x
		}
		if math.IsInf(off, 1) {
			return mu, off, false
		}
		mu = best
	}
	return mu, off, true
}

// extrapolate solves mu_k = mu + sum_j A_j exp(-rates[j] T_k) for mu, with as many rows as there are unknowns, spread
// over the last part of the branch, in which the first term falls by a factor of e for every unknown, or as far as
// there are rows that go the same way.
func extrapolate(rows []Row, rates []float64) (mu float64, ok bool) {
	n := len(rates) + 1
	end := rows[len(rows)-1].Period
	first := len(rows) - 1
	for first > 0 && rows[first-1].Period < rows[first].Period && rows[first-1].Period > end/3 {
		first--
	}
	tail := rows[first:]
	span := min(end-tail[0].Period, float64(n-1)/rates[0])
	var picked []Row
	for k := range n {
		want := end - span*float64(k)/float64(n-1)
		nearest := slices.MinFunc(tail, func(a, b Row) int {
			return compareAbs(a.Period-want, b.Period-want)
		})
		if len(picked) > 0 && nearest.Period >= picked[len(picked)-1].Period {
			return 0, false
		}
		picked = append(picked, nearest)
	}
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for k, q := range picked {
		a.Set(k, 0, 1)
		for j, rate := range rates {
			a.Set(k, j+1, math.Exp(-rate*(q.Period-end)))
		}
		b.SetVec(k, q.Parameter-picked[0].Parameter)
	}
	var x mat.VecDense
	if x.SolveVec(a, b) != nil {
		return 0, false
	}
	return picked[0].Parameter + x.AtVec(0), true
}

func compareAbs(a, b float64) int {
	switch a, b = math.Abs(a), math.Abs(b); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// leading finds the saddle nearest to v at the parameter mu and the sizes of its leading eigenvalues: the stable one
// next to zero and the unstable one. saddle is false where these two are not real.
func (s *system) leading(mu, v float64) (stable, unstable float64, saddle bool) {
	s.at(mu)
	equilibria := s.equilibria()
	nearest := math.Inf(1)
	for _, x := range equilibria {
		y := make([]float64, s.dim())
		s.m.Steady(s.p, x, y)
		f := s.classify(y)
		if f.Type != "saddle" || math.Abs(x-v) >= nearest {
			continue
		}
		for _, l := range f.Eigenvalues { // the largest real part first
			if real(l) > 0 {
				unstable, saddle = real(l), imag(l) == 0
				continue
			}
			stable = -real(l)
			saddle = saddle && imag(l) == 0
			break
		}
		nearest = math.Abs(x - v)
	}
	return stable, unstable, saddle && stable > 0 && !math.IsInf(nearest, 1)
}

// homoclinicNote places q, the end of a branch of cycles with the given rows, at the limit of infinite period, and
// notes how well that is known.
func (s *system) homoclinicNote(q *Point, rows []Row) {
	const exact = 1e-8 // relative: smaller uncertainties are not noted
	last, near := rows[len(rows)-1], rows[len(rows)-2]
	if stable, unstable, saddle := s.leading(last.Parameter, q.V); saddle {
		// e^x - 1: the rest is the last step divided by it
		falls := math.Expm1(min(stable, unstable) * (last.Period - near.Period))
		if left := math.Abs(last.Parameter-near.Parameter) / falls; left < exact/10*(1+math.Abs(last.Parameter)) {
			return // at the limit already
		}
	}
	mu, off, ok := s.homoclinicLimit(rows, q.V)
	if !ok || off > math.Abs(last.Parameter-mu) {
		q.Note = fmt.Sprintf("the last cycle, of period %.6g ms; the end is not known more closely", last.Period)
		return
	}
	q.Parameter = mu
	if off > exact*(1+math.Abs(mu)) {
		q.Note = fmt.Sprintf("extrapolated from cycles of up to %.4g ms; known to %.1g", last.Period, off)
	}
	y := make([]float64, s.dim())
	s.at(mu)
	nearest := math.Inf(1)
	for _, x := range s.equilibria() {
		if math.Abs(x-q.V) < nearest {
			nearest = math.Abs(x - q.V)
			s.m.Steady(s.p, x, y)
		}
	}
	if !math.IsInf(nearest, 1) {
		q.V, q.State = y[0], y
	}
}
