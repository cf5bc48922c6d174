package kernels

import (
	"math"
	"slices"
	"unsafe"

	"popsim/kernels/asm"
	"popsim/model"
)

// lifExact is exact between events and at them. The step V += k (V_inf - V) has V_inf as a fixed point to the bit. A
// hidden column holds k for the step Wake, which is less when the refractory period ends inside that step.
var lifExact = scheme{
	sources: []string{
		asm.LIFVInf: "V_rest R I", asm.LIFK: "tau", asm.LIFVTh: "V_th", asm.LIFR: "R", asm.LIFVRest: "V_rest",
		asm.LIFI: "I", asm.LIFGain: "gain", asm.LIFVReset: "V_reset", asm.LIFSteps: "tau",
		asm.LIFHold: "t_ref", asm.LIFHoldPart: "t_ref", asm.LIFPart: "tau",
		asm.LIFAfter: "tau t_ref", asm.LIFLater: "tau t_ref",
	},
	firstDriven: asm.LIFR, hidden: 1, chunks: true, prefetches: true,
	fold: func(p []float64, i, gain, dt float64, c []float64) {
		q := model.LIFOf(p)
		c[asm.LIFVInf] = math.FMA(q.R, i, q.VRest)
		_, c[asm.LIFK] = relaxed(dt / q.Tau)
		c[asm.LIFVTh], c[asm.LIFR], c[asm.LIFI], c[asm.LIFGain] = q.VTh, q.R, i, gain
		c[asm.LIFVRest] = q.VRest + 0   // no -0, which is equal to 0 but has other bits
		c[asm.LIFVReset] = q.VReset + 0 // no -0: held, it would become 0
		c[asm.LIFSteps], c[asm.LIFPart] = q.Tau/dt, dt/q.Tau
		hold, part := wholeSteps(q.TRef, dt)
		c[asm.LIFHold], c[asm.LIFHoldPart] = hold, part
		c[asm.LIFAfter], c[asm.LIFLater] = Expm1(dt/q.Tau*part), Expm1(dt/q.Tau*(part-1))
	},
	enter: func(s *Shard, i int, k int64, y []float64) {
		s.Y[0][i], s.Y[1][i] = y[0], s.coef(asm.LIFK, i)
		s.Wake[i], s.Rem[i] = float64(k-1), 1 // awake before step k: a lane that wakes in it must not spike in chunks
		if y[0] >= s.coef(asm.LIFVTh, i) {    // it fires at once: V must not fall before the threshold is tested
			s.Wake[i], s.Y[1][i] = float64(k), 0
		}
	},
	sync:   func(s *Shard, i int, _ int64, y []float64) { y[0] = s.Y[0][i] },
	finish: eachLane(lifEventStep),
	free:   func(b *asm.Block) { lifGeneric(b, false) },
	driven: func(b *asm.Block) { lifGeneric(b, true) },
}

// wholeSteps splits a time into whole steps and the part of a step that is left, 0 ≤ part < 1.
func wholeSteps(t, dt float64) (whole, part float64) {
	whole = math.Floor(t / dt)
	part = math.FMA(-whole, dt, t) / dt
	if part < 0 || part >= 1 { // t/dt was rounded across an integer
		part = 0
		whole = math.Round(t / dt)
	}
	return whole, part
}

// lifGeneric is the fast step of LIF; see asm.Block. Where possible each lane takes a chunk of steps by itself, else
// all lanes together step by step.
func lifGeneric(b *asm.Block, full bool) {
	n := b.Lanes
	v, first, wake, old := b.Y[0][:n], b.Y[1][:n], b.Wake[:n], b.Scratch.Before[0][:n]
	vInf, c, vTh := b.Coef[asm.LIFVInf][:n], b.Coef[asm.LIFK][:n], b.Coef[asm.LIFVTh][:n]
	var driven asm.Column
	chunk := 1
	if !full || b.Extrema == 0 && b.Steps-b.Step > 1 {
		chunk = lifChunk(b, full)
	}
	switch {
	case full && chunk > 1:
		lifDriven(b, chunk)
		return
	case full:
		vInf = driven[:n]
	case chunk > 1:
		for ; b.Step < b.Steps && b.Count+n <= b.Room; b.Step += chunk {
			lifRun(b, min(chunk, b.Steps-b.Step))
		}
		b.Step = min(b.Step, b.Steps)
		b.InEvent = 0
		return
	}
	for ; b.Step < b.Steps; b.Step++ {
		for at := 0; full && at < n; at += len(vec{}) {
			steadyVoltage(b, at, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest, (*vec)(driven[at:]))
		}
		k := b.First + float64(b.Step)
		inEvent := uint64(0)
		for l, x := range v {
			old[l] = x
			if wake[l] <= k {
				rate := c[l]
				if wake[l] == k {
					rate = first[l]
				}
				x = math.FMA(-rate, x-vInf[l], x)
				v[l] = x
			}
			if x >= vTh[l] {
				inEvent |= 1 << l
			}
		}
		for at := 0; full && at < n; at += len(vec{}) {
			lifExtremes(b, at, (*vec)(b.Y[0][at:]), (*vec)(b.Coef[asm.LIFVTh][at:]))
		}
		if inEvent != 0 {
			b.Lane, b.Chunk = n, 1
			b.HandBack(inEvent)
			return
		}
	}
	b.InEvent = 0
}

