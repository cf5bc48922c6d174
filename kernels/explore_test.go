package kernels

import (
	"fmt"
	"math"
	"os"
	"popsim/model"
	"sort"
	"testing"
)

func TestExplore(t *testing.T) {
	if os.Getenv("EXPLORE") == "" {
		t.Skip()
	}
	for _, m := range model.All {
		for _, q := range m.Methods {
			if x := os.Getenv("EXPLORE"); x != "1" && x != m.Name+":"+q.Name {
				continue
			}
			k := mustFor(t, m, q.Name)
			fmt.Printf("%-5s %-9s", m.Name, q.Name)
			dts := []float64{.2, .1, .05, .025, .0125, .00625}
			for _, dt := range dts {
				var errs []float64
				worst := 0.0
				id := ""
				for _, c := range loadTruth(t, m) {
					if c.chaotic() {
						continue
					}
					got, _ := c.simulate(t, k, dt, nil)
					e := 0.0
					n := min(10, len(c.spikes))
					if len(got) < n {
						e = 99
					}
					for i := 0; i < n && i < len(got); i++ {
						e = math.Max(e, math.Abs(got[i]-c.spikes[i]))
					}
					if n > 0 {
						errs = append(errs, e)
					}
					if e >= worst {
						worst = e
						id = c.ID
					}
				}
				sort.Float64s(errs)
				fmt.Printf(" | %g: %.1e %.1e %s", dt, errs[len(errs)/2], worst, id)
			}
			fmt.Println()
		}
	}
}
