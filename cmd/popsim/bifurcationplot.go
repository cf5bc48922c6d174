package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"popsim/dynamics"
	"popsim/figure"
	"popsim/model"
)

// figure is the picture.
func (s *analysis) figure() *figure.Figure {
	if s.regions != nil {
		return s.chartFigure()
	}
	f := &figure.Figure{Title: s.question.title(), ShareX: true, Panels: []figure.Panel{s.potentialPanel(), s.frequencyPanel()}}
	adapts := len(s.question.model.States) > 1
	if s.fires() && (adapts || s.simulated) {
		f.Panels = append(f.Panels, s.intervalPanel())
	}
	if s.fires() && adapts {
		f.Panels = append(f.Panels, s.exponentPanel())
	}
	for k := range f.Panels {
		f.Panels[k].XLabel = s.free[0].label()
		f.Panels[k].XRange = [2]float64{s.free[0].Lo, s.free[0].Hi}
	}
	return f
}

// label is the quantity with its unit.
func (f free) label() string {
	if f.unit == "1" {
		return f.name
	}
	return fmt.Sprintf("%s (%s)", f.name, f.unit)
}

// fires tells whether there is firing by reset anywhere.
func (s *analysis) fires() bool {
	for _, f := range s.trains {
		if !f.Silent {
			return true
		}
	}
	return false
}

// strokes are the lines of a picture, one for each kind of thing, broken where it is.
type strokes map[string]*figure.Line

// The kinds, in the order of the legend, and how they are drawn.
var strokeStyles = []figure.Line{
	{Name: "stable rest", Width: 1.4},
	{Name: "unstable rest", Width: 1.0, Dash: figure.Dashed},
	{Name: "stable cycle", Width: 2.2, Color: blue},
	{Name: "unstable cycle", Width: 1.6, Dash: figure.Dashed, Color: blue},
	{Name: "firing by reset", Width: 2.2, Color: orange},
	{Name: "unstable firing", Width: 1.2, Dash: figure.Dashed, Color: orange},
}

// add draws a line from one point to the next, as part of a kind.
func (s strokes) add(kind string, x0, y0, x1, y1 float64) {
	l := s[kind]
	if l == nil {
		for _, style := range strokeStyles {
			if style.Name == kind {
				l = &style
			}
		}
		s[kind] = l
	}
	if n := len(l.X); n == 0 || l.X[n-1] != x0 || l.Y[n-1] != y0 {
		l.X, l.Y = append(l.X, math.NaN(), x0), append(l.Y, math.NaN(), y0)
	}
	l.X, l.Y = append(l.X, x1), append(l.Y, y1)
}

// lines are the strokes in the order of the legend.
func (s strokes) lines() (list []figure.Line) {
	for _, style := range strokeStyles {
		if l := s[style.Name]; l != nil {
			list = append(list, *l)
		}
	}
	return list
}

// branches draws all branches in one view: what of a row is drawn, each value as a line of its own.
func (s *analysis) branches(ofRow func(dynamics.Row) []float64, ofFiring func(low, high, rate float64) []float64) []figure.Line {
	all := make([]strokes, 2) // the lower and the upper extreme
	for k := range all {
		all[k] = strokes{}
	}
	link := func(kind string, x0 float64, a []float64, x1 float64, b []float64) {
		for j := range a {
			all[j].add(kind, x0, a[j], x1, b[j])
		}
	}
	for _, b := range s.diagram.Branches {
		what := "cycle"
		if b.Kind == dynamics.Equilibrium {
			what = "rest"
		}
		for k := 1; k < len(b.Rows); k++ {
			q, r := b.Rows[k-1], b.Rows[k]
			link(word(q.Stable && r.Stable || k+1 == len(b.Rows) && r.Stable)+" "+what, q.Parameter, ofRow(q), r.Parameter, ofRow(r))
		}
	}
	for k := 1; k < len(s.trains); k++ { // one line, whatever the pattern
		if a, b := s.trains[k-1], s.trains[k]; !a.Silent && !b.Silent {
			link("firing by reset", a.Parameter, ofFiring(a.VMin, a.VMax, a.Rate), b.Parameter, ofFiring(b.VMin, b.VMax, b.Rate))
		}
	}
	for _, x := range s.stretches() {
		for k := 1; x.repels && k < len(x.firings); k++ {
			a, b := x.fixed[k-1], x.fixed[k]
			link("unstable firing", x.firings[k-1].Parameter, ofFiring(a.VMin, a.VMin, 1000/a.Interval),
				x.firings[k].Parameter, ofFiring(b.VMin, b.VMin, 1000/b.Interval))
		}
	}
	list := all[0].lines()
	for _, l := range all[1].lines() {
		l.Name = ""
		list = append(list, l)
	}
	return list
}

