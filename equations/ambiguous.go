package equations

import (
	"math"
	"slices"
	"sync"

	"popsim/model"
)

// nonlinear reports whether the states after the first may have several steady values at one value of the first: not
// where every group of states that depend on one another has equations linear in the group, which one solution of a
// linear system after another solves.
func (d *definition) nonlinear() bool {
	reaches := d.dependencies()
	for j := range reaches {
		group := uint64(1) << j // states that depend on state j, and it on them
		for k := range reaches {
			if reaches[j]>>k&1 != 0 && reaches[k]>>j&1 != 0 {
				group |= 1 << k
			}
		}
		for k := 1; k < len(reaches); k++ {
			if group>>k&1 != 0 && d.Derivative(d.slopes[j], k).Among(group) {
				return true
			}
		}
	}
	return false
}

// dependencies lists for every state the set of states after the first on which its slope depends, directly or by way
// of others after the first.
func (d *definition) dependencies() []uint64 {
	n := len(d.states)
	reaches := make([]uint64, n)
	for j := 1; j < n; j++ {
		for k := 1; k < n; k++ {
			if d.slopes[j].DependsOn(k) {
				reaches[j] |= 1 << k
			}
		}
	}
	for by := 1; by < n; by++ {
		for j := 1; j < n; j++ {
			if reaches[j]>>by&1 != 0 {
				reaches[j] |= reaches[by]
			}
		}
	}
	return reaches
}

// ambiguous searches for a value of the first state at which the others have two steady states: by Newton's method
// (from, of the states after the first and the current) from several starts around start, 1 or twice the start to both
// sides, at values in the reach of the model and its width beyond.
func ambiguous(m *model.Model, p, start []float64, from func(p, y []float64) float64) bool {
	const (
		values = 201
		starts = 12
		same   = 1e-6 // of a state and one unit
	)
	lo, hi := m.Reach(p)
	width := hi - lo
	offsets := even(starts, len(start))
	first, y := make([]float64, len(start)), make([]float64, len(start))
	for k := range values {
		known := false
		for _, offset := range offsets {
			for j, x := range start {
				y[j] = x + float64(max(1, float64(2*math.Abs(x)))*offset[j])
			}
			y[0] = lo - width + float64(3*width*float64(k))/(values-1)
			if i := from(p, y); math.IsNaN(i) {
				continue
			}
			if !known {
				known = true
				copy(first, y)
			}
			for j := range y {
				if math.Abs(y[j]-first[j]) > same*(1+math.Abs(first[j])) {
					return true
				}
			}
		}
	}
	return false
}

// even lists n points of d coordinates from -1 to 1 that fill the cube evenly: multiples of powers of the root of
// x^(d+1) = x + 1, modulo 1.
func even(n, d int) (points [][]float64) {
	root := 2.0
	for range 60 {
		root = math.Pow(1+root, 1/float64(d+1))
	}
	for k := range n {
		point := make([]float64, d)
		for j := range point {
			part := float64(float64(k+1) * math.Pow(root, -float64(j+1)))
			point[j] = float64(2*(part-math.Floor(part))) - 1
		}
		points = append(points, point)
	}
	return points
}

// onceForEqual is f, computed once for equal parameters that follow one another.
func onceForEqual(f func(p []float64) bool) func(p []float64) bool {
	var lock sync.Mutex
	var last []float64
	var answer bool
	return func(p []float64) bool {
		lock.Lock()
		defer lock.Unlock()
		if last == nil || !slices.Equal(last, p) {
			answer, last = f(p), slices.Clone(p)
		}
		return answer
	}
}
