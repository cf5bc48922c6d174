package sweep

import (
	"errors"
	"fmt"
	"math"
)

// Axis is one named quantity of a grid and the values it takes, in their order. Values given by a rule are computed
// when they are read, so that an axis takes no memory before the size of the grid has been checked.
type Axis struct {
	Name string
	Unit string

	list  []float64 // the values, or nil if a rule gives them
	n     int
	start float64
	stop  float64
	step  float64 // 0 means: n values from start to stop
	log   bool
	ticks float64 // if step is not 0: 10^d such that start and step are multiples of 10^-d; 0 if there is none
}

// Values returns an axis of given values, which it keeps.
func Values(name, unit string, values ...float64) Axis {
	return Axis{Name: name, Unit: unit, list: values, n: len(values)}
}

// Even returns an axis of n values, 2 or more, evenly spaced from lo to hi.
func Even(name, unit string, lo, hi float64, n int) Axis {
	return Axis{Name: name, Unit: unit, n: n, start: lo, stop: hi}
}

// Len returns the number of values.
func (a Axis) Len() int { return a.n }

// At returns value i. On a linear axis it is the float64 nearest to the decimal number: 0.3, not 3 times 0.1.
func (a Axis) At(i int) float64 {
	switch {
	case a.list != nil:
		return a.list[i]
	case a.step != 0 && a.ticks != 0:
		return (math.Round(a.start*a.ticks) + float64(float64(i)*math.Round(a.step*a.ticks))) / a.ticks
	case a.step != 0:
		return a.start + float64(float64(i)*a.step)
	case i == a.n-1:
		return a.stop
	case a.log:
		part := float64(i) / float64(a.n-1)
		return a.start * math.Pow(a.stop/a.start, part)
	}
	return a.start + float64((a.stop-a.start)*float64(i))/float64(a.n-1)
}

// All lists the values.
func (a Axis) All() []float64 {
	values := make([]float64, a.n)
	for i := range values {
		values[i] = a.At(i)
	}
	return values
}

// most is the largest number of values or points that is counted exactly.
const most = 1 << 53

// slack is the part of a step by which the last value may miss stop and still count as reaching it: decimal steps are
// rounded.
const slack = 1e-9

// ErrWide is the error of an axis whose ends have a difference or ratio too large for a float64.
var ErrWide = errors.New("the ends are further apart than numbers go")

// Stepped returns an axis from start to stop in steps of step, whose sign must fit; stop is included if the steps reach
// it.
func Stepped(name, unit string, start, stop, step float64) (Axis, error) {
	width, amount := stop-start, fmt.Sprint(step)
	if unit != "" && unit != "1" {
		amount += " " + unit
	}
	switch {
	case math.IsInf(width, 0):
		return Axis{}, ErrWide
	case step == 0:
		return Axis{}, fmt.Errorf("a step of %s goes nowhere", amount)
	case width != 0 && (width < 0) != (step < 0):
		return Axis{}, fmt.Errorf("a step of %s never leads from %v to %v; use %v", amount, start, stop, -step)
	}
	n := math.Floor(float64(width/step*(1+1e-15))+slack) + 1
	if !(n < most) {
		return Axis{}, fmt.Errorf("%.3g values are too many to count", n)
	}
	return Axis{Name: name, Unit: unit, n: int(n), start: start, stop: stop, step: step, ticks: decimals(start, step)}, nil
}

// Counted returns an axis of n values evenly spaced from start to stop, both included, n >= 2. If start and stop have
// few digits, the values are the float64 numbers nearest to the decimal ones.
func Counted(name, unit string, start, stop float64, n int) (Axis, error) {
	if err := checkEnds(start, stop, n); err != nil {
		return Axis{}, err
	}
	a := Axis{Name: name, Unit: unit, n: n, start: start, stop: stop}
	if ticks := decimals(start, stop); ticks != 0 && start != stop {
		if width := math.Round(stop*ticks) - math.Round(start*ticks); math.Mod(width, float64(n-1)) == 0 {
			a.step, a.ticks = width/float64(n-1)/ticks, ticks
		}
	}
	if step := (stop - start) / float64(n-1); a.step == 0 && step != 0 {
		if a.ticks = decimals(start, step); a.ticks != 0 {
			a.step = step
		}
	}
	return a, nil
}

// Logarithmic returns an axis of n values from start to stop, both above 0 and both included, evenly spaced in the
// logarithm; n >= 2.
func Logarithmic(name, unit string, start, stop float64, n int) (Axis, error) {
	err := checkEnds(start, stop, n)
	switch {
	case err != nil:
		return Axis{}, err
	case start > 0 && (math.IsInf(stop/start, 0) || stop/start == 0):
		return Axis{}, ErrWide
	case !(start > 0 && stop > 0):
		return Axis{}, errors.New("a logarithmic axis needs both ends above 0")
	}
	return Axis{Name: name, Unit: unit, n: n, start: start, stop: stop, log: true}, nil
}

// checkEnds checks what an axis of n values with both ends needs.
func checkEnds(start, stop float64, n int) error {
	switch {
	case n < 2 || n >= most:
		return fmt.Errorf("%d values cannot include both ends; use 2 or more", n)
	case math.IsInf(stop-start, 0):
		return ErrWide
	}
	return nil
}

// decimals returns the least power of ten whose products with x and y are whole numbers, 0 if there is none below 1e12.
func decimals(x, y float64) float64 {
	for scale := 1.0; scale < 1e12; scale *= 10 {
		if whole(x, scale) && whole(y, scale) {
			return scale
		}
	}
	return 0
}

// whole reports whether x times scale is a whole number, up to rounding.
func whole(x, scale float64) bool {
	r := math.Round(x * scale)
	return math.Abs(r) < 1e15 && r/scale == x
}
