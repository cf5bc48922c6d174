package tomltree_test

import (
	"fmt"

	"popsim/tomltree"
)

// The place of a value goes into the error about it.
func ExampleRead() {
	file, err := tomltree.Read("run.toml", []byte("[values]\nI = 20\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	i := file.Get("values").Get("I")
	fmt.Println(i.Place, i.Key, i.Text)
	// Output: run.toml:2:1 I 20
}
