package fault_test

import (
	"errors"
	"fmt"

	"popsim/fault"
)

// All faults of a file are one error, each with its place and with what would be right.
func ExampleList() {
	var faults fault.List
	faults.Add(fault.At("net.toml:3:1", errors.New("dt must be positive")))
	faults.Add(fault.At("net.toml:7:9", fault.Hint(errors.New("unknown model lfi"), "did you mean lif?")))
	for _, l := range fault.Lines(faults.Err(), nil) {
		fmt.Println(l.Text)
		if l.Hint != "" {
			fmt.Println("   ", l.Hint)
		}
	}
	// Output:
	// net.toml:3:1: dt must be positive
	// net.toml:7:9: unknown model lfi
	//     did you mean lif?
}
