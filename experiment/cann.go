package experiment

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"popsim/expression"
	"popsim/fault"
	"popsim/network/cann"
	"popsim/sweep"
)

// CANN is the network cann as a command line specifies it: values, and axes of those that have several.
type CANN struct {
	Name   string // cann[:PRESET]
	Values cann.Values
	Grid   sweep.Grid
	axes   [][2]string // NAME and VALUE of those of Grid, as given
	places []int       // of the axes in Values
}

// IsCANN reports whether a name is that of the network of rate units.
func IsCANN(name string) bool {
	name, _, _ = strings.Cut(name, ":")
	return name == "cann"
}

// ParseCANN reads cann NAME=VALUE ...; several values make an axis if axes is true, else they are an error.
func ParseCANN(words []string, axes bool) (*CANN, error) {
	var bad fault.List
	c := &CANN{Name: words[0], Values: cann.Defaults()}
	if _, preset, given := strings.Cut(words[0], ":"); given {
		v, ok := cann.WithPreset(preset)
		if c.Values = v; !ok {
			var names []string
			for _, p := range cann.Presets {
				names = append(names, p.Name)
			}
			bad.Add(fault.Hint(fmt.Errorf("cann has no preset %q%s", preset, expression.Nearest(preset, names)),
				"its presets are %s", strings.Join(names, ", ")))
		}
	}
	for _, word := range words[1:] {
		name, text, ok := strings.Cut(word, "=")
		i := slices.IndexFunc(cann.Parameters, func(p cann.Parameter) bool { return p.Name == name })
		switch {
		case !ok:
			bad.Addf("%q is no NAME=VALUE", word)
			continue
		case i < 0:
			var names []string
			for _, p := range cann.Parameters {
				names = append(names, p.Name)
			}
			bad.Addf("cann has no parameter %s%s", name, expression.Nearest(name, names))
			continue
		}
		v, err := ParseValue(name, text, cann.Parameters[i].Unit)
		switch x, single := v.Single(); {
		case err != nil:
			bad.Add(err)
		case single:
			c.Values[i] = x
		case !axes || v.Len() == 0:
			bad.Addf("%s=%s: cann needs one number here", name, text)
		default:
			c.Grid.Axes, c.places = append(c.Grid.Axes, v.Axis()), append(c.places, i)
			c.axes = append(c.axes, [2]string{name, text})
		}
	}
	if len(bad) == 0 {
		bad.Add(c.Values.Check())
	}
	return c, bad.Err()
}

// Saved is the experiment: flags, those given and those in resolved, and the values of all parameters.
func (c *CANN) Saved(
	verb, comment string, flags []Flag, given func(name string) bool, resolved map[string]string,
) Saved {
	x := Saved{Comment: comment, Verb: verb, Model: c.Name, Flags: flags, Given: given, Resolved: resolved}
	x.Values = slices.Clone(c.axes)
	for i, p := range cann.Parameters {
		if !c.Sweeps(i) {
			x.Values = append(x.Values, [2]string{p.Name, short(c.Values[i])})
		}
	}
	return x
}

// Sweeps reports whether a parameter is an axis of the grid.
func (c *CANN) Sweeps(parameter int) bool { return slices.Contains(c.places, parameter) }

// At are the values at a point of the grid.
func (c *CANN) At(point int) cann.Values {
	v := slices.Clone(c.Values)
	for j, i := range c.places {
		v[i] = c.Grid.At(point, j)
	}
	return v
}

// Steps is the number of steps of dt ms in a time, ms; it is an error if that is not whole.
func (c *CANN) Steps(time, dt float64) (int64, error) {
	n := math.Round(time / dt)
	if n >= MaxSteps {
		return 0, CheckSpan(time, dt)
	}
	if !(n >= 1) || math.Abs(float64(n*dt)-time) > 1e-9*time {
		return 0, fmt.Errorf("a time of %s ms is no whole number of steps of %s ms", short(time), short(dt))
	}
	return int64(n), nil
}

func short(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
