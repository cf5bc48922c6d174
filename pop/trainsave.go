package pop

import (
	"encoding/binary"
	"errors"
	"math"
)

// trainSaved is the number of bytes of a Train in a checkpoint.
const trainSaved = 11 * 8

// AppendBinary appends the train to b in the form that UnmarshalBinary reads. The error is nil.
func (s *Train) AppendBinary(b []byte) ([]byte, error) {
	for _, x := range []uint64{
		math.Float64bits(s.first), math.Float64bits(s.isiFirst), uint64(s.earlier), math.Float64bits(s.start), uint64(s.kept),
		math.Float64bits(s.last), math.Float64bits(s.isiLast), math.Float64bits(s.reference), math.Float64bits(s.square),
		uint64(s.cut), math.Float64bits(s.cutTime),
	} {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b, nil
}

// UnmarshalBinary reads a train.
func (s *Train) UnmarshalBinary(b []byte) error {
	if len(b) != trainSaved {
		return errors.New("pop: a train of another length")
	}
	next := func() uint64 {
		x := binary.LittleEndian.Uint64(b)
		b = b[8:]
		return x
	}
	number := func() float64 { return math.Float64frombits(next()) }
	s.first, s.isiFirst, s.earlier, s.start, s.kept = number(), number(), int64(next()), number(), int64(next())
	s.last, s.isiLast, s.reference, s.square, s.cut, s.cutTime = number(), number(), number(), number(), int64(next()),
		number()
	return nil
}
