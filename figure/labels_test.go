package figure

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"popsim/dynamics"
	"popsim/model"
)

// TestNamesStandFree: no name of a special point lies on a curve, a mark, another name, a leader of another or the edge
// of its panel; no leader crosses another one, or a mark of another point.
func TestNamesStandFree(t *testing.T) {
	figures := map[string]*Figure{
		"hh over I and g_K":  chart(t, "hh-g_K.csv", Quantity{"I", "uA/cm2", -20, 200}, Quantity{"g_K", "mS/cm2", 40, 60}),
		"rhh over I and g_L": chart(t, "rhh-g_L.csv", Quantity{"I", "uA/cm2", -4, 16}, Quantity{"g_L", "mS/cm2", 0.03, 0.3}),
	}
	for _, c := range []struct {
		m      *model.Model
		lo, hi float64
	}{
		{model.HHModel, 0, 160},
		{model.HHModel, 5, 12},
		{model.AdExModel, 0, 10},
		{model.RHHModel, -5, 20},
		{model.LIFModel, 0, 40},
		{model.EIFModel, 0, 40},
	} {
		figures[fmt.Sprintf("%s I=%g:%g", c.m.Name, c.lo, c.hi)] = diagram(t, c.m, c.lo, c.hi)
	}
	for m, i := range map[*model.Model]float64{model.AdExModel: 7, model.RHHModel: 5} {
		figures[fmt.Sprintf("phase %s I=%g", m.Name, i)] = phase(t, m, i)
	}
	named := 0
	for name, f := range figures {
		if *gallery != "" {
			if err := f.Save(filepath.Join(*gallery, name+".png"), true); err != nil {
				t.Error(err)
			}
		}
		frames, w, h := f.layout()
		page := draw.NewCanvas(new(recorder.Canvas), vg.Length(w), vg.Length(h))
		for k, fr := range frames {
			p := fr.contents(page, 0)
			placed := p.labels()
			named += len(placed)
			for _, fault := range p.faults(placed) {
				t.Errorf("%s, panel %d: %s", name, k, fault)
			}
		}
	}
	if named < 25 {
		t.Errorf("%d names in all pictures, want 25 or more", named)
	}
}

// faults are sentences about names that are not free, by plain geometry of segments and rectangles.
func (p *pen) faults(placed []label) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for i, l := range placed {
		if !p.Contains(l.box.Min) || !p.Contains(l.box.Max) {
			fault("%q leaves the frame", l.text)
		}
		for _, line := range p.Lines {
			half := p.lineStyle(line).Width / 2
			for k := 1; k < len(line.X); k++ {
				a, from := p.at(line.X[k-1], line.Y[k-1])
				b, to := p.at(line.X[k], line.Y[k])
				if from && to && touches(a, b, grown(l.box, half)) {
					fault("%q lies on the line %q", l.text, line.Name)
					break
				}
			}
		}
		for _, m := range p.Points {
			for k := range m.X {
				at, ok := p.at(m.X[k], m.Y[k])
				if ok && touches(at, at, grown(l.box, m.radius())) {
					fault("%q lies on a mark", l.text)
				}
				if ok && l.led && distance(at, l.point) > 2*float64(m.radius()) &&
					touches(l.leader[0], l.leader[1], grown(vg.Rectangle{Min: at, Max: at}, 1)) {
					fault("the leader of %q passes over the mark of another point", l.text)
				}
			}
		}
		for j, o := range placed {
			if j == i {
				continue
			}
			if touches(o.box.Min, o.box.Max, l.box) || touches(middle(o.box), middle(o.box), l.box) {
				fault("%q lies on %q", l.text, o.text)
			}
			if o.led && touches(o.leader[0], o.leader[1], l.box) {
				fault("the leader of %q passes through %q", o.text, l.text)
			}
			if l.led && o.led && crosses(l.leader[0], l.leader[1], o.leader[0], o.leader[1]) {
				fault("the leaders of %q and %q cross", l.text, o.text)
			}
		}
	}
	return faults
}

// touches reports whether the segment from a to b has a point in r.
func touches(a, b vg.Point, r vg.Rectangle) bool {
	in := func(p vg.Point) bool { return p.X >= r.Min.X && p.X <= r.Max.X && p.Y >= r.Min.Y && p.Y <= r.Max.Y }
	if in(a) || in(b) {
		return true
	}
	corners := []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
	for k, c := range corners {
		if crosses(a, b, c, corners[(k+1)%4]) {
			return true
		}
	}
	return false
}

// crosses reports whether the segments from a to b and from c to d cross.
func crosses(a, b, c, d vg.Point) bool {
	turn := func(p, q, r vg.Point) float64 {
		return float64(q.X-p.X)*float64(r.Y-p.Y) - float64(q.Y-p.Y)*float64(r.X-p.X)
	}
	return turn(a, b, c)*turn(a, b, d) < 0 && turn(c, d, a)*turn(c, d, b) < 0
}

// diagram is the picture of a model over I.
func diagram(t *testing.T, m *model.Model, lo, hi float64) *Figure {
	ctx, free := context.Background(), dynamics.Free{Name: "I", Lo: lo, Hi: hi}
	b := &Bifurcation{Model: m, Axes: []Quantity{{"I", m.CurrentUnit, lo, hi}}}
	var err error
	if b.Diagram, err = dynamics.Bifurcation(ctx, m, m.Defaults(), 0, free); err != nil {
		t.Fatal(err)
	}
	if m.Fires == model.Reset {
		if b.Trains, err = dynamics.FiringCurve(ctx, m, m.Defaults(), 0, free, nil); err != nil {
			t.Fatal(err)
		}
		if b.FiringPoints, err = dynamics.FiringPoints(ctx, m, m.Defaults(), 0, free, b.Trains); err != nil {
			t.Fatal(err)
		}
	}
	return b.Figure()
}

// phase is the picture of a phase plane with a trajectory.
func phase(t *testing.T, m *model.Model, current float64) *Figure {
	p, err := dynamics.PhasePlane(context.Background(), m, m.Defaults(), current, dynamics.PlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return Phase("", p)
}

// chart is the picture over two quantities of curves in a file: columns curve, label, criticality, x, y; the rows of
// curve "point" are the special points.
func chart(t *testing.T, file string, x, y Quantity) *Figure {
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	r := new(dynamics.Regions)
	last := ""
	for _, row := range rows[1:] {
		q := dynamics.BifurcationPoint{Label: row[1], Criticality: row[2]}
		q.X, _ = strconv.ParseFloat(row[3], 64)
		q.Y, _ = strconv.ParseFloat(row[4], 64)
		switch {
		case row[0] == "point":
			r.Points = append(r.Points, q)
			continue
		case row[0] != last:
			r.Curves = append(r.Curves, dynamics.BifurcationCurve{Label: row[1]})
			last = row[0]
		}
		c := &r.Curves[len(r.Curves)-1]
		c.Points = append(c.Points, q)
	}
	return (&Bifurcation{Model: model.HHModel, Axes: []Quantity{x, y}, Regions: r}).Figure()
}
