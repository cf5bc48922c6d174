package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"math/cmplx"
	"slices"
	"strings"

	"popsim/dynamics"
	"popsim/model"
	"popsim/table"
)

// Bifurcation holds the results of a continuation over one or two quantities, and makes tables and a picture of them.
type Bifurcation struct {
	Title string
	Model *model.Model
	Axes  []Quantity // one or two: those that were varied

	// Over one quantity:
	Diagram *dynamics.Diagram
	// spiking by reset, in the order of the quantity; nil for models that do not reset
	Trains       []dynamics.Firing
	FiringPoints []dynamics.FiringPoint // special points of Trains
	// intervals of simulated neurons (columns of the quantity's name and isi_ms), or nil
	Sampled *table.Table

	// Over two quantities:
	Regions *dynamics.Regions
	Areas   *dynamics.Areas // what lies between the curves of Regions, or nil
	Part    *dynamics.Areas // that in the window of Enlarged, or nil

	Unfinished bool // the work was interrupted; the picture says so
}

// Quantity is a parameter or the current, and the interval over which it was varied.
type Quantity struct {
	Name, Unit string // Unit is 1 where there is none
	Lo, Hi     float64
}

// Figure is the picture: V, frequency, intervals and exponents over one quantity, a map of regimes over two.
func (b *Bifurcation) Figure() *Figure {
	if b.Regions != nil {
		return b.chartFigure()
	}
	f := &Figure{Title: b.title(), ShareX: true, Panels: []Panel{b.potentialPanel()}}
	if p := b.frequencyPanel(); len(p.Lines) > 0 {
		f.Panels = append(f.Panels, p)
	}
	adapts := len(b.Model.States) > 1
	if b.fires() && (adapts || b.Sampled != nil) {
		f.Panels = append(f.Panels, b.intervalPanel())
	}
	if b.fires() && adapts {
		f.Panels = append(f.Panels, b.exponentPanel())
	}
	for k := range f.Panels {
		f.Panels[k].XLabel = b.Axes[0].label()
		f.Panels[k].XRange = [2]float64{b.Axes[0].Lo, b.Axes[0].Hi}
	}
	if windows := b.windows(&f.Panels[0]); len(windows) > 0 {
		f.ShareX = false
		f.Panels = slices.Insert(f.Panels, 1, f.Panels[0].enlarge(windows, b.allNames())...)
	}
	return f
}

// windows are the parts of the panel of the potential that are drawn enlarged: small cycles, and special points whose
// marks touch, unless the small cycles show them apart.
func (b *Bifurcation) windows(p *Panel) (windows []window) {
	names := b.allNames()
	if len(names) > mostNames {
		names = nil
	}
	if w, ok := b.smallCycles(); ok {
		windows = append(windows, w)
		part := p.enlarged(w)
		names = slices.DeleteFunc(names, func(t Text) bool { return w.holds(t.X, t.Y) && len(part.crowded(names)) == 0 })
	}
	if crowds := p.crowded(names); len(crowds) > 0 {
		windows = append(windows, crowds[0])
	}
	return windows
}

// allNames are the names of all special points at their potentials.
func (b *Bifurcation) allNames() (names []Text) {
	for _, q := range b.Specials() {
		names = append(names, Text{X: q.x, Y: q.v, Text: q.title()})
	}
	return names
}

// mostNames is the number of special points beyond which the legend alone explains marks that are close to others.
const mostNames = 12

// title is that of the picture; it mentions an interruption.
func (b *Bifurcation) title() string {
	if b.Unfinished {
		return strings.TrimSpace(b.Title + "\nunfinished: the work was interrupted")
	}
	return b.Title
}

// smallCycles is the window in the parameter and V of the branches of cycles that are small beside the whole picture.
func (b *Bifurcation) smallCycles() (w window, ok bool) {
	const small = 0.08 // of the interval of the parameter
	w = newWindow()
	for _, branch := range b.Diagram.Branches {
		if branch.Kind != dynamics.Cycle {
			continue
		}
		own := newWindow()
		for _, r := range branch.Rows {
			own.add(r.Parameter, r.VMin)
			own.add(r.Parameter, r.VMax)
		}
		if own[1]-own[0] < small*(b.Axes[0].Hi-b.Axes[0].Lo) {
			w, ok = w.with(own), true
		}
	}
	if w[1]-w[0] > 0.25*(b.Axes[0].Hi-b.Axes[0].Lo) { // several, far apart
		return w, false
	}
	return w.wider(0.2), ok
}

