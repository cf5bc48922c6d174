package dynamics

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/model"
)

// Areas is the plane of two parameters on a lattice: node (i, j) has the coordinates X[i], Y[j] and the regime
// Regimes[j*len(X)+i]. Nodes between which no curve runs have the same regime: it changes at the curves.
type Areas struct {
	X, Y    []float64
	Regimes []Regime
	// Warnings name the regions in which attractors begin or end where no curve was found. Part of their nodes are
	// undecided.
	Warnings []error
}

// Regime counts the attractors of a neuron at one point of the plane of two parameters.
type Regime struct {
	Equilibria int  // stable equilibria
	Cycles     int  // stable cycles other than spiking by reset
	Firing     bool // spiking by reset
	Undecided  bool // the attractors are not known, and the other fields are zero
}

// Name lists the attractors, as in "two equilibria or cycle"; it is "none" where nothing was found.
func (r Regime) Name() string {
	if r.Undecided {
		return "undecided"
	}
	var parts []string
	add := func(n int, one, several string) {
		switch {
		case n == 1:
			parts = append(parts, one)
		case n == 2:
			parts = append(parts, "two "+several)
		case n > 2:
			parts = append(parts, fmt.Sprint(n, " ", several))
		}
	}
	add(r.Equilibria, "equilibrium", "equilibria")
	add(r.Cycles, "cycle", "cycles")
	if r.Firing {
		parts = append(parts, "spiking")
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, " or ")
}

// The lattice of areas: the values of all scans are among those of its nodes.
const (
	areaRows    = (rowScans-1)*20 + 1
	areaColumns = (columnScans+1)*80 + 1
)

// Areas finds the regions into which the curves divide the plane, and the attractors in each, from the diagrams on
// which the curves start and from further diagrams through regions that none of these crosses. each may distribute the
// diagrams over workers.
func (r *Regions) Areas(ctx context.Context, each Each) (*Areas, error) {
	l := r.walled(r.x, r.y, areaColumns, areaRows)
	a := &Areas{X: spread(r.x.Lo, r.x.Hi, l.nx), Y: spread(r.y.Lo, r.y.Hi, l.ny)}
	settled, fires, err := r.sample(ctx, each, a, l)
	if err != nil {
		return nil, err
	}
	if settled, err = r.decided(ctx, each, a, l, settled); err != nil {
		return nil, err
	}
	var open []int
	part := 0.0
	if r.t.dim() == 1 { // one node may lie on a curve
		part = few
	}
	a.Regimes, open = filled(l, settled, part)
	firing, unlit := filled(l, fires, few)
	for k := range firing {
		a.Regimes[k].Firing = firing[k]
	}
	r.leaveOpen(a, l, open)
	r.leaveOpen(a, l, unlit)
	if r.swapped {
		a.transpose()
	}
	return a, nil
}

// walled is a lattice over a part of the plane, with its faces between the curves.
func (r *Regions) walled(x, y Free, nx, ny int) *lattice {
	l := newLattice(nx, ny)
	for _, c := range r.Curves {
		path := make([][2]float64, len(c.Points))
		for k, q := range c.Points {
			q = r.turned(q)
			path[k] = [2]float64{
				(q.X - x.Lo) / (x.Hi - x.Lo) * float64(nx-1), (q.Y - y.Lo) / (y.Hi - y.Lo) * float64(ny-1),
			}
		}
		l.walls(path)
	}
	l.number()
	return l
}

// sample finds the regimes, and whether the neuron spikes by reset, at some nodes of the lattice.
func (r *Regions) sample(ctx context.Context, each Each, a *Areas, l *lattice) (settled map[int]Regime,
	fires map[int]bool, err error,
) {
	const rounds = 3
	settled, fires = map[int]Regime{}, map[int]bool{}
	for _, s := range r.scans {
		along(a, l, s, settled)
	}
	for k, n := range r.firing {
		fires[k] = n.fires
		if r.t.dim() == 1 {
			settled[k] = Regime{Equilibria: n.equilibria}
		}
	}
	if resets(r.Model) {
		if err := r.sampleFiring(ctx, each, a, l, settled, fires); err != nil {
			return nil, nil, err
		}
	}
	for range rounds {
		rows := unknownRows(l, settled)
		if len(rows) == 0 || r.t.dim() == 1 {
			break
		}
		more := make([]scan, len(rows))
		for k, j := range rows {
			more[k] = scan{along: r.x, at: a.Y[j]}
		}
		more, err := r.t.scan(ctx, each, more)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range more {
			along(a, l, s, settled)
		}
	}
	return settled, fires, nil
}

// sampleFiring searches for spiking by reset in the regions in which it has not been searched for.
func (r *Regions) sampleFiring(ctx context.Context, each Each, a *Areas, l *lattice, settled map[int]Regime,
	fires map[int]bool,
) error {
	g := &firingMap{t: r.t}
	faces, inmost := unknownFaces(l, fires)
	found := make([]firingNode, len(faces))
	err := each.do(len(faces), func(n int) (err error) {
		k := inmost[faces[n]]
		found[n], err = g.at(ctx, a.X[k%l.nx], a.Y[k/l.nx], nil)
		return err
	})
	for n, f := range faces {
		k := inmost[f]
		fires[k] = found[n].fires
		if r.t.dim() == 1 {
			settled[k] = Regime{Equilibria: found[n].equilibria}
		}
	}
	return err
}

