// Package reference writes the output of popsim models: the list of models and networks, and the description of one.
package reference

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"popsim/cmd/popsim/internal/help"
	"popsim/equations"
	"popsim/experiment"
	"popsim/model"
	"popsim/network/cann"
	"popsim/network/description"
)

// List writes the models with their methods, and the networks.
func List(w io.Writer) {
	help.Columns(w, func(w io.Writer) {
		for _, m := range model.All {
			fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.Title, strings.Join(methodNames(m), ", "))
		}
	})
	fmt.Fprintln(w, "\nModels that are files of equations; popsim models NAME --toml prints one")
	help.Columns(w, func(w io.Writer) {
		for _, name := range equations.Names() {
			m, err := equations.Lookup(name)
			if err != nil {
				panic("bug: " + err.Error())
			}
			fmt.Fprintf(w, "%s\t%s\n", m.Name, m.Title)
		}
	})
	fmt.Fprintln(w, "\nNetworks")
	help.Columns(w, func(w io.Writer) {
		for _, name := range description.Names() {
			d, err := description.Lookup(name)
			if err != nil {
				panic("bug: " + err.Error())
			}
			fmt.Fprintf(w, "%s\t%s\n", name, d.Title)
		}
		fmt.Fprintf(w, "cann\t%s\n", cann.Title)
	})
	fmt.Fprintln(w, "\npopsim models MODEL shows the equations, parameters, presets and methods of one.")
}

// methodNames lists the methods of m.
func methodNames(m *model.Model) []string {
	var names []string
	for _, q := range m.Methods {
		names = append(names, q.Name)
	}
	return names
}

