package figure

import (
	"fmt"
	"strings"

	"popsim/network/measure"
	"popsim/sweep"
)

// driftPanels are panels of the movement of a bump over time: its variance over trials, for each point of a sweep, with
// the lines that give the diffusion; and where points differ in one quantity, diffusion over that. The columns that
// they show are added to shown.
func driftPanels(r *sweep.JobsResult, shown map[string]bool) (panels []Panel) {
	all := measure.DriftsOf(r)
	if len(all) == 0 || len(r.Jobs.Grid.Axes) > 1 {
		return nil
	}
	for _, c := range r.Jobs.Columns {
		if strings.Contains(c.Name, "_moved_") {
			shown[c.Name] = true
		}
	}
	over := Panel{XLabel: "time (ms)", YLabel: "variance (deg²)", Height: 60}
	diffusion := Points{Mark: Circle, Size: 5}
	for k, d := range all {
		clr := seriesColors[k%len(seriesColors)]
		name := strings.TrimSpace(fmt.Sprintf("%s  %.3g ± %.2g deg²/s", strings.ReplaceAll(d.Point, "=", " "),
			d.Diffusion.Value, d.Diffusion.SE))
		marks := Points{Name: name, Mark: []Mark{Circle, Square, Triangle, Diamond}[k%4], Size: 4, Color: clr}
		line := Line{Color: clr, Dash: []Dash{Solid, Dashed, DashDotted, Dotted}[k%4]}
		mean, middle := 0.0, 0.0
		for i, v := range d.Variance {
			marks.X, marks.Y, marks.YErr = append(marks.X, d.Time[i]), append(marks.Y, v.Value), append(marks.YErr, v.SE)
			mean += v.Value / float64(len(d.Variance))
			middle += d.Time[i] / float64(len(d.Variance))
		}
		for _, t := range []float64{d.Time[0], d.Time[len(d.Time)-1]} {
			line.X, line.Y = append(line.X, t), append(line.Y, mean+2*d.Diffusion.Value*(t-middle)/1000)
		}
		over.Points, over.Lines = append(over.Points, marks), append(over.Lines, line)
		diffusion.X, diffusion.Y = append(diffusion.X, d.X), append(diffusion.Y, d.Diffusion.Value)
		diffusion.YErr = append(diffusion.YErr, d.Diffusion.SE)
	}
	panels = []Panel{over}
	if axes := r.Jobs.Grid.Axes; len(axes) == 1 && axes[0].Len() > 1 {
		log := logAxis(diffusion.X)
		panels = append(panels, Panel{
			XLabel: AxisLabel(axes[0]), YLabel: "diffusion (deg²/s)", Height: 40, XLog: log, XRange: wide(diffusion.X, log),
			Points: []Points{diffusion}, Lines: []Line{{X: diffusion.X, Y: diffusion.Y}},
		})
	}
	return panels
}
