package network

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"popsim/circulant"
	"popsim/kernels"
	"popsim/model"
)

// footprint adds up the memory behind values: the elements of slices up to their capacity and what pointers point to,
// each byte once.
type footprint struct {
	seen    map[visit]bool
	extents []extent
}

// A visit is a place in memory that has been gone through as a number of values of a type.
type visit struct {
	at uintptr
	n  int
	of reflect.Type
}

// An extent is the memory from an address up to another.
type extent struct{ from, to uintptr }

// others are the types whose values belong to the whole network or to its description, not to a range.
var others = []reflect.Type{
	reflect.TypeFor[Network](), reflect.TypeFor[layout](), reflect.TypeFor[model.Model](),
	reflect.TypeFor[kernels.Kernel](),
}

// add adds what v refers to.
func (f *footprint) add(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !slices.Contains(others, v.Type().Elem()) && f.first(v.Pointer(), 1, v.Type().Elem()) {
			f.add(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			f.add(v.Elem())
		}
	case reflect.Slice:
		if v.Cap() > 0 && f.first(v.Pointer(), v.Cap(), v.Type().Elem()) && refers(v.Type().Elem()) {
			for i := range v.Len() {
				f.add(v.Index(i))
			}
		}
	case reflect.Array:
		for i := 0; i < v.Len() && refers(v.Type().Elem()); i++ {
			f.add(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.add(v.Field(i))
		}
	}
}

// first notes n values of a type at an address, and reports whether they had not been noted.
func (f *footprint) first(at uintptr, n int, t reflect.Type) bool {
	key := visit{at, n, t}
	if f.seen[key] {
		return false
	}
	if f.seen == nil {
		f.seen = map[visit]bool{}
	}
	f.seen[key] = true
	f.extents = append(f.extents, extent{at, at + uintptr(n)*t.Size()})
	return true
}

// refers reports whether values of a type may refer to other memory.
func refers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice:
		return true
	case reflect.Array:
		return refers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if refers(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

// bytes is the number of bytes of all values added.
func (f *footprint) bytes() float64 {
	slices.SortFunc(f.extents, func(a, b extent) int {
		if a.from < b.from {
			return -1
		}
		return 1
	})
	sum, end := uintptr(0), uintptr(0)
	for _, e := range f.extents {
		if e.to > end {
			sum += e.to - max(end, e.from)
			end = e.to
		}
	}
	return float64(sum)
}

// sampled is the number of neurons of the larger of the two samples from which the memory of all is found.
const sampled = 2048

// columnBytes is the memory of the neurons, their receptors and inputs in a number of ranges: of everything in them but
// tables of stored edges; and of that the part of gates, which are made last. Where ranges are small it is found from
// one of them for each set of populations; else from the ranges of two small networks that have the same parts.
func (n *Network) columnBytes(ranges int) (all, gates float64, err error) {
	l := n.layout
	cut := l.ranges(ranges)
	if !slices.ContainsFunc(cut, func(segs []segment) bool { return l.lanes(segs) > sampled }) {
		return n.smallRanges(cut)
	}
	neurons := float64(l.firsts[len(l.firsts)-1])
	share := min(1, sampled/neurons)
	n2, own2, gates2, err := n.sampleNetwork(share, ranges)
	if err != nil {
		return 0, 0, err
	}
	n1, own1, gates1, err := n.sampleNetwork(share/2, ranges)
	if err != nil {
		return 0, 0, err
	}
	rings, each := l.ringBytes(), float64(ranges)
	if n1 == n2 {
		gates = float64(each * (gates2 + rings))
		return float64(each*own2) + gates, gates, nil
	}
	ownEach, gatesEach := (own2-own1)/(n2-n1), (gates2-gates1)/(n2-n1)
	ownOnce, gatesOnce := max(0, own1-float64(ownEach*n1)), max(0, gates1-float64(gatesEach*n1)) // in every range
	gates = float64(each * (gatesOnce + float64(gatesEach*neurons) + rings))
	return float64(ownEach*neurons) + float64(each*ownOnce) + gates, gates, nil
}

// smallRanges is columnBytes of small ranges.
func (n *Network) smallRanges(ranges [][]segment) (all, gates float64, err error) {
	l := n.layout
	type sample struct{ own, gates, lanes float64 }
	samples := map[string]sample{} // by the populations of a range
	for _, segs := range ranges {
		populations := ""
		for _, s := range segs {
			populations += fmt.Sprint(s.population, " ")
		}
		lanes := float64(max(1, l.lanes(segs)))
		x, ok := samples[populations]
		if !ok {
			x.lanes = lanes
			if x.own, x.gates, err = n.sample(l, segs, l.stepsTogether(l.lanes(segs))); err != nil {
				return 0, 0, err
			}
			samples[populations] = x
		}
		all += float64(x.own * lanes / x.lanes)
		gates += x.gates + l.ringBytes()
	}
	return all + gates, gates, nil
}

// ringBytes is the memory of the projections of NMDA on rings in a range, which is not proportional to the number of
// neurons.
func (l *layout) ringBytes() (bytes float64) {
	for i := range l.spec.Projections {
		if p := &l.spec.Projections[i]; p.onRing(l.spec) {
			bytes += float64(circulant.Bytes(p.From[0].N))
		}
	}
	return bytes
}

// sampleNetwork makes the only range of a network with a share of the neurons, and returns their number and the memory
// of the range.
func (n *Network) sampleNetwork(share float64, ranges int) (neurons, own, gates float64, err error) {
	l := *n.layout
	l.spec = l.spec.shrunk(share)
	l.firsts = l.spec.firsts()
	own, gates, err = n.sample(&l, l.bounds(1)[0],
		l.stepsTogether(int(float64(n.layout.firsts[len(l.firsts)-1])/float64(ranges))))
	return float64(l.firsts[len(l.firsts)-1]), own, gates, err
}

// sample makes a range and returns its memory: of what it holds of its own neurons, and of gates, of which every range
// holds those of all sources.
func (n *Network) sample(l *layout, segs []segment, rowSteps int) (own, gates float64, err error) {
	m := &Network{layout: l, isa: n.isa, workers: 1, pairs: n.pairs, pages: new(mapped)}
	m.inputReceptors()
	r := &shard{net: m, segs: segs, tablesOf: make([][]int, len(l.spec.Populations)), rowSteps: rowSteps}
	for _, step := range []func() error{
		r.layOut, r.prepareInputs, func() error { r.makeUnstored(); return nil }, r.completeSums,
	} {
		if err := step(); err != nil {
			return 0, 0, err
		}
	}
	for _, p := range r.trains {
		if p.in.Poisson != nil {
			p.setLaws(p.in.Poisson.most() * l.spec.Dt / 1000)
		}
	}
	var f footprint
	f.add(reflect.ValueOf(l.spec))
	given := f.bytes()
	gated := r.gates
	r.gates = nil
	for _, g := range gated {
		g.rings = nil // see ringBytes
	}
	f.add(reflect.ValueOf(r))
	own = f.bytes()
	f.add(reflect.ValueOf(gated))
	return own - given, f.bytes() - own, nil
}

// shrunk is s with about a share of the neurons of each population, in whole groups, and the same inputs and
// projections, whose edges must not be drawn.
func (s *Spec) shrunk(share float64) *Spec {
	t := *s
	t.Populations, t.Projections = slices.Clone(s.Populations), slices.Clone(s.Projections)
	t.Inputs = slices.Clone(s.Inputs)
	for i := range t.Populations {
		p := &t.Populations[i]
		p.N = min(p.N, kernels.Group*int(math.Ceil(share*float64(p.N)/kernels.Group)))
	}
	parts := func(list []Part) []Part {
		list = slices.Clone(list)
		for i := range list {
			q := &list[i]
			scale := float64(t.Populations[q.Population].N) / float64(s.Populations[q.Population].N)
			end := max(1, int(math.Round(float64(q.First+q.N)*scale)))
			q.First = min(int(float64(q.First)*scale), end-1)
			q.N = min(end-q.First, q.N) // lists of an input have no more elements
		}
		return list
	}
	for i := range t.Projections {
		p := &t.Projections[i]
		p.From, p.To = parts(p.From), parts(p.To)
	}
	for i := range t.Inputs {
		t.Inputs[i].To = parts(t.Inputs[i].To)
	}
	return &t
}
