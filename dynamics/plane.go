package dynamics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"popsim/model"
)

// PlaneOptions selects the part of the phase plane to compute. Zero values mean defaults.
type PlaneOptions struct {
	VLo, VHi float64     // mV; both 0 means around the equilibria and trajectories
	YLo, YHi float64     // of the second variable; both 0 means where its nullclines run
	Y        string      // for hh: the second variable, "" means n; the others are kept at their steady state for V
	Starts   [][]float64 // trajectories to draw: whole states, or V and the second variable
	Time     float64     // of the trajectories, ms; 0 means 100
	// that a trajectory may take besides those to the points that are drawn; 0 means 100,000 and 100 per ms
	Steps  int
	Arrows int // of the vector field along each side; 0 means 21
}

// Plane is a phase plane: the flow in V and a second variable. Its JSON form is documented in docs/formats.md.
type Plane struct {
	Model        string                    `json:"model"`
	I            float64                   `json:"I"`
	Parameters   map[string]float64        `json:"parameters"`
	X            string                    `json:"x"`
	Y            string                    `json:"y"`
	Units        [2]string                 `json:"-"` // of both axes
	Note         string                    `json:"note,omitempty"`
	Window       [4]float64                `json:"window"` // V from, to; y from, to
	FixedPoints  []PlanePoint              `json:"fixed_points"`
	Nullclines   map[string][][][2]float64 `json:"nullclines"` // unbroken segments of [V, y]
	Cycles       []PlaneCycle              `json:"cycles"`
	Separatrices []Separatrix              `json:"separatrices"`
	Field        [][4]float64              `json:"field"` // V, y, dV/dt, dy/dt
	Trajectories []Trace                   `json:"trajectories"`
	Reset        *PlaneReset               `json:"reset,omitempty"`
	Warnings     []string                  `json:"warnings,omitempty"` // what could not be found
}

// PlanePoint is an equilibrium of the whole model.
type PlanePoint struct {
	State       []float64    `json:"state"`
	V           float64      `json:"V_mV"`
	Y           float64      `json:"y"`
	Eigenvalues [][2]float64 `json:"eigenvalues"` // [re, im], 1/ms; none where they are NaN
	Type        string       `json:"type"`
	Stable      bool         `json:"stable"`
}

// PlaneCycle is a cycle with the multiplier that decides its stability.
type PlaneCycle struct {
	Period     float64      `json:"period_ms"`
	VMin       float64      `json:"V_min_mV"`
	VMax       float64      `json:"V_max_mV"`
	Stable     bool         `json:"stable"`
	Multiplier float64      `json:"multiplier"`
	Orbit      [][2]float64 `json:"orbit"`
}

// Separatrix is one branch of the stable or unstable manifold of a saddle, from the saddle outwards.
type Separatrix struct {
	Saddle int          `json:"saddle"` // in fixed_points
	Stable bool         `json:"stable"` // trajectories on it run into the saddle
	Points [][2]float64 `json:"points"`
}

// Trace is a trajectory. Its segments are unbroken; a reset starts a new one.
type Trace struct {
	Start    []float64      `json:"start"`
	Segments [][][3]float64 `json:"segments"` // t in ms, V, y
	Spikes   []float64      `json:"spikes_ms"`
}

// PlaneReset is the rule of an integrate-and-fire model: at V_th, V goes to V_reset and w up by b.
type PlaneReset struct {
	VTh    float64 `json:"V_th_mV"`
	VReset float64 `json:"V_reset_mV"`
	B      float64 `json:"b_pA"`
}

// portrait computes a Plane.
type portrait struct {
	*system
	*Plane
	y int // the state variable on the second axis; 0 for models of one variable
}

