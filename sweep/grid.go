package sweep

import (
	"errors"
	"fmt"
)

// Grid is the set of points that axes span: all combinations, the last axis varying fastest, or with Zip the axes side
// by side.
type Grid struct {
	Axes []Axis
	Zip  bool
}

// Points returns the number of points; a grid without axes has one. It is a float64 because the number may exceed every
// int; it is a valid int once Check has returned nil.
func (g Grid) Points() float64 {
	n := 1.0
	for i, a := range g.Axes {
		if g.Zip && i > 0 {
			break
		}
		n *= float64(a.Len())
	}
	return n
}

// Check reports all faults of the grid: axes named twice, empty axes, zipped axes of unequal length, too many points.
func (g Grid) Check() error {
	var faults []error
	seen := map[string]bool{}
	for _, a := range g.Axes {
		if seen[a.Name] {
			faults = append(faults, fmt.Errorf("sweep: %s is given twice", a.Name))
		}
		seen[a.Name] = true
		if a.Len() == 0 {
			faults = append(faults, fmt.Errorf("sweep: grid of 0 points: %s has no values", a.Name))
		}
		if first := g.Axes[0]; g.Zip && a.Len() != first.Len() {
			faults = append(faults, fmt.Errorf("sweep: zip pairs %d values of %s with %d of %s; their numbers must agree",
				first.Len(), first.Name, a.Len(), a.Name))
		}
	}
	if g.Points() >= most {
		faults = append(faults, fmt.Errorf("sweep: a grid of %.3g points is too large to number", g.Points()))
	}
	return errors.Join(faults...)
}

// Index returns the place of a point on axis j.
func (g Grid) Index(point, j int) int {
	if g.Zip {
		return point
	}
	for k := len(g.Axes) - 1; k > j; k-- {
		point /= g.Axes[k].Len()
	}
	return point % g.Axes[j].Len()
}

// At returns the value of axis j at a point.
func (g Grid) At(point, j int) float64 { return g.Axes[j].At(g.Index(point, j)) }

// axis returns the number of the named axis, or -1.
func (g Grid) axis(name string) int {
	for j, a := range g.Axes {
		if a.Name == name {
			return j
		}
	}
	return -1
}

// Stride returns the difference between the numbers of points that are neighbours along axis j; 1 in a zipped grid.
func (g Grid) Stride(j int) int {
	n := 1
	if g.Zip {
		return n
	}
	for _, a := range g.Axes[j+1:] {
		n *= a.Len()
	}
	return n
}
