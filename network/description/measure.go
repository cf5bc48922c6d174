package description

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/network"
)

// MeasureKind is the kind of a measure.
type MeasureKind int

// The kinds of measures.
const (
	// FirstAbove is the first window in which the rate of a population reaches a level, and that population.
	FirstAbove MeasureKind = iota
	// PopulationVector is the mean direction of the spikes in a window, with the neurons placed on a ring in their order.
	PopulationVector
	// Regime is the state of a population by its rate, CV, synchrony and spectrum.
	Regime
)

var measureKinds = []string{"first-above", "population-vector", "regime"}

var measureKeys = map[MeasureKind][]string{
	FirstAbove:       {"kind", "populations", "window", "every", "level", "after"},
	PopulationVector: {"kind", "population", "window", "at", "from", "every"},
	Regime:           {"kind", "population"},
}

// Measure is a table [measure.NAME].
type Measure struct {
	Name  string
	Kind  MeasureKind
	Parts []network.Part // one of PopulationVector and Regime
	Names []string       // of the parts, as the file has them

	Window float64 // ms
	Every  float64 // ms, from the end of one window to the next: FirstAbove, PopulationVector
	Level  float64 // spikes/s: FirstAbove
	After  float64 // ms, windows end later: FirstAbove
	At     float64 // ms, where the window ends; 0 is the end of the run: PopulationVector
	From   float64 // ms, where the window ends from which movements count; 0 is none: PopulationVector
}

// measure reads a table [measure.NAME].
func (r *resolver) measure(e *entry) {
	name := r.word(e, "kind")
	k := slices.Index(measureKinds, name)
	if k < 0 {
		r.fault(e, "unknown kind %q%s; kinds of measures are %s", name, expression.Nearest(name, measureKinds),
			strings.Join(measureKinds, ", "))
		return
	}
	m := Measure{Name: e.key, Kind: MeasureKind(k)}
	unknown(&r.faults, e, "measure "+e.key, measureKeys[m.Kind])
	if m.Kind != Regime {
		m.Window = r.positive(e, "window", "ms")
	}
	from := "populations"
	switch m.Kind {
	case FirstAbove:
		m.Every, m.Level = r.positive(e, "every", "ms"), r.positive(e, "level", "Hz")
		m.After = r.optional(e, "after", "ms", 0)
		if n := m.Window / m.Every; m.Every > 0 && math.Abs(n-math.Round(n)) > 1e-9*n {
			r.fault(e, "a window of %g ms is no whole number of times every %g ms", m.Window, m.Every)
		}
	case PopulationVector:
		m.At = r.optional(e, "at", "ms", 0)
		if e.get("from") == nil && e.get("every") == nil {
			break
		}
		m.From, m.Every = r.positive(e, "from", "ms"), r.positive(e, "every", "ms")
		if m.At == 0 {
			r.fault(e, "at is missing: movements from a time on need one up to which they go")
		} else if n := (m.At - m.From) / m.Every; m.Every > 0 && !(n > 0.5 && math.Abs(n-math.Round(n)) < 1e-9*n) {
			r.fault(e, "from %g to %g ms is no whole number of times every %g ms", m.From, m.At, m.Every)
		}
	}
	if m.Kind != FirstAbove {
		from = "population"
		if p := e.get(from); p != nil && p.kind == list {
			r.fault(p, "one population is needed, not a list")
			return
		}
	}
	for _, c := range r.members(e, from) {
		if part, ok := r.part(c); ok {
			m.Parts, m.Names = append(m.Parts, part), append(m.Names, c.text)
		}
	}
	r.out.Measures = append(r.out.Measures, m)
}

// Within returns an error for a measure that looks at times beyond the end of a run, ms.
func (m *Measure) Within(end float64) error {
	if at := max(m.At, m.After); at > end {
		return fmt.Errorf("measure %s looks at %g ms, and the run ends at %g ms", m.Name, at, end)
	}
	if m.Window > end {
		return fmt.Errorf("measure %s has a window of %g ms, and the run ends at %g ms", m.Name, m.Window, end)
	}
	return nil
}

// positive reads a required number above 0.
func (r *resolver) positive(from *entry, key, unit string) float64 {
	e := from.get(key)
	if e == nil {
		r.fault(from, "%s is missing", key)
		return 0
	}
	v, ok := r.number(e, e.text, unit)
	if ok && v <= 0 {
		r.fault(e, "%g %s; it must be greater than 0", v, unit)
	}
	return v
}
