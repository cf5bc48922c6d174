package figure

import (
	"fmt"
	"math"
	"strings"

	"popsim/sweep"
)

// jobPanels is the number of measures that a picture of jobs holds, the first of them.
const jobPanels = 4

// jobGroup is columns that share axes: a measure of several populations.
type jobGroup struct {
	label   string
	columns []sweep.JobColumn
	names   []string // of the columns in the legend
}

// Jobs draws the first measures of jobs, a panel each: over one axis, or the first of zipped ones, a curve for each
// population with the standard error of the mean over trials; over two, a map in colours of the mean. A column of words
// is drawn as the share of trials with each; choices between two populations with the function that fits them.
func Jobs(r *sweep.JobsResult, title string) (*Figure, error) {
	panels, shown := choicePanels(r)
	drifts := driftPanels(r, shown)
	panels = append(panels, drifts...)
	var columns []sweep.JobColumn
	for _, c := range r.Jobs.Columns {
		if !shown[c.Name] {
			columns = append(columns, c)
		}
	}
	groups, axes := jobGroups(columns), r.Jobs.Grid.Axes
	groups = groups[:min(max(0, jobPanels-len(panels)), len(groups))]
	if len(axes) == 0 && len(panels) > 0 {
		groups = nil
	}
	f := &Figure{Title: title, ShareX: len(drifts) == 0, Panels: panels}
	for _, g := range groups {
		var p Panel
		var err error
		switch {
		case len(axes) == 1 || len(axes) > 0 && r.Jobs.Grid.Zip:
			p = jobCurves(r, g)
		case len(axes) == 2:
			p, err = jobMap(r, g)
		default:
			err = fmt.Errorf("%d axes make no picture; one or two do", len(axes))
		}
		if err != nil {
			return nil, err
		}
		p.Height = 85 / math.Sqrt(float64(len(groups)))
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		return nil, fmt.Errorf("there are no measures to draw")
	}
	return f, nil
}

// jobGroups puts the columns of a measure together: rate_Hz, rate_E_Hz and rate_I_Hz.
func jobGroups(columns []sweep.JobColumn) (groups []jobGroup) {
	at := map[string]int{}
	for _, c := range columns {
		if c.Name == "status" {
			continue
		}
		base, unit := c.Name, ""
		for _, u := range []string{"Hz", "ms", "deg", "rad"} {
			if cut, ok := strings.CutSuffix(base, "_"+u); ok {
				base, unit = cut, u
			}
		}
		measure, name, _ := strings.Cut(base, "_")
		if rest, ok := strings.CutPrefix(name, "se_"); ok {
			measure, name = measure+"_se", rest
		} else if rest, ok := strings.CutPrefix(name, "sd_"); ok {
			measure, name = measure+"_sd", rest
		} else if unit == "ms" || unit == "deg" || name == "length" {
			measure, name = base, ""
		}
		if c.Words != nil {
			measure, name, unit = c.Name+" ", "", ""
		}
		key := measure + " " + unit
		k, ok := at[key]
		if !ok {
			k = len(groups)
			at[key] = k
			label := measure
			if unit != "" {
				label = fmt.Sprintf("%s (%s)", measure, unit)
			}
			if c.Words != nil {
				label = "share of " + c.Name
			}
			groups = append(groups, jobGroup{label: label})
		}
		if name == "" {
			name = "all"
		}
		groups[k].columns, groups[k].names = append(groups[k].columns, c), append(groups[k].names, name)
	}
	return groups
}

