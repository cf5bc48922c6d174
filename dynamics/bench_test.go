package dynamics

import (
	"context"
	"testing"
)

// A whole diagram is to take less than 2 s for rhh and less than 20 s for hh on one core.
func BenchmarkBifurcation(b *testing.B) {
	for _, c := range []struct {
		name, model string
		gL          float64
		free        Free
	}{
		{"model=rhh/g_L=0.3", "rhh", 0.3, Free{Name: "I", Lo: -5, Hi: 20}},
		{"model=rhh/g_L=0.03", "rhh", 0.03, Free{Name: "I", Lo: -5, Hi: 40}},
		{"model=hh/g_L=0.3", "hh", 0.3, Free{Name: "I", Lo: -5, Hi: 170}},
		{"model=adex", "adex", 0, Free{Name: "I", Lo: 0, Hi: 9}},
	} {
		b.Run(c.name, func(b *testing.B) {
			changed := map[string]float64{"g_L": c.gL}
			if c.model == "adex" {
				changed = nil
			}
			m, p := mustModel(b, c.model, changed)
			for b.Loop() {
				if _, err := Bifurcation(context.Background(), m, p, 0, c.free); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
