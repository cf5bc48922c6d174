package rng

import "math"

// Uniform64 maps a word to a number of (0, 1), both ends excluded: the centres of 2^52 equal cells, exactly.
func Uniform64(word uint64) float64 { return (float64(word>>12) + 0.5) * 0x1p-52 }

// Uniform32 maps a word to a number of (0, 1), both ends excluded: the centres of 2^32 equal cells, exactly.
func Uniform32(word uint32) float64 { return (float64(word) + 0.5) * 0x1p-32 }

// Exponential32 maps a word to an exponential deviate of mean 1: -log of Uniform32. Its largest value is 22.9.
func Exponential32(word uint32) float64 { return -Log(Uniform32(word)) }

// Exponential64 is Exponential32 with 52 bits; its largest value is 36.7.
func Exponential64(word uint64) float64 { return -Log(Uniform64(word)) }

// Normal32 maps a word to a standard normal deviate: the inverse of the distribution function at Uniform32, odd about
// the middle, increasing with the word, within normalError of the exact value. Its largest value is 6.338.
//
// Below the middle u = (2w+1)/2^33. Cell j of normalTable is one of sixteen equal parts of one octave of 2w+1, named by
// the exponent and the first four bits of the fraction of 2w+1 as a float64; the cubic's variable is the rest of the
// fraction.
func Normal32(word uint32) float64 {
	flip := uint32(int32(word) >> 31) // without a branch, which would be mispredicted half the time
	sign := uint64(flip) << 63
	v := math.Float64bits(float64(2*uint64(word^flip) + 1))
	c := &normalTable[(v>>48-normalFirst)&(1<<normalBits-1)]
	t := math.Float64frombits(v<<4&(1<<52-1)|0x3ff<<52) - 1.5 // in [-1/2, 1/2)
	x := math.FMA(math.FMA(math.FMA(c[3], t, c[2]), t, c[1]), t, c[0])
	return math.Float64frombits(math.Float64bits(x) ^ sign ^ 1<<63)
}

// NormalTable is the table of Normal32, with which it can be computed by other means that give the same bits. It is not
// to be changed.
func NormalTable() *[1 << normalBits][4]float64 { return &normalTable }

const (
	normalBits  = 9
	normalFirst = 0x3ff << 4 // 16·(exponent of 1) as the upper bits of a float64 have it
)

// LogNormal32 maps a word to exp(mu + sigma·Normal32).
func LogNormal32(word uint32, mu, sigma float64) float64 {
	return Exp(math.FMA(sigma, Normal32(word), mu))
}

// LogNormalOf returns mu and sigma of the lognormal distribution of mean m > 0 and standard deviation sd.
func LogNormalOf(m, sd float64) (mu, sigma float64) {
	cv := sd / m
	s2 := Log(math.FMA(cv, cv, 1))
	return math.FMA(-0.5, s2, Log(m)), math.Sqrt(s2)
}

// Normals fills dst with the deviates of words. The lengths are equal.
func Normals(dst []float64, words []uint32) {
	for i, w := range words {
		dst[i] = Normal32(w)
	}
}

// Uniforms fills dst with Uniform32 of words. The lengths are equal.
func Uniforms(dst []float64, words []uint32) {
	for i, w := range words {
		dst[i] = Uniform32(w)
	}
}

// Exponentials fills dst with Exponential32 of words. The lengths are equal.
func Exponentials(dst []float64, words []uint32) {
	for i, w := range words {
		dst[i] = Exponential32(w)
	}
}
