package experiment

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/rng"
)

// Draw is a distribution from which every neuron draws one value.
type Draw struct {
	Law  string  // normal, lognormal or uniform
	A, B float64 // mean and standard deviation of the value, or the two ends
}

// drawLaws are the laws of Draw.
var drawLaws = []string{"normal", "lognormal", "uniform"}

// parseDraw parses the text after the law and its colon.
func parseDraw(law, rest, unit string) (d Draw, err error) {
	d.Law = law
	first, second, _ := strings.Cut(rest, ":")
	if n := 1 + strings.Count(rest, ":"); n != 2 || first == "" || second == "" {
		err = fmt.Errorf("%s takes two values", law)
	} else if d.A, err = model.ParseQuantity(first, unit); err == nil {
		d.B, err = model.ParseQuantity(second, unit)
	}
	switch {
	case err != nil:
		err = fault.Hint(err, "draws are written normal:MEAN:SD, lognormal:MEAN:SD and uniform:LO:HI")
	case law != "uniform" && d.B < 0:
		err = fmt.Errorf("a standard deviation of %v is negative", d.B)
	case law == "lognormal" && !(d.A > 0):
		err = fmt.Errorf("the mean of a lognormal is %v; it must be greater than 0", d.A)
	case law == "uniform" && d.B < d.A:
		err = fmt.Errorf("the interval from %v to %v is empty", d.A, d.B)
	}
	return d, err
}

func (d Draw) text(unit string) string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) + unit }
	return d.Law + ":" + number(d.A) + ":" + number(d.B)
}

// Values draws values of the quantity name for n neurons. Each depends only on seed, name and the number of the neuron.
func (d Draw) Values(name string, n int, seed uint64) kernels.Values {
	v, key := make(kernels.Values, n), rng.NameKey(name)
	for i := range v {
		v[i] = d.at(seed, key, i)
	}
	return v
}

func (d Draw) at(seed, name uint64, neuron int) float64 {
	lo, hi := uint64(neuron), name
	b := rng.Philox4x32(rng.Block{uint32(lo), uint32(lo >> 32), uint32(hi), uint32(hi >> 32)}, [2]uint32{
		uint32(seed),
		uint32(seed >> 32),
	})
	u := float64(rng.Uniform64(uint64(b[1])<<32 | uint64(b[0])))
	switch d.Law {
	case "normal":
		return math.FMA(d.B, math.Sqrt2*math.Erfinv(2*u-1), d.A)
	case "lognormal":
		mu, sigma := rng.LogNormalOf(d.A, d.B)
		return rng.Exp(math.FMA(sigma, math.Sqrt2*math.Erfinv(2*u-1), mu))
	}
	return math.FMA(d.B-d.A, u, d.A)
}
