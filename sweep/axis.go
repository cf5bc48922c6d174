package sweep

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"popsim/model"
	"popsim/table/file"
)

// Axis is one named quantity of a grid and the values it takes, in their order. Values are made when asked for, so an
// axis costs no memory before it is known to fit.
type Axis struct {
	Name string
	Unit string

	list  []float64 // the values, or nil where a rule makes them
	n     int
	start float64
	stop  float64
	step  float64 // 0 means: n values from start to stop
	log   bool
	ticks float64 // where step is not 0: 10^d such that start and step are whole numbers of 10^-d; 0 if there is none
}

// Values is an axis of given values.
func Values(name, unit string, values ...float64) Axis {
	return Axis{Name: name, Unit: unit, list: values, n: len(values)}
}

// Even is an axis of n values, 2 or more, evenly spaced from lo to hi.
func Even(name, unit string, lo, hi float64, n int) Axis {
	return Axis{Name: name, Unit: unit, n: n, start: lo, stop: hi}
}

// Len is the number of values.
func (a Axis) Len() int { return a.n }

// At is value i. On a linear axis it is the double nearest to the decimal that was meant: 0.3, not 3 times 0.1.
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

// ErrInterval is the error for an interval, a:b, where single values are needed.
var ErrInterval = errors.New("an interval has no single values")

// ParseAxis reads the values of an axis as they stand on the command line behind "name=":
//
//	21              one value
//	5,6,7           a list
//	0:20:0.5        start:stop:step; stop is included when the steps reach it
//	0:20/201        201 values, both ends included
//	log:1:100/50    50 values, evenly spaced in the logarithm
//	@file.npy       one value per element of a .npy or one-column .csv file
//
// Numbers may carry a unit that fits unit, in which all values are given. The error says what would do; for an
// interval a:b it wraps ErrInterval.
func ParseAxis(name, text, unit string) (Axis, error) {
	a, err := parseAxis(name, strings.TrimSpace(text), unit)
	if err != nil {
		return Axis{}, inSetting(name, text, err)
	}
	a.Name, a.Unit = name, unit
	return a, nil
}

func parseAxis(name, text, unit string) (Axis, error) {
	if text == "" {
		return Axis{}, errors.New("no value; one number, a list a,b,c or a range start:stop:step would do")
	}
	if path, ok := strings.CutPrefix(text, "@"); ok {
		list, err := file.ReadColumn(path)
		return Axis{list: list, n: len(list)}, err
	}
	kind, rest, _ := strings.Cut(text, ":")
	switch kind {
	case "log":
		return parseCounted(rest, unit, true)
	case "normal", "uniform":
		return Axis{}, fmt.Errorf("%s draws one value per neuron, which run does; a sweep needs values", kind)
	}
	_, _, counted := cutCount(text)
	switch {
	case !strings.Contains(text, ":"):
		list, err := parseNumbers(strings.Split(text, ","), unit)
		return Axis{list: list, n: len(list)}, err
	case strings.Contains(text, ","):
		return Axis{}, errors.New("a list holds single numbers, no ranges; name the quantity once")
	case counted:
		return parseCounted(text, unit, false)
	}
	ends := strings.Split(text, ":")
	x, err := parseNumbers(ends, unit)
	switch {
	case err != nil:
		return Axis{}, err
	case len(x) == 2:
		return Axis{}, fmt.Errorf("%w; %s=%s/101 would give 101 of them, %[2]s=%[3]s:STEP steps", ErrInterval, name, text)
	case len(x) > 3:
		return Axis{}, errors.New("too many colons; a range is start:stop:step")
	}
	return stepped(x[0], x[1], x[2], unit)
}

// ParseInterval reads an interval a:b, as bifurcation diagrams take it; a < b.
func ParseInterval(name, text, unit string) (lo, hi float64, err error) {
	x, err := parseNumbers(strings.Split(text, ":"), unit)
	switch {
	case err != nil:
	case len(x) != 2:
		err = errors.New("an interval start:stop is needed")
	case x[0] >= x[1]:
		err = errors.New("the interval must run upwards")
	case math.IsInf(x[1]-x[0], 0):
		err = errWide
	default:
		return x[0], x[1], nil
	}
	return 0, 0, inSetting(name, text, err)
}

