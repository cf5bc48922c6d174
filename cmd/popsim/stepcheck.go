package main

import (
	"math"

	"popsim/cmd/popsim/internal/cli"
	"popsim/model"
)

// stepCheck collects neurons whose interspike intervals turned out too short for dt, which is only known after a run.
type stepCheck struct {
	method  model.Method
	dt      float64
	n       int     // how many
	least   float64 // time free of refractoriness between two spikes of the fastest, ms
	fastest int     // its number
}

// add looks at train i, whose spikes are interval ms apart, of which refract ms are refractory.
func (c *stepCheck) add(i int, interval, refract float64) {
	free := interval - refract
	if !(interval > 0) || !c.method.Crowded(free, c.dt) {
		return
	}
	if c.n++; c.n == 1 || free < c.least {
		c.least, c.fastest = free, i
	}
}

// shortest is the part of a step below which the time between spikes is rounding, or the end of all numbers.
const shortest = 1e-9

// warn reports them, if there are any; noun is what they are.
func (c *stepCheck) warn(v *call, noun string) {
	if c.n == 0 {
		return
	}
	if c.least < shortest*c.dt {
		v.warn("steps of %v ms are too long for %s: at %s %d spikes come as soon as refractoriness ends, for which no step is short enough",
			c.dt, cli.Count(c.n, noun), noun, c.fastest)
		return
	}
	v.warn("steps of %v ms are too long for %s: at %s %d a spike comes %.3g steps after the end of refractoriness; method %s needs %v, so --dt %.1gms",
		c.dt, cli.Count(c.n, noun), noun, c.fastest, c.least/c.dt, c.method.Name, c.method.Steps, floor1(c.least/c.method.Steps))
}

// floor1 is the largest number of one digit up to x.
func floor1(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	return math.Floor(x/unit*(1+1e-9)) * unit
}