// meanOf is the mean of values and its standard error, NaN where there are too few.
func meanOf(values []float64) (mean, se float64) {
	n, sum, square := float64(len(values)), 0.0, 0.0
	for _, x := range values {
		sum += x
	}
	mean = sum / n
	for _, x := range values {
		square += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(square / (n - 1) / n)
}

// shareOf is the share of values that are w, and its standard error.
func shareOf(values []float64, w float64) (share, se float64) {
	n := 0.0
	for _, x := range values {
		if x == w {
			n++
		}
	}
	share = n / float64(len(values))
	return share, math.Sqrt(share * (1 - share) / float64(len(values)))
}

func jobCurves(r *sweep.JobsResult, g jobGroup) Panel {
	axis := r.Jobs.Grid.Axes[0]
	p := Panel{XLabel: AxisLabel(axis), YLabel: g.label}
	add := func(name string, value func(point int) (float64, float64)) {
		n := len(p.Lines)
		line := Line{
			Name:  name,
			Color: seriesColors[n%len(seriesColors)],
			Dash:  []Dash{Solid, Dashed, DashDotted, Dotted}[n%4],
		}
		marks := Points{Name: name, Mark: []Mark{Circle, Square, Triangle, Diamond}[n%4], Size: 4, Color: line.Color}
		errors := false
		for point := range int(r.Jobs.Grid.Points()) {
			y, se := value(point)
			line.X, line.Y = append(line.X, r.Jobs.Grid.At(point, 0)), append(line.Y, y)
			if math.IsNaN(se) {
				se = 0
			}
			errors = errors || se > 0
			marks.YErr = append(marks.YErr, se)
		}
		marks.X, marks.Y = line.X, line.Y
		if !errors {
			marks.YErr = nil
		}
		p.Lines, p.Points = append(p.Lines, line), append(p.Points, marks)
	}
	for k, c := range g.columns {
		name := g.names[k]
		if len(g.columns) == 1 {
			name = ""
		}
		if c.Words == nil {
			add(name, func(point int) (float64, float64) { return meanOf(r.Values(c.Name, point)) })
			continue
		}
		for w, word := range c.Words {
			add(word, func(point int) (float64, float64) { return shareOf(r.Values(c.Name, point), float64(w)) })
		}
	}
	return p
}

// mostOften is the word, a number below n, that occurs most often among values, NaN without any; the first of several.
func mostOften(values []float64, n int) float64 {
	counts, best := make([]int, n), math.NaN()
	for _, v := range values {
		if v >= 0 && int(v) < n {
			counts[int(v)]++
		}
	}
	most := 0
	for w, c := range counts {
		if c > most {
			most, best = c, float64(w)
		}
	}
	return best
}

func jobMap(r *sweep.JobsResult, g jobGroup) (Panel, error) {
	y, x := r.Jobs.Grid.Axes[0], r.Jobs.Grid.Axes[1]
	columns, rows := places(x), places(y)
	if len(columns) < x.Len() || len(rows) < y.Len() {
		return Panel{}, fmt.Errorf("a heat map needs values that differ from each other on both axes")
	}
	image := &Image{Label: g.label}
	words := g.columns[0].Words
	if len(g.columns) > 1 {
		image.Label = g.label + ", " + g.names[0]
	}
	for _, i := range columns {
		image.X = append(image.X, x.At(i))
	}
	for _, j := range rows {
		image.Y = append(image.Y, y.At(j))
		for _, i := range columns {
			values := r.Values(g.columns[0].Name, j*x.Len()+i)
			z, _ := meanOf(values)
			switch {
			case len(words) > 2:
				z = mostOften(values, len(words))
			case words != nil:
				z, _ = shareOf(values, 0)
				image.Label = "share of " + words[0]
			}
			image.Z = append(image.Z, z)
		}
	}
	if len(words) > 2 {
		image.Names = present(words, image.Z)
	}
	return Panel{
		XLabel: AxisLabel(x),
		YLabel: AxisLabel(y),
		Image:  image,
		XRange: outer(image.X),
		YRange: outer(image.Y),
	}, nil
}

// outer are the ends of the cells around ascending centres; the same for fewer than two.
func outer(x []float64) (ends [2]float64) {
	if n := len(x); n > 1 {
		ends = [2]float64{x[0] - (x[1]-x[0])/2, x[n-1] + (x[n-1]-x[n-2])/2}
	}
	return ends
}
