package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"popsim/fault"
	"popsim/model"
	"popsim/stimulus"
)

// ParseWaveform parses the shapes of a current in unit, which add up. notes are remarks for the user on files, and on
// samples that end before time (ms). Without shapes the sum is nil.
func ParseWaveform(shapes []string, unit string, time float64) (sum stimulus.Sum, notes []string, err error) {
	return WaveformWith(nil, shapes, unit, time)
}

// WaveformWith is ParseWaveform with values for words that replace numbers: see WaveformWords.
func WaveformWith(words map[string]float64, shapes []string, unit string, time float64) (
	sum stimulus.Sum, notes []string, err error,
) {
	syntax := stimulus.Syntax{Column: func(path string) ([]float64, error) {
		v, err := ParseColumn("I", path, unit)
		notes = append(notes, v.Notes...)
		return v.Axis().All(), err
	}}
	if len(words) > 0 {
		syntax.Number = func(text, unit string) (float64, error) {
			if x, ok := words[text]; ok {
				return x, nil
			}
			return model.ParseQuantity(text, unit)
		}
	}
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

// WaveformWords lists which of Frequency and Amplitude replace numbers in shapes: they are axes of a sweep.
func WaveformWords(shapes []string) (words []string) {
	for _, word := range []string{Frequency, Amplitude} {
		if slices.ContainsFunc(shapes, func(s string) bool { return slices.Contains(strings.Split(s, ":")[1:], word) }) {
			words = append(words, word)
		}
	}
	return words
}