// label is the quantity with its unit.
func (q Quantity) label() string {
	if q.Unit == "1" {
		return q.Name
	}
	return fmt.Sprintf("%s (%s)", q.Name, q.Unit)
}

// fires reports whether there is spiking by reset anywhere.
func (b *Bifurcation) fires() bool {
	for _, f := range b.Trains {
		if !f.Silent {
			return true
		}
	}
	return false
}

// strokes are the lines of a picture, one for each kind, with gaps where the kind is interrupted.
type strokes map[string]*Line

// The kinds, in the order of the legend, and how they are drawn.
var strokeStyles = []Line{
	{Name: "stable equilibrium", Width: 1.4},
	{Name: "unstable equilibrium", Width: 1.0, Dash: Dashed},
	{Name: "stable cycle", Width: 2.2, Color: blue},
	{Name: "unstable cycle", Width: 1.6, Dash: Dashed, Color: blue},
	{Name: "spiking", Width: 2.2, Color: orange},
	{Name: "unstable spiking", Width: 1.2, Dash: Dashed, Color: orange},
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
func (s strokes) lines() (list []Line) {
	for _, style := range strokeStyles {
		if l := s[style.Name]; l != nil {
			list = append(list, *l)
		}
	}
	return list
}

// branches draws all branches in one view: what of a row is drawn, each value as a line of its own.
func (b *Bifurcation) branches(ofRow func(dynamics.Row) []float64, ofFiring func(low, high,
	rate float64) []float64,
) []Line {
	all := make([]strokes, 2) // the lower and the upper extreme
	for k := range all {
		all[k] = strokes{}
	}
	link := func(kind string, x0 float64, a []float64, x1 float64, b []float64) {
		for j := range a {
			all[j].add(kind, x0, a[j], x1, b[j])
		}
	}
	for _, branch := range b.Diagram.Branches {
		what := "cycle"
		if branch.Kind == dynamics.Equilibrium {
			what = "equilibrium"
		}
		for k := 1; k < len(branch.Rows); k++ {
			q, r := branch.Rows[k-1], branch.Rows[k]
			stable := q.Stable && r.Stable || k+1 == len(branch.Rows) && r.Stable ||
				q.Stable && marginal(branch.Kind, r) || r.Stable && marginal(branch.Kind, q)
			link(Stability(stable)+" "+what, q.Parameter, ofRow(q),
				r.Parameter, ofRow(r))
		}
	}
	for k := 1; k < len(b.Trains); k++ { // one line, whatever the pattern
		if f, g := b.Trains[k-1], b.Trains[k]; !f.Silent && !g.Silent {
			link("spiking", f.Parameter, ofFiring(f.VMin, f.VMax, f.Rate), g.Parameter, ofFiring(g.VMin, g.VMax,
				g.Rate))
		}
	}
	for _, x := range b.stretches() {
		for k := 1; x.repels && k < len(x.firings); k++ {
			f, g := x.fixed[k-1], x.fixed[k]
			link("unstable spiking", x.firings[k-1].Parameter, ofFiring(f.VMin, f.VMin, 1000/f.Interval),
				x.firings[k].Parameter, ofFiring(g.VMin, g.VMin, 1000/g.Interval))
		}
	}
	list := all[0].lines()
	for _, l := range all[1].lines() {
		l.Name = ""
		list = append(list, l)
	}
	return list
}

// marginal reports whether a row is an equilibrium of a special point, whose leading eigenvalue has the real part 0 up
// to rounding: its sign, and with it Stable, says nothing there.
func marginal(kind dynamics.Kind, r dynamics.Row) bool {
	const rounding = 1e-6 // of the largest eigenvalue
	if kind != dynamics.Equilibrium || len(r.Spectrum) == 0 {
		return false
	}
	largest := 0.0
	for _, l := range r.Spectrum {
		largest = max(largest, cmplx.Abs(l))
	}
	return math.Abs(real(r.Spectrum[0])) <= rounding*largest
}

func (b *Bifurcation) potentialPanel() Panel {
	p := Panel{YLabel: "V (mV)", Height: 85}
	if q := b.Model.States[0]; q.Unit != "mV" {
		p.YLabel = q.Name
	}
	p.Lines = b.branches(func(r dynamics.Row) []float64 {
		if math.IsNaN(r.Period) {
			return []float64{r.VMax}
		}
		return []float64{r.VMin, r.VMax}
	}, func(low, high, _ float64) []float64 { return []float64{low, high} })
	p.Points, p.Texts = b.marks(func(q Special) float64 { return q.v }, true)
	return p
}

func (b *Bifurcation) frequencyPanel() Panel {
	p := Panel{YLabel: "frequency (Hz)", Height: 45}
	p.Lines = b.branches(
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
	// the curve is the rate
	p.Points, p.Texts = b.marks(func(q Special) float64 { return q.frequency * float64(max(1, q.spikes)) }, false)
	return p
}

// intervalPanel shows the intervals between spikes, of the reset map and of simulated neurons.
func (b *Bifurcation) intervalPanel() Panel {
	dots := Points{Name: "reset map", Mark: Dot, Size: 1.6}
	for _, f := range b.Trains {
		for _, x := range f.Intervals {
			dots.X, dots.Y = append(dots.X, f.Parameter), append(dots.Y, x)
		}
	}
	p := Panel{YLabel: "interval (ms)", Height: 50, Points: []Points{dots}}
	if b.Sampled != nil {
		at, _ := b.Sampled.Column(b.Axes[0].Name)
		isi, _ := b.Sampled.Column("isi_ms")
		p.Points = []Points{{
			Name: "simulated", X: at.Values.([]float64), Y: isi.Values.([]float64), Mark: Circle, Open: true, Size: 4,
			Color: orange,
		}, dots}
	}
	return p
}

// exponentPanel shows the Lyapunov exponent, whose sign distinguishes irregular from regular firing.
func (b *Bifurcation) exponentPanel() Panel {
	const lowest = -5 // the exponent falls to minus infinity where the map is flat; lower values mean the same
	l := Line{Width: 0.9}
	for _, f := range b.Trains {
		l.X = append(l.X, f.Parameter)
		if f.Silent {
			l.Y = append(l.Y, math.NaN())
		} else {
			l.Y = append(l.Y, max(lowest, f.Lyapunov))
		}
	}
	zero := Line{X: []float64{b.Axes[0].Lo, b.Axes[0].Hi}, Y: []float64{0, 0}, Dash: Dotted, Width: 0.8}
	return Panel{YLabel: "Lyapunov exponent\nper spike", Height: 35, Lines: []Line{zero, l}}
}

// marks are the special points; with named, their names stand beside them and in the legend.
func (b *Bifurcation) marks(height func(Special) float64, named bool) (points []Points, texts []Text) {
	const (
		near = 0.012 // of the axis: of names closer than this only one is written
		wide = 0.15  // of the axis, about the width of a name: names of one height closer than this would overlap
		same = 0.5   // mV: one height
		high = 10    // mV: the height of several names
		pure = 0.02  // what counts as 1 mV in a first state that is no potential
	)
	unit := 1.0
	if b.vUnit() != " mV" {
		unit = pure
	}
	var shown []Special
	legend := map[string]bool{}
	all := b.Specials()
	for _, q := range all {
		y := height(q)
		if math.IsNaN(y) {
			continue
		}
		points = append(points, q.mark(y, legend))
		if !named {
			points[len(points)-1].Name = ""
		}
		again := false
		for _, t := range shown {
			apart, height := math.Abs(t.x-q.x)/(b.Axes[0].Hi-b.Axes[0].Lo), math.Abs(t.v-q.v)/unit
			again = again || t.label == q.label && (apart < near && height < high || apart < wide && height < same)
		}
		beside := 0 // points, with this one
		for _, t := range all {
			if math.Abs(t.x-q.x) < 2*near*(b.Axes[0].Hi-b.Axes[0].Lo) {
				beside++
			}
		}
		if named && !again && (len(all) <= mostNames || beside == 1) {
			shown = append(shown, q)
			texts = append(texts, Text{X: q.x, Y: y, Text: q.title()})
		}
	}
	return points, texts
}

// mark is the point at the height y. The first of its kind has an entry in the legend; shown holds the kinds that have
// one.
func (q Special) mark(y float64, shown map[string]bool) Points {
	m := Points{X: []float64{q.x}, Y: []float64{y}, Size: 6}
	m.Mark, m.Open = markOf(q.label)
	m.Open = m.Open || q.criticality == "sub"
	if !shown[q.title()] {
		m.Name = q.title()
	}
	shown[q.title()] = true
	return m
}

// labelNames are the labels that pictures write otherwise than tables.
var labelNames = map[string]string{
	dynamics.Hopf:           "Hopf",
	dynamics.CycleFold:      "fold of cycles",
	dynamics.BranchPoint:    "branch point",
	dynamics.PeriodDoubling: "period doubling",
	dynamics.SNIC:           "SNIC",
	dynamics.BogdanovTakens: "Bogdanov-Takens",
	dynamics.Bautin:         "Bautin",
	dynamics.ZeroHopf:       "zero-Hopf",
	dynamics.CycleCusp:      "cusp of cycles",
	dynamics.BranchEnd:      "branch end",
}

// title is the name of a special point.
func (q Special) title() string {
	name := cmp.Or(labelNames[q.label], q.label)
	if q.criticality != "" {
		return q.criticality + "critical " + name
	}
	return name
}

// markOf is the mark of a special point, and whether it is an outline alone.
func markOf(label string) (m Mark, open bool) {
	switch label {
	case dynamics.Fold, dynamics.Cusp:
		return Square, false
	case dynamics.PeriodDoubling:
		return Square, true
	case dynamics.CycleFold, dynamics.CycleCusp:
		return Diamond, false
	case dynamics.Torus, dynamics.Bautin, dynamics.BranchPoint:
		return Diamond, true
	case dynamics.Homoclinic, dynamics.SNIC, dynamics.BogdanovTakens:
		return Triangle, false
	case dynamics.Onset:
		return Triangle, true
	case dynamics.BranchEnd:
		return Tick, false
	}
	return Circle, false
}

// chartFigure is the picture over two quantities: the attractors, and the bifurcation curves between their regions.
func (b *Bifurcation) chartFigure() *Figure {
	p := b.chartPanel()
	p.Image = b.regimeImage(b.Areas)
	f := &Figure{Title: b.title()}
	if crowds := p.crowded(p.Texts); len(crowds) > 0 {
		f.Panels = p.enlarge(crowds[:1], p.Texts)
		f.Panels[0].Image = b.regimeImage(b.Part) // the cells of the whole are too coarse here
		if p.Image != nil && b.Part != nil {
			for k, name := range p.Image.Names {
				if slices.Contains(p.Image.Z, float64(k)) {
					f.Panels[0].Image.Known = append(f.Panels[0].Image.Known, name)
				}
			}
		}
	}
	f.Panels = slices.Insert(f.Panels, 0, p)
	return f
}

// Enlarged is the window over two quantities that the picture shows enlarged, around special points that are close
// together; ok is whether there is one.
func (b *Bifurcation) Enlarged() (x, y [2]float64, ok bool) {
	if b.Regions == nil {
		return x, y, false
	}
	p := b.chartPanel()
	crowds := p.crowded(p.Texts)
	if len(crowds) == 0 {
		return x, y, false
	}
	w := crowds[0]
	return [2]float64{w[0], w[1]}, [2]float64{w[2], w[3]}, true
}

// chartPanel is the panel over two quantities, without regions.
func (b *Bifurcation) chartPanel() Panel {
	p := Panel{
		XLabel: b.Axes[0].label(), YLabel: b.Axes[1].label(), Height: 100,
		XRange: [2]float64{b.Axes[0].Lo, b.Axes[0].Hi}, YRange: [2]float64{b.Axes[1].Lo, b.Axes[1].Hi},
	}
	styles := map[string]Line{
		dynamics.Fold:           {Name: "fold", Width: 1.6},
		dynamics.Hopf + "sub":   {Name: "subcritical Hopf", Width: 1.6, Dash: Dashed},
		dynamics.Hopf + "super": {Name: "supercritical Hopf", Width: 1.6, Dash: DashDotted},
		dynamics.CycleFold:      {Name: "fold of cycles", Width: 1.6, Dash: Dotted},
		dynamics.Hopf:           {Name: "Hopf", Width: 1.6, Dash: Dashed},
		dynamics.Homoclinic:     {Name: "homoclinic", Width: 1.2, Color: blue},
		dynamics.Onset:          {Name: "onset of firing", Width: 1.6, Color: orange},
	}
	named := map[string]bool{}
	for _, c := range b.Regions.Curves {
		for from := 0; from < len(c.Points); {
			to := from + 1
			for to < len(c.Points) && c.Points[to].Criticality == c.Points[from].Criticality {
				to++
			}
			line := styles[c.Label+c.Points[from].Criticality]
			if c.Label == dynamics.Onset && b.onFold(c) {
				line.Dash = Dashed // the fold is visible between
			}
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
	shown := map[string]bool{}
	for _, q := range b.Specials() {
		p.Points = append(p.Points, q.mark(q.y, shown))
		p.Texts = append(p.Texts, Text{X: q.x, Y: q.y, Text: q.title()})
	}
	return p
}

// onFold reports whether a curve lies for its larger part on one of folds.
func (b *Bifurcation) onFold(c dynamics.BifurcationCurve) bool {
	const same = 3e-3 // of the axes: about the width of a line
	on := 0
	for _, q := range c.Points {
		if b.nearFold(q.X, q.Y, same) {
			on++
		}
	}
	return 2*on > len(c.Points)
}

// nearFold reports whether a curve of folds passes x, y within a part of the axes.
func (b *Bifurcation) nearFold(x, y, part float64) bool {
	place := func(q dynamics.BifurcationPoint) (px, py float64) {
		return (q.X - x) / (b.Axes[0].Hi - b.Axes[0].Lo) / part, (q.Y - y) / (b.Axes[1].Hi - b.Axes[1].Lo) / part
	}
	for _, c := range b.Regions.Curves {
		for k := 1; c.Label == dynamics.Fold && k < len(c.Points); k++ {
			x0, y0 := place(c.Points[k-1])
			x1, y1 := place(c.Points[k])
			dx, dy := x1-x0, y1-y0
			along := 0.0
			if length := dx*dx + dy*dy; length > 0 {
				along = min(1, max(0, -(x0*dx+y0*dy)/length))
			}
			if math.Hypot(x0+along*dx, y0+along*dy) < 1 {
				return true
			}
		}
	}
	return false
}

// regimeImage colours the plane by the attractors in areas, those of the whole or of a part, alike in both.
func (b *Bifurcation) regimeImage(areas *dynamics.Areas) *Image {
	if areas == nil {
		return nil
	}
	var regimes []dynamics.Regime
	for _, a := range []*dynamics.Areas{b.Areas, b.Part} {
		for k := 0; a != nil && k < len(a.Regimes); k++ {
			if r := a.Regimes[k]; !slices.Contains(regimes, r) {
				regimes = append(regimes, r)
			}
		}
	}
	slices.SortFunc(regimes, func(a, b dynamics.Regime) int {
		return cmp.Or(cmp.Compare(activity(a), activity(b)), cmp.Compare(a.Equilibria, b.Equilibria), cmp.Compare(a.Cycles,
			b.Cycles), cmp.Compare(a.Name(), b.Name()))
	})
	image := &Image{X: areas.X, Y: areas.Y}
	used := map[int]int{}
	for _, r := range regimes {
		shades := regimeColours[activity(r)]
		image.Names = append(image.Names, r.Name())
		image.Colours = append(image.Colours, shades[used[activity(r)]%len(shades)])
		used[activity(r)]++
	}
	for _, r := range areas.Regimes {
		image.Z = append(image.Z, float64(slices.Index(regimes, r)))
	}
	return image
}

// activity orders regimes: equilibria alone are 0, equilibria or activity 1, activity alone 2, nothing 3.
func activity(r dynamics.Regime) int {
	switch active := r.Cycles > 0 || r.Firing; {
	case active && r.Equilibria == 0:
		return 2
	case active:
		return 1
	case r.Equilibria > 0:
		return 0
	}
	return 3
}

// regimeColours are those of regimes by their activity. All are light, so that curves in black, blue and vermilion are
// visible on them.
var regimeColours = [][]color.Color{
	{color.RGBA{0xe4, 0xe4, 0xe4, 0xff}, color.RGBA{0xbc, 0xbc, 0xbc, 0xff}},
	{color.RGBA{0xa6, 0xd9, 0xc7, 0xff}, color.RGBA{0xae, 0xd6, 0xf1, 0xff}, color.RGBA{0xe3, 0xc4, 0xda, 0xff}},
	{color.RGBA{0xf7, 0xe3, 0xa1, 0xff}, color.RGBA{0xf3, 0xc1, 0x9a, 0xff}, color.RGBA{0xd9, 0xe2, 0x8f, 0xff}},
	{color.White, color.RGBA{0xf6, 0xec, 0xec, 0xff}},
}