func (s *analysis) potentialPanel() figure.Panel {
	p := figure.Panel{YLabel: "V (mV)", Height: 85}
	p.Lines = s.branches(func(r dynamics.Row) []float64 {
		if math.IsNaN(r.Period) {
			return []float64{r.VMax}
		}
		return []float64{r.VMin, r.VMax}
	}, func(low, high, _ float64) []float64 { return []float64{low, high} })
	p.Points, p.Texts = s.marks(func(q special) float64 { return q.v }, true)
	return p
}

func (s *analysis) frequencyPanel() figure.Panel {
	p := figure.Panel{YLabel: "frequency (Hz)", Height: 45}
	p.Lines = s.branches(
		func(r dynamics.Row) []float64 {
			if math.IsNaN(r.Period) {
				return nil
			}
			return []float64{1000 / r.Period}
		},
		func(_, _, rate float64) []float64 { return []float64{rate} })
	for k := range p.Lines {
		p.Lines[k].Name = ""
	}
	p.Points, p.Texts = s.marks(func(q special) float64 { return q.frequency }, false)
	return p
}

// intervalPanel shows the intervals between spikes, of the reset map and of simulated neurons.
func (s *analysis) intervalPanel() figure.Panel {
	dots := figure.Points{Name: "reset map", Mark: figure.Dot, Size: 1.6}
	for _, f := range s.trains {
		for _, x := range f.Intervals {
			dots.X, dots.Y = append(dots.X, f.Parameter), append(dots.Y, x)
		}
	}
	p := figure.Panel{YLabel: "interval (ms)", Height: 50, Points: []figure.Points{dots}}
	if s.sampled != nil {
		at, _ := s.sampled.Column(s.free[0].name)
		isi, _ := s.sampled.Column("isi_ms")
		p.Points = []figure.Points{{
			Name: "simulated", X: at.Values.([]float64), Y: isi.Values.([]float64), Mark: figure.Circle, Open: true, Size: 4, Color: orange,
		}, dots}
	}
	return p
}

// exponentPanel shows the Lyapunov exponent, whose sign tells irregular firing from regular.
func (s *analysis) exponentPanel() figure.Panel {
	const lowest = -5 // the exponent dives to minus infinity where the map is flat; that says no more
	l := figure.Line{Width: 0.9}
	for _, f := range s.trains {
		l.X = append(l.X, f.Parameter)
		if f.Silent {
			l.Y = append(l.Y, math.NaN())
		} else {
			l.Y = append(l.Y, max(lowest, f.Lyapunov))
		}
	}
	zero := figure.Line{X: []float64{s.free[0].Lo, s.free[0].Hi}, Y: []float64{0, 0}, Dash: figure.Dotted, Width: 0.8}
	return figure.Panel{YLabel: "Lyapunov exponent\nper spike", Height: 35, Lines: []figure.Line{zero, l}}
}

// marks are the special points with their names.
func (s *analysis) marks(height func(special) float64, named bool) (points []figure.Points, texts []figure.Text) {
	const near = 0.012 // of the axis: names closer than this are told once
	var told []special
	for _, q := range s.special() {
		y := height(q)
		if math.IsNaN(y) {
			continue
		}
		points = append(points, figure.Points{X: []float64{q.x}, Y: []float64{y}, Mark: markOf(q.label), Open: q.criticality == "sub", Size: 6})
		again := false
		for _, t := range told {
			again = again || t.label == q.label && math.Abs(t.x-q.x) < near*(s.free[0].Hi-s.free[0].Lo) && math.Abs(t.v-q.v) < 10
		}
		if named && !again {
			told = append(told, q)
			texts = append(texts, figure.Text{X: q.x, Y: y, Text: q.title()})
		}
	}
	return points, texts
}

