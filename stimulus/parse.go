package stimulus

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"popsim/model"
)

// Syntax reads the numbers and files in the text of a shape. The zero value takes numbers with units and no files.
type Syntax struct {
	// Number reads a number in the given unit ("ms", "Hz", or that of the values). nil means model.ParseQuantity.
	Number func(text, unit string) (float64, error)
	// Column reads the values of @path. nil means that there are no files.
	Column func(path string) ([]float64, error)
}

// Kinds are the words with which shapes begin.
var Kinds = []string{"steps", "pulse", "ramp", "sine", "chirp"}

// Forms shows each kind of shape as it is written.
const Forms = "steps:0ms=2.5,100ms=7  pulse:100ms:400ms:21  ramp:0ms:1s:0:30  sine:10Hz:5  chirp:1Hz:100Hz:2s:5  " +
	"@file.npy:0.1ms"

// ErrKind is the error for a text that does not begin with one of Kinds.
var ErrKind = errors.New("unknown shape")

// Parse reads a shape as Forms shows them; unit is that of its values. Colons and commas within parentheses belong to a
// number.
func (s Syntax) Parse(text, unit string) (Shape, error) {
	if s.Number == nil {
		s.Number = model.ParseQuantity
	}
	if file, ok := strings.CutPrefix(text, "@"); ok {
		return s.samples(file)
	}
	parts := split(text, ':')
	kind, parts := parts[0], parts[1:]
	switch kind {
	case "steps":
		return s.steps(strings.Join(parts, ":"), unit)
	case "pulse":
		x, err := s.numbers(parts, "ms", "ms", unit)
		if err == nil && x[0] >= x[1] {
			err = errors.New("a pulse ends after it starts")
		}
		if err != nil {
			return nil, err
		}
		return Pulse(x[0], x[1], x[2]), nil
	case "ramp":
		x, err := s.numbers(parts, "ms", "ms", unit, unit)
		if err == nil && x[0] >= x[1] {
			err = errors.New("a ramp ends after it starts")
		}
		if err != nil {
			return nil, err
		}
		return Ramp{x[0], x[1], x[2], x[3]}, nil
	case "sine":
		x, err := s.numbers(parts, "Hz", unit)
		if err != nil {
			return nil, err
		}
		return Sine{x[0], x[1]}, nil
	case "chirp":
		x, err := s.numbers(parts, "Hz", "Hz", "ms", unit)
		if err == nil && x[2] <= 0 {
			err = errors.New("a chirp lasts longer than 0 ms")
		}
		if err != nil {
			return nil, err
		}
		return Chirp{x[0], x[1], x[2], x[3]}, nil
	}
	err := fmt.Errorf("%w %q", ErrKind, kind)
	if near := model.Nearest(kind, Kinds); near != "" {
		err = fmt.Errorf("%w; did you mean %q?", err, near)
	}
	return nil, err
}

// numbers reads as many numbers as there are units.
func (s Syntax) numbers(parts []string, units ...string) ([]float64, error) {
	if len(parts) != len(units) {
		return nil, fmt.Errorf("%d numbers are needed, divided by colons", len(units))
	}
	values := make([]float64, len(units))
	var faults []error
	for i, p := range parts {
		var err error
		values[i], err = s.Number(p, units[i])
		faults = append(faults, err)
	}
	return values, errors.Join(faults...)
}

// steps reads TIME=VALUE,TIME=VALUE.
func (s Syntax) steps(text, unit string) (Shape, error) {
	var shape Steps
	var faults []error
	for _, part := range split(text, ',') {
		at, height, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not TIME=VALUE", part)
		}
		t, err := s.Number(at, "ms")
		faults = append(faults, err)
		h, err := s.Number(height, unit)
		faults = append(faults, err)
		shape.Times, shape.Heights = append(shape.Times, t), append(shape.Heights, h)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if !slices.IsSorted(shape.Times) {
		return nil, errors.New("the times must ascend")
	}
	return shape, nil
}

// samples reads FILE:SPACING.
func (s Syntax) samples(text string) (Shape, error) {
	if s.Column == nil {
		return nil, errors.New("files of samples are not read here")
	}
	cut := strings.LastIndex(text, ":")
	if cut < 0 {
		return nil, errors.New("the spacing of the samples is missing, as in @file.npy:0.1ms")
	}
	spacing, err := s.Number(text[cut+1:], "ms")
	if err == nil && spacing <= 0 {
		err = errors.New("the spacing of the samples must be greater than 0")
	}
	if err != nil {
		return nil, err
	}
	heights, err := s.Column(text[:cut])
	if err != nil {
		return nil, err
	}
	return Samples{Heights: heights, Spacing: spacing}, nil
}

// split splits text at separators that are not within parentheses.
func split(text string, separator byte) []string {
	var parts []string
	depth, begin := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == separator && depth <= 0:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}
