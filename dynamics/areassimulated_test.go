package dynamics

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"popsim/equations"
	"popsim/model"
)

// regionWindow is a window over two parameters.
type regionWindow struct {
	model  string
	values map[string]float64 // of other parameters; I is the current
	x, y   Free
}

func (w regionWindow) String() string {
	s := fmt.Sprintf("%s %s=%v:%v %s=%v:%v", w.model, w.x.Name, w.x.Lo, w.x.Hi, w.y.Name, w.y.Lo, w.y.Hi)
	for name, x := range w.values {
		s += fmt.Sprintf(" %s=%v", name, x)
	}
	return s
}

// find is the model with its parameters and the current.
func (w regionWindow) find(t *testing.T) (m *model.Model, p []float64, i float64) {
	m, err := model.Lookup(w.model)
	if err != nil {
		m, err = equations.Lookup(w.model)
	}
	if err != nil {
		t.Fatal(err)
	}
	p = m.Defaults()
	for name, x := range w.values {
		if name == "I" {
			i = x
		} else {
			p[m.Index(name)] = x
		}
	}
	return m, p, i
}

// parseWindow reads a window as it is given to the command: "rhh I=-5:20 g_K=10:40 C=1.2".
func parseWindow(text string) (w regionWindow, err error) {
	words := strings.Fields(text)
	if len(words) < 3 {
		return w, fmt.Errorf("%q is no model with two intervals", text)
	}
	w = regionWindow{model: words[0], values: map[string]float64{}}
	for k, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		f := Free{Name: name}
		switch k {
		case 0, 1:
			_, err = fmt.Sscanf(value, "%g:%g", &f.Lo, &f.Hi)
			if w.x = f; k == 1 {
				w.x, w.y = w.y, f
			}
		default:
			_, err = fmt.Sscanf(value, "%g", &f.Lo)
			w.values[name] = f.Lo
		}
		if k == 0 {
			w.y = f // until the second comes
		}
		if err != nil {
			return w, fmt.Errorf("%q: %w", word, err)
		}
	}
	return w, nil
}

// TestRegionsAreThoseOfSimulations draws points of planes of two parameters at random, simulates from random states,
// and compares what they settle on with the region that the point is in: every equilibrium and cycle that simulation
// finds is counted, and every one that is counted is found. Simulations are by the classical Runge-Kutta method and
// share nothing with the regions but the equations. The long form takes many windows and points; POPSIM_WINDOWS, as
// "rhh I=-5:20 g_K=10:40; ..." takes others, POPSIM_POINTS another number of points.
func TestRegionsAreThoseOfSimulations(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the diagrams of a plane")
	}
	windows, points := []string{"rhh I=-2:8 g_K=36:42"}, 4
	if os.Getenv("POPSIM_LONG") != "" {
		points = 60
		windows = longWindows
	}
	if n := os.Getenv("POPSIM_POINTS"); n != "" {
		if _, err := fmt.Sscan(n, &points); err != nil {
			t.Fatalf("POPSIM_POINTS=%s is no number: %v", n, err)
		}
	}
	if others := os.Getenv("POPSIM_WINDOWS"); others != "" {
		windows = strings.Split(others, ";")
	}
	for k, text := range windows {
		w, err := parseWindow(text)
		if err != nil {
			t.Fatal(err)
		}
		checkWindow(t, w, points, rand.New(rand.NewPCG(21, uint64(k))))
	}
}

// longWindows are those of the long form.
var longWindows = []string{
	"rhh I=-5:20 g_K=10:40",
	"rhh I=-4:16 g_L=0.03:0.3",
	"rhh I=-20:40 n_plus_h=0.75:0.95",
	"hh I=-20:200 g_K=40:60",
	"hh I=-20:200 g_K=2:60",
	"adex I=0:40 a=-1:2",
	"morris-lecar I=0:300 g_K=4:12",
	"fitzhugh-nagumo I=0:2 a=0.3:1.2",
}

