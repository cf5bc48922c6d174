package equations

import (
	"strings"

	"popsim/expression"
)

// compound lists the units of two and more parts that are used as names of dimensions, those of membranes first.
var compound = []string{
	"uA/cm2",
	"mS/cm2",
	"uF/cm2",
	"mV/ms",
	"pA/ms",
	"1/ms",
	"1/mV",
	"1/(mV*ms)",
	"nS/ms",
	"uA/cm2/ms",
	"uM/ms",
}

// unitName is the name of the unit in which quantities of a dimension are kept: that of the base units, in which the
// units of neurons have the factor 1. written is a quantity of that dimension as a file has it; its own unit is kept
// where its factor is 1.
func unitName(written string, d expression.Dimension) string {
	if d == expression.None {
		return "1"
	}
	own := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(written), "+-0123456789.eE"))
	if strings.HasPrefix(own, "/") {
		own = "1" + own
	}
	own = strings.TrimSpace(strings.TrimPrefix(own, "*"))
	for _, name := range append([]string{own}, compound...) {
		if u, err := expression.UnitOf(name); err == nil && u.Dim == d && u.Base(1) == 1 {
			return name
		}
	}
	if name := d.String(); expression.IsUnit(name) {
		return name
	}
	return powers(d)
}

var baseUnits = [...]string{"mV", "ms", "pA", "um2", "uM", "K"}

// powers writes a dimension as a product of base units. The area of 100 um2 is written as an unnamed one.
func powers(d expression.Dimension) string {
	var over, under []string
	for i, e := range d {
		name, n := baseUnits[i], int(e)
		if i == 3 {
			name = "(100 um2)"
		}
		list := &over
		if n < 0 {
			list, n = &under, -n
		}
		switch {
		case n == 0:
		case n == twelfths:
			*list = append(*list, name)
		case n%twelfths == 0:
			*list = append(*list, name+"^"+itoa(n/twelfths))
		default:
			*list = append(*list, name+"^("+itoa(n)+"/12)")
		}
	}
	text := "1"
	if over != nil {
		text = strings.Join(over, "*")
	}
	switch len(under) {
	case 0:
		return text
	case 1:
		return text + "/" + under[0]
	}
	return text + "/(" + strings.Join(under, "*") + ")"
}
