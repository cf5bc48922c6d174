package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Transition is a value on the axis of a curve at which the behaviour of the neuron changes.
type Transition struct {
	Axis   string
	Lo, Hi float64 // the nearest points below and above it at which the behaviour is known
	// the behaviour there: silent, transient (silent in the end), firing, subthreshold, nan
	Below, Above string
	Error        float64 // distance to the transition at the second resolution; NaN if there is none, or it was not run
	// excitability that the rate suggests where firing begins: 1 (from zero), 2 (with a jump), 0 unknown
	Class int
	Rate  float64 // the rate nearest to the transition on the firing side, Hz; NaN if neither side fires
}

// At returns the transition, the middle of Lo and Hi.
func (b Transition) At() float64 { return b.Lo + float64((b.Hi-b.Lo)/2) }

// Uncertainty returns half the distance of Lo and Hi plus Error.
func (b Transition) Uncertainty() float64 {
	u := float64((b.Hi - b.Lo) / 2)
	if !math.IsNaN(b.Error) {
		u += b.Error
	}
	return u
}

// String returns a line that says what changes where, with the digits that are known.
func (b Transition) String() string {
	text := fmt.Sprintf("%s = %s: %s below, %s above", b.Axis, b.Digits(), b.Below, b.Above)
	switch b.Class {
	case 1:
		text += "; the rate comes from zero, which suggests class 1"
	case 2:
		text += fmt.Sprintf("; the rate jumps to %.4g Hz, which suggests class 2", b.Rate)
	}
	return text
}

// Digits returns the transition with at most one uncertain digit, and its uncertainty, rounded up to one digit, which
// includes the rounding.
func (b Transition) Digits() string {
	u := b.Uncertainty()
	if !(u > 0) {
		return fmt.Sprintf("%.15g", b.At())
	}
	places := max(0, int(math.Ceil(-math.Log10(2*u))))
	unit := math.Pow(10, float64(-places))
	u += math.Abs(float64(math.Round(b.At()/unit)*unit) - b.At())
	digit := math.Pow(10, math.Floor(math.Log10(u)))
	return fmt.Sprintf("%.*f +- %.1g", places, b.At(), math.Ceil(u/digit-1e-6)*digit)
}

// splits is the number of points put between two neighbours at once: as many as lanes would otherwise be idle.
const splits = 7

// mostRefined is the largest number of points that refinement adds.
const mostRefined = 100_000

// extendFactors are the multiples of the time of the sweep for which a point is simulated whose outcome is still open
// after that time. Near a transition everything is slow: a train that is about to end, the ghost of a cycle, a slow
// passage. Only the outcome is taken from the longer run, not its measures.
var extendFactors = []float64{8, 64}

// Refine adds points to a sweep over a single axis until neighbours of different outcome are no more than tol apart, in
// the unit of the axis. Two transitions between the same two given points, as of firing that begins and ends there, are
// not found. It returns the sweep with the new points in ascending order, and the transitions.
func Refine(ctx context.Context, r *Result, cfg Config, tol float64) (*Result, []Transition, error) {
	if len(r.Spec.Grid.Axes) != 1 || r.Spec.From != FromRest {
		return nil, nil, errors.New("sweep: only a curve over one axis, started from rest, can be refined")
	}
	if !(tol > 0) {
		return nil, nil, fmt.Errorf("sweep: a tolerance of %v cannot be reached; above 0 would do", tol)
	}
	cfg.Keep, cfg.Part, cfg.Tick = "", Part{}, nil
	fine := &curve{Result: r, cfg: cfg, outcomes: map[float64]outcome{}}
	if err := fine.refine(ctx, tol); err != nil {
		return nil, nil, err
	}
	second := r.Spec
	second.Dt, second.NoError = r.plan.coarse, true
	second.Grid.Axes = []Axis{Values(r.Spec.Grid.Axes[0].Name, r.Spec.Grid.Axes[0].Unit, fine.sorted()...)}
	start, err := Run(ctx, second, cfg)
	if err != nil {
		return nil, nil, err
	}
	coarse := &curve{Result: start, cfg: cfg, outcomes: map[float64]outcome{}}
	if err := coarse.refine(ctx, tol); err != nil {
		return nil, nil, err
	}
	transitions, others := fine.transitions(), coarse.transitions()
	for i := range transitions {
		b := &transitions[i]
		for _, o := range others {
			if d := math.Abs(o.At() - b.At()); o.Below == b.Below && o.Above == b.Above && !(d > b.Error) {
				b.Error = d
			}
		}
		if err := fine.classify(ctx, b); err != nil {
			return nil, nil, err
		}
	}
	return fine.Result, transitions, nil
}

