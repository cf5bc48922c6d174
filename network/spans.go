package network

import (
	"cmp"
	"math"
	"slices"

	"popsim/kernels"
)

// A burst brings hundreds of arrivals to a neuron in one step. Where no two of them need to be told apart, since V
// cannot reach the threshold meanwhile or is held, a lifSolver takes them together: a span. What the first k arrivals
// add by the end of the step is summed once; the difference of two such sums, taken back to the end of a span by the
// solution without arrivals, is what those of the span add by then. Since steps are at most half of every time constant
// (see newSeries), what one arrival adds to V only grows within the step, so that what those of positive weight add by
// the end of the span bounds what all of them add before.

const (
	spanFew      = 24 // arrivals of a lane in a step from which on spans are tried
	spanFewAlpha = 8  // the same where the lane is advanced by flows (alphaflow.go)
	spanLeast    = 4  // arrivals of the shortest span
)

// spans is what a lifSolver needs for spans.
type spans struct {
	off    bool // for tests
	on     bool // in this step
	sums   []accumulated
	all    int // arrivals of the lane in the step
	last   int // arrivals of the span taken last
	from   int // spans are tried again once no more arrivals than that are left
	passed int // arrivals in spans so far
}

// accumulated is what arrivals of one receptor add by the end of the step: to y, s and V/R; those that raise V alone,
// and all.
type accumulated struct{ raising, all [3]float64 }

func (a *accumulated) add(c *[3]float64, weight float64, raises bool) {
	for j, x := range c {
		x = float64(x * weight)
		a.all[j] += x
		if raises {
			a.raising[j] += x
		}
	}
}

// beginSpans sums the arrivals of a step, in the order of their times, if spans are to be tried.
func (w *lifSolver) beginSpans(r *shard, arrivals []arrival, noisy bool) {
	p := &w.spans
	p.on = false
	few := spanFew
	if w.inFlows {
		few = spanFewAlpha
	}
	if len(arrivals) < few || noisy || p.off || len(w.rc) == 0 {
		return
	}
	l := r.net.layout
	for j, rc := range w.rc {
		if rc.kind != ExpCurrent && rc.kind != AlphaCurrent || l.series[w.seg.receptors[j]] == nil {
			return
		}
	}
	p.on, p.all, p.last, p.from = true, len(arrivals), len(arrivals), len(arrivals)
	if w.inFlows {
		w.sumAlpha(r, arrivals)
		return
	}
	n := len(w.rc)
	p.sums = slices.Grow(p.sums[:0], (len(arrivals)+1)*n)[:(len(arrivals)+1)*n]
	clear(p.sums[:n])
	for i := range arrivals {
		a, sums := &arrivals[i], p.sums[i*n:][:2*n]
		copy(sums[n:], sums[:n])
		j := slices.Index(w.seg.receptors, l.main[a.receptor])
		c := l.series[w.seg.receptors[j]].at(a.theta)
		if w.rc[j].kind == ExpCurrent {
			c = [3]float64{0, c[0], c[1]}
		}
		sums[n+j].add(&c, a.weight, a.weight*w.neuron.r > 0)
	}
}

// sumAlpha is beginSpans for one alpha current. What one arrival adds is known of the rows of counts, which are in the
// order of their times too.
func (w *lifSolver) sumAlpha(r *shard, arrivals []arrival) {
	p, c := &w.spans, w.seg.receptors[0]
	series, rows := r.net.layout.series[c], r.countedOrder.rows
	p.sums = slices.Grow(p.sums[:0], len(arrivals)+1)[:len(arrivals)+1]
	p.sums[0] = accumulated{}
	next := 0
	for i := range arrivals {
		a := &arrivals[i]
		for next < len(rows) && rows[next].theta < a.theta {
			next++
		}
		var unit *[3]float64
		if next < len(rows) && rows[next].theta == a.theta && rows[next].main == c {
			unit = &rows[next].add
		} else {
			x := series.at(a.theta)
			unit = &x
		}
		before, sum := &p.sums[i], &p.sums[i+1]
		x, y, z := float64(unit[0]*a.weight), float64(unit[1]*a.weight), float64(unit[2]*a.weight)
		sum.all = [3]float64{before.all[0] + x, before.all[1] + y, before.all[2] + z}
		if a.weight*w.neuron.r > 0 {
			sum.raising = [3]float64{before.raising[0] + x, before.raising[1] + y, before.raising[2] + z}
		} else {
			sum.raising = before.raising
		}
	}
}

// span takes the longest span it finds from t, at most to the time to; reached is its end, left what arrivals are left.
// Without one, reached is t.
func (w *lifSolver) span(t, to float64, held bool, arrivals []arrival) (reached float64, left []arrival) {
	p := &w.spans
	if !p.on || len(arrivals) > p.from {
		return t, arrivals
	}
	most, _ := slices.BinarySearchFunc(arrivals, to, func(a arrival, t float64) int { return cmp.Compare(a.theta, t) })
	m := most
	if !held {
		m = min(m, 2*p.last)
	}
	for ; m >= spanLeast; m /= 2 {
		end := to
		if m < most {
			end = arrivals[m].theta
		}
		if w.pass(t, end, held, p.all-len(arrivals), m) {
			p.last = m
			p.passed += m
			return end, arrivals[m:]
		}
	}
	p.last, p.from = spanLeast, len(arrivals)-spanLeast
	return t, arrivals
}