// checkWindow compares regions of w with simulations at some random points that lie at least two nodes of the lattice
// from every curve: at such a node the region is that of the point, exactly.
func checkWindow(t *testing.T, w regionWindow, points int, r *rand.Rand) {
	const away = 2
	m, p, i := w.find(t)
	ctx := context.Background()
	regions, err := BifurcationCurves(ctx, m, p, i, w.x, w.y, inParallel)
	if err != nil {
		t.Errorf("%v: %v", w, err)
		return
	}
	a, err := regions.Areas(ctx, inParallel)
	if err != nil {
		t.Errorf("%v: %v", w, err)
		return
	}
	for _, e := range append(regions.Warnings, a.Warnings...) {
		t.Logf("%v: %v", w, e)
	}
	inner := innerNodes(a, away)
	counts := map[string]int{}
	for n := range points { // every regime equally often
		nodes := inner[n%len(inner)]
		pointAt(t, w, m, p, i, a, nodes[r.IntN(len(nodes))], r, counts)
	}
	t.Logf("%v: %v", w, counts)
}

// innerNodes lists the nodes of every regime that lie at least away nodes from others and from the edge of the plane.
func innerNodes(a *Areas, away int) (lists [][]int) {
	nx, ny := len(a.X), len(a.Y)
	var regimes []Regime
	for k, q := range a.Regimes {
		col, row := k%nx, k/nx
		if min(col, nx-1-col, row, ny-1-row) < away || slices.ContainsFunc([]int{-away, away, -away * nx, away * nx},
			func(d int) bool { return a.Regimes[k+d] != q }) {
			continue
		}
		n := slices.Index(regimes, q)
		if n < 0 {
			n = len(regimes)
			regimes, lists = append(regimes, q), append(lists, nil)
		}
		lists[n] = append(lists[n], k)
	}
	return lists
}

// inParallel distributes work over goroutines.
func inParallel(n int, work func(k int) error) error {
	const workers = 2
	next, failed := make(chan int), make(chan error, n)
	done := make(chan bool)
	for range workers {
		go func() {
			for k := range next {
				if err := work(k); err != nil {
					failed <- err
				}
			}
			done <- true
		}()
	}
	for k := range n {
		next <- k
	}
	close(next)
	for range workers {
		<-done
	}
	close(failed)
	return <-failed
}

// pointAt compares the regime of node k with simulations from random states.
func pointAt(t *testing.T, w regionWindow, m *model.Model, p []float64, i float64, a *Areas, k int, r *rand.Rand,
	counts map[string]int,
) {
	const first, most = 8, 60 // starts; the rest only where something that is told has not been found
	regime := a.Regimes[k]
	x, y := a.X[k%len(a.X)], a.Y[k/len(a.X)]
	s := newSystem(m, p, i, w.x.Name)
	s.at(x)
	s = newSystem(m, s.p, s.i, w.y.Name)
	s.at(y)
	counts[regime.Name()]++
	if regime.Undecided {
		return // a warning says so
	}
	stable := 0
	for _, f := range FixedPoints(m, s.p, s.i) {
		if f.Stable {
			stable++
		}
	}
	if stable != regime.Equilibria {
		t.Errorf("%v: at %v, %v the regime is %q, with %d stable equilibria", w, x, y, regime.Name(), stable)
	}
	var cycles []attractor
	fires, undecided := false, 0
	for n := range most {
		if n >= first && len(cycles) >= regime.Cycles && fires == regime.Firing {
			break
		}
		switch f := settle(s, anyState(s, r)); f.kind {
		case "undecided":
			undecided++
		case "firing":
			fires = true
		case "cycle":
			if !slices.ContainsFunc(cycles, func(c attractor) bool {
				return math.Abs(c.vMin-f.vMin) < 0.01*s.vUnit && math.Abs(c.vMax-f.vMax) < 0.01*s.vUnit
			}) {
				cycles = append(cycles, f)
			}
		}
	}
	counts["undecided"] += undecided
	if len(cycles) != regime.Cycles || fires != regime.Firing {
		t.Errorf("%v: at %v, %v the regime is %q, simulations find cycles %+v, spiking %v, undecided %d", w, x, y,
			regime.Name(), cycles, fires, undecided)
	}
}

// anyState is a random state: of an own model that of the other states which is steady at one V, with another V, every
// second time both near the equilibria, around which small basins lie.
func anyState(s *system, r *rand.Rand) []float64 {
	if !s.m.Outside() {
		return startState(s, r)
	}
	lo, hi := s.reversals()
	if at := s.equilibria(); len(at) > 1 && r.IntN(2) == 0 {
		width := at[len(at)-1] - at[0]
		lo, hi = at[0]-width/2, at[len(at)-1]+width/2
	}
	y := make([]float64, s.dim())
	s.m.Steady(s.p, lo+(hi-lo)*r.Float64(), y)
	y[0] = lo + (hi-lo)*r.Float64()
	return y
}
