// Package topics holds the help on what several verbs share: how values, experiment files and pictures are written, and which
// columns sweeps have.
package topics

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"popsim/figure"
	"popsim/sweep"
)

const valuesHelp = `NAME=VALUE sets a parameter of the model, the input current I, or an initial state (V0, w0, m0, h0, n0).
popsim models MODEL lists the names. A number may carry a unit that fits: tau=10ms, I=0.8nA; a bare number is in the
model's own unit.

  I=21               one value
  I=5,6,7            a list
  I=0:20:0.5         from 0 to 20 in steps of 0.5; 20 is included where the steps reach it
  I=0:20/201         201 values from 0 to 20, both included
  I=log:1:100/50     50 values, evenly spaced in the logarithm
  I=@file.npy        one value per point, or per neuron in run, from a file:
                     .npy, or .csv, .npz, .parquet of one column
  I=@file.csv:COL    one column of a table, by its header; "I (nA)" and "I_nA"
                     give their unit
  I=-5:20            an interval, for bifurcation only
  I=normal:21:2      run only: a draw for each neuron, of mean 21 and standard deviation 2
  I=uniform:15:30    run only: a draw for each neuron between 15 and 30

A list has units for all of its numbers or for none. lif, eif and adex also take C, g_L and E_L instead of R, tau and V_rest;
names of NEST, PyNN and Brian2 are answered with what they are called here.

Several lists or ranges make a grid, in which the last one named varies fastest; --zip pairs them instead. Draws depend
on --seed, the name and the number of the neuron alone. MODEL:PRESET starts from a published set of parameters, which
may fix I too; what is named afterwards is set on top of it. run also knows gain, with which a neuron takes --waveform.`

// Values returns the help on NAME=VALUE.
func Values() *cobra.Command {
	return &cobra.Command{Use: "values", Short: "How NAME=VALUE is written", Long: valuesHelp}
}

const experimentHelp = `popsim FILE.toml runs the experiment that stands in FILE.toml, and --save FILE.toml writes that of a command line, with
everything resolved: all parameters with their units, method, step, times.

  verb = "fi"                 # run, fi, map, phase, bifurcation, ...
  model = "adex:nd-tonic"     # MODEL[:PRESET]
  time = "2s"                 # the flags of the verb, by their long names;
                              # a bare number is in the flag's own unit
  measures = ["rate", "latency"]
  full = true

  [values]                    # NAME=VALUE, in the order of naming
  b = ["0pA", "20pA", "0.06nA"]
  I = "0:40:0.2"

Values and flags are written as on the command line, so popsim help values and popsim VERB --help say what may stand in a
file. It is read strictly: unknown keys, units that do not fit and texts where numbers should be are reported with line and
column, all of them at once. NAME=VALUE and flags after FILE.toml take precedence over the file:

  popsim fi.toml b=0 -o tonic.csv

Names of files in it are relative to where popsim runs. What --save writes leaves out what belongs to one run alone:
--force, --resume, --part, --dry-run, profiles.`

// Experiments returns the help on experiment files.
func Experiments() *cobra.Command {
	return &cobra.Command{Use: "experiments", Short: "Experiment files, FILE.toml", Long: experimentHelp}
}

const picturesHelp = `--plot FILE draws a picture: .svg and .pdf for print, .png for a screen, or an .html page with the data in it, in
which one zooms, reads values and switches curves off, without a network. Text is text, which can be searched and edited;
letters that PDF's own encoding lacks, and italic ones, are outlines there. The command is kept in the file.

--plot-style STYLE sets how it looks: KEY=VALUE or FILE.toml with such keys, several divided by commas; what stands later
goes before what stands earlier.

  width=85mm          of the page; also cm, in, pt (default 160mm)
  height=50mm         of the axes of the largest panel; the others shrink alike
  font=8pt            numbers at the axes; labels and titles are larger (default 9pt)
  title=TEXT          in place of the usual one; title= leaves it out
  legend=PLACE        LEGENDS
  colours=MAP         of images: MAPS
  x=LO:HI y=LO:HI     ends of the axes; of several panels from above, divided by
                      semicolons: y=0:50;-80:40, an empty one as usual
  outlines=true       letters as outlines: the same look with no font installed

  popsim fi lif I=19:40:0.25 --plot fi.pdf --plot-style width=85mm,font=8,title=`

// Pictures returns the help on pictures.
func Pictures() *cobra.Command {
	text := strings.NewReplacer("LEGENDS", strings.Join(figure.Legends, ", "), "MAPS", strings.Join(figure.ColourMaps(), ", ")).
		Replace(picturesHelp)
	return &cobra.Command{Use: "pictures", Short: "How pictures are drawn, and their style", Long: text}
}

// Measures returns the help on the columns of sweeps.
func Measures() *cobra.Command {
	text := "-m of fi and map takes these names, with or without their unit, divided by commas.\n\n"
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
	return &cobra.Command{Use: "measures", Short: "The columns that sweeps can tell", Long: strings.TrimSpace(text)}
}