// pass advances the lane from t to end with m arrivals from number first on, unless V might reach the threshold.
func (w *lifSolver) pass(t, end float64, held bool, first, m int) bool {
	p, n := &w.spans, len(w.rc)
	before, after := p.sums[first*n:][:n], p.sums[(first+m)*n:][:n]
	span, left := (end-t)*w.dt, (1-end)*w.dt
	if w.inFlows {
		return w.passAlpha(span, left, held, &before[0], &after[0])
	}
	if !held {
		tau := w.neuron.tau
		back := takeBack{left: left, tau: tau, grown: kernels.Exp(left / tau)}
		raised, added := 0.0, 0.0
		for j, rc := range w.rc {
			b, a := &before[j], &after[j]
			raised += back.to(rc, minus(&a.raising, &b.raising))[2]
			added += back.to(rc, minus(&a.all, &b.all))[2]
		}
		v := w.ahead(span)
		top := max(w.v, v) + float64(w.bend(span)*span*span/8) + float64(w.neuron.r*raised)
		if !(top < w.neuron.vTh) {
			return false
		}
		w.v = math.FMA(w.neuron.r, added, v)
	}
	w.forward(span, true)
	back := takeBack{left: left}
	for j, rc := range w.rc {
		c := back.to(rc, minus(&after[j].all, &before[j].all))
		w.y[j] += c[0]
		w.s[j] += c[1]
	}
	return true
}

func minus(a, b *[3]float64) [3]float64 { return [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }

// bend bounds |V”| within the next t ms without events: V' relaxes to R I', so it is at most as large as it is now or
// as R I' becomes.
func (w *lifSolver) bend(t float64) float64 {
	current, change := 0.0, 0.0
	for j, rc := range w.rc {
		y, s := math.Abs(w.y[j]), math.Abs(w.s[j])
		current += w.s[j]
		change += y + (s+float64(t*y))/rc.tau
	}
	r, tau := w.neuron.r, w.neuron.tau
	slope := (math.FMA(r, current, w.neuron.vInf) - w.v) / tau
	change = float64(change * math.Abs(r))
	return (max(math.Abs(slope), change) + change) / tau
}

// takeBack solves for the state left ms before the end of the step from that at the end, without arrivals; grown is
// exp(left/tau). If tau is 0, V is left out.
type takeBack struct{ left, tau, grown float64 }

func (b *takeBack) to(rc *receptor, end [3]float64) (c [3]float64) {
	if b.left == 0 {
		return end
	}
	p := kernels.Exp(b.left / rc.tau)
	c[0] = end[0] * p
	c[1] = math.FMA(end[1], p, -float64(b.left*c[0]))
	if b.tau > 0 {
		v := math.FMA(-p21(b.left, b.tau, rc.tau), c[1], end[2])
		c[2] = math.FMA(-p20(b.left, b.tau, rc.tau), c[0], v) * b.grown
	}
	return c
}

// A timeOrder orders the arrivals of one lane in one step by time; those at one instant keep their order. Many are
// first put into buckets, by the part of the step they lie in.
type timeOrder struct {
	copied []arrival
	begin  []int32
}

func (o *timeOrder) sort(arrivals []arrival) {
	const (
		few     = 32
		fewLate = 8       // arrivals that are put into place one by one
		each    = 2       // arrivals of a bucket, on average
		most    = 8 * few // of a bucket
	)
	n := len(arrivals)
	m := min(1, n) // those of the beginning that are in order
	for m < n && arrivals[m].theta >= arrivals[m-1].theta {
		m++
	}
	if n > few && n-m > fewLate {
		buckets := n / each
		bucket := func(theta float64) int { return min(int(theta*float64(buckets)), buckets-1) }
		o.begin = slices.Grow(o.begin[:0], buckets+1)[:buckets+1]
		clear(o.begin)
		for i := range arrivals {
			o.begin[bucket(arrivals[i].theta)+1]++
		}
		if slices.Max(o.begin) > most {
			slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.theta, b.theta) })
			return
		}
		for i := range buckets {
			o.begin[i+1] += o.begin[i]
		}
		o.copied = append(o.copied[:0], arrivals...)
		for i := range o.copied {
			at := &o.begin[bucket(o.copied[i].theta)]
			arrivals[*at] = o.copied[i]
			*at++
		}
		m = 1
	}
	for i := max(1, m); i < n; i++ {
		a, j := arrivals[i], i
		for ; j > 0 && arrivals[j-1].theta > a.theta; j-- {
			arrivals[j] = arrivals[j-1]
		}
		arrivals[j] = a
	}
}
