package file_test

import (
	"fmt"
	"os"

	"popsim/table"
	"popsim/table/file"
)

// A table as CSV on standard output. file.Create writes to a file instead, in the format of its ending.
func ExampleNewCSV() {
	out := file.NewCSV(os.Stdout)
	defer out.Abort()
	err := out.WriteTable(table.NewTable(
		table.Col("I", []float64{20, 21}), table.Col("rate_Hz", []float64{0, 31.8}),
		table.Col("status", []string{"ok", "ok"})))
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// I,rate_Hz,status
	// 20,0,ok
	// 21,31.8,ok
}
