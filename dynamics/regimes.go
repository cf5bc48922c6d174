package dynamics

import (
	"context"
	"math"
	"slices"

	"popsim/model"
)

// Regime is what a neuron can settle on at one point of the plane of two parameters.
type Regime struct {
	X, Y   float64
	Rests  int // stable equilibria
	Cycles int // stable cycles; of a model that resets 1 where it fires
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

// Regimes maps what the model can settle on over nx values of x and ny of y, one row of the map after the other: by a whole
// diagram over x for every value of y, or, of a model that resets, by its rests and whether it fires, which counts as a
// cycle. The other parameters are p, the input current is i. each may share the rows among workers.
func Regimes(ctx context.Context, m *model.Model, p []float64, i float64, x, y Free, nx, ny int, each Each) ([]Regime, error) {
	rows := make([][]Regime, ny)
	values := spread(y.Lo, y.Hi, ny)
	err := each.do(ny, func(k int) (err error) {
		s := newSystem(m, p, i, y.Name)
		s.at(values[k])
		if m.Fires == model.Reset {
			rows[k], err = s.firingRow(ctx, x, values[k], nx)
		} else {
			rows[k], err = s.cycleRow(ctx, x, values[k], nx)
		}
		return err
	})
	return slices.Concat(rows...), err
}

// cycleRow is the row of the map at the present value y of the second parameter, by a diagram over the first.
func (s *system) cycleRow(ctx context.Context, x Free, y float64, n int) (row []Regime, err error) {
	d, err := Bifurcation(ctx, s.m, s.p, s.i, x)
	if err != nil {
		return nil, err
	}
	for _, value := range spread(x.Lo, x.Hi, n) {
		r := Regime{X: value, Y: y}
		r.Rests, r.Cycles = d.settling(value)
		row = append(row, r)
	}
	return row, nil
}

// firingRow is such a row of a model that resets.
func (s *system) firingRow(ctx context.Context, x Free, y float64, n int) (row []Regime, err error) {
	const turns = 60 // spikes after which a train is believed
	over := newSystem(s.m, s.p, s.i, x.Name)
	for _, value := range spread(x.Lo, x.Hi, n) {
		over.at(value)
		r := Regime{X: value, Y: y}
		f, err := FiringAt(ctx, over.m, over.p, over.i, x.Name, value, turns, 1)
		if err != nil {
			return row, err
		}
		if !f.Silent {
			r.Cycles = 1
		}
		for _, q := range FixedPoints(over.m, over.p, over.i) {
			if q.Stable {
				r.Rests++
			}
		}
		row = append(row, r)
	}
	return row, nil
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