// Describe writes all that is needed to use a model: equations, parameters as the preset has them, states, methods,
// presets.
func Describe(w io.Writer, n experiment.Neuron) error {
	var b bytes.Buffer
	describeParameters(&b, n)
	describeStates(&b, n.Model)
	describePresets(&b, n.Model)
	for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
		for _, part := range help.WrapLine(line) {
			if _, err := fmt.Fprintln(w, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// describeParameters writes the equations, what a spike is, and the parameters.
func describeParameters(w io.Writer, n experiment.Neuron) {
	m, base := n.Model, n.Base()
	fmt.Fprintf(w, "%s: %s\n\n", m.Name, m.Title)
	for _, line := range m.Equations {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintf(w, "\n%s\n\n  %s\n\n", indented(m.Source), strings.Join(spikeRule(m), "\n  "))
	fmt.Fprintln(w, "Parameters"+ofPreset(n.Preset))
	help.Columns(w, func(w io.Writer) {
		for j, q := range m.Params {
			fmt.Fprintf(w, "  %s\t%v\t%s\t%s\n", q.Name, base.Params[j], Unit(q.Unit), q.Doc)
		}
		fmt.Fprintf(w, "  I\t%v\t%s\tinput current\n", base.Current, m.CurrentUnit)
	})
	if m.Index("R") >= 0 && m.Index("tau") >= 0 {
		fmt.Fprintln(w, "\n  C (pF), g_L (nS) and E_L (mV) may be given instead: R = 1/g_L, tau = C/g_L, V_rest = E_L.")
	}
}

// describeStates writes the states and the methods.
func describeStates(w io.Writer, m *model.Model) {
	start := make([]float64, len(m.States))
	if m.Start != nil {
		m.Start(m.Defaults(), start)
		fmt.Fprintln(w, "\nStates, and where they start unless set")
	} else {
		fmt.Fprintln(w, "\nStates, at the start those of the stable rest at I = 0 unless set")
	}
	help.Columns(w, func(w io.Writer) {
		for j, s := range m.States {
			if m.Start != nil {
				fmt.Fprintf(w, "  %s0\t%v\t%s\t%s\n", s.Name, start[j], Unit(s.Unit), s.Doc)
			} else {
				fmt.Fprintf(w, "  %s0\t%s\t%s\n", s.Name, Unit(s.Unit), s.Doc)
			}
		}
	})
	fmt.Fprintln(w, "\nMethods, the default first")
	help.Columns(w, func(w io.Writer) {
		for _, q := range m.Methods {
			order := fmt.Sprintf("order %d", q.Order)
			if q.Order == 0 {
				order = "exact"
			}
			fmt.Fprintf(w, "  %s\t%s\tdt %v ms\t%s\n", q.Name, order, q.Dt, q.Doc)
		}
	})
	if m.Outside() {
		describeSteps(w, m)
	}
}

// describeSteps writes the steps that were measured with the values of the file.
func describeSteps(w io.Writer, m *model.Model) {
	fmt.Fprintln(w, "\nSteps, measured with the values of the file")
	help.Columns(w, func(w io.Writer) {
		for _, q := range m.Methods {
			usable, accurate := m.StepLimits(q, m.Defaults())
			upTo := func(dt float64) string {
				if math.IsInf(dt, 1) {
					return fmt.Sprintf("beyond %v ms", 16*q.Dt)
				}
				return fmt.Sprintf("up to %v ms", dt)
			}
			fmt.Fprintf(w, "  %s\taccurate %s\tusable %s\n", q.Name, upTo(accurate), upTo(usable))
		}
	})
}

// describePresets writes the presets, two lines each.
func describePresets(w io.Writer, m *model.Model) {
	if len(m.Presets()) == 0 {
		return
	}
	fmt.Fprintln(w, "\nPresets")
	for _, s := range m.Presets() {
		head := fmt.Sprintf("  %s:%s", m.Name, s.Name)
		for _, text := range []string{presetValues(m, s), presetSource(s)} {
			fmt.Fprintf(w, "%-24s  %s\n", head, text)
			head = "   "
		}
	}
}

// ofPreset names the preset that the values are from; it is empty for the defaults.
func ofPreset(s model.Preset) string {
	if s.Name == "" {
		return ""
	}
	return fmt.Sprintf(" of %s: %s", s.Name, presetSource(s))
}

// Unit returns a unit as tables show it: - for a number without one.
func Unit(unit string) string {
	if unit == "1" {
		return "-"
	}
	return unit
}

// spikeRule explains in one or two lines what a spike of m is, and what its thresholds mean.
func spikeRule(m *model.Model) []string {
	if m.SpikeRule != "" {
		return []string{m.SpikeRule}
	}
	if m.Fires == model.Crossing {
		return []string{
			fmt.Sprintf("A spike is an upward crossing of V_th; the next one counts once V has been below V_th - %v "+
				"mV.", model.Rearm),
		}
	}
	rule := []string{"A spike is V reaching V_th; V is then set to V_reset and held there for t_ref."}
	if m.Index("delta_T") >= 0 {
		rule = append(rule,
			"V_T is the threshold of the rheobase, where the exponential takes over; V_th is only the cut-off that ends "+
				"the upstroke. "+
				"Other programs use these names the other way round, or call V_th V_peak.")
	}
	return rule
}

// presetValues lists the values of a preset that differ from the defaults.
func presetValues(m *model.Model, s model.Preset) string {
	var parts []string
	for j, q := range m.Params {
		if s.Params[j] != q.Default {
			parts = append(parts, fmt.Sprintf("%s=%.6g", q.Name, s.Params[j]))
		}
	}
	if !math.IsNaN(s.I) {
		parts = append(parts, fmt.Sprintf("I=%.6g", s.I))
	}
	if len(parts) == 0 {
		return "the defaults"
	}
	return strings.Join(parts, " ")
}

// presetSource returns where a preset comes from, with its note.
func presetSource(s model.Preset) string {
	if s.Note == "" {
		return s.Source
	}
	return s.Source + " (" + s.Note + ")"
}

// indented is a text in indented lines of the width of help.
func indented(text string) string { return strings.Join(help.WrapLine("  "+text), "\n") }
