package rng

import (
	"fmt"
	"math"
	"slices"
)

// Counts is a discrete distribution over first, first+1, ... as thresholds of a word: the deviate is first plus the
// number of thresholds that are <= word. Probabilities are those of the law to 2^-32 each; values beyond the last 2^-33
// of either tail do not occur. The zero value always gives 0.
type Counts struct {
	first      int
	thresholds []uint32
	guide      [256]uint32 // for each upper byte of a word, how many thresholds are <= its smallest word
	p          []float64
}

// MaxPoissonMean is the largest mean of SetPoisson: its table then has about 130,000 entries.
const MaxPoissonMean = 1e8

// NewPoisson returns the Poisson distribution of a mean of 0 to MaxPoissonMean.
func NewPoisson(mean float64) (*Counts, error) {
	c := new(Counts)
	return c, c.SetPoisson(mean)
}

// SetPoisson makes c the Poisson distribution of a mean, in the memory that c has.
func (c *Counts) SetPoisson(mean float64) error {
	if !(mean >= 0 && mean <= MaxPoissonMean) {
		return fmt.Errorf("a Poisson mean of %v is not between 0 and %v", mean, float64(MaxPoissonMean))
	}
	c.set(int(mean), math.MaxInt,
		func(k int) float64 { return mean / float64(k) })
	return nil
}

// NewBinomial returns the distribution of the number of successes in n trials of probability p.
func NewBinomial(n int, p float64) (*Counts, error) {
	c := new(Counts)
	return c, c.SetBinomial(n, p)
}

// SetBinomial makes c the binomial distribution of n trials of probability p, in the memory that c has.
func (c *Counts) SetBinomial(n int, p float64) error {
	switch {
	case n < 0:
		return fmt.Errorf("%d trials", n)
	case !(p >= 0 && p <= 1):
		return fmt.Errorf("a probability of %v is not between 0 and 1", p)
	case p == 1:
		c.set(n, n, func(int) float64 { return math.Inf(1) })
		return nil
	}
	odds := p / (1 - p)
	c.set(min(n, int(float64(n+1)*p)), n,
		func(k int) float64 { return float64(float64(n-k+1)/float64(k)) * odds })
	return nil
}

// set fills c from the ratios P(k)/P(k-1) of a law of one mode on 0..last: products of them from the mode outwards,
// divided by their sum, so that no logarithm or factorial is needed.
func (c *Counts) set(mode, last int, ratio func(k int) float64) {
	const negligible = 0x1p-60
	p := append(c.p[:0], 1)
	low := mode
	for q := 1.0; low > 0; low-- {
		r := ratio(low)
		if q /= r; q < negligible {
			break
		}
		p = append(p, q)
	}
	slices.Reverse(p)
	for k, q := mode+1, 1.0; k <= last; k++ {
		if q = float64(q * ratio(k)); q < negligible {
			break
		}
		p = append(p, q)
	}
	sum := 0.0
	for _, q := range p {
		sum += q
	}
	c.p, c.first, c.thresholds = p, low, c.thresholds[:0]
	below := 0.0
	for _, q := range p[:len(p)-1] {
		below += q
		t := math.Floor(math.FMA(below/sum, 0x1p32, 0.5))
		if t >= 0x1p32 {
			break
		}
		if t == 0 {
			c.first++ // this value does not occur
			continue
		}
		c.thresholds = append(c.thresholds, uint32(t))
	}
	n := 0
	for i := range c.guide {
		for n < len(c.thresholds) && c.thresholds[n] <= uint32(i)<<24 {
			n++
		}
		c.guide[i] = uint32(n)
	}
}

// At maps a word to a deviate, which increases with the word.
func (c *Counts) At(word uint32) int {
	t := c.thresholds
	lo := int(c.guide[word>>24])
	hi := len(t)
	if next := word>>24 + 1; next < 256 {
		hi = int(c.guide[next])
	}
	for hi-lo > 8 {
		if mid := int(uint(lo+hi) >> 1); t[mid] <= word {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for lo < hi && t[lo] <= word {
		lo++
	}
	return c.first + lo
}

// Fill fills dst with the deviates of words. The lengths are equal.
func (c *Counts) Fill(dst []int32, words []uint32) {
	for i, w := range words {
		dst[i] = int32(c.At(w))
	}
}

// Thresholds returns the value of words below the first threshold and the thresholds, in increasing order: the deviate
// of a word is first plus the number of thresholds that are <= word. They belong to c until it is set anew.
func (c *Counts) Thresholds() (first int, thresholds []uint32) { return c.first, c.thresholds }
