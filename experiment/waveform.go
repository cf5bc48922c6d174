package experiment

import (
	"errors"
	"fmt"

	"popsim/fault"
	"popsim/stimulus"
)

// ParseWaveform parses the shapes of a current in unit, which add up. notes are remarks for the user on files, and on
// samples that end before time (ms). Without shapes the sum is nil.
func ParseWaveform(shapes []string, unit string, time float64) (sum stimulus.Sum, notes []string, err error) {
	syntax := stimulus.Syntax{Column: func(path string) ([]float64, error) {
		v, err := ParseColumn("I", path, unit)
		notes = append(notes, v.Notes...)
		return v.Axis().All(), err
	}}
	var bad fault.List
	for _, text := range shapes {
		shape, err := syntax.Parse(text, unit)
		if err != nil {
			err = fmt.Errorf("--waveform %s: %w", text, err)
			if errors.Is(err, stimulus.ErrKind) {
				err = fault.Hint(err, "the shapes are %s", stimulus.Forms)
			}
			bad.Add(err)
			continue
		}
		if samples, ok := shape.(stimulus.Samples); ok && samples.End() < time*(1-1e-12) {
			notes = append(notes,
				fmt.Sprintf("the samples of the waveform end at %.6g ms; after that the waveform is 0", samples.End()))
		}
		sum = append(sum, shape)
	}
	return sum, notes, bad.Err()
}
