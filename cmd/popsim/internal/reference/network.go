package reference

import (
	"fmt"
	"io"
	"math"
	"strings"

	"popsim/cmd/popsim/internal/help"
	"popsim/experiment"
	"popsim/network/cann"
	"popsim/network/description"
	"popsim/table"
)

// DescribeNetwork writes what a network is made of.
func DescribeNetwork(w io.Writer, n *experiment.Network) error {
	d := n.Description
	res, err := d.Resolve(description.Options{Preset: n.Preset})
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(d.Path, experiment.Ending)
	fmt.Fprintf(w, "%s: %s\n\n%s\n\nParameters\n", name, d.Title, indented(d.Source))
	help.Columns(w, func(w io.Writer) {
		for _, p := range res.Parameters {
			fmt.Fprintf(w, "  %s\t%s\t%.6g\t%s\n", p.Name, p.Text, p.Value, Unit(p.Unit))
		}
	})
	fmt.Fprintln(w, "\nPopulations")
	help.Columns(w, func(w io.Writer) {
		for _, p := range res.Spec.Populations {
			kind := "spike trains"
			if p.Model != nil {
				kind = p.Model.Name
			}
			fmt.Fprintf(w, "  %s\t%d\t%s\n", p.Name, p.N, kind)
		}
	})
	fmt.Fprintln(w, "\nProjections")
	help.Columns(w, func(w io.Writer) {
		for _, p := range res.Spec.Projections {
			s := res.Spec.Synapses[p.Synapse]
			fmt.Fprintf(w, "  %s\t%s\t%s\n", p.Name, s.Name, s.Kind)
		}
	})
	if names := d.Presets(); len(names) > 0 {
		fmt.Fprintf(w, "\nPresets\n  %s\n", strings.Join(names, ", "))
	}
	return nil
}

// DescribeCANN writes what the network of rate units is made of.
func DescribeCANN(w io.Writer) {
	fmt.Fprintf(w, "cann: %s\n\n%s\n\n", cann.Title, indented(cann.Source))
	for _, line := range cann.Equations {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintln(w, "\nParameters")
	help.Columns(w, func(w io.Writer) {
		for _, p := range cann.Parameters {
			fmt.Fprintf(w, "  %s\t%g\t%s\t%s\n", p.Name, p.Default, Unit(p.Unit), p.Doc)
		}
	})
	fmt.Fprintln(w, "\nPresets")
	help.Columns(w, func(w io.Writer) {
		for _, p := range cann.Presets {
			fmt.Fprintf(w, "  %s\t%s\n", p.Name, p.Doc)
		}
	})
}

// shownMeasures are the columns of the table of populations that a terminal has room for.
var shownMeasures = []string{"rate_Hz", "rate_se_Hz", "cv", "cv2", "synchrony", "fano", "correlation"}

// Populations shows a table of populations on a terminal.
func Populations(w io.Writer, t *table.Table) {
	if t.Rows() == 0 {
		return
	}
	help.Columns(w, func(w io.Writer) {
		fmt.Fprintln(w, "population\tn\trate (Hz)\tse\tCV\tCV2\tsynchrony\tFano\tcorrelation")
		for i := range t.Rows() {
			fmt.Fprintf(w, "%s\t%d", t.Columns[0].Values.([]string)[i], t.Columns[1].Values.([]int64)[i])
			for _, name := range shownMeasures {
				c, _ := t.Column(name)
				fmt.Fprintf(w, "\t%s", threeFigures(c.Values.([]float64)[i]))
			}
			fmt.Fprintln(w)
		}
	})
}

// threeFigures is a number; a dash where it is missing.
func threeFigures(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.3g", x)
}
