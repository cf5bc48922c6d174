package figure

import (
	"math"
	"strconv"
	"strings"
)

// axis maps values to the interval from 0 to 1.
type axis struct {
	lo, hi float64
	log    bool
	whole  bool // ticks at whole numbers alone
}

// at is the place of v; NaN where v has none.
func (a axis) at(v float64) float64 {
	if !a.log {
		return v/(a.hi-a.lo) - a.lo/(a.hi-a.lo)
	}
	return math.Log(v/a.lo) / math.Log(a.hi/a.lo)
}

// span grows until it holds all values that an axis can show.
type span struct {
	lo, hi float64
	log    bool
}

// Beyond these the width of an axis, or the ratio of its ends, would overflow or vanish.
const huge, tiny = 1e100, 1e-100

func newSpan(log bool) span { return span{math.Inf(1), math.Inf(-1), log} }

func (s *span) add(values ...float64) {
	for _, v := range values {
		if !(math.Abs(v) < huge) || s.log && v < tiny {
			continue
		}
		if math.Abs(v) < tiny {
			v = 0
		}
		s.lo = min(s.lo, v)
		s.hi = max(s.hi, v)
	}
}

// axis is the axis that holds s with a margin on both sides, a share of the whole. A span of one value gets room
// around it, a span of none the interval from 0 to 1 (from 1 to 10 where logarithmic).
func (s span) axis(margin float64) axis {
	switch {
	case s.lo > s.hi && s.log:
		return axis{lo: 1, hi: 10, log: true}
	case s.lo > s.hi:
		return axis{hi: 1}
	case s.log && s.hi/s.lo < 1+1e-9:
		return axis{lo: s.lo / 2, hi: s.hi * 2, log: true}
	case s.log:
		room := math.Pow(s.hi/s.lo, margin)
		return axis{lo: s.lo / room, hi: s.hi * room, log: true}
	}
	room := margin * (s.hi - s.lo)
	if largest := max(math.Abs(s.lo), math.Abs(s.hi)); largest == 0 {
		room = 1
	} else if s.hi-s.lo <= 1e-9*largest { // a flat line, up to rounding
		room = 0.01 * largest
	}
	return axis{lo: s.lo - room, hi: s.hi + room}
}

// tick is a mark on an axis; minor ones have no label.
type tick struct {
	at    float64 // of the axis, 0 to 1
	label string
}

// ticks are ticks at round values, of which about most have labels and the others none.
func (a axis) ticks(most int) []tick {
	if a.log && a.hi/a.lo >= 10 {
		return a.logTicks(most)
	}
	const fewest = 3 // labels, if a little more than most brings them
	for m := most; ; m++ {
		if ticks := a.linearTicks(m); m == most+2 || labels(ticks) >= fewest {
			return ticks
		}
	}
}

func labels(ticks []tick) (n int) {
	for _, t := range ticks {
		if t.label != "" {
			n++
		}
	}
	return n
}

// linearTicks are ticks of which at most most and one have labels.
func (a axis) linearTicks(most int) []tick {
	step, parts := niceStep((a.hi - a.lo) / float64(max(most, 1)))
	if a.whole && step <= 1 {
		step, parts = 1, 1
	}
	var ticks []tick
	format := tickFormat(step, max(math.Abs(a.lo), math.Abs(a.hi)))
	minor := step / float64(parts)
	first := math.Ceil(a.lo/minor - 1e-6)
	for i := range 100 { // more are not wanted, whatever the rounding
		k := first + float64(i)
		if k*minor > a.hi+1e-6*minor {
			break
		}
		t := tick{at: a.at(k * minor)}
		if math.Mod(k, float64(parts)) == 0 {
			t.label = format(k / float64(parts) * step)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// niceStep is the smallest of 1, 2, 5 times a power of ten that is not below least, and into how many parts minor
// ticks divide it.
func niceStep(least float64) (step float64, parts int) {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	switch ratio := least / power; {
	case ratio <= 1:
		return power, 5
	case ratio <= 2:
		return 2 * power, 4
	case ratio <= 5:
		return 5 * power, 5
	}
	return 10 * power, 5
}

// tickFormat writes multiples of step, all with the same number of decimals. largest is the largest of them.
func tickFormat(step, largest float64) func(float64) string {
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	if largest >= 1e6 || decimals > 5 {
		digits := max(0, int(math.Floor(math.Log10(largest)))-int(math.Floor(math.Log10(step)+1e-9)))
		return func(v float64) string { return exponent(strconv.FormatFloat(v, 'e', digits, 64)) }
	}
	return func(v float64) string {
		if v == 0 {
			v = 0 // not -0
		}
		return strconv.FormatFloat(v, 'f', decimals, 64)
	}
}

// named has a tick at 0, 1, 2 ... under the names of these values.
func (a axis) named(names []string) (ticks []tick) {
	for i, name := range names {
		if at := a.at(float64(i)); at >= 0 && at <= 1 {
			ticks = append(ticks, tick{at: at, label: name})
		}
	}
	return ticks
}

// logTicks labels powers of ten, and 2 and 5 times them where there is room.
func (a axis) logTicks(most int) []tick {
	var ticks []tick
	first, last := math.Floor(math.Log10(a.lo)), math.Ceil(math.Log10(a.hi))
	decades := math.Log10(a.hi / a.lo)
	every := max(1, math.Ceil(decades/float64(max(most, 1))))
	format := byte('f')
	if a.lo < 1e-3 || a.hi >= 1e6 {
		format = 'e'
	}
	for d := first; d <= last; d++ {
		for m := 1; m < 10; m++ {
			v := float64(m) * math.Pow(10, d)
			t := tick{at: a.at(v)}
			if t.at < -1e-9 || t.at > 1+1e-9 {
				continue
			}
			switch {
			case m == 1 && math.Mod(d, every) == 0, (m == 2 || m == 5) && decades <= float64(most)/3:
				t.label = power(strconv.FormatFloat(v, format, -1, 64))
			case m > 1 && every > 1, every > 10:
				continue
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// power shortens 2e+06 to 2e6, and 1e+00 to 1e0.
func power(s string) string {
	if mantissa, ok := strings.CutSuffix(s, "e+00"); ok {
		return mantissa + "e0"
	}
	return exponent(s)
}

// exponent shortens 2e+06 to 2e6, and 1e+00 to 1.
func exponent(s string) string {
	mantissa, power, ok := strings.Cut(s, "e")
	if !ok {
		return s
	}
	n, _ := strconv.Atoi(power)
	if n == 0 {
		return mantissa
	}
	return mantissa + "e" + strconv.Itoa(n)
}
