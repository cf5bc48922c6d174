package statistics

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrSaved is the error for bytes that are not the state of a Recorder of that size.
var ErrSaved = errors.New("these are no measures of a population of that size")

// Save appends the state of the recorder to b, in the format that Restore reads.
func (r *Recorder) Save(b []byte) []byte {
	word := func(x int64) { b = binary.LittleEndian.AppendUint64(b, uint64(x)) }
	number := func(x float64) { b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x)) }
	word(int64(len(r.intervals)))
	word(int64(len(r.closed)))
	word(int64(len(r.series)))
	for _, x := range []int64{
		r.now, r.inBin, r.part.sum, r.part.square, r.part.bins, r.all.sum, r.all.square, r.all.bins,
	} {
		word(x)
	}
	for _, c := range r.closed {
		for _, x := range c {
			number(x)
		}
	}
	for _, c := range r.series {
		word(int64(c))
	}
	for i := range r.intervals {
		v, c := &r.intervals[i], &r.counts[i]
		word(v.spikes)
		for _, x := range []float64{v.last, v.interval, v.sum, v.square, v.change} {
			number(x)
		}
		for _, x := range []int64{c.bin, c.inBin, c.part.sum, c.part.square, c.all.sum, c.all.square} {
			word(x)
		}
	}
	return b
}

// Restore sets a new recorder to the state at Save, and returns the bytes after it.
func (r *Recorder) Restore(b []byte) (rest []byte, err error) {
	const head, batch, neuron = 11, 3, 12 // words
	at := func(i int) int64 { return int64(binary.LittleEndian.Uint64(b[8*i:])) }
	if len(b) < 8*head || at(0) != int64(len(r.intervals)) || at(1) < 0 || at(1) > 2*batches || at(2) < 0 ||
		at(2) > int64(len(b)) {
		return nil, ErrSaved
	}
	closed, series := int(at(1)), int(at(2))
	size := 8 * (head + batch*closed + series + neuron*len(r.intervals))
	if len(b) < size {
		return nil, ErrSaved
	}
	rest, b = b[size:], b[24:size]
	word := func() int64 {
		x := int64(binary.LittleEndian.Uint64(b))
		b = b[8:]
		return x
	}
	number := func() float64 { return math.Float64frombits(uint64(word())) }
	for _, x := range []*int64{
		&r.now, &r.inBin, &r.part.sum, &r.part.square, &r.part.bins, &r.all.sum, &r.all.square, &r.all.bins,
	} {
		*x = word()
	}
	r.closed = make([][3]float64, closed)
	for k := range r.closed {
		r.closed[k] = [3]float64{number(), number(), number()}
	}
	r.series = make([]int32, series)
	for k := range r.series {
		r.series[k] = int32(word())
	}
	for i := range r.intervals {
		v, c := &r.intervals[i], &r.counts[i]
		v.spikes = word()
		for _, x := range []*float64{&v.last, &v.interval, &v.sum, &v.square, &v.change} {
			*x = number()
		}
		for _, x := range []*int64{&c.bin, &c.inBin, &c.part.sum, &c.part.square, &c.all.sum, &c.all.square} {
			*x = word()
		}
	}
	return rest, nil
}