// inSetting says of every fault where it stands.
func inSetting(name, text string, err error) error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("sweep: %s=%s: %w", name, text, err)
	}
	var faults []error
	for _, one := range list.Unwrap() {
		faults = append(faults, fmt.Errorf("sweep: %s=%s: %w", name, text, one))
	}
	return errors.Join(faults...)
}

func parseNumbers(texts []string, unit string) ([]float64, error) {
	values := make([]float64, len(texts))
	var faults []error
	for i, t := range texts {
		var err error
		if values[i], err = model.ParseQuantity(t, unit); err != nil {
			faults = append(faults, err)
		}
	}
	return values, errors.Join(faults...)
}

// slack is how far, in steps, the last value may miss stop and still be it: the rounding of decimal steps.
const slack = 1e-9

// errWide is the error for a range whose width is no number.
var errWide = errors.New("the ends are further apart than numbers go")

func stepped(start, stop, step float64, unit string) (Axis, error) {
	width := stop - start
	switch {
	case math.IsInf(width, 0):
		return Axis{}, errWide
	case step == 0:
		return Axis{}, fmt.Errorf("a step of 0 %s goes nowhere", unit)
	case width != 0 && (width < 0) != (step < 0):
		return Axis{}, fmt.Errorf("a step of %v %s never leads from %v to %v; %v would", step, unit, start, stop, -step)
	}
	n := math.Floor(width/step*(1+1e-15)+slack) + 1
	if !(n < most) {
		return Axis{}, fmt.Errorf("%.3g values are too many to count", n)
	}
	return Axis{n: int(n), start: start, stop: stop, step: step, ticks: decimals(start, step)}, nil
}

// cutCount cuts text at the slash of start:stop/n. A slash between letters belongs to a unit, as in uA/cm2.
func cutCount(text string) (span, count string, ok bool) {
	i := strings.LastIndexByte(text, '/')
	if i < 0 || i > 0 && i+1 < len(text) && unicode.IsLetter(rune(text[i-1])) && unicode.IsLetter(rune(text[i+1])) {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// parseCounted reads start:stop/n.
func parseCounted(text, unit string, log bool) (Axis, error) {
	span, count, ok := cutCount(text)
	x, err := parseNumbers(strings.Split(span, ":"), unit)
	if err != nil {
		return Axis{}, err
	}
	n, errN := strconv.Atoi(strings.TrimSpace(count))
	switch {
	case !ok || len(x) != 2 || errN != nil:
		return Axis{}, errors.New("start:stop/n with a whole number n is needed")
	case n < 2 || n >= most:
		return Axis{}, fmt.Errorf("%d values cannot include both ends; 2 or more can", n)
	case math.IsInf(x[1]-x[0], 0) || log && x[0] > 0 && (math.IsInf(x[1]/x[0], 0) || x[1]/x[0] == 0):
		return Axis{}, errWide
	case log && !(x[0] > 0 && x[1] > 0):
		return Axis{}, errors.New("a logarithmic axis needs both ends above 0")
	}
	a := Axis{n: n, start: x[0], stop: x[1], log: log}
	if ticks := decimals(x[0], x[1]); !log && ticks != 0 && x[0] != x[1] {
		if width := math.Round(x[1]*ticks) - math.Round(x[0]*ticks); math.Mod(width, float64(n-1)) == 0 {
			a.step, a.ticks = width/float64(n-1)/ticks, ticks
		}
	}
	if step := (x[1] - x[0]) / float64(n-1); !log && a.step == 0 && step != 0 {
		if a.ticks = decimals(x[0], step); a.ticks != 0 {
			a.step = step
		}
	}
	return a, nil
}

// decimals is the least power of ten that makes whole numbers of both x and y, or 0 where there is none below 1e12.
func decimals(x, y float64) float64 {
	for scale := 1.0; scale < 1e12; scale *= 10 {
		if whole(x, scale) && whole(y, scale) {
			return scale
		}
	}
	return 0
}

func whole(x, scale float64) bool {
	r := math.Round(x * scale)
	return math.Abs(r) < 1e15 && r/scale == x
}
