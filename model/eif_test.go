package model

import "testing"

// What cutOff advises it accepts, and it is another number than V_T.
func TestLargestCutOff(t *testing.T) {
	for _, vT := range []float64{-50.4, -59.9, 0, 20} {
		for _, deltaT := range []float64{2, 1e-4, 1e-6, 1e-9, 1e-12} {
			x := largestCutOff(vT, deltaT)
			if errs := cutOff(x, vT, deltaT); errs != nil || x <= vT {
				t.Errorf("V_T = %v, delta_T = %v: advice of %v: %v", vT, deltaT, x, errs)
			}
		}
	}
}
