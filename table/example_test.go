package table_test

import (
	"fmt"

	"popsim/table"
)

// Columns are checked together: all faults of a table are one error.
func ExampleTable_Check() {
	t := table.NewTable(table.Col("I", []float64{20, 21}), table.Col("status", []string{"ok", "ok"}))
	fmt.Println(t.Rows(), t.Check())
	t.Columns = append(t.Columns, table.Col("I", []int64{1}))
	fmt.Println(t.Check() != nil)
	// Output:
	// 2 <nil>
	// true
}
