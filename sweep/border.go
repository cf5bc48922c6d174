package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// Border is where, along the axis of a curve, the neuron begins to do something else.
type Border struct {
	Axis         string
	Lo, Hi       float64 // the nearest points on the two sides of which it is known what the neuron does
	Below, Above string  // what that is: silent or transient (at rest in the end), firing, stopped, subthreshold, nan
	Error        float64 // how far the second resolution puts the border from here; NaN where it finds none
	Class        int     // of excitability that the rate on the firing side suggests: 1 (from zero), 2 (with a jump), 0 unknown
	Rate         float64 // the lowest sustained rate on the firing side, Hz; NaN where no side fires
}

// At is the border itself, the middle between its neighbours.
func (b Border) At() float64 { return b.Lo + (b.Hi-b.Lo)/2 }

// Uncertainty is half the distance of the neighbours plus the difference of the two resolutions.
func (b Border) Uncertainty() float64 {
	u := (b.Hi - b.Lo) / 2
	if !math.IsNaN(b.Error) {
		u += b.Error
	}
	return u
}

// String tells the border with the digits that are known.
func (b Border) String() string {
	text := fmt.Sprintf("%s = %s: %s below, %s above", b.Axis, b.Digits(), b.Below, b.Above)
	switch b.Class {
	case 1:
		text += fmt.Sprintf("; the rate goes down to %.3g Hz, which suggests class 1 (from zero)", b.Rate)
	case 2:
		text += fmt.Sprintf("; the rate jumps to %.4g Hz, which suggests class 2", b.Rate)
	}
	return text
}

// Digits is the border with one uncertain digit at most.
func (b Border) Digits() string {
	u := b.Uncertainty()
	if !(u > 0) {
		return fmt.Sprintf("%.15g", b.At())
	}
	places := max(0, int(math.Ceil(-math.Log10(2*u))))
	return fmt.Sprintf("%.*f +- %.1g", places, b.At(), u)
}

// splits is how many points are put into a gap at once: lanes are there anyway.
const splits = 7

// mostRefined is the most points that refinement adds.
const mostRefined = 100_000

// Refine adds points to a sweep over a single axis until neighbours that do different things are no more than tol
// apart, in the unit of the axis. Borders closer together than the points given, as a train that begins and ends between two of them, are
// not seen. It returns the sweep with the new points in ascending order, and the borders.
func Refine(ctx context.Context, r *Result, cfg Config, tol float64) (*Result, []Border, error) {
	if len(r.Spec.Grid.Axes) != 1 || r.Spec.From != FromRest {
		return nil, nil, errors.New("sweep: only a curve over one axis, started from rest, can be refined")
	}
	if !(tol > 0) {
		return nil, nil, fmt.Errorf("sweep: a tolerance of %v cannot be reached; above 0 would do", tol)
	}
	cfg.Keep, cfg.Part, cfg.Tick = "", Part{}, nil
	fine, err := sharpen(ctx, r, cfg, tol)
	if err != nil {
		return nil, nil, err
	}
	borders := fine.Borders()
	second := r.Spec
	second.Dt, second.NoError = r.plan.coarse, true
	second.Grid.Axes = []Axis{Values(r.Spec.Grid.Axes[0].Name, r.Spec.Grid.Axes[0].Unit, r.sorted()...)}
	start, err := Run(ctx, second, cfg)
	if err != nil {
		return nil, nil, err
	}
	if start, err = sharpen(ctx, start, cfg, tol); err != nil {
		return nil, nil, err
	}
	others := start.Borders()
	for i := range borders {
		borders[i].Error = math.NaN()
		for _, o := range others {
			if d := math.Abs(o.At() - borders[i].At()); o.Below == borders[i].Below && o.Above == borders[i].Above && !(d > borders[i].Error) {
				borders[i].Error = d
			}
		}
	}
	return fine, borders, nil
}

// sorted lists the values of the one axis in ascending order.
func (r *Result) sorted() []float64 {
	values := r.plan.Grid.Axes[0].All()
	slices.Sort(values)
	return slices.Compact(values)
}

// sharpen adds points between neighbours that do different things until these are no more than tol apart.
func sharpen(ctx context.Context, r *Result, cfg Config, tol float64) (*Result, error) {
	axis := r.plan.Grid.Axes[0]
	for added := 0; ; {
		rows := r.ascending()
		var values []float64
		for i := 1; i < len(rows); i++ {
			lo, hi := r.Axis(rows[i-1], 0), r.Axis(rows[i], 0)
			if r.behaviour(rows[i-1]) == r.behaviour(rows[i]) || hi-lo <= tol {
				continue
			}
			for k := 1; k <= splits; k++ {
				if x := lo + (hi-lo)*float64(k)/(splits+1); x > lo && x < hi {
					values = append(values, x)
				}
			}
		}
		values = slices.Compact(values)
		if len(values) == 0 {
			return r, nil
		}
		if added += len(values); added > mostRefined {
			return nil, fmt.Errorf("sweep: %d borders would need more than %d points; a larger tolerance would do", len(values)/splits, mostRefined)
		}
		spec := r.Spec
		spec.Grid.Axes = []Axis{Values(axis.Name, axis.Unit, values...)}
		more, err := Run(ctx, spec, cfg)
		if err != nil {
			return nil, err
		}
		if r, err = join(r, more); err != nil {
			return nil, err
		}
	}
}

// ascending lists the rows of a curve by their value on the axis.
func (r *Result) ascending() []int {
	rows := make([]int, r.Rows())
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(r.Axis(i, 0), r.Axis(j, 0)) })
	return rows
}

