package figure

import (
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

func defaults(m *model.Model) (p []kernels.Values) {
	for _, v := range m.Defaults() {
		p = append(p, kernels.Values{v})
	}
	return p
}

// The usual panels of one neuron are its states, and the stimulus where there is one; those of several a raster and V.
func TestActivityPanels(t *testing.T) {
	labels := func(m *model.Model, n int, v View) string {
		v.Traced, v.Span, v.Dt = []int64{0}, 10, 0.1
		a := NewActivity(pop.Spec{Model: m, N: n, P: defaults(m)}, v)
		for _, time := range []float64{0, 5, 10} {
			if err := a.AddState(time, 0, make([]float64, len(m.States))); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.AddSpikes([]pop.Spike{{Time: 4, Neuron: 0}}); err != nil {
			t.Fatal(err)
		}
		f := a.Figure("")
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, p := range f.Panels {
			all = append(all, strings.ReplaceAll(p.YLabel, "\n", " "))
		}
		return strings.Join(all, "; ")
	}
	wave := func(int64) float64 { return 1 }
	for _, c := range []struct {
		m    *model.Model
		n    int
		v    View
		want string
	}{
		{model.LIFModel, 1, View{}, "V (mV)"},
		{model.AdExModel, 1, View{Waveform: wave}, "V (mV); w (pA); I (pA)"},
		{model.HHModel, 1, View{}, "V (mV); gates"},
		{model.LIFModel, 2, View{}, "neuron; neuron 0 V (mV)"},
		{model.LIFModel, 2, View{Panels: []string{"rate", "raster"}, Order: "I"}, "neuron, by I; rate (Hz)"},
	} {
		if got := labels(c.m, c.n, c.v); got != c.want {
			t.Errorf("%d of %s: %s, want %s", c.n, c.m.Name, got, c.want)
		}
	}
}

func TestViewCheck(t *testing.T) {
	if err := (View{Panels: []string{"V", "gates"}, Order: "g_Na"}).Check(model.HHModel); err != nil {
		t.Error(err)
	}
	for want, v := range map[string]View{
		`no panel "w"`: {Panels: []string{"w"}}, `ordered by "w"`: {Order: "w"},
		`no panel "gates"`: {Panels: []string{"gates"}},
	} {
		if err := v.Check(model.LIFModel); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", v, err, want)
		}
	}
}

// Rows of the raster ascend in what orders them; ties keep their numbers.
func TestActivityOrder(t *testing.T) {
	spec := pop.Spec{Model: model.LIFModel, N: 3, P: defaults(model.LIFModel), I: kernels.Values{30, 10, 20}}
	a := NewActivity(spec, View{Span: 10, Dt: 1, Order: "I", Panels: []string{"raster"}})
	if err := a.AddSpikes([]pop.Spike{{Time: 1, Neuron: 0}, {Time: 2, Neuron: 1}, {Time: 3, Neuron: 2}}); err != nil {
		t.Fatal(err)
	}
	if y := a.Figure("").Panels[0].Points[0].Y; y[0] != 2 || y[1] != 0 || y[2] != 1 {
		t.Errorf("rows are %v, want [2 0 1]", y)
	}
}
