package docs_test

import (
	"os/exec"
	"testing"
)

// TestPython runs the tests of the Python module against the program.
func TestPython(t *testing.T) {
	python := pythonWithPandas()
	if python == "" {
		t.Skip("no Python with numpy, pandas and h5py here")
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "popsim/cmd/popsim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(python, "-m", "unittest", "discover", "../python")
	cmd.Env = withModule(bin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