// lifChunk is the number of steps by which each lane can be advanced by itself: those of the shortest refractory
// period, if V is below V_th in all of them and, without input, V_inf is not far.
func lifChunk(b *asm.Block, full bool) int {
	c, chunk := b.Coef, asm.Chunk+0.0
	for l := range b.Lanes {
		steady := c[asm.LIFPart][l] < lifShort && b.Y[1][l] < 0.25 && (full || c[asm.LIFVInf][l] <= asm.LIFFar)
		if hold := c[asm.LIFHold][l]; !steady || b.Y[0][l] >= c[asm.LIFVTh][l] || !(hold >= 1) {
			return 1
		} else if hold < chunk {
			chunk = hold
		}
	}
	return int(chunk)
}

// lifRun advances all lanes by a chunk of n steps, four lanes at a time.
func lifRun(b *asm.Block, n int) {
	k := b.First + float64(b.Step)
	vInf, rate, vTh := b.Coef[asm.LIFVInf], b.Coef[asm.LIFK], b.Coef[asm.LIFVTh]
	for at := 0; at < b.Lanes; at += 4 {
		v, first, wake := (*[4]float64)(b.Y[0][at:]), (*[4]float64)(b.Y[1][at:]), (*[4]float64)(b.Wake[at:])
		to, r := (*[4]float64)(vInf[at:]), (*[4]float64)(rate[at:])
		v0, v1, v2, v3 := v[0], v[1], v[2], v[3]
		if wake[0] < k && wake[1] < k && wake[2] < k && wake[3] < k {
			to0, to1, to2, to3 := to[0], to[1], to[2], to[3]
			r0, r1, r2, r3 := -r[0], -r[1], -r[2], -r[3]
			for range n {
				v0 = math.FMA(r0, v0-to0, v0)
				v1 = math.FMA(r1, v1-to1, v1)
				v2 = math.FMA(r2, v2-to2, v2)
				v3 = math.FMA(r3, v3-to3, v3)
			}
		} else {
			v0 = lifLane(v0, first[0], wake[0]-k, n, to[0], r[0])
			v1 = lifLane(v1, first[1], wake[1]-k, n, to[1], r[1])
			v2 = lifLane(v2, first[2], wake[2]-k, n, to[2], r[2])
			v3 = lifLane(v3, first[3], wake[3]-k, n, to[3], r[3])
		}
		th := (*[4]float64)(vTh[at:])
		if v0 >= th[0] || v1 >= th[1] || v2 >= th[2] || v3 >= th[3] {
			for l, x := range [4]float64{v0, v1, v2, v3} {
				if x >= th[l] {
					lifFire(b, at+l, k, v[l])
				} else {
					v[l] = x
				}
			}
			continue
		}
		*v = [4]float64{v0, v1, v2, v3}
	}
}

// lifDriven advances the group with an input and without extrema, in chunks of steps.
func lifDriven(b *asm.Block, chunk int) {
	for b.InEvent = 0; b.Step < b.Steps && b.Count+b.Lanes <= b.Room; {
		n := min(chunk, b.Steps-b.Step)
		inEvent := uint64(0)
		for at := 0; at < b.Lanes; at += 4 {
			if !lifDrivenRun(b, at, n) {
				for l := at; l < at+4; l++ {
					inEvent |= lifDrivenLane(b, l, n) << l
				}
			}
		}
		b.Step += n
		if inEvent != 0 {
			b.InEvent, b.Lane, b.Chunk = inEvent, 0, n
			return
		}
	}
}

