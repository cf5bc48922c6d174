package measure_test

import (
	"fmt"

	"popsim/network/description"
	"popsim/network/measure"
)

// The direction in which a ring of 40 neurons is active, from three spikes of neuron 10 and one of neuron 30.
func ExampleNew() {
	d, err := description.Parse("ring.toml", []byte(`
[population.E]
model = "poisson"
n = 40
rate = "10Hz"
[measure.bump]
kind = "population-vector"
population = "E"
window = "100ms"
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := d.Resolve(description.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := measure.New(res, []string{"bump"})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := set.Meter(300) // ms
	for _, neuron := range []int{10, 10, 10, 30} {
		m.Add(0, neuron, 250)
	}
	values := m.Values(nil)
	for i, c := range set.Columns() {
		fmt.Printf("%s %.3g\n", c.Name, values[i])
	}
	// Output:
	// bump_deg 90
	// bump_length 0.5
}
