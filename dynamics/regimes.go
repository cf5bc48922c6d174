package dynamics

import (
	"context"
	"math"

	"popsim/model"
)

// Regime is what a neuron can settle on at one point of the plane of two parameters.
type Regime struct {
	X, Y   float64
	Rests  int // stable equilibria
	Cycles int // stable cycles
}

// Name is rest, oscillation, bistable (a rest or a cycle, as it started), or none.
func (r Regime) Name() string {
	switch {
	case r.Rests > 0 && r.Cycles > 0:
		return "bistable"
	case r.Cycles > 0:
		return "oscillation"
	case r.Rests > 0:
		return "rest"
	}
	return "none"
}

// Regimes maps what the model can settle on over nx values of x and ny of y, one row of the map after the other, by a
// whole diagram over x for every value of y. Spikes by reset are no cycles: AdEx that fires counts as none.
func Regimes(ctx context.Context, m *model.Model, p []float64, i float64, x, y Free, nx, ny int) ([]Regime, error) {
	var list []Regime
	s := newSystem(m, p, i, y.Name)
	for _, at := range spread(y.Lo, y.Hi, ny) {
		s.at(at)
		d, err := Bifurcation(ctx, m, s.p, s.i, x)
		if err != nil {
			return list, err
		}
		for _, value := range spread(x.Lo, x.Hi, nx) {
			r := Regime{X: value, Y: at}
			r.Rests, r.Cycles = d.settling(value)
			list = append(list, r)
		}
	}
	return list, nil
}

// settling counts the stable equilibria and cycles at one value of the free parameter.
func (d *Diagram) settling(at float64) (rests, cycles int) {
	for _, b := range d.Branches {
		for k := 1; k < len(b.Rows); k++ {
			q, r := b.Rows[k-1], b.Rows[k]
			// A row belongs to the stretch that leaves it, so that none is counted twice; only the last one closes the branch.
			in := at >= min(q.Parameter, r.Parameter) && at <= max(q.Parameter, r.Parameter) && (at != r.Parameter || k == len(b.Rows)-1 && b.To != Closed)
			if !in || q.Parameter == r.Parameter {
				continue
			}
			nearer := q
			if math.Abs(at-r.Parameter) < math.Abs(at-q.Parameter) {
				nearer = r
			}
			switch {
			case !nearer.Stable:
			case b.Kind == Cycle:
				cycles++
			default:
				rests++
			}
		}
	}
	return rests, cycles
}
