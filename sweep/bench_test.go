package sweep

import (
	"testing"

	"popsim/model"
)

// BenchmarkMap is the f-I map of 200 currents by 50 values of b, 2 s of model time each.
func BenchmarkMap(b *testing.B) {
	m := model.AdExModel
	s := Spec{Model: m, Grid: Grid{Axes: mustAxes(b, m, "b=0:20/50", "I=0:100/200")}}
	var r *Result
	for b.Loop() {
		r = mustRun(b, s)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(r.LaneSteps), "ns/lane-step")
	b.ReportMetric(float64(r.LaneSteps), "lane-steps")
}