// sorted lists the values of the one axis in ascending order.
func (r *Result) sorted() []float64 {
	values := r.plan.Grid.Axes[0].All()
	slices.Sort(values)
	return slices.Compact(values)
}

// outcome is what a neuron does in the end: one of these, or a status.
type outcome string

const (
	silent    outcome = "silent"
	transient outcome = "transient"
	firing    outcome = "firing"
	undecided outcome = "undecided" // the run was too short
)

// outcome returns the outcome of a row as far as its run has shown it; open says whether a longer run may show another.
func (r *Result) outcome(row int) (f outcome, open bool) {
	switch status := r.Word("status", row); {
	case status == "nan", status == "subthreshold":
		return outcome(status), false
	case r.Word("ended", row) == "settled":
		return firing, false
	case r.Word("ended", row) == "rest" && r.Value("spikes", row) == 0:
		return silent, false
	case r.Word("ended", row) == "rest":
		return transient, false
	case r.Value("rate_Hz", row) > 0 && status == "ok":
		return firing, true
	}
	return undecided, true
}

// curve is a sweep over one axis in which transitions are located.
type curve struct {
	*Result
	cfg      Config
	outcomes map[float64]outcome // of points that were simulated for longer, by their value on the axis
}

// outcomeOf returns the outcome of a row, from a longer run if there was one, and whether a longer run may show
// another.
func (c *curve) outcomeOf(row int) (f outcome, open bool) {
	if f, ok := c.outcomes[c.Axis(row, 0)]; ok {
		return f, false
	}
	return c.outcome(row)
}

// runAt runs the sweep of the curve at other values of its axis, with a spec that change has changed.
func (c *curve) runAt(ctx context.Context, values []float64, change func(*Spec)) (*Result, error) {
	spec := c.Spec
	axis := c.plan.Grid.Axes[0]
	spec.Grid.Axes = []Axis{Values(axis.Name, axis.Unit, values...)}
	change(&spec)
	return Run(ctx, spec, c.cfg)
}

// extend simulates points for longer that are undecided, or whose outcome is open and differs from that of a neighbour.
func (c *curve) extend(ctx context.Context) error {
	for {
		rows := c.ascending()
		var values []float64
		for i, row := range rows {
			f, open := c.outcomeOf(row)
			differs := func(j int) bool {
				if j < 0 || j >= len(rows) {
					return false
				}
				g, _ := c.outcomeOf(rows[j])
				return g != f
			}
			if open && (f == undecided || differs(i-1) || differs(i+1)) {
				values = append(values, c.Axis(row, 0))
			}
		}
		if values = slices.Compact(values); len(values) == 0 {
			return nil
		}
		for _, factor := range extendFactors {
			longer, err := c.runAt(ctx, values, func(s *Spec) {
				s.Time, s.Discard, s.NoError, s.Late, s.Resets = s.Time*factor, s.Time*factor/2, true, false, false
			})
			if err != nil {
				return err
			}
			values = values[:0]
			for row := range longer.Rows() {
				x := longer.Axis(row, 0)
				f, open := longer.outcome(row)
				if c.outcomes[x] = f; open {
					values = append(values, x)
				}
			}
			if len(values) == 0 {
				break
			}
		}
	}
}

// refine adds points between neighbours of different outcome until these are no more than tol apart, or no more than a
// quarter of the undecided stretch between them.
func (c *curve) refine(ctx context.Context, tol float64) error {
	for added := 0; ; {
		if err := c.extend(ctx); err != nil {
			return err
		}
		var values []float64
		for _, g := range c.gaps(tol) {
			for k := 1; k <= splits; k++ {
				if x := g.lo + float64((g.hi-g.lo)*float64(k)/(splits+1)); x > g.lo && x < g.hi {
					values = append(values, x)
				}
			}
		}
		values = slices.Compact(values)
		if len(values) == 0 {
			return nil
		}
		if added += len(values); added > mostRefined {
			return fmt.Errorf("sweep: %d transitions would need more than %d points; a larger tolerance would do",
				len(values)/splits, mostRefined)
		}
		more, err := c.runAt(ctx, values, func(*Spec) {})
		if err != nil {
			return err
		}
		if c.Result, err = join(c.Result, more); err != nil {
			return err
		}
	}
}

