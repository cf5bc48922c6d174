package recording_test

import (
	"context"
	"fmt"

	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
)

// The rates of the populations of a network of the library, over 200 ms after the first 100.
func ExampleSession() {
	d, err := description.Lookup("cuba")
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := d.Resolve(description.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	net, err := network.Build(ctx, res.Spec, network.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := recording.Session{Config: recording.Config{From: 100, To: 300, Bin: 1}}
	if err := s.Begin(net, res.Spec); err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Run(ctx); err != nil {
		fmt.Println(err)
		return
	}
	rates, _ := recording.PopulationTable(res.Spec, s.Recording.Measures()).Column("rate_Hz")
	fmt.Printf("%.1f\n", rates.Values)
	// Output:
	// [5.1 5.1]
}
