package expression

import (
	"math"
	"sort"
	"strconv"
	"strings"
)

// A Dimension is the dimension of a quantity: exponents, in twelfths, of mV, ms, pA, an area of 100 µm², µM and K. In
// these units all the model's units (nS, pF, GOhm, uA/cm2, mS/cm2, uF/cm2) have the factor 1.
type Dimension [6]int16

// whole is an exponent of 1.
const whole = 12

var baseNames = [6]string{"mV", "ms", "pA", "area", "uM", "K"}

// None is the dimension of a pure number.
var None Dimension

func (d Dimension) plus(e Dimension, sign int16) Dimension {
	for i := range d {
		d[i] += sign * e[i]
	}
	return d
}

// Times is the dimension of a product.
func (d Dimension) Times(e Dimension) Dimension { return d.plus(e, 1) }

// Per is the dimension of a quotient.
func (d Dimension) Per(e Dimension) Dimension { return d.plus(e, -1) }

// Power is d^x; ok is whether all exponents are twelfths.
func (d Dimension) Power(x float64) (Dimension, bool) { return d.power(x) }

// power returns d^x; ok is whether all exponents are twelfths.
func (d Dimension) power(x float64) (Dimension, bool) {
	for i := range d {
		e := math.Round(float64(d[i]) * x)
		if math.Abs(float64(float64(d[i])*x)-e) > 1e-9 || math.Abs(e) > 1000*whole {
			return None, false
		}
		d[i] = int16(e)
	}
	return d, true
}

// String names the dimension by a unit, such as "mV" or "nS", or by its exponents; a pure number is "1".
func (d Dimension) String() string {
	for _, name := range preferred {
		if units[name].dim == d {
			return name
		}
	}
	var parts []string
	for i, e := range d {
		switch {
		case e == whole:
			parts = append(parts, baseNames[i])
		case e%whole == 0 && e != 0:
			parts = append(parts, baseNames[i]+"^"+strconv.Itoa(int(e/whole)))
		case e != 0:
			parts = append(parts, baseNames[i]+"^("+strconv.Itoa(int(e))+"/12)")
		}
	}
	if parts == nil {
		return "1"
	}
	return strings.Join(parts, " ")
}

// preferred lists the units that are used as names of dimensions.
var preferred = []string{"mV", "ms", "pA", "nS", "GOhm", "pF", "cm2", "uM", "K"}

// unit is num/den of the base units of its dimension. One of num and den is 1, the other a power of ten, so that one
// rounding suffices: 3 us is 3/1000 ms, not 3 times the double nearest to 0.001.
type unit struct {
	num, den float64
	dim      Dimension
}

var units = makeUnits()

func makeUnits() map[string]unit {
	dim := func(mV, ms, pA, area, uM, k int16) Dimension {
		return Dimension{mV * whole, ms * whole, pA * whole, area * whole, uM * whole, k * whole}
	}
	m := map[string]unit{
		"min": {6e4, 1, dim(0, 1, 0, 0, 0, 0)},
		"cm2": {1e6, 1, dim(0, 0, 0, 1, 0, 0)},
		"mm2": {1e4, 1, dim(0, 0, 0, 1, 0, 0)},
		"m2":  {1e10, 1, dim(0, 0, 0, 1, 0, 0)},
		"um2": {1, 100, dim(0, 0, 0, 1, 0, 0)},
		"K":   {1, 1, dim(0, 0, 0, 0, 0, 1)},
	}
	prefixes := map[string]int{"T": 12, "G": 9, "M": 6, "k": 3, "": 0, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
	for _, u := range []struct {
		name     string
		exponent int // of 10: its size in base units
		prefixes string
		dim      Dimension
	}{
		{"V", 3, "k|m|u|n", dim(1, 0, 0, 0, 0, 0)},
		{"s", 3, "m|u|n", dim(0, 1, 0, 0, 0, 0)},
		{"A", 12, "m|u|n|p|f", dim(0, 0, 1, 0, 0, 0)},
		{"S", 9, "m|u|n|p|f", dim(-1, 0, 1, 0, 0, 0)},
		{"Ohm", -9, "T|G|M|k", dim(1, 0, -1, 0, 0, 0)},
		{"F", 12, "m|u|n|p|f", dim(-1, 1, 1, 0, 0, 0)},
		{"Hz", -3, "G|M|k|m", dim(0, -1, 0, 0, 0, 0)},
		{"M", 6, "m|u|n", dim(0, 0, 0, 0, 1, 0)},
	} {
		for _, p := range append(strings.Split(u.prefixes, "|"), "") {
			e := u.exponent + prefixes[p]
			if e >= 0 {
				m[p+u.name] = unit{math.Pow10(e), 1, u.dim}
			} else {
				m[p+u.name] = unit{1, math.Pow10(-e), u.dim}
			}
		}
	}
	return m
}

// IsUnit reports whether a name is that of a unit, and therefore reserved.
func IsUnit(name string) bool {
	_, ok := units[plain(name)]
	return ok
}

// UnitDimension is the dimension of a unit.
func UnitDimension(name string) Dimension { return units[plain(name)].dim }

// UnitNames lists the names of all units.
func UnitNames() []string {
	names := make([]string, 0, len(units))
	for name := range units {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// plain spells a unit without letters beyond ASCII.
func plain(name string) string {
	return strings.NewReplacer("µ", "u", "μ", "u", "Ω", "Ohm", "²", "2").Replace(name)
}

// A Unit is a unit to which numbers are converted, read from text such as "pA", "uA/cm2", "Hz" or "1".
type Unit struct {
	Name string
	Dim  Dimension
	num  float64 // the unit is num/den of the base units
	den  float64
}

// UnitOf reads the name of a unit; an empty name is "1".
func UnitOf(name string) (Unit, error) {
	u := Unit{Name: name, num: 1, den: 1}
	if name == "" || name == "1" {
		u.Name = "1"
		return u, nil
	}
	e, err := Parse(name)
	if err != nil {
		return u, err
	}
	if u.Dim, err = e.Check(nil); err != nil {
		return u, err
	}
	switch v := e.Eval(nil); {
	case v >= 1:
		u.num = v
	default:
		u.den = math.Round(1 / v)
	}
	return u, nil
}

// From converts a value in base units to u.
func (u Unit) From(base float64) float64 { return base / u.num * u.den }

// Base converts a value in u to base units.
func (u Unit) Base(x float64) float64 { return x * u.num / u.den }