// lifDrivenRun advances lanes at to at+3 by a chunk of n steps and returns true, or returns false and leaves them as
// they are if one of them is refractory or spikes.
func lifDrivenRun(b *asm.Block, at, n int) bool {
	k := b.First + float64(b.Step)
	v, wake := (*[4]float64)(b.Y[0][at:]), (*[4]float64)(b.Wake[at:])
	if !(wake[0] < k && wake[1] < k && wake[2] < k && wake[3] < k) {
		return false
	}
	rate, th := (*[4]float64)(b.Coef[asm.LIFK][at:]), (*[4]float64)(b.Coef[asm.LIFVTh][at:])
	v0, v1, v2, v3 := v[0], v[1], v[2], v[3]
	r0, r1, r2, r3 := -rate[0], -rate[1], -rate[2], -rate[3]
	var vInf [asm.Chunk][4]float64
	lifVoltages(b, at, vInf[:n])
	for j := range n {
		to := &vInf[j]
		v0 = math.FMA(r0, v0-to[0], v0)
		v1 = math.FMA(r1, v1-to[1], v1)
		v2 = math.FMA(r2, v2-to[2], v2)
		v3 = math.FMA(r3, v3-to[3], v3)
		if v0 >= th[0] || v1 >= th[1] || v2 >= th[2] || v3 >= th[3] {
			return false
		}
	}
	*v = [4]float64{v0, v1, v2, v3}
	return true
}

// lifVoltages writes V_inf of lanes at to at+3 in the steps from b.Step on.
func lifVoltages(b *asm.Block, at int, vInf [][4]float64) {
	if b.Steady != nil {
		for j, x := range unsafe.Slice(b.Steady, b.Steps)[b.Step:][:len(vInf)] {
			vInf[j] = [4]float64{x, x, x, x}
		}
		return
	}
	r, rest := (*[4]float64)(b.Coef[asm.LIFR][at:]), (*[4]float64)(b.Coef[asm.LIFVRest][at:])
	i, gain := (*[4]float64)(b.Coef[asm.LIFI][at:]), (*[4]float64)(b.Coef[asm.LIFGain][at:])
	for j := range vInf {
		wave, row := b.Waveform[b.Step+j], (*[4]float64)(b.Row[(b.Step+j)*b.RowStride+at:])
		for l := range row {
			vInf[j][l] = math.FMA(r[l], math.FMA(gain[l], wave, i[l])+row[l], rest[l])
		}
	}
}

// lifDrivenLane advances lane l by a chunk of n steps, in which it may spike once, and returns 0; or it returns 1 and
// leaves the lane to lifEventStep.
func lifDrivenLane(b *asm.Block, l, n int) uint64 {
	c, v, vTh := b.Coef, b.Y[0][l], b.Coef[asm.LIFVTh][l]
	b.Scratch.Before[0][l] = v
	step, end, rate := b.Step, b.Step+n, c[asm.LIFK][l]
	if held := b.Wake[l] - (b.First + float64(step)); held >= float64(n) {
		return 0
	} else if held >= 0 {
		step, rate = step+int(held), b.Y[1][l]
	}
	for ; step < end; step++ {
		var vInf float64
		if b.Steady != nil {
			vInf = unsafe.Slice(b.Steady, end)[step]
		} else {
			i := math.FMA(c[asm.LIFGain][l], b.Waveform[step], c[asm.LIFI][l]) + b.Row[step*b.RowStride+l]
			vInf = math.FMA(c[asm.LIFR][l], i, c[asm.LIFVRest][l])
		}
		v = math.FMA(-rate, v-vInf, v)
		rate = c[asm.LIFK][l]
		if !(v >= vTh) {
			continue
		}
		if !(v < vInf && vInf <= asm.LIFFar) {
			return 1
		}
		lifSpike(b, l, b.First+float64(step), vInf, v)
		return 0
	}
	b.Y[0][l] = v
	return 0
}

// lifLane advances one lane by n steps, in the first held of which it is refractory, and returns its V; the rate is
// first in the step in which V moves again.
func lifLane(v, first, held float64, n int, vInf, rate float64) float64 {
	if held >= float64(n) {
		return v
	}
	if held >= 0 {
		v = math.FMA(-first, v-vInf, v)
		n -= int(held) + 1
	}
	for range n {
		v = math.FMA(-rate, v-vInf, v)
	}
	return v
}

// lifFire repeats the chunk of lane l that starts at step k, from its V there, up to its spike.
func lifFire(b *asm.Block, l int, k, v float64) {
	c := b.Coef
	vInf, vTh, rate := c[asm.LIFVInf][l], c[asm.LIFVTh][l], c[asm.LIFK][l]
	if b.Wake[l] >= k {
		k, rate = b.Wake[l], b.Y[1][l]
	}
	for v = math.FMA(-rate, v-vInf, v); v < vTh; k++ {
		v = math.FMA(-c[asm.LIFK][l], v-vInf, v)
	}
	lifSpike(b, l, k, vInf, v)
}

