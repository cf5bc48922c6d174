package figure_test

import (
	"fmt"
	"os"
	"path/filepath"

	"popsim/figure"
)

// A curve with marks, saved as SVG. The ending of the file chooses the format.
func ExampleCurves() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fi.svg")
	f := figure.Curves("f-I curve", "I (pA)", "firing rate (Hz)",
		figure.Series{Name: "lif", X: []float64{20, 21, 30}, Y: []float64{0, 31.8, 83.4}, Points: true})
	if err := f.Save(path, false); err != nil {
		fmt.Println(err)
		return
	}
	info, err := os.Stat(path)
	fmt.Println(err == nil && info.Size() > 0)
	// Output: true
}
