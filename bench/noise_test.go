package bench

import (
	"math"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// The error of the rate is statistical where crossings inside steps are found, at 1 ms and less, and falls like the
// root of the step where they are not.
func TestNoiseConvergence(t *testing.T) {
	p := model.LIFModel.Defaults()
	for name, x := range map[string]float64{"tau": 20, "V_reset": 0, "t_ref": 2} {
		p[model.LIFModel.Index(name)] = x
	}
	c := NewNoiseConvergence(model.LIFModel, p, 60, 5, 1)
	if err := c.Measure(t.Context(), 40_000, kernels.Auto, func(int) {}); err != nil {
		t.Fatal(err)
	}
	ends := map[float64]float64{}
	for _, r := range c.Rows {
		off := math.Abs(r.Rate - c.Theory)
		switch {
		case r.AtEnds:
			ends[r.Dt] = off
		case r.Dt <= 1 && off > 4*r.SE+1e-3*c.Theory:
			t.Errorf("dt %v: %.4f +- %.4f Hz, want %.4f", r.Dt, r.Rate, r.SE, c.Theory)
		}
	}
	if ratio := ends[2] / ends[0.2]; ratio < 2.5 || ratio > 10 { // 3.2 by the root, more at long steps
		t.Errorf("the error of the ends of steps grows by %.2f from 0.2 to 2 ms, want 3 to 5", ratio)
	}
	if c.Table().Rows() != len(c.Steps()) {
		t.Errorf("%d rows", c.Table().Rows())
	}
}
