package noise

import (
	"math"

	"popsim/kernels"
	"popsim/rng"
)

// Never is an exponent x from which on exp(-x) is below every number that rng.Uniform32 makes, 2^-33 and more: a path
// whose chance of crossing is less does not cross.
const Never = 23.0 // not an integer: half of it would be one too

// Passage draws from the words 1 to 3 of b whether a Brownian bridge from 0 to end in h ms reaches level, and the
// time, ms, at which it first does; diffusion is its variance in a ms.
//
// That it does so although end is below level has the probability exp(-2 level (level - end) / (diffusion h)). In the
// clock s = h t/(h-t) the bridge is a free Brownian motion and the level a line, reached after an inverse Gaussian time
// of mean level h/|end - level| and shape level²/diffusion.
func Passage(level, end, diffusion, h float64, b rng.Block) (at float64, crossed bool) {
	if level <= 0 {
		return 0, true
	}
	if end < level && (Stays(level, end, diffusion, h) ||
		rng.Uniform32(b[1]) >= kernels.Exp(-exponent(level, end, diffusion, h))) {
		return 0, false
	}
	return PassageTime(level, end, diffusion, h, b), true
}

// exponent is that of the probability of Passage.
func exponent(level, end, diffusion, h float64) float64 {
	return 2 * level * (level - end) / (diffusion * h)
}

// Stays reports whether the bridge of Passage stays below level whatever is drawn, where end does.
func Stays(level, end, diffusion, h float64) bool {
	return level > 0 && !(exponent(level, end, diffusion, h) <= Never)
}

// PassageTime is the time, ms, at which the bridge of Passage first reaches level, given that it does: from the words 2
// and 3 of b.
func PassageTime(level, end, diffusion, h float64, b rng.Block) float64 {
	if level <= 0 {
		return 0
	}
	s := inverseGaussian(level*h/math.Abs(end-level), level*level/diffusion, b)
	if math.IsInf(s, 1) { // no noise
		return h
	}
	return h * s / (h + s)
}

// inverseGaussian draws a first-passage time of the given mean and shape (Michael, Schucany & Haas, Am. Stat. 30:88,
// 1976).
func inverseGaussian(mean, shape float64, b rng.Block) float64 {
	y := rng.Normal32(b[2])
	y *= y
	if math.IsInf(mean, 1) { // the end lies on the level: Levy's law
		return shape / y
	}
	r := mean * y / (2 * shape)
	x := mean / (1 + r + math.Sqrt(r*(2+r))) // the smaller root, without cancellation
	if rng.Uniform32(b[3]) <= mean/(mean+x) {
		return x
	}
	return mean * mean / x
}
