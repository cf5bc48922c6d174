package model

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"popsim/expression"
)

// scales lists, for each kind of quantity, its units and their sizes in the first one. Two units belong together
// when they are in the same row.
var scales = [][]struct {
	unit  string
	scale float64
}{
	{{"ms", 1}, {"s", 1e3}, {"us", 1e-3}, {"min", 6e4}},
	{{"mV", 1}, {"V", 1e3}, {"uV", 1e-3}},
	{{"pA", 1}, {"nA", 1e3}, {"uA", 1e6}, {"mA", 1e9}, {"A", 1e12}, {"fA", 1e-3}},
	{{"nS", 1}, {"uS", 1e3}, {"mS", 1e6}, {"S", 1e9}, {"pS", 1e-3}},
	{{"GOhm", 1}, {"MOhm", 1e-3}, {"kOhm", 1e-6}, {"Ohm", 1e-9}, {"TOhm", 1e3}},
	{{"uA/cm2", 1}, {"mA/cm2", 1e3}, {"nA/cm2", 1e-3}, {"A/cm2", 1e6}, {"A/m2", 100}},
	{{"mS/cm2", 1}, {"S/cm2", 1e3}, {"uS/cm2", 1e-3}, {"S/m2", 0.1}},
	{{"pF", 1}, {"nF", 1e3}, {"uF", 1e6}, {"F", 1e12}, {"fF", 1e-3}},
	{{"uF/cm2", 1}, {"nF/cm2", 1e-3}, {"F/m2", 100}},
	{{"Hz", 1}, {"kHz", 1e3}, {"mHz", 1e-3}},
}

// ParseQuantity reads a number that may carry a unit, such as "0.8nA", and returns it in the unit requested, such as
// "pA". A bare number is in that unit already. The error names the valid units.
func ParseQuantity(text, unit string) (float64, error) {
	text = strings.TrimSpace(text)
	number, suffix := splitUnit(text)
	x, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%q is not a finite number%s", text, inUnit(unit))
	}
	if suffix == "" {
		return x, nil
	}
	suffix = strings.NewReplacer("µ", "u", "μ", "u", "Ω", "Ohm", "²", "2", "^2", "2").Replace(suffix)
	for _, row := range scales {
		to := slices.IndexFunc(row, func(s struct {
			unit  string
			scale float64
		},
		) bool {
			return s.unit == unit
		})
		if to < 0 {
			continue
		}
		var known []string
		for _, s := range row {
			if s.unit == suffix {
				return rescale(x, s.scale, row[to].scale), nil
			}
			known = append(known, s.unit)
		}
		return 0, fmt.Errorf("%q has the wrong unit %q; it should be in %s", text, suffix, strings.Join(known, ", "))
	}
	if unit != "" && unit != "1" {
		return parseCompound(text, unit)
	}
	return 0, fmt.Errorf("%q has a unit, but this is a pure number", text)
}

// parseCompound reads a quantity whose unit is a product, such as mV/ms.
func parseCompound(text, unit string) (float64, error) {
	u, err := expression.UnitOf(unit)
	if err != nil {
		return 0, err
	}
	e, err := expression.Parse(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no quantity in %s: %w", text, unit, err)
	}
	d, err := e.Check(nil)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no quantity in %s: %w", text, unit, err)
	case d != u.Dim:
		return 0, fmt.Errorf("%q has the wrong unit; it should be in %s", text, unit)
	}
	x := u.From(e.Eval(nil))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%q is not a finite number", text)
	}
	return x, nil
}

// rescale avoids the rounding of a factor below one: 3 us is 3/1000 ms, not 3 times the double nearest to 0.001.
func rescale(x, from, to float64) float64 {
	if from >= to {
		return x * math.Round(from/to)
	}
	return x / math.Round(to/from)
}

func inUnit(unit string) string {
	if unit == "" || unit == "1" {
		return ""
	}
	return " (in " + unit + ")"
}

// splitUnit splits a quantity after its number; an e or E belongs to the number only if digits follow.
func splitUnit(text string) (number, unit string) {
	end := 0
	for end < len(text) {
		c := text[end]
		switch {
		case c >= '0' && c <= '9' || c == '.' || c == '+' || c == '-':
			end++
			continue
		case (c == 'e' || c == 'E') && end > 0 && exponentFollows(text[end+1:]):
			end += 2
			continue
		}
		break
	}
	return text[:end], strings.TrimSpace(text[end:])
}

func exponentFollows(rest string) bool {
	rest = strings.TrimLeft(rest, "+-")
	return rest != "" && rest[0] >= '0' && rest[0] <= '9'
}
