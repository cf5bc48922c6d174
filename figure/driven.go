package figure

import (
	"math"
	"slices"
	"strings"

	"popsim/sweep"
)

// Driven draws a sweep of single neurons under noise or a waveform, a panel for each measure that was asked for; where
// none was, the rate, and under a sine the vector strength. Theory stands beside the rate. Over trials these are means
// with their standard errors.
func Driven(title, model string, r *sweep.JobsResult) (*Figure, error) {
	t := Named{Name: model, Units: map[string]string{}}
	t.Table = sweep.MeanOfTrials(r.Table(), max(1, r.Jobs.Trials))
	for _, a := range r.Jobs.Grid.Axes {
		t.Units[a.Name] = a.Unit
	}
	measures := drivenMeasures(r.Jobs)
	f := &Figure{Title: title, ShareX: true}
	for _, ys := range measures {
		one, err := Tables("", []Named{t}, "", ys)
		if err != nil {
			return nil, err
		}
		p := one.Panels[0]
		if len(measures) > 1 {
			p.Height = 85 / math.Sqrt(float64(len(measures)))
		}
		f.Panels = append(f.Panels, p)
	}
	return f, nil
}

// drivenMeasures are the columns of each panel.
func drivenMeasures(j *sweep.Jobs) (panels [][]string) {
	theory := slices.ContainsFunc(j.Columns, func(c sweep.JobColumn) bool { return c.Name == "theory_Hz" })
	all := slices.ContainsFunc(j.Columns, func(c sweep.JobColumn) bool { return c.Name == "rate_error_Hz" })
	for _, c := range j.Columns {
		switch {
		case c.Words != nil, c.Name == "theory_Hz", strings.HasSuffix(c.Name, "_se"):
		case c.Name == "rate_Hz" && theory:
			panels = append(panels, []string{c.Name, "theory_Hz"})
			theory = false
		case c.Name == "rate_Hz", c.Name == "vector_strength", !all, sweep.IsDrivenStatistic(c.Name):
			panels = append(panels, []string{c.Name})
		}
	}
	if theory {
		panels = append(panels, []string{"theory_Hz"})
	}
	if len(panels) == 0 {
		panels = [][]string{nil} // what the table is about
	}
	return panels
}
