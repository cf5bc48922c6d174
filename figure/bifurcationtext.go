package figure

import (
	"fmt"
	"strings"

	"popsim/dynamics"
)

// Summary counts branches and points.
func (b *Bifurcation) Summary() string {
	var what []string
	count := func(n int, noun, of string) {
		switch {
		case n == 1:
			what = append(what, "1 "+noun+of)
		case n > 1:
			what = append(what, fmt.Sprintf("%d %ss%s", n, noun, of))
		}
	}
	if d := b.Diagram; d != nil {
		kinds := map[dynamics.Kind]int{}
		for _, branch := range d.Branches {
			kinds[branch.Kind]++
		}
		count(kinds[dynamics.Equilibrium], "curve", " of equilibria")
		count(kinds[dynamics.Cycle], "curve", " of cycles")
	}
	count(b.FiringParts(), "part", " of spiking by reset")
	if r := b.Regions; r != nil {
		count(len(r.Curves), "curve", " of special points")
	}
	if len(what) == 0 {
		return "nothing found"
	}
	return strings.Join(what, ", ")
}
