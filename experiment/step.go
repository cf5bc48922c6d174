package experiment

import (
	"fmt"
	"math"

	"popsim/fault"
	"popsim/model"
	"popsim/pop"
)

// MaxSteps is the number below which steps are counted: whole numbers up to it are exact as float64.
const MaxSteps = 1 << 53

// CheckTimes reports errors in the values of --dt, --time and --discard.
func CheckTimes(dt, time, discard *Quantity) error {
	var bad fault.List
	for _, q := range []struct {
		flag string
		*Quantity
	}{{"--dt", dt}, {"--time", time}, {"--discard", discard}} {
		switch {
		case q.Err != nil:
			bad.About(q.flag, fmt.Errorf("%s: %w", q.flag, q.Err))
		case q.Quantity != discard && q.Given && q.Value <= 0:
			bad.About(q.flag, fmt.Errorf("%s is %v ms; it must be greater than 0", q.flag, q.Value))
		}
	}
	if discard.Given && discard.Err == nil && time.Err == nil && (discard.Value < 0 || discard.Value >= time.Value) {
		bad.About("--discard", fmt.Errorf("--discard is %v ms of %v ms; it must be 0 or more, and less than --time",
			discard.Value, time.Value))
	}
	return bad.Err()
}

// CheckSpan returns an error if a run of time ms in steps of dt ms has less than one step, or more than can be counted.
func CheckSpan(time, dt float64) error {
	switch {
	case time < dt*(1-1e-9):
		return fmt.Errorf("--time is %v ms, less than one step of %v ms; --dt takes smaller ones", time, dt)
	case time/dt >= MaxSteps:
		return fmt.Errorf("--time is %v ms, %.3g steps of %v ms; steps are counted up to 2^53", time, time/dt, dt)
	}
	return nil
}

// CheckStep returns an error for a step (ms) with which the results of a population would be meaningless, and a note on
// one that is inaccurate.
func CheckStep(spec pop.Spec, dt float64) (note string, err error) {
	usable, accurate := StepLimits(spec)
	method, _ := spec.Model.Method(spec.Method)
	name := spec.Model.Name
	switch {
	case dt > usable:
		return "", fault.Hint(fmt.Errorf("dt is %v ms, but %s with method %s needs at most %.4g ms here: beyond, it is "+
			"unstable or wrong by a tenth",
			dt, name, method.Name, usable), "use --dt %.3gms; beyond %.3g ms results are inaccurate", min(method.Dt,
			accurate), accurate)
	case dt > accurate:
		note = InaccurateStep(dt, spec.Model, method, accurate)
	}
	return note, nil
}

// InaccurateStep is the note on a step that is larger than accurate, ms.
func InaccurateStep(dt float64, m *model.Model, method model.Method, accurate float64) string {
	return fmt.Sprintf("dt is %v ms; method %s of %s is accurate up to about %.3g ms here", dt, method.Name, m.Name,
		accurate)
}

// Crowding collects neurons or points whose interspike intervals turned out too short for the step, which is known only
// after a run.
type Crowding struct {
	Method model.Method
	Dt     float64 // step, ms

	n       int     // their number
	least   float64 // time between two spikes of the fastest, less refractoriness, ms
	fastest int     // its number
}

// Add adds number i, whose spikes are interval ms apart, of which refractory ms are refractory.
func (c *Crowding) Add(i int, interval, refractory float64) {
	free := interval - refractory
	if !(interval > 0) || !c.Method.Crowded(free, c.Dt) {
		return
	}
	if c.n++; c.n == 1 || free < c.least {
		c.least, c.fastest = free, i
	}
}

// shortest is the part of a step below which the time between two spikes is rounding error, or a state that goes to
// infinity.
const shortest = 1e-9

// Note returns a sentence about them, "" if there are none; noun is what they are called.
func (c *Crowding) Note(noun string) string {
	switch {
	case c.n == 0:
		return ""
	case c.least < shortest*c.Dt:
		return fmt.Sprintf("steps of %v ms are too long for %s: at %s %d spikes come as soon as refractoriness ends, for "+
			"which no step is short enough",
			c.Dt, plural(c.n, noun), noun, c.fastest)
	}
	return fmt.Sprintf("steps of %v ms are too long for %s: at %s %d a spike comes %.3g steps after the end of "+
		"refractoriness; "+
		"method %s needs %v, so --dt %.1gms",
		c.Dt, plural(c.n, noun), noun, c.fastest, c.least/c.Dt, c.Method.Name, c.Method.Steps, floor1(c.least/c.Method.Steps))
}

// floor1 returns the largest number of one decimal digit that is not above x.
func floor1(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	return math.Floor(x/unit*(1+1e-9)) * unit
}
