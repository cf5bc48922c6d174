package experiment

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/fault"
	"popsim/model"
)

// PointUnits returns the units of a point in the phase plane of m (n = 2), or of all states (n = their number).
func PointUnits(m *model.Model, n int) (units []string) {
	for _, x := range m.States {
		units = append(units, x.Unit)
	}
	switch {
	case len(units) == 1:
		units = append(units, "") // dV/dt
	case n == 2 && len(units) > 2:
		units = units[:2] // all second variables are gates
	}
	return units
}

// Starts returns the states from which trajectories in the phase plane of m start: the initial state of p, and those of
// texts, each V,y or all states. For models of one variable the initial state counts only if p sets it.
func (p Point) Starts(m *model.Model, texts []string) (starts [][]float64, err error) {
	first := make([]float64, len(m.States))
	m.Initial(p.Params, first)
	for j, x := range p.Initial {
		if !math.IsNaN(x) {
			first[j] = x
		}
	}
	given := slices.ContainsFunc(p.Initial, func(x float64) bool { return !math.IsNaN(x) })
	if given || len(m.States) > 1 {
		starts = [][]float64{first}
	}
	var bad fault.List
	for _, text := range texts {
		start, err := parseStart(m, text)
		bad.Add(err)
		if start != nil {
			starts = append(starts, start)
		}
	}
	return starts, bad.Err()
}

// parseStart parses one start. It is nil if it has the wrong number of values.
func parseStart(m *model.Model, text string) (start []float64, err error) {
	values := strings.Split(text, ",")
	n := len(values)
	switch {
	case len(m.States) == 1 && n != 1:
		return nil, fmt.Errorf("--start %s has %s, but V is the only variable of %s", text, plural(n, "number"), m.Name)
	case len(m.States) > 1 && n != 2 && n != len(m.States):
		all := ""
		if len(m.States) > 2 {
			all = fmt.Sprintf(", or all %d states,", len(m.States))
		}
		return nil, fmt.Errorf("--start %s has %s; V and the second variable%s are needed", text, plural(n, "number"), all)
	}
	var bad fault.List
	start = make([]float64, n)
	for j, unit := range PointUnits(m, n)[:n] {
		if start[j], err = model.ParseQuantity(values[j], unit); err != nil {
			bad.Addf("--start %s: %w", text, err)
		} else if unit == "1" && (start[j] < 0 || start[j] > 1) {
			bad.Addf("--start %s: a gate must lie in [0, 1], not %v", text, start[j])
		}
	}
	return start, bad.Err()
}