// PhasePlane computes the phase plane of the model for input current i. In models of one variable the second axis is
// dV/dt.
func PhasePlane(ctx context.Context, m *model.Model, p []float64, i float64, o PlaneOptions) (*Plane, error) {
	if err := m.Check(p); err != nil {
		return nil, err
	}
	d := &portrait{system: newSystem(m, p, i, "I"), Plane: &Plane{
		Model: m.Name, I: i, X: "V", Y: "dV/dt", Units: [2]string{m.States[0].Unit, "mV/ms"},
		Parameters: map[string]float64{},
	}}
	if q := m.States[0]; q.Unit != "mV" {
		d.X = q.Name
	}
	// [], not null, in JSON
	d.FixedPoints, d.Cycles, d.Separatrices, d.Trajectories = []PlanePoint{}, []PlaneCycle{}, []Separatrix{}, []Trace{}
	for k, q := range m.Params {
		d.Parameters[q.Name] = p[k]
	}
	if m.Fires == model.Reset {
		d.Reset = &PlaneReset{VTh: m.Threshold(p), VReset: m.ResetTo(p)}
		if k := m.Index("b"); k >= 0 && !m.Outside() {
			d.Reset.B = p[k]
		} else if m.Spikes != nil && len(m.States) > 1 {
			y, to := make([]float64, len(m.States)), make([]float64, len(m.States))
			m.Initial(p, y)
			m.Spikes.Jump(p, y, to)
			d.Reset.B = to[1] - y[1]
		}
		if m.Outside() && math.IsInf(d.threshold(), 1) {
			d.Reset = nil // the threshold is no line in the plane
		}
	}
	switch len(m.States) {
	case 1:
		d.Note = "one variable: the second axis is dV/dt"
	case 2:
		d.y, d.Plane.Y = 1, m.States[1].Name
	default:
		if o.Y == "" && m.StateIndex("n") > 0 {
			o.Y = "n"
		} else if o.Y == "" {
			o.Y = m.States[1].Name
		}
		if d.y = m.StateIndex(o.Y); d.y < 1 {
			return nil, fmt.Errorf("dynamics: %s has no second variable %q for a phase plane", m.Name, o.Y)
		}
		d.Plane.Y = o.Y
		d.Note = fmt.Sprintf("%s and %s; the other variables are at their steady state for %[1]s", d.X, o.Y)
	}
	if d.y > 0 {
		d.Units[1] = m.States[d.y].Unit
	}
	d.halt = ctx.Err
	d.rest()
	if d.window(o); math.IsInf(d.Window[1]-d.Window[0], 0) || math.IsInf(d.Window[3]-d.Window[2], 0) {
		return nil, fmt.Errorf("dynamics: the phase plane of V from %g to %g mV is wider than numbers go", d.Window[0],
			d.Window[1])
	}
	d.nullclines()
	if ctx.Err() != nil {
		return d.Plane, ctx.Err()
	}
	if err := d.cycles(ctx); err != nil {
		return d.Plane, err
	}
	d.separatrices()
	d.field(o.Arrows)
	return d.Plane, d.trajectories(ctx, o)
}

// flow is dV/dt and dy/dt at a point of the plane.
func (d *portrait) flow(v, y float64) (dv, dy float64) {
	state, slope := d.scratch.y, d.scratch.one
	if d.y > 0 && d.dim() == 2 {
		state[0], state[1] = v, y
	} else if d.m.Steady(d.p, v, state); d.y > 0 {
		state[d.y] = y
	}
	d.deriv(state, slope)
	return slope[0], slope[d.y]
}

func (d *portrait) rest() {
	for _, f := range FixedPoints(d.m, d.p, d.i) {
		q := PlanePoint{State: f.State, V: f.State[0], Type: f.Type, Stable: f.Stable, Eigenvalues: [][2]float64{}}
		if d.y > 0 {
			q.Y = f.State[d.y]
		}
		for _, l := range f.Eigenvalues {
			if !cmplx.IsNaN(l) {
				q.Eigenvalues = append(q.Eigenvalues, [2]float64{real(l), imag(l)})
			}
		}
		d.FixedPoints = append(d.FixedPoints, q)
	}
}