// lifSpike records the spike of lane l in step k, at whose end V would be v.
func lifSpike(b *asm.Block, l int, k, vInf, v float64) {
	c := b.Coef
	at, end, first, late := lifCross(c, l, vInf, v)
	b.Y[0][l], b.Y[1][l] = c[asm.LIFVReset][l], first
	b.Wake[l], b.Rem[l] = k+c[asm.LIFHold][l], 1-end
	if late {
		b.Wake[l]++
	}
	unsafe.Slice((*Event)(b.Events), b.Room)[b.Count] = Event{int32(b.LaneZero + l), int32(k - b.First), at}
	b.Count++
}

// steadyVoltages returns V_inf in each step of a driven call without extrema where it is the same in all lanes, else
// nil. Its difference from V_reset is finite: with AVX2 lanes are held by a rate of 0.
func (w *Worker) steadyVoltages(s *Shard, steps int, drive Drive) *float64 {
	shared := !slices.ContainsFunc(s.coefs, func(c []float64) bool { return c != nil })
	if w.extrema || drive.Waveform == nil || drive.Row != nil || !shared {
		return nil
	}
	w.steady = slices.Grow(w.steady[:0], steps+2*asm.Chunk)[:asm.Chunk]
	c := func(j int) float64 { return s.shared[j][0] }
	r, rest, i, gain := c(asm.LIFR), c(asm.LIFVRest), c(asm.LIFI), c(asm.LIFGain)
	if !(math.Abs(c(asm.LIFVReset)) <= math.MaxFloat64/4) {
		return nil
	}
	for _, x := range drive.Waveform[:steps] {
		vInf := math.FMA(r, math.FMA(gain, x, i)+0, rest)
		if !(math.Abs(vInf) <= math.MaxFloat64/4) {
			return nil
		}
		w.steady = append(w.steady, vInf)
	}
	for range asm.Chunk {
		w.steady = append(w.steady, w.steady[len(w.steady)-1])
	}
	return unsafe.SliceData(w.steady[asm.Chunk:])
}

// steadyVoltage writes V_rest + R I for the input of the current step, lanes at to at+7.
func steadyVoltage(b *asm.Block, at, i, gain, r, vRest int, vInf *vec) {
	x, gn := (*vec)(b.Coef[i][at:]), (*vec)(b.Coef[gain][at:])
	res, rest := (*vec)(b.Coef[r][at:]), (*vec)(b.Coef[vRest][at:])
	row := (*vec)(b.Row[b.Step*b.RowStride+at:])
	wave := b.Waveform[b.Step]
	for l := range vInf {
		vInf[l] = math.FMA(res[l], math.FMA(gn[l], wave, x[l])+row[l], rest[l])
	}
}

// lifExtremes widens the extrema by the new potentials, up to the threshold. A lane beyond it needs no special case:
// the event step adds its potentials.
func lifExtremes(b *asm.Block, at int, next, vTh *vec) {
	lo, hi := (*vec)(b.Lo[at:]), (*vec)(b.Hi[at:])
	for l, v := range next {
		if v < lo[l] {
			lo[l] = v
		}
		if vTh[l] < v {
			v = vTh[l]
		}
		if v > hi[l] {
			hi[l] = v
		}
	}
}

// extremes widens the extrema by the new potentials, in lanes in an event step by the old one, since their step is not
// done.
func extremes(b *asm.Block, at int, next, old *vec, inEvent uint64) {
	lo, hi := (*vec)(b.Lo[at:]), (*vec)(b.Hi[at:])
	for l := range next {
		v := next[l]
		if inEvent>>(at+l)&1 != 0 {
			v = old[l]
		}
		if v < lo[l] {
			lo[l] = v
		}
		if v > hi[l] {
			hi[l] = v
		}
	}
}

// In steps shorter than this many tau a spike is located from V at the end of the step, where r =
// (V_inf-V)/(V_inf-V_th) is exp(-(1-theta) dt/tau). In longer steps V may reach V_inf to the last bit, and the time
// follows only from V at the start.
const lifShort = 1.0 / 16

// lifLog is -ln r = ln(1 + d/below) for d = above - below, 0 ≤ d/below ≤ 0.065, by the series of
// atanh(d/(above+below)); error at most 3 ulp.
func lifLog(d, above, below float64) float64 {
	s := d / (above + below)
	ss := float64(s * s)
	p := math.FMA(math.FMA(math.FMA(2.0/9, ss, 2.0/7), ss, 2.0/5), ss, 2.0/3)
	return math.FMA(float64(s*ss), p, s+s)
}

