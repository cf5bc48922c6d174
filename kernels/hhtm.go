package kernels

import (
	"popsim/kernels/asm"
	"popsim/model"
)

// The steps of hhtm are those of hh with other rates. Their plain Go is printed from the recordings in
// kernels/asm/_gen/hhtm.go.

var (
	hhtmStrang = func() scheme {
		s := hhtmScheme(strangSlopes, hhtmStrangMethod)
		s.enter = func(s *Shard, i int, _ int64, y []float64) { // gates half a step behind V, as in hh
			behind := [4]float64(y)
			s.shiftTraubMiles(i, -0.5, behind[:])
			hhEnter(s, i, 0, behind[:])
		}
		s.sync = func(s *Shard, i int, k int64, y []float64) {
			columnsSync(s, i, k, y)
			s.shiftTraubMiles(i, 0.5, y)
		}
		return s
	}()
	hhtmRK4      = hhtmScheme(hhSlopes, hhtmRK4Method)
	hhtmExpEuler = hhtmScheme(nil, hhtmExpEulerMethod)
)

func hhtmScheme(sense slopes, method hhMethod) scheme {
	s := hhScheme(4, sense, method)
	s.fold = func(p []float64, i, gain, dt float64, c []float64) {
		q := model.HHTMOf(p)
		foldHH(p[:8], i, gain, dt, c)
		c[asm.HHShift] = (q.VT + 15) / 720
	}
	return s
}

// shiftTraubMiles moves the gates of the state y of lane i by a part of a step at constant V.
func (s *Shard) shiftTraubMiles(i int, part float64, y []float64) {
	var x [4]vec
	for j := range y {
		x[j][0] = y[j]
	}
	asm.HHTMGatesGo(&x, s.coef(asm.HHShift, i), part*s.Dt, 0.5*part*s.Dt)
	for j := range y {
		y[j] = x[j][0]
	}
}
