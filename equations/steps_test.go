package equations

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"popsim/model"
)

// Measured steps have the stated accuracy for the built-in model's equations, whose limits are known, and are carried
// over to other parameters.
func TestStepLimits(t *testing.T) {
	m := load(t, "testdata/hh.toml")
	rk4, err := m.Method("rk4")
	if err != nil {
		t.Fatal(err)
	}
	p := m.Defaults()
	usable, accurate := m.StepLimits(rk4, p)
	of, _ := model.HHModel.Method("rk4")
	builtIn, _ := model.HHModel.StepLimits(of, model.HHModel.Defaults())
	if !(usable >= builtIn/2 && usable <= builtIn) || !(accurate >= 0.025 && accurate <= usable) {
		t.Errorf("usable up to %v ms, accurate up to %v; the built-in model %v", usable, accurate, builtIn)
	}
	truth := spikes(t, m, "rk4", 10, accurate/16, 100)
	got := spikes(t, m, "rk4", 10, accurate, 100)
	if k := len(truth) - 1; k < 3 || math.Abs(got[k]/truth[k]-1) > 2*model.AccurateError {
		t.Errorf("at %v ms spikes at %v, want %v", accurate, got, truth)
	}
	fast := slices.Clone(p)
	fast[m.Index("C")] /= 4
	if less, _ := m.StepLimits(rk4, fast); !(less < usable/2) {
		t.Errorf("usable up to %v ms with a quarter of the capacitance, %v with the whole", less, usable)
	}
}

// A file that names no method gets rk4, or where that blows up with its step, rosenbrock.
func TestDefaultMethod(t *testing.T) {
	data, err := os.ReadFile("library/stomatogastric.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dt, extra, want string }{
		{`"0.01 ms"`, "", "rk4"}, {`"0.1 ms"`, "", "rosenbrock"}, {`"0.1 ms"`, "method = \"euler\"\n", "euler"},
	} {
		text := strings.Replace(string(data), `dt     = "0.01 ms"`, "dt = "+c.dt+"\n"+c.extra, 1)
		m, err := Parse("stg.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Methods[0].Name; got != c.want || len(m.Methods) != 4 {
			t.Errorf("dt %s: the default is %s of %d methods, want %s", c.dt, got, len(m.Methods), c.want)
		}
	}
}