// join puts the rows of two curves together, in ascending order.
func join(a, b *Result) (*Result, error) {
	type source struct {
		r   *Result
		row int
	}
	var rows []source
	for _, r := range []*Result{a, b} {
		for row := range r.Rows() {
			rows = append(rows, source{r, row})
		}
	}
	slices.SortStableFunc(rows, func(x, y source) int {
		return cmp.Compare(x.r.Axis(x.row, 0), y.r.Axis(y.row, 0))
	})
	values := make([]float64, len(rows))
	for i, s := range rows {
		values[i] = s.r.Axis(s.row, 0)
	}
	spec := a.Spec
	axis := a.plan.Grid.Axes[0]
	spec.Grid.Axes = []Axis{Values(axis.Name, axis.Unit, values...)}
	p, err := spec.plan()
	if err != nil {
		return nil, err
	}
	r := newResult(p, 0, p.chains())
	r.Kernel, r.Workers, r.Elapsed, r.LaneSteps, r.Bytes = a.Kernel, a.Workers, a.Elapsed+b.Elapsed, a.LaneSteps+b.LaneSteps, a.Bytes
	for _, s := range []*Result{a, b} {
		r.Sched.Add(s.Sched)
		r.Phases.Add(s.Phases)
	}
	for i, s := range rows {
		for j, c := range r.columns {
			if c != nil {
				c[i] = s.r.columns[j][s.row]
			}
		}
		if r.late != nil {
			r.late[i] = s.r.late[s.row]
		}
		if r.resets != nil {
			r.resets[i] = s.r.resets[s.row]
		}
	}
	return r, nil
}

// slow is a neuron that neither fires twice nor comes to rest while it is watched: too near a border to tell.
const slow = "slow"

// behaviour is what the neuron of a row does.
func (r *Result) behaviour(row int) string {
	switch status := r.Word("status", row); {
	case status == "nan", status == "subthreshold", status == "stopped":
		return status
	case r.Value("rate_Hz", row) > 0:
		return "firing"
	case r.Word("ended", row) != "rest":
		return slow
	case r.Value("spikes", row) == 0:
		return "silent"
	}
	return "transient"
}

// Borders lists where along a curve over one axis the behaviour changes from one point to the next. What is too slow to
// tell belongs to the uncertainty of the border that it lies on.
func (r *Result) Borders() (borders []Border) {
	rows := slices.DeleteFunc(r.ascending(), func(row int) bool { return r.behaviour(row) == slow })
	for i := 1; i < len(rows); i++ {
		b := Border{
			Axis: r.plan.Grid.Axes[0].Name, Lo: r.Axis(rows[i-1], 0), Hi: r.Axis(rows[i], 0),
			Below: r.behaviour(rows[i-1]), Above: r.behaviour(rows[i]), Error: math.NaN(), Rate: math.NaN(),
		}
		switch {
		case b.Below == b.Above:
			continue
		case b.Above == "firing":
			b.Class, b.Rate = r.excitability(rows[i:])
			b.Hi = r.Axis(r.lasting(rows[i:]), 0)
		case b.Below == "firing":
			before := slices.Clone(rows[:i])
			slices.Reverse(before)
			b.Class, b.Rate = r.excitability(before)
			b.Lo = r.Axis(r.lasting(before), 0)
		}
		borders = append(borders, b)
	}
	return borders
}

// lasting is the first of the rows on the firing side of a border whose train does not drift: near a border it may be the
// ghost of a train, which outlasts the run but not for ever. Where all drift, it is the first of them.
func (r *Result) lasting(rows []int) int {
	for _, row := range rows {
		if r.behaviour(row) != "firing" {
			break
		}
		if r.Word("status", row) != "drift" {
			return row
		}
	}
	return rows[0]
}

// Where the rate at the border is less than fromZero of the rate a hundredth of the axis farther on, it seems to come
// from zero.
const (
	fromZero = 0.5
	farther  = 0.01
)

// excitability judges a border from the rows on its firing side, the nearest first.
func (r *Result) excitability(rows []int) (class int, rate float64) {
	all := r.sorted()
	width := all[len(all)-1] - all[0]
	rate = r.Value("rate_Hz", rows[0])
	for _, row := range rows {
		if r.behaviour(row) != "firing" {
			break
		}
		if math.Abs(r.Axis(row, 0)-r.Axis(rows[0], 0)) >= farther*width {
			if rate < fromZero*r.Value("rate_Hz", row) {
				return 1, rate
			}
			return 2, rate
		}
	}
	return 0, rate
}

// Rheobase is the least current at which a neuron with these parameters has no stable rest to stay at, where that is known
// in closed form: lif, eif and adex; NaN for the others. A neuron may fire below it when it starts elsewhere.
func Rheobase(m *model.Model, p []float64) float64 {
	switch m {
	case model.LIFModel:
		q := model.LIFOf(p)
		return (q.VTh - q.VRest) / q.R
	case model.EIFModel:
		q := model.EIFOf(p)
		return (q.VT - q.DeltaT - q.VRest) / q.R
	case model.AdExModel:
		q := model.AdExOf(p)
		gain := 1 + q.A*q.R
		if gain <= 0 {
			return math.NaN()
		}
		if hopf := q.A*q.R - q.Tau/q.TauW; hopf > 0 {
			v := q.VT + q.DeltaT*math.Log(1+q.Tau/q.TauW)
			return (gain*(v-q.VRest) - q.DeltaT*(1+q.Tau/q.TauW)) / q.R
		}
		v := q.VT + q.DeltaT*math.Log(gain)
		return gain * (v - q.VRest - q.DeltaT) / q.R
	}
	return math.NaN()
}