// unknownFaces lists the faces with no node in known that are at least wide nodes deep, the widest first, and the
// innermost node of every face.
func unknownFaces[T any](l *lattice, known map[int]T) (faces, inmost []int) {
	const wide = 2 // nodes from the edge
	inmost, depth := l.inmost()
	seen := make([]bool, l.faces)
	for k := range known {
		seen[l.face[k]] = true
	}
	for f := range l.faces {
		if !seen[f] && depth[f] >= wide {
			faces = append(faces, f)
		}
	}
	slices.SortStableFunc(faces, func(a, b int) int { return cmp.Compare(depth[b], depth[a]) })
	return faces, inmost
}

// unknownRows lists rows of the lattice on which diagrams would find the regimes of faces that have no node in known.
func unknownRows(l *lattice, known map[int]Regime) (rows []int) {
	const most = 6
	faces, inmost := unknownFaces(l, known)
	for _, f := range faces {
		if j := inmost[f] / l.nx; len(rows) < most && !slices.Contains(rows, j) {
			rows = append(rows, j)
		}
	}
	return rows
}

// along enters the regimes that the diagram of s finds at the nodes it passes into known.
func along(a *Areas, l *lattice, s scan, known map[int]Regime) {
	add := func(k int, at float64) {
		equilibria, cycles := s.diagram.settling(at)
		known[k] = Regime{Equilibria: equilibria, Cycles: cycles}
	}
	if s.column {
		i := nearestIndex(a.X, s.at)
		for j, y := range a.Y {
			add(j*l.nx+i, y)
		}
		return
	}
	j := nearestIndex(a.Y, s.at)
	for i, x := range a.X {
		add(j*l.nx+i, x)
	}
}

func nearestIndex(values []float64, at float64) (k int) {
	for i, x := range values {
		if math.Abs(x-at) < math.Abs(values[k]-at) {
			k = i
		}
	}
	return k
}

// few is the part of the known nodes of a face that may differ from the others: nodes so close to a curve that the
// diagram through them has already crossed it.
const few = 0.05

// filled assigns a value to every node: the value of its face if all known values agree except for a part, which may
// differ; else that of the nearest known node of the face; in faces without a known node, that of the nearest node
// beyond the curves. open lists the nodes of faces of the second kind that have another value than most of their face.
func filled[T comparable](l *lattice, known map[int]T, part float64) (values []T, open []int) {
	values = make([]T, l.nx*l.ny)
	votes := make([]ballot[T], l.faces)
	for k, f := range l.face {
		if value, ok := known[k]; ok {
			votes[f].add(value)
		}
	}
	var all, mixed []int
	for k, f := range l.face {
		if votes[f].total == 0 {
			continue
		}
		value, isKnown := known[k]
		switch best, others := votes[f].best(); {
		case float64(others) <= part*float64(votes[f].total):
			values[k] = best
			all = append(all, k)
		case isKnown:
			values[k] = value
			mixed = append(mixed, k)
		}
	}
	inMixed := slices.Clone(mixed)
	l.spreadFrom(mixed, false, func(k, before int) {
		values[k] = values[before]
		inMixed = append(inMixed, k)
	})
	for _, k := range inMixed {
		if best, _ := votes[l.face[k]].best(); values[k] != best {
			open = append(open, k)
		}
	}
	l.spreadFrom(append(all, inMixed...), true, func(k, before int) { values[k] = values[before] })
	return values, open
}

// ballot counts values.
type ballot[T comparable] struct {
	values []T
	counts []int
	total  int
}

func (b *ballot[T]) add(value T) {
	k := slices.Index(b.values, value)
	if k < 0 {
		b.values, b.counts = append(b.values, value), append(b.counts, 0)
		k = len(b.values) - 1
	}
	b.counts[k]++
	b.total++
}

// best is the most frequent value, the first of them if there are several; others is how often another was counted.
func (b *ballot[T]) best() (value T, others int) {
	k := slices.Index(b.counts, slices.Max(b.counts))
	return b.values[k], b.total - b.counts[k]
}

// transpose exchanges the parameters.
func (a *Areas) transpose() {
	nx, ny := len(a.X), len(a.Y)
	turned := make([]Regime, 0, nx*ny)
	for i := range nx {
		for j := range ny {
			turned = append(turned, a.Regimes[j*nx+i])
		}
	}
	a.X, a.Y, a.Regimes = a.Y, a.X, turned
}

// settling counts the stable equilibria and cycles at one value of the free parameter.
func (d *Diagram) settling(at float64) (equilibria, cycles int) {
	for _, b := range d.Branches {
		for k := 1; k < len(b.Rows); k++ {
			q, r := b.Rows[k-1], b.Rows[k]
			// A row belongs to the interval that starts at it, so that none is counted twice; only the last row ends one.
			in := at >= min(q.Parameter, r.Parameter) && at <= max(q.Parameter, r.Parameter) && (at != r.Parameter ||
				k == len(b.Rows)-1 && b.To != Closed)
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
				equilibria++
			}
		}
	}
	return equilibria, cycles
}

// resets reports whether the model spikes by reset.
func resets(m *model.Model) bool { return m.Fires == model.Reset }
