package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/help"
	"popsim/experiment"
	"popsim/model"
	"popsim/network/description"
)

func modelsVerb() *cobra.Command {
	var asTOML bool
	cmd := &cobra.Command{
		Use:         "models [MODEL|NETWORK[:PRESET]]",
		Short:       "The models and networks; of one, equations, parameters, presets",
		Example:     "  popsim models\n  popsim models adex\n  popsim models adex:tb08",
		Annotations: ofModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				listModels(cmd.OutOrStdout())
				return nil
			case 1:
				d, preset, ok, err := networkNamed(args)
				switch {
				case err != nil:
					return misused(err)
				case ok && asTOML:
					_, err = fmt.Fprint(cmd.OutOrStdout(), d.Text)
					return err
				case ok:
					return describeNetwork(cmd.OutOrStdout(), d, preset)
				case asTOML:
					return misused(fmt.Errorf("--toml prints the description of a network; %s is none", args[0]))
				}
				q, err := experiment.ParseNeuron(args)
				if err != nil {
					return misused(err)
				}
				var text bytes.Buffer
				describeModel(&text, q)
				for line := range strings.SplitSeq(strings.TrimSuffix(text.String(), "\n"), "\n") {
					for _, part := range help.WrapLine(line) {
						fmt.Fprintln(cmd.OutOrStdout(), part)
					}
				}
				return nil
			}
			return misused(fmt.Errorf("models takes one name, but got %s", strings.Join(args, " ")))
		},
	}
	cmd.Flags().BoolVar(&asTOML, "toml", false, "print the description of a network, to be edited")
	return cmd
}

func listModels(w io.Writer) {
	help.Columns(w, func(w io.Writer) {
		for _, m := range model.All {
			fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.Title, strings.Join(methodNames(m), ", "))
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
	})
	fmt.Fprintln(w, "\npopsim models MODEL tells the equations, parameters, presets and methods of one.")
}

func methodNames(m *model.Model) []string {
	var names []string
	for _, q := range m.Methods {
		names = append(names, q.Name)
	}
	return names
}

// describeModel tells all there is to know about a model in order to use it.
func describeModel(w io.Writer, n experiment.Neuron) {
	m, base := n.Model, n.Base()
	fmt.Fprintf(w, "%s: %s\n\n", m.Name, m.Title)
	for _, line := range m.Equations {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintf(w, "\n  %s\n\n  %s\n\n", m.Source, strings.Join(spikeRule(m), "\n  "))
	fmt.Fprintln(w, "Parameters"+ofPreset(n.Preset))
	help.Columns(w, func(w io.Writer) {
		for j, q := range m.Params {
			fmt.Fprintf(w, "  %s\t%v\t%s\t%s\n", q.Name, base.Params[j], unitless(q.Unit), q.Doc)
		}
		fmt.Fprintf(w, "  I\t%v\t%s\tinput current\n", base.Current, m.CurrentUnit)
	})
	if m.Index("R") >= 0 && m.Index("tau") >= 0 {
		fmt.Fprintln(w, "\n  C (pF), g_L (nS) and E_L (mV) may be given instead: R = 1/g_L, tau = C/g_L, V_rest = E_L.")
	}
	fmt.Fprintln(w, "\nStates, at the start those of the stable rest at I = 0 unless set")
	help.Columns(w, func(w io.Writer) {
		for _, s := range m.States {
			fmt.Fprintf(w, "  %s0\t%s\t%s\n", s.Name, unitless(s.Unit), s.Doc)
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

// ofPreset names the preset whose values are told.
func ofPreset(s model.Preset) string {
	if s.Name == "" {
		return ""
	}
	return fmt.Sprintf(" of %s: %s", s.Name, presetSource(s))
}

func unitless(unit string) string {
	if unit == "1" {
		return "-"
	}
	return unit
}

// spikeRule says what a spike of m is, and which threshold is which.
func spikeRule(m *model.Model) []string {
	if m.Fires == model.Crossing {
		return []string{
			fmt.Sprintf("A spike is an upward crossing of V_th; the next one counts once V has been below V_th - %v mV.", model.Rearm),
		}
	}
	rule := []string{"A spike is V reaching V_th; V is then put to V_reset and held there for t_ref."}
	if m.Index("delta_T") >= 0 {
		rule = append(rule,
			"V_T is the threshold of the rheobase, where the exponential takes over; V_th is only the cut-off that ends the upstroke. "+
				"Other programs use these names the other way round, or call V_th V_peak.")
	}
	return rule
}

// presetValues tells in what a preset differs from the defaults.
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

func presetSource(s model.Preset) string {
	if s.Note == "" {
		return s.Source
	}
	return s.Source + " (" + s.Note + ")"
}
