package model_test

import (
	"fmt"

	"popsim/model"
)

// The vector field of a model at a state: for the leaky integrate-and-fire neuron dV/dt = (V_rest - V + R I)/tau.
func ExampleModel_Deriv() {
	m := model.LIFModel
	slide, err := m.Preset("slide")
	if err != nil {
		fmt.Println(err)
		return
	}
	rate := make([]float64, len(m.States))
	m.Deriv(slide.Params, 21, []float64{0}, rate)
	fmt.Printf("R = %v %s, tau = %v ms: dV/dt = %v mV/ms\n",
		slide.Params[m.Index("R")], m.Params[m.Index("R")].Unit, slide.Params[m.Index("tau")], rate[0])
	// Output: R = 1 GOhm, tau = 10 ms: dV/dt = 2.1 mV/ms
}

// A number with a unit, in the unit of a parameter.
func ExampleParseQuantity() {
	current, err := model.ParseQuantity("0.8nA", model.LIFModel.CurrentUnit)
	fmt.Println(current, err)
	_, err = model.ParseQuantity("10ms", model.LIFModel.CurrentUnit)
	fmt.Println(err)
	// Output:
	// 800 <nil>
	// "10ms" has the wrong unit "ms"; it should be in pA, nA, uA, mA, A, fA
}