// window chooses the part of the plane to show.
func (d *portrait) window(o PlaneOptions) {
	w := &d.Window
	*w = [4]float64{o.VLo, o.VHi, o.YLo, o.YHi}
	if d.m.Outside() {
		d.trajectoryWindow()
		return
	}
	at := func(name string) float64 { return d.p[d.m.Index(name)] }
	if w[0] == 0 && w[1] == 0 {
		if d.m.Fires == model.Reset {
			span := at("V_th") - min(at("V_reset"), at("V_rest"))
			w[0], w[1] = math.Floor(min(at("V_reset"), at("V_rest"))-0.3*span), at("V_th")
		} else {
			w[0] = math.Floor(min(at("E_Na"), at("E_K"), at("E_L")) - 13)
			w[1] = math.Ceil(max(at("E_Na"), at("E_K"), at("E_L")) + 10)
		}
	}
	if w[2] != 0 || w[3] != 0 {
		return
	}
	if d.y > 0 && d.m.States[d.y].Unit == "1" {
		w[2], w[3] = -0.2, 1.2
		return
	}
	// Around the nullclines, up to where the exponential dominates.
	w[2], w[3] = math.Inf(1), math.Inf(-1)
	end := w[1]
	if k := d.m.Index("delta_T"); k >= 0 {
		end = min(end, at("V_T")+2*d.p[k])
	}
	for _, v := range spread(w[0], end, 101) {
		dv, _ := d.flow(v, 0)
		values := []float64{dv, 0}
		if d.y > 0 {
			y := make([]float64, d.dim())
			current := d.m.Steady(d.p, v, y)
			values = []float64{y[1], y[1] + d.i - current}
		}
		for _, x := range values {
			if x-x == 0 { // finite
				w[2], w[3] = min(w[2], x), max(w[3], x)
			}
		}
	}
	if w[2] > w[3] {
		w[2], w[3] = -1, 1
	}
	pad := 0.1*(w[3]-w[2]) + 1e-3
	w[2], w[3] = w[2]-pad, w[3]+pad
}

// pace is the distance (mV) between points of nullclines. It grows with the window, so that a very wide one does not
// have more of them.
func (d *portrait) pace() float64 {
	width := d.Window[1] - d.Window[0]
	if d.m.Outside() { // whose V may be in other units
		return min(0.25, width/500)
	}
	return max(0.25, width/8000)
}

// nullclines finds both nullclines as unbroken segments, with a point at every whole mV.
func (d *portrait) nullclines() {
	d.Nullclines = map[string][][][2]float64{}
	w := d.Window
	var along [][2]float64
	for _, v := range columns(w[0], w[1], d.pace()) {
		if d.y == 0 {
			dv, _ := d.flow(v, 0)
			along = append(along, [2]float64{v, dv})
			continue
		}
		y := make([]float64, d.dim())
		d.m.Steady(d.p, v, y)
		along = append(along, [2]float64{v, y[d.y]})
	}
	if d.y == 0 {
		d.Nullclines["dV/dt"] = inside(along, -math.MaxFloat64, math.MaxFloat64) // far up an exponential is infinite
		return
	}
	d.Nullclines[d.Plane.Y] = inside(along, w[2], w[3])
	if d.dim() == 2 && d.coupled() {
		d.Nullclines[d.Plane.Y] = d.nullcline(1)
	}
	d.Nullclines["V"] = d.nullcline(0)
}

// columns lists the potentials from lo to hi that are multiples of step, and both ends.
func columns(lo, hi, step float64) []float64 {
	list := []float64{lo}
	for k := math.Floor(lo/step) + 1; k*step < hi; k++ {
		list = append(list, k*step)
	}
	return append(list, hi)
}

