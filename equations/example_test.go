package equations_test

import (
	"fmt"

	"popsim/equations"
)

// A model from the text of a file of equations. It is used as one of package model is.
func ExampleParse() {
	m, err := equations.Parse("decay.toml", []byte(`
[neuron]
name   = "leak"
title  = "A leak with a threshold"
source = "none"
dt     = "0.1 ms"

[parameters]
C   = "200 pF"
g_L = "10 nS"
E_L = "-70 mV"
V_t = "-50 mV"
I   = "0 pA"

[states]
V = "E_L"

[equations]
V = "(g_L*(E_L - V) + I)/C"

[spike]
when  = "V >= V_t"
reset = { V = "E_L" }
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Name, m.Title)
	for _, p := range m.Params { // without I, which is the input current
		fmt.Println(p.Name, p.Unit, p.Default)
	}
	// Output:
	// leak A leak with a threshold
	// C pF 200
	// g_L nS 10
	// E_L mV -70
	// V_t mV -50
}
