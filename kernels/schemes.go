package kernels

import "popsim/kernels/asm"

// schemes lists the schemes by model and method.
var schemes = map[string]map[string]scheme{
	"lif":  {"exact": lifExact},
	"eif":  {"flow": eifFlow, "euler": eifEuler, "rk4": eifRK4},
	"adex": {"flow": adexFlow, "euler": adexEuler, "rk4": adexRK4},
	"hh":   {"strang-cn": hhStrang, "rk4": hhRK4, "exp-euler": hhExpEuler},
	"hhtm": {"strang-cn": hhtmStrang, "rk4": hhtmRK4, "exp-euler": hhtmExpEuler},
	"rhh":  {"cut-rk4": rhhCut, "rk4": rhhRK4, "exp-euler": rhhExpEuler},
}

// hhMethod names a fast step of HH, HHTM or RHH. A switch calls it instead of a function value, so that its arguments
// do not escape to the heap.
type hhMethod int

const (
	hhStrangMethod hhMethod = iota
	hhRK4Method
	hhExpEulerMethod
	rhhRK4Method
	rhhExpEulerMethod
	hhtmStrangMethod
	hhtmRK4Method
	hhtmExpEulerMethod
)

// advance sets next to the states after a step of the eight lanes from at on.
func (m hhMethod) advance(b *asm.Block, at int, drive *vec, y, next *[4]vec) {
	switch m {
	case hhStrangMethod:
		strangStep(b, at, drive, y, next)
	case hhRK4Method:
		hhRK4Step(b, at, drive, y, next)
	case hhExpEulerMethod:
		hhExpEulerStep(b, at, drive, y, next)
	case rhhRK4Method:
		rhhRKStep(b, at, drive, y, next)
	case rhhExpEulerMethod:
		rhhExpEulerStep(b, at, drive, y, next)
	case hhtmStrangMethod:
		asm.HHTMStrangGo(b, at, drive, y, next)
	case hhtmRK4Method:
		asm.HHTMRK4Go(b, at, drive, y, next)
	case hhtmExpEulerMethod:
		asm.HHTMExpEulerGo(b, at, drive, y, next)
	}
}
