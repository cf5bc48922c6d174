package model_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"popsim/model"
)

// quadratic is the quadratic integrate-and-fire neuron, defined outside of the package: tau dV/dt = V² + I,
// dimensionless but for time.
var quadratic = &model.Model{
	Name: "qif",
	Params: []model.Param{{Name: "tau", Unit: "ms", Default: 10, Domain: model.Positive}, {
		Name: "V_th", Unit: "mV",
		Default: 20,
	}},
	States: []model.State{{Name: "V", Unit: "mV"}},
	Fires:  model.Reset,
	Deriv:  func(p []float64, i float64, y, dy []float64) { dy[0] = (y[0]*y[0] + i) / p[0] },
	Jacobian: func(p []float64, _ float64, y, jac []float64) {
		jac[0] = 2 * y[0] / p[0]
	},
	Steady: func(_ []float64, v float64, y []float64) float64 {
		y[0] = v
		return -v * v
	},
	Threshold: func(p []float64) float64 { return p[1] },
	ResetTo:   func(p []float64) float64 { return -p[1] },
	Hold:      func([]float64) float64 { return 0 },
	Rest:      func([]float64) float64 { return -1 },
	Equilibria: func(_ []float64, i float64) []float64 {
		if i > 0 {
			return nil
		}
		return []float64{-math.Sqrt(-i), math.Sqrt(-i)}
	},
}

func TestModelFromOutside(t *testing.T) {
	p := quadratic.Defaults()
	if err := quadratic.Check(p); err != nil {
		t.Fatal(err)
	}
	if usable, accurate := quadratic.StepLimits(model.Method{}, p); !math.IsInf(usable, 1) || !math.IsInf(accurate, 1) {
		t.Errorf("step limits without Limits: %v, %v", usable, accurate)
	}
	if v := quadratic.EquilibriaAt(p, -4); len(v) != 2 || v[0] != -2 || v[1] != 2 {
		t.Errorf("equilibria at I = -4: %v", v)
	}
	y := []float64{0}
	if quadratic.Initial(p, y); y[0] != -1 { // at I = 0 the one equilibrium is a saddle-node
		t.Errorf("initial state %v, want Rest", y)
	}
}

// The structs that name parameters hold them in the order of Params, and the accessors read the right ones.
func TestParametersByName(t *testing.T) {
	of := map[*model.Model]func(p []float64) any{
		model.LIFModel:  func(p []float64) any { return model.LIFOf(p) },
		model.EIFModel:  func(p []float64) any { return model.EIFOf(p) },
		model.AdExModel: func(p []float64) any { return model.AdExOf(p) },
		model.HHModel:   func(p []float64) any { return model.HHOf(p) },
		model.HHTMModel: func(p []float64) any { return model.HHTMOf(p) },
		model.RHHModel:  func(p []float64) any { return model.RHHOf(p) },
	}
	for _, m := range model.All {
		p := make([]float64, len(m.Params))
		for j := range p {
			p[j] = float64(j + 1)
		}
		if of[m] == nil {
			t.Errorf("%s: no function in this test that names its parameters", m.Name)
			continue
		}
		names, values := flat(reflect.ValueOf(of[m](p)))
		for j, q := range m.Params {
			if want := strings.ToLower(strings.ReplaceAll(q.Name, "_", "")); j >= len(names) ||
				strings.ToLower(names[j]) != want || values[j] != p[j] {
				t.Errorf("%s: parameter %d is %s, the struct has %v = %v", m.Name, j, q.Name, names, values)
				break
			}
		}
		accessors := map[string]func([]float64) float64{"V_th": m.Threshold, "V_reset": m.ResetTo, "t_ref": m.Hold}
		for name, get := range accessors {
			if j := m.Index(name); j >= 0 && get(p) != p[j] {
				t.Errorf("%s: the accessor of %s gives %v, want %v", m.Name, name, get(p), p[j])
			}
		}
	}
}

// flat lists the fields of a struct of numbers, those of embedded structs in place.
func flat(v reflect.Value) (names []string, values []float64) {
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Struct {
			n, x := flat(f)
			names, values = append(names, n...), append(values, x...)
		} else {
			names, values = append(names, v.Type().Field(i).Name), append(values, f.Float())
		}
	}
	return names, values
}
