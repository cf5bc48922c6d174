package description_test

import (
	"fmt"

	"popsim/network/description"
)

// A network of the library, with one of its parameters changed, as a Spec that network.Build takes.
func ExampleLookup() {
	d, err := description.Lookup("brunel")
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := d.Resolve(description.Options{Settings: []description.Setting{{Name: "g", Text: "4.5"}}, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range res.Spec.Populations {
		fmt.Println(p.Name, p.N, p.Model.Name)
	}
	// Output:
	// E 10000 lif
	// I 2500 lif
}
