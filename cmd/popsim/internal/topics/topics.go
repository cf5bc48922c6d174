// Package topics holds the help texts: text/NAME.txt is that of the verb or topic NAME. Paragraphs are wrapped when
// they are shown; indented lines stay as they are.
package topics

import (
	"embed"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"popsim/figure"
	"popsim/network/measure"
	"popsim/sweep"
)

//go:embed text
var texts embed.FS

// Text returns the help text of a name, or those of several names with an empty line between.
func Text(names ...string) string {
	var all []string
	for _, name := range names {
		text, err := texts.ReadFile("text/" + name + ".txt")
		if err != nil {
			panic("bug: " + err.Error())
		}
		all = append(all, strings.TrimSuffix(string(text), "\n"))
	}
	return strings.Join(all, "\n\n")
}

// Values returns the help on NAME=VALUE.
func Values() *cobra.Command {
	return &cobra.Command{Use: "values", Short: "How NAME=VALUE is written", Long: Text("values")}
}

// Networks returns the help on networks.
func Networks() *cobra.Command {
	return &cobra.Command{Use: "networks", Short: "Networks: names, descriptions, tables", Long: Text("networks")}
}

// Experiments returns the help on experiment files.
func Experiments() *cobra.Command {
	return &cobra.Command{Use: "experiments", Short: "Experiment files, FILE.toml", Long: Text("experiments")}
}

// Pictures returns the help on pictures.
func Pictures() *cobra.Command {
	text := strings.NewReplacer("LEGENDS", strings.Join(figure.Legends, ", "), "MAPS", strings.Join(figure.ColourMaps(),
		", ")).
		Replace(Text("pictures"))
	return &cobra.Command{Use: "pictures", Short: "How pictures are drawn, and their style", Long: text}
}

// Measures returns the help on the columns of sweeps.
func Measures() *cobra.Command {
	text := "-m of fi and map takes these names, with or without their unit, separated by commas.\n\n"
	for _, m := range sweep.MeasureNames() {
		text += fmt.Sprintf("  %-14s  %s\n", m, sweep.MeasureDoc(m))
	}
	for _, m := range [][2]string{
		{"V", "V_min_mV and V_max_mV"},
		{"w", "w_min_pA and w_max_pA"},
		{"isi", "a row for each distinct late interval (isi_ms)"},
		{"w_reset", "a row for each distinct w right after a reset, once the run has ended (w_reset_pA)"},
	} {
		text += fmt.Sprintf("  %-14s  %s\n", m[0], m[1])
	}
	text += "\nof networks, for all of them together or each population:\n\n  " + strings.Join(measure.Names(), ", ")
	return &cobra.Command{Use: "measures", Short: "The columns of tables of sweeps", Long: strings.TrimSpace(text)}
}
