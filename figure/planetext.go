package figure

import (
	"fmt"
	"strings"

	"popsim/dynamics"
	"popsim/model"
)

// PlaneText describes the fixed points, the cycles and the trajectories that fire in a phase plane, a line each.
func PlaneText(p *dynamics.Plane, m *model.Model) (lines []string) {
	for _, f := range p.FixedPoints {
		var values, eigenvalues []string
		for j, x := range m.States {
			value := fmt.Sprintf("%s = %.6g", x.Name, f.State[j])
			if x.Unit != "1" {
				value += " " + x.Unit
			}
			values = append(values, value)
		}
		for _, l := range f.Eigenvalues {
			eigenvalues = append(eigenvalues, complexText(l))
		}
		at := strings.Join(values, ", ")
		if len(eigenvalues) == 0 {
			lines = append(lines, fmt.Sprintf("equilibrium at %s; its eigenvalues are beyond numbers", at))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s at %s; eigenvalues %s per ms", f.Type, at, strings.Join(eigenvalues, ", ")))
	}
	first, unit := m.States[0].Name, ""
	if q := m.States[0]; q.Unit != "1" {
		unit = " " + q.Unit
	}
	for _, c := range p.Cycles {
		lines = append(lines, fmt.Sprintf("%s cycle of %.6g ms (%.6g Hz), %s from %.6g to %.6g%s; multiplier %.3g",
			Stability(c.Stable), c.Period, 1000/c.Period, first, c.VMin, c.VMax, unit, c.Multiplier))
	}
	for _, t := range p.Trajectories {
		if n := len(t.Spikes); n == 1 {
			lines = append(lines,
				fmt.Sprintf("the trajectory from %.6g%s fires 1 spike, the first after %.6g ms", t.Start[0], unit, t.Spikes[0]))
		} else if n > 1 {
			lines = append(lines, fmt.Sprintf("the trajectory from %.6g%s fires %d spikes, the first after %.6g ms",
				t.Start[0], unit, n, t.Spikes[0]))
		}
	}
	return lines
}

// complexText formats a complex number, real and imaginary part.
func complexText(l [2]float64) string {
	if l[1] == 0 {
		return fmt.Sprintf("%.5g", l[0])
	}
	return fmt.Sprintf("%.5g%+.5gi", l[0], l[1])
}