// lifCross is for a spike in a short step at whose end V would be next: when it happens, as part of the step; when the
// refractory period ends, as part of the step Hold (if late: Hold + 1) steps on; and the rate for V in what remains of
// that step, 1 - exp(-remaining time/tau). With p = (next-V_th)/(V_inf-V_th) and x the time from the end of this step
// to that end over tau, the rate is 1 - (1-p) exp(x) = p + p expm1(x) - expm1(x), which loses no digits where tau is
// long and V_inf far from V_th.
func lifCross(c *asm.Coefs, l int, vInf, next float64) (at, end, rate float64, late bool) {
	above, below, passed := vInf-c[asm.LIFVTh][l], vInf-next, next-c[asm.LIFVTh][l]
	at = math.FMA(-c[asm.LIFSteps][l], lifLog(passed, above, below), 1)
	if at < 0 {
		at = 0
	}
	end = at + c[asm.LIFHoldPart][l]
	p := passed / above
	grown := c[asm.LIFAfter][l]
	if rate = math.FMA(p, grown, p) - grown; rate <= 0 {
		grown = c[asm.LIFLater][l]
		return at, end - 1, math.FMA(p, grown, p) - grown, true
	}
	return at, end, rate, false
}

// lifEventStep advances one lane by the b.Chunk steps up to the current step, in which it spikes.
func lifEventStep(w *Worker, s *Shard, g, l int, events []Event) []Event {
	b := &w.b
	l &= Group - 1
	last := b.Step
	b.Y[0][l] = b.Scratch.Before[0][l]
	for b.Step -= b.Chunk - 1; b.Step <= last; b.Step++ {
		events = lifStep(w, s, g, l, events)
	}
	b.Step = last
	return events
}

// lifStep advances one lane by a step, by the closed form between events.
func lifStep(w *Worker, s *Shard, g, l int, events []Event) []Event {
	b := &w.b
	i, k, c := g+l, b.First+float64(b.Step), b.Coef
	vInf, vTh, steps, part := c[asm.LIFVInf][l], c[asm.LIFVTh][l], c[asm.LIFSteps][l], c[asm.LIFPart][l]
	if w.full {
		vInf = math.FMA(c[asm.LIFR][l], current(b, l, asm.LIFI, asm.LIFGain), c[asm.LIFVRest][l])
	}
	v, gone := b.Y[0][l], c[asm.LIFK][l]
	at := 0.0 // place in the step
	if s.Wake[i] == k {
		at, gone = 1-s.Rem[i], b.Y[1][l]
	}
	for fired := 0; ; fired++ {
		next := v
		if s.Wake[i] <= k {
			next = math.FMA(-gone, v-vInf, v)
		}
		b.Y[0][l] = next
		w.widen(l, min(next, vTh), next)
		if !(next >= vTh) {
			return events
		}
		if fired == MaxSpikes {
			s.fail(i)
			return events
		}
		var end float64
		rises := v < vTh && next < vInf // else it was above V_th from the start
		short, late := rises && part < lifShort && vInf <= asm.LIFFar, false
		if short {
			at, end, gone, late = lifCross(c, l, vInf, next)
		} else {
			if rises {
				at = min(1, math.FMA(steps, Log1p((vTh-v)/(vInf-vTh)), at))
			}
			if end = at + c[asm.LIFHoldPart][l]; end >= 1 {
				end, late = end-1, true
			}
			_, gone = relaxed(float64((1 - end) * part))
		}
		events = append(events, Event{int32(i), int32(b.Step), at})
		v = c[asm.LIFVReset][l]
		w.widen(l, vTh, v)
		hold := c[asm.LIFHold][l]
		if late {
			hold++
		}
		if hold > 0 {
			s.Wake[i], s.Rem[i] = k+hold, 1-end
			b.Y[0][l], b.Y[1][l] = v, gone
			return events
		}
		at = end
	}
}

// fail sets V of lane i to NaN, which stays so: the lane cannot be computed any further.
func (s *Shard) fail(i int) {
	s.Y[0][i], s.Wake[i] = math.NaN(), math.Inf(1)
}

// widen widens the extrema of lane l to high and low, such as the threshold and the reset of a spike.
func (w *Worker) widen(l int, high, low float64) {
	if !w.full {
		return
	}
	if lo := &w.b.Lo[l]; low < *lo {
		*lo = low
	}
	if hi := &w.b.Hi[l]; high > *hi {
		*hi = high
	}
}
