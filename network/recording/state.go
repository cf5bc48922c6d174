package recording

import (
	"encoding/binary"
	"errors"
	"math"
)

var errState = errors.New("the state is not that of this network")

// save returns the state of the recording, without rows that have been written.
func (r *Recording) save() []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(r.spikes))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(r.trains)))
	for i := range r.trains {
		b, _ = r.trains[i].AppendBinary(b)
	}
	for _, m := range r.meters {
		b = m.Save(b)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(r.rates.bin))
	b = appendInts(b, r.rates.counts)
	b = appendNumbers(b, r.rates.keptTimes)
	for _, kept := range r.rates.kept {
		b = appendNumbers(b, kept)
	}
	for j := range r.sample.times {
		b = appendNumbers(b, r.sample.times[j])
		b = appendInts(b, r.sample.rows[j])
	}
	next := int64(0)
	if r.trace != nil {
		next = r.trace.next
	}
	return binary.LittleEndian.AppendUint64(b, uint64(next))
}

// restore sets a recording that has just begun to its state at save.
func (r *Recording) restore(b []byte) error {
	s := state{rest: b}
	r.spikes = s.word()
	if s.word() != int64(len(r.trains)) {
		return errState
	}
	for i := range r.trains {
		if err := r.trains[i].UnmarshalBinary(s.take(88)); err != nil {
			return errState
		}
	}
	for _, m := range r.meters {
		rest, err := m.Restore(s.rest)
		if err != nil {
			return err
		}
		s.rest = rest
	}
	r.rates.bin = s.word()
	r.rates.counts = s.ints()
	r.rates.keptTimes = s.numbers()
	for j := range r.rates.kept {
		r.rates.kept[j] = s.numbers()
	}
	for j := range r.sample.times {
		r.sample.times[j] = s.numbers()
		r.sample.rows[j] = s.ints()
		r.sample.spikes += len(r.sample.times[j])
	}
	next := s.word()
	if r.trace != nil {
		r.trace.next = next
	}
	if s.short || len(s.rest) != 0 || len(r.rates.counts) != len(r.meters) {
		return errState
	}
	return nil
}

func appendInts(b []byte, x []int64) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(x)))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

func appendNumbers(b []byte, x []float64) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(x)))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// state reads values from bytes one after the other; short is whether there were too few.
type state struct {
	rest  []byte
	short bool
}

func (s *state) take(n int) []byte {
	if n < 0 || len(s.rest) < n {
		s.short, s.rest = true, nil
		return nil
	}
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b
}

func (s *state) word() int64 {
	if b := s.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (s *state) ints() []int64 {
	n := s.word()
	if n < 0 || n > int64(len(s.rest))/8 {
		s.short = true
		return nil
	}
	x := make([]int64, n)
	for i := range x {
		x[i] = s.word()
	}
	return x
}

func (s *state) numbers() []float64 {
	var x []float64
	for _, v := range s.ints() {
		x = append(x, math.Float64frombits(uint64(v)))
	}
	return x
}