// gaps lists the intervals of the axis in which refine adds points.
func (c *curve) gaps(tol float64) (found []extent) {
	rows := c.ascending()
	width := func(i, step int) float64 { // of the undecided stretch from i on, in the direction of step
		j := i
		for ; j+step >= 0 && j+step < len(rows); j += step {
			if f, _ := c.outcomeOf(rows[j+step]); f != undecided {
				break
			}
		}
		return math.Abs(c.Axis(rows[j], 0) - c.Axis(rows[i], 0))
	}
	for i := 1; i < len(rows); i++ {
		f, _ := c.outcomeOf(rows[i-1])
		g, _ := c.outcomeOf(rows[i])
		least := tol
		switch {
		case f == g:
			continue
		case f == undecided:
			least = max(tol, width(i-1, -1)/4)
		case g == undecided:
			least = max(tol, width(i, 1)/4)
		}
		if gap := (extent{c.Axis(rows[i-1], 0), c.Axis(rows[i], 0)}); gap.hi-gap.lo > least {
			found = append(found, gap)
		}
	}
	return found
}

// ascending lists the rows of a curve in the order of their values on the axis.
func (r *Result) ascending() []int {
	rows := make([]int, r.Rows())
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(r.Axis(i, 0), r.Axis(j, 0)) })
	return rows
}

// join returns the curve with the rows of two curves, in ascending order.
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
	r.Kernel, r.Workers, r.Elapsed, r.LaneSteps, r.Bytes = a.Kernel, a.Workers, a.Elapsed+b.Elapsed,
		a.LaneSteps+b.LaneSteps, a.Bytes
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

// Transitions lists the transitions of a curve over one axis, between neighbouring points of different outcome.
// Undecided points lie between Lo and Hi of a transition.
func (r *Result) Transitions() []Transition { return (&curve{Result: r}).transitions() }

func (c *curve) transitions() (found []Transition) {
	last, before := -1, undecided
	for _, row := range c.ascending() {
		f, _ := c.outcomeOf(row)
		if f == undecided {
			continue
		}
		if last >= 0 && f != before {
			b := Transition{
				Axis: c.plan.Grid.Axes[0].Name, Lo: c.Axis(last, 0), Hi: c.Axis(row, 0),
				Below: string(before), Above: string(f), Error: math.NaN(), Rate: math.NaN(),
			}
			switch firing {
			case f:
				b.Rate = c.Value("rate_Hz", row)
			case before:
				b.Rate = c.Value("rate_Hz", last)
			}
			found = append(found, b)
		}
		last, before = row, f
	}
	return found
}

// The class of excitability follows from the growth of the period towards the transition, at three distances that
// shrink by the same factor q. If a saddle-node lies on the cycle, the period is proportional to the inverse square
// root of the distance, and its second growth is the first times the root of q. If the cycle ends at a threshold or a
// saddle, the period grows as the logarithm, and both growths are equal. If the rate jumps, the second growth is at
// most the first divided by the root of q (at a fold of cycles) or by q.
const (
	classNear  = 30.0 // least distance, in uncertainties of the transition
	classFar   = 0.01 // largest distance, as a part of the axis
	classRatio = 8.0  // largest q
	classLeast = 2.0  // least q; below it the class cannot be decided
	classGrows = -0.2 // the rate comes from zero if the second growth is more than the first times q to this power
	classJumps = -0.3 // the rate jumps if the second growth is less than the first times q to this power
)

// classify sets the class of a transition at which firing begins as the current grows.
func (c *curve) classify(ctx context.Context, b *Transition) error {
	if b.Axis != "I" || b.Above != string(firing) || b.Below != string(silent) && b.Below != string(transient) {
		return nil
	}
	all := c.sorted()
	near := max(classNear*b.Uncertainty(), 1e-9*math.Abs(b.At()))
	far := min(classFar*(all[len(all)-1]-all[0]), near*classRatio*classRatio)
	q := math.Sqrt(far / near)
	if !(q >= classLeast) {
		return nil
	}
	at := []float64{b.At() + float64(near*q*q), b.At() + float64(near*q), b.At() + near}
	r, err := c.runAt(ctx, at, func(s *Spec) {
		s.Time *= extendFactors[1]
		s.Discard, s.NoError, s.Late, s.Resets = s.Time/2, true, false, false
	})
	if err != nil {
		return err
	}
	var period [3]float64
	for i := range period {
		period[i] = 1 / r.Value("rate_Hz", i)
	}
	first, second := period[1]-period[0], period[2]-period[1]
	switch {
	case first <= 0 && second <= 0: // the rate is higher here than farther away
		b.Class = 2
	case second > first*math.Pow(q, classGrows):
		b.Class = 1
	case second < first*math.Pow(q, classJumps):
		b.Class = 2
	}
	if b.Class == 2 && b.Rate == 0 { // firing began too late for the time of the curve
		b.Rate = r.Value("rate_Hz", 2)
	}
	return nil
}