// inside cuts a line where it leaves the window.
func inside(line [][2]float64, lo, hi float64) (pieces [][][2]float64) {
	var piece [][2]float64
	for _, q := range line {
		if q[1] >= lo && q[1] <= hi {
			piece = append(piece, q)
		} else if len(piece) > 0 {
			pieces, piece = append(pieces, piece), nil
		}
	}
	if len(piece) > 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

// onNullcline lists the values of the second variable at which dV/dt (of 0) or its own slope (of 1) vanishes for the
// potential v.
func (d *portrait) onNullcline(of int, v float64) []float64 {
	lo, hi := d.Window[2], d.Window[3]
	return zeros(func(y float64) float64 { return d.slopeOf(of, v, y) }, spread(lo, hi, 81))
}

// slopeOf is dV/dt (of 0) or the slope of the second variable (of 1) at a point of the plane.
func (d *portrait) slopeOf(of int, v, y float64) float64 {
	dv, dy := d.flow(v, y)
	return [2]float64{dv, dy}[of]
}

// nullcline follows every piece of the curve dV/dt = 0 (of 0), or of that of the second variable (of 1), through the
// window. It is not a function of V, and may turn back or consist of several pieces.
func (d *portrait) nullcline(of int) (pieces [][][2]float64) {
	const most = 20_000 // points; a nullcline has hundreds, or some thousands in a wide window
	w := d.Window
	c := &curve{
		halt: d.halt, most: most, lo: w[2], hi: w[3], floor: w[0], ceiling: w[1], name: d.Plane.Y,
		first: d.m.States[0],
		gap: func(q curvePoint) (g, gv, gmu float64) {
			dv, dy := 1e-4, 1e-6*(w[3]-w[2])
			g = d.slopeOf(of, q.v, q.mu)
			up, down := d.slopeOf(of, q.v+dv, q.mu), d.slopeOf(of, q.v-dv, q.mu)
			right, left := d.slopeOf(of, q.v, q.mu+dy), d.slopeOf(of, q.v, q.mu-dy)
			return g, (up - down) / (2 * dv), (right - left) / (2 * dy)
		},
		scales: func(curvePoint) (v, mu float64) { return d.pace(), (w[3] - w[2]) / 200 },
	}
	grid := columns(w[0], w[1], 4*d.pace())
	var seeds []seed
	for _, v := range grid {
		for _, y := range d.onNullcline(of, v) {
			seeds = append(seeds, seed{curvePoint: curvePoint{v, y}})
		}
	}
	points := 0
	for k := range seeds {
		if seeds[k].done {
			continue
		}
		if d.halt() != nil {
			break
		}
		if points > most {
			d.Warnings = append(d.Warnings, fmt.Sprintf("the nullcline of %s was left after %d points",
				[2]string{"V", d.Plane.Y}[of], points))
			break
		}
		path, end, _ := c.follow(seeds[k].curvePoint, 1)
		if end != Closed {
			back, _, _ := c.follow(seeds[k].curvePoint, -1)
			slices.Reverse(back)
			path = append(back[:len(back)-1], path...)
		}
		var piece [][2]float64
		for j, q := range path {
			if j > 0 {
				for _, s := range c.crossings(path[j-1], q, grid) {
					if !math.IsNaN(s.mu) { // a piece as long as numbers go cannot be cut
						piece = append(piece, [2]float64{s.v, s.mu})
					}
				}
			}
			piece = append(piece, [2]float64{q.v, q.mu})
		}
		for j := range seeds {
			seeds[j].done = seeds[j].done || slices.ContainsFunc(piece, func(q [2]float64) bool {
				return q[0] == seeds[j].v && math.Abs(q[1]-seeds[j].mu) < 1e-8*(w[3]-w[2])
			})
		}
		seeds[k].done = true
		points += len(piece)
		if len(piece) > 1 {
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

// crossings lists the points of the curve between a and b that lie on columns of the grid, in order.
func (c *curve) crossings(a, b curvePoint, grid []float64) (list []curvePoint) {
	from, _ := slices.BinarySearch(grid, min(a.v, b.v))
	for ; from < len(grid) && grid[from] < max(a.v, b.v); from++ {
		if v := grid[from]; v > min(a.v, b.v) {
			q := c.between(a, b, func(x curvePoint) float64 { return x.v - v })
			q.v = v
			list = append(list, q)
		}
	}
	if a.v > b.v {
		slices.Reverse(list)
	}
	return list
}

// cycles finds the cycles, stable and unstable, as those of a diagram around the present current: close to a fold, or
// to the bifurcation at which a cycle arises, they are best found by following them from a distance.
func (d *portrait) cycles(ctx context.Context) error {
	if d.dim() == 1 {
		return nil
	}
	width := d.currentsAround()
	if d.i-width == d.i || d.i+width == d.i {
		d.Warnings = append(d.Warnings,
			fmt.Sprintf("cycles are not searched for: next to I = %g there is no other number", d.i))
		return nil
	}
	free := Free{Name: "I", Lo: d.i - width, Hi: d.i + width, Marks: []float64{d.i}, sparse: d.m.Outside()}
	if d.m.Outside() && d.dim() > 2 {
		free.rows = followedRows / (d.dim() * d.dim())
	}
	around, err := Bifurcation(ctx, d.m, d.p, d.i, free)
	if err != nil {
		return err
	}
	d.tellOf(around.Warnings, free)
	for _, b := range around.Branches {
		for _, r := range b.Rows {
			if b.Kind == Cycle && r.Parameter == d.i && r.Orbit != nil {
				d.addCycle(r)
			}
		}
	}
	if free.rows > 0 {
		d.simulated(free)
	}
	slices.SortFunc(d.Cycles, func(a, b PlaneCycle) int { return cmp.Compare(a.VMax-a.VMin, b.VMax-b.VMin) })
	return ctx.Err()
}

// tellOf adds the warnings of a diagram around the plane; that branches are long is a note.
func (d *portrait) tellOf(warnings []error, free Free) {
	long := false
	for _, w := range warnings {
		if errors.As(w, new(leftError)) {
			long = true
		} else {
			d.Warnings = append(d.Warnings, w.Error())
		}
	}
	if long {
		d.Note += fmt.Sprintf("; cycles are followed for %d rows, so that one beyond may be missing", free.rows)
	}
}

// followedRows is the number of rows, times the square of that of states (the work of a row grows with it), after which
// branches of cycles of a model from outside of more than two states are left: bursts may add spikes without end.
const followedRows = 4800

// simulated adds the stable cycles that simulation finds, of a model from outside of more than two states, whose
// branches may have been left before they came to the current.
func (d *portrait) simulated(free Free) {
	start := make([]float64, d.dim())
	d.m.Initial(d.p, start)
	c := newCycleTracer(d.system, free, nil)
	for _, f := range d.simulatedCycles([][]float64{start}) {
		if slices.ContainsFunc(d.Cycles, func(q PlaneCycle) bool {
			return f.like(foundCycle{period: q.Period, vMin: q.VMin, vMax: q.VMax})
		}) {
			continue
		}
		r, err := c.solvedAt(c.guess(f, d.i, meshIntervals), 3)
		if err != nil {
			d.Warnings = append(d.Warnings,
				fmt.Sprintf("%v near the one that simulation finds, of period %.6g ms", err, f.period))
			continue
		}
		d.addCycle(c.row(r))
	}
}

// addCycle adds the cycle of a row, unless it is known.
func (d *portrait) addCycle(r Row) {
	const same = 1e-7 // relative, of V to 100 mV
	if slices.ContainsFunc(d.Cycles, func(q PlaneCycle) bool {
		return math.Abs(q.Period-r.Period) < same*r.Period && math.Abs(q.VMax-r.VMax) < same*100
	}) {
		return
	}
	q := PlaneCycle{Period: r.Period, VMin: r.VMin, VMax: r.VMax, Stable: r.Stable, Multiplier: real(r.Spectrum[0])}
	for _, y := range r.Orbit {
		q.Orbit = append(q.Orbit, [2]float64{y[0], y[d.y]})
	}
	d.Cycles = append(d.Cycles, q)
}

// currentsAround is the distance to both sides of the input over which the current is followed in search of cycles.
func (d *portrait) currentsAround() float64 {
	const (
		far  = 5.0  // mV of R·I, or µA/cm²
		part = 0.25 // of the current of a model from outside, whose unit may be any
	)
	if size := max(math.Abs(d.i), math.Abs(d.m.Typical.Current)); d.m.Outside() && size > 0 {
		return part * size
	}
	if k := d.m.Index("R"); k >= 0 {
		return far / d.p[k]
	}
	return far
}

// separatrices follows the manifolds of the saddles of a planar model: the unstable ones forwards in time, the stable
// ones, which part the basins of attraction, backwards.
func (d *portrait) separatrices() {
	if d.dim() != 2 {
		return
	}
	for k, f := range d.FixedPoints {
		if f.Type != "saddle" {
			continue
		}
		jac := make([]float64, 4)
		d.jacobian(f.State, jac)
		for _, l := range f.Eigenvalues {
			v := nullVector(jac, 2, complex(l[0], 0), false)
			if cmplx.IsNaN(v[0]) || cmplx.IsNaN(v[1]) { // one direction is 1e150 times faster than the other
				continue
			}
			for _, side := range []float64{1, -1} {
				s := Separatrix{Saddle: k, Stable: l[0] < 0}
				s.Points = d.manifold(f.State, real(v[0])*side, real(v[1])*side, l[0])
				d.Separatrices = append(d.Separatrices, s)
			}
		}
	}
}

// manifold follows the branch of a manifold that leaves the saddle along (v, y), an eigenvector to the eigenvalue rate
// (1/ms), until it leaves the window or ends at an equilibrium.
func (d *portrait) manifold(saddle []float64, v, y, rate float64) [][2]float64 {
	const off = 1e-4 // of the window
	// A trajectory leaves the point at distance off along the manifold at its rate, which near a fold is slow, and may
	// then wind around a focus for a while.
	timeout := max(200, 40/math.Abs(rate)) // ms
	w := d.Window
	sign := math.Copysign(1, rate)
	st := newStepper(2, coarse, func(_ float64, y, dy []float64) {
		d.deriv(y, dy)
		dy[0], dy[1] = sign*dy[0], sign*dy[1]
	})
	scale := off / math.Hypot(v/(w[1]-w[0]), y/(w[3]-w[2]))
	state, out, slope := []float64{saddle[0] + scale*v, saddle[1] + scale*y}, make([]float64, 2), make([]float64, 2)
	points := [][2]float64{{saddle[0], saddle[1]}, {state[0], state[1]}}
	vPad, yPad := 0.1*(w[1]-w[0]), 0.5*(w[3]-w[2])
	for t, h := 0.0, 0.1; t < timeout && !d.stepsSpent(len(points)); {
		d.deriv(state, slope)
		speed := math.Hypot(slope[0]/(w[1]-w[0]), slope[1]/(w[3]-w[2]))
		if speed < 1e-7 && t > 1 {
			break
		}
		made, next, err := st.advance(t, state, timeout, min(h, 0.01/speed), out)
		if err != nil {
			break
		}
		t, h = t+made, next
		copy(state, out)
		if state[0] >= d.ceiling() || state[0] < w[0]-vPad || state[0] > w[1]+vPad || state[1] < w[2]-yPad ||
			state[1] > w[3]+yPad {
			break
		}
		points = append(points, [2]float64{state[0], state[1]})
	}
	return points
}

func (d *portrait) field(n int) {
	if n == 0 {
		n = 21
	}
	w := d.Window
	for r := range n {
		for c := range n {
			v, y := w[0]+(w[1]-w[0])*(float64(c)+0.5)/float64(n), w[2]+(w[3]-w[2])*(float64(r)+0.5)/float64(n)
			dv, dy := d.flow(v, y)
			if d.y == 0 {
				if r > 0 {
					break
				}
				y, dy = 0, 0
			}
			if dv-dv != 0 || dy-dy != 0 { // not finite: hundreds of mV out rates overflow
				continue
			}
			d.Field = append(d.Field, [4]float64{v, y, dv, dy})
		}
	}
}

var errTooFast = errors.New("the flow is too fast to be followed any further")

// trajectories follows the model from every start. One that becomes too fast ends there, with a warning: hundreds of mV
// outside the physiological range the rates of gates are so large that the integrator, which is explicit, would take
// days.
func (d *portrait) trajectories(ctx context.Context, o PlaneOptions) error {
	end := o.Time
	if end == 0 {
		end = 100
	}
	if o.Steps == 0 {
		o.Steps = 100_000 + int(100*end)
	}
	at := spread(0, end, 4001)
	for _, start := range o.Starts {
		state := make([]float64, d.dim())
		switch {
		case len(start) == d.dim():
			copy(state, start)
		case len(start) == 2 && d.dim() > 2:
			d.m.Steady(d.p, start[0], state)
			state[d.y] = start[1]
		default:
			return fmt.Errorf("dynamics: a trajectory of %s starts from %d values, not %d", d.m.Name, d.dim(),
				len(start))
		}
		r, err := d.follow(ctx, state, at, o.Steps+len(at))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			d.Warnings = append(d.Warnings, fmt.Sprintf("the trajectory from %v ends early: %v", start, err))
		}
		fine := d.refined(at[:len(r.States)], r)
		r, _ = d.follow(ctx, state, fine, o.Steps+len(at)+len(fine)) // faults have been reported
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.Trajectories = append(d.Trajectories, d.traced(start, fine, r))
	}
	return nil
}

// follow records the trajectory from state at the given times, up to the last of them, in at most most steps.
func (d *portrait) follow(ctx context.Context, state, at []float64, most int) (Recording, error) {
	run := newRunner(d.m, d.p, state)
	run.clock = newStepper(len(state), coarse, run.field) // between times this close, a third of the work of reference
	steps := 0
	run.check = func() error {
		if steps++; steps > most {
			return errTooFast
		}
		if steps%1024 == 0 {
			return ctx.Err()
		}
		return nil
	}
	return run.record([]Segment{{0, d.i}}, at[len(at)-1], at)
}

// refined adds times to those of a recording, so that a fast stretch looks smooth too.
func (d *portrait) refined(at []float64, r Recording) (fine []float64) {
	const smooth, most = 0.005, 50 // of the window; times between two
	for k, t := range at {
		if k > 0 {
			v := math.Abs(r.States[k][0]-r.States[k-1][0]) / (d.Window[1] - d.Window[0])
			n := min(most, math.Ceil(v/smooth))
			for j := 1.0; j < n; j++ {
				fine = append(fine, at[k-1]+(t-at[k-1])*j/n)
			}
		}
		fine = append(fine, t)
	}
	return fine
}

// traced cuts a recording into unbroken segments, each of which ends at its spike.
func (d *portrait) traced(start, at []float64, r Recording) Trace {
	t := Trace{Start: start}
	second := func(y []float64) float64 {
		if d.y == 0 {
			dv, _ := d.flow(y[0], 0)
			return dv
		}
		return y[d.y]
	}
	var piece [][3]float64
	next := 0
	for k, y := range r.States {
		for d.m.Fires == model.Reset && next < len(r.Spikes) && r.Spikes[next].Time <= at[k] {
			s := r.Spikes[next]
			piece = append(piece, [3]float64{s.Time, s.State[0], second(s.State)})
			t.Segments = append(t.Segments, piece)
			landed := slices.Clone(s.State)
			switch {
			case d.m.Spikes != nil:
				d.m.Spikes.Jump(d.p, s.State, landed)
			case d.y > 0:
				landed[0] = d.Reset.VReset
				landed[d.y] += d.Reset.B
			default:
				landed[0] = d.Reset.VReset
			}
			piece = [][3]float64{{s.Time, landed[0], second(landed)}}
			next++
		}
		piece = append(piece, [3]float64{at[k], y[0], second(y)})
	}
	for _, s := range r.Spikes {
		t.Spikes = append(t.Spikes, s.Time)
	}
	t.Segments = append(t.Segments, piece)
	return t
}
