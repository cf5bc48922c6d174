package dynamics

import (
	"fmt"
	"math"

	"popsim/model"
)

// Free names the parameter that a diagram follows, or "I" for the input current, and the interval it runs through, in
// the unit that the model has for it.
type Free struct {
	Name   string
	Lo, Hi float64
	Marks  []float64 // values at which every branch of cycles is to have a row
	sparse bool      // cycles are searched for at a few values only
	far    bool      // rows may lie further apart: they are not shown
	rows   int       // most rows of a branch of cycles; 0 means mostRows
	search []float64 // values at which cycles are searched for besides the usual ones
}

// check returns an error if the model does not have the parameter or the interval is not ascending.
func (f Free) check(m *model.Model) error {
	switch {
	case f.Name != "I" && m.Index(f.Name) < 0:
		return fmt.Errorf("dynamics: %s has no parameter %q", m.Name, f.Name)
	case !(f.Lo < f.Hi):
		return fmt.Errorf("dynamics: the interval of %s runs from %v to %v; the first must be smaller", f.Name, f.Lo,
			f.Hi)
	}
	return nil
}

// Diagram is the result of Bifurcation: branches of equilibria and cycles over one parameter, and the bifurcation
// points on them. Warnings say where a branch could not be followed to its end.
type Diagram struct {
	Model    *model.Model
	Free     Free
	Branches []Branch
	Points   []Point
	Warnings []error
}

// Kind is whether a branch consists of equilibria or of cycles.
type Kind string

// The kinds of branch.
const (
	Equilibrium Kind = "equilibrium"
	Cycle       Kind = "cycle"
)

// Branch is a curve of equilibria or cycles. Its rows are in order along the curve, which may turn back in the
// parameter; straight lines between them give the period to 1e-3. From and To are the labels of its two ends.
type Branch struct {
	Kind     Kind
	Rows     []Row
	From, To string
}

// Row is one equilibrium or cycle of a branch.
type Row struct {
	Parameter  float64
	VMin, VMax float64 // mV; equal for an equilibrium
	Period     float64 // ms; NaN for an equilibrium
	Stable     bool
	State      []float64 // the equilibrium, or the cycle where its V is largest
	// Spectrum holds the eigenvalues of an equilibrium (1/ms), the largest real part first, or the Floquet multipliers
	// of a cycle without the trivial 1, the largest modulus first.
	Spectrum []complex128
	Orbit    [][]float64 // of a cycle at one of the marks: states once around, the first again at the end
}

// Labels of special points and of the ends of branches.
const (
	Hopf           = "hopf"
	Fold           = "fold"
	BranchPoint    = "branch-point" // where curves of equilibria cross, as at a pitchfork
	CycleFold      = "cycle-fold"
	PeriodDoubling = "period-doubling"
	Torus          = "torus"
	BranchEnd      = "branch-end"
	Homoclinic     = "homoclinic"
	SNIC           = "snic"
	BogdanovTakens = "bogdanov-takens"
	Cusp           = "cusp"
	Bautin         = "bautin"
	ZeroHopf       = "zero-hopf"
	CycleCusp      = "cusp-of-cycles"
	IntervalEnd    = "border" // the end of the given interval
	Closed         = "closed" // the branch has come back to where it began
)

// Point is a special point of a diagram. Fields that do not apply to its label are NaN.
type Point struct {
	Label       string
	Branch      int // in Diagram.Branches
	Parameter   float64
	V           float64   // mV; of a cycle, its largest
	Frequency   float64   // Hz
	Period      float64   // ms
	Criticality string    // of a Hopf point: "sub" or "super"
	Lyapunov    float64   // of a Hopf point: the first Lyapunov coefficient, with an eigenvector of length 1
	State       []float64 // the equilibrium or a state on the cycle
	Note        string
}

// system is a model with its parameters, one of them free.
type system struct {
	m     *model.Model
	p     []float64
	i     float64
	index int      // of the free parameter, -1 for the current
	known struct { // what turns has found between lo and hi, with the parameters p
		lo, hi float64
		p      []float64
		turns  []float64
	}
	// sets the parameters where mu is a place along a line in the plane of two of them; nil: mu is one parameter
	along   func(mu float64)
	vUnit   float64 // size of V in which cycles are measured
	scratch scratch
	halt    func() error // called every haltEvery steps; an error ends the work; nil: never ends
	tooFast bool         // a search for cycles was stopped
	// whether coupled has been decided, and what it is
	decided, byStates bool
}

// scratch is memory for d states, and for matrices of them.
type scratch struct{ y, zero, one, full, other []float64 }

func newScratch(d int) scratch {
	vector, matrix := func() []float64 { return make([]float64, d) }, func() []float64 { return make([]float64, d*d) }
	return scratch{vector(), vector(), vector(), matrix(), matrix()}
}

// mostSteps is the largest number of steps of the integrator for one period. The slowest presets take a few thousand;
// with a variable a million times faster than the membrane the integrator, which is explicit, would take days.
const mostSteps = 200_000

// stepsSpent reports, after every step of a search, whether to stop it: because it took too many steps, or was
// cancelled.
func (s *system) stepsSpent(steps int) bool {
	if steps > mostSteps {
		s.tooFast = true
	}
	return steps > mostSteps || steps%1024 == 0 && s.halt != nil && s.halt() != nil
}

func newSystem(m *model.Model, p []float64, i float64, free string) *system {
	s := &system{m: m, p: append([]float64(nil), p...), i: i, index: -1, vUnit: vUnitOf(m)}
	s.scratch = newScratch(len(m.States))
	if free != "" && free != "I" {
		s.index = m.Index(free)
	}
	return s
}

// at sets the free parameter.
func (s *system) at(mu float64) {
	if s.along != nil {
		s.along(mu)
		return
	}
	if s.index < 0 {
		s.i = mu
	} else {
		s.p[s.index] = mu
	}
}

func (s *system) deriv(y, dy []float64)     { s.m.Deriv(s.p, s.i, y, dy) }
func (s *system) jacobian(y, jac []float64) { s.m.Jacobian(s.p, s.i, y, jac) }
func (s *system) dim() int                  { return len(s.m.States) }

// byParameter writes the derivative of the vector field by the free parameter at (y, mu), by central differences of
// fourth order; for the current, in which every model is linear, it is exact to rounding.
func (s *system) byParameter(y []float64, mu float64, out []float64) {
	h := 1e-3 * max(1, math.Abs(mu))
	d := make([]float64, len(y))
	clear(out)
	for _, k := range []struct{ at, weight float64 }{{-2, 1. / 12}, {-1, -2. / 3}, {1, 2. / 3}, {2, -1. / 12}} {
		s.at(mu + k.at*h)
		s.deriv(y, d)
		for c := range out {
			out[c] += k.weight / h * d[c]
		}
	}
	s.at(mu)
}
