package description

import "testing"

// A description without a step has that of the model that needs the smallest.
func TestUsualStep(t *testing.T) {
	for text, want := range map[string]float64{
		"[population.E]\nmodel = \"lif\"\nn = 1\n":                                                      0.1,
		"[population.E]\nmodel = \"hh\"\nn = 1\n":                                                       0.025,
		"dt = \"0.05ms\"\n[population.E]\nmodel = \"hh\"\nn = 1\n[population.I]\nlike = \"E\"\nn = 2\n": 0.05,
	} {
		d, err := Parse("net.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Resolve(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Spec.Dt != want {
			t.Errorf("%q has a step of %v ms, want %v", text, r.Spec.Dt, want)
		}
	}
}