// prose has the labels that prose and pictures write otherwise than tables.
var prose = map[string]string{
	dynamics.Hopf: "Hopf", dynamics.CycleFold: "fold of cycles", dynamics.PeriodDoubling: "period doubling", dynamics.SNIC: "SNIC",
	dynamics.BogdanovTakens: "Bogdanov-Takens", dynamics.Bautin: "Bautin", dynamics.BranchEnd: "branch end",
}

// title is what a special point is called.
func (q special) title() string {
	name := cmp.Or(prose[q.label], q.label)
	if q.criticality != "" {
		return q.criticality + "critical " + name
	}
	return name
}

// markOf is the mark of a special point.
func markOf(label string) figure.Mark {
	switch label {
	case dynamics.Fold, dynamics.Cusp:
		return figure.Square
	case dynamics.CycleFold, dynamics.Bautin:
		return figure.Diamond
	case dynamics.Homoclinic, dynamics.SNIC, dynamics.BogdanovTakens, "onset":
		return figure.Triangle
	}
	return figure.Circle
}

// chartFigure is the picture over two quantities: what the neuron can settle on, and the curves where that changes.
func (s *analysis) chartFigure() *figure.Figure {
	p := figure.Panel{
		XLabel: s.free[0].label(), YLabel: s.free[1].label(), Height: 100,
		XRange: [2]float64{s.free[0].Lo, s.free[0].Hi}, YRange: [2]float64{s.free[1].Lo, s.free[1].Hi},
	}
	p.Image = s.regimeImage()
	styles := map[string]figure.Line{
		dynamics.Fold:           {Name: "fold", Width: 1.6},
		dynamics.Hopf + "sub":   {Name: "subcritical Hopf", Width: 1.6, Dash: figure.Dashed},
		dynamics.Hopf + "super": {Name: "supercritical Hopf", Width: 1.6, Dash: figure.DashDotted},
		dynamics.CycleFold:      {Name: "fold of cycles", Width: 1.6, Dash: figure.Dotted},
		dynamics.Hopf:           {Name: "Hopf", Width: 1.6, Dash: figure.Dashed},
	}
	named := map[string]bool{}
	for _, c := range s.regions.Curves {
		for from := 0; from < len(c.Points); {
			to := from + 1
			for to < len(c.Points) && c.Points[to].Criticality == c.Points[from].Criticality {
				to++
			}
			line := styles[c.Label+c.Points[from].Criticality]
			if named[line.Name] {
				line.Name = ""
			}
			named[line.Name] = true
			for _, q := range c.Points[from:min(to+1, len(c.Points))] {
				line.X, line.Y = append(line.X, q.X), append(line.Y, q.Y)
			}
			p.Lines = append(p.Lines, line)
			from = to
		}
	}
	for _, q := range s.special() {
		p.Points = append(p.Points, figure.Points{X: []float64{q.x}, Y: []float64{q.y}, Mark: markOf(q.label), Size: 6})
		p.Texts = append(p.Texts, figure.Text{X: q.x, Y: q.y, Text: q.title()})
	}
	return &figure.Figure{Title: s.question.title(), Panels: []figure.Panel{p}}
}

// regimeImage colours the plane by what the neuron can settle on.
func (s *analysis) regimeImage() *figure.Image {
	if len(s.regimes) != regimeRows*regimeColumns {
		return nil
	}
	regimes := []string{"rest", "bistable", "oscillation"}
	names := []string{"rest", "rest or cycle", "cycle"}
	if s.question.model.Fires == model.Reset {
		names = []string{"rest", "rest or firing", "firing"}
	}
	image := &figure.Image{Names: names, Range: [2]float64{-2.5, 2}} // the light half, on which lines can be seen
	z := map[[2]float64]float64{}
	for _, r := range s.regimes {
		image.X, image.Y = append(image.X, r.X), append(image.Y, r.Y)
		if k := slices.Index(regimes, r.Name()); k >= 0 {
			z[[2]float64{r.X, r.Y}] = float64(k)
		}
	}
	for _, axis := range []*[]float64{&image.X, &image.Y} {
		slices.Sort(*axis)
		*axis = slices.Compact(*axis)
	}
	for _, y := range image.Y {
		for _, x := range image.X {
			value, ok := z[[2]float64{x, y}]
			if !ok {
				value = math.NaN()
			}
			image.Z = append(image.Z, value)
		}
	}
	return image
}
