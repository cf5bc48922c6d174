package experiment

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
)

// Draw is a distribution of which every neuron gets one value.
type Draw struct {
	Normal bool    // else uniform
	A, B   float64 // mean and standard deviation, or the two ends
}

// parseDraw reads what stands behind normal: or uniform:.
func parseDraw(kind, rest, unit string) (d Draw, err error) {
	d.Normal = kind == "normal"
	first, second, _ := strings.Cut(rest, ":")
	if n := 1 + strings.Count(rest, ":"); n != 2 || first == "" || second == "" {
		err = fmt.Errorf("%s takes two values", kind)
	} else if d.A, err = model.ParseQuantity(first, unit); err == nil {
		d.B, err = model.ParseQuantity(second, unit)
	}
	switch {
	case err != nil:
		err = fault.Hint(err, "draws are written normal:MEAN:SD and uniform:LO:HI")
	case d.Normal && d.B < 0:
		err = fmt.Errorf("a standard deviation of %v is negative", d.B)
	case !d.Normal && d.B < d.A:
		err = fmt.Errorf("the interval from %v to %v is empty", d.A, d.B)
	}
	return d, err
}

func (d Draw) text(unit string) string {
	kind := "uniform"
	if d.Normal {
		kind = "normal"
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) + unit }
	return kind + ":" + number(d.A) + ":" + number(d.B)
}

// Values draws for n neurons the values of the quantity name: each is decided by seed, name and the number of the
// neuron alone.
func (d Draw) Values(name string, n int, seed uint64) kernels.Values {
	v, key := make(kernels.Values, n), nameKey(name)
	for i := range v {
		v[i] = d.at(seed, key, i)
	}
	return v
}

func (d Draw) at(seed, name uint64, neuron int) float64 {
	word := philox(seed, uint64(neuron), name)
	u := (float64(word>>12) + 0.5) * 0x1p-52 // strictly between 0 and 1, and exact
	if d.Normal {
		return math.FMA(d.B, math.Sqrt2*math.Erfinv(2*u-1), d.A)
	}
	return math.FMA(d.B-d.A, u, d.A)
}

// nameKey is the number under which draws of a name are made, so that those of tau and R are independent.
func nameKey(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// philox is the first half of a block of Philox4x32-10, the counter-based generator of Salmon et al., Parallel random
// numbers: as easy as 1, 2, 3 (2011).
func philox(key, lo, hi uint64) uint64 {
	k0, k1 := uint32(key), uint32(key>>32)
	c0, c1, c2, c3 := uint32(lo), uint32(lo>>32), uint32(hi), uint32(hi>>32)
	for range 10 {
		h0, l0 := bits.Mul32(0xD2511F53, c0)
		h1, l1 := bits.Mul32(0xCD9E8D57, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return uint64(c1)<<32 | uint64(c0)
}
