package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the packages, each with those below it that it may import.
var layers = map[string][]string{
	"model":              {"expression"},
	"rng":                nil,
	"expression":         {"rng"},
	"network/statistics": nil,
	"network/measure": {
		"network", "network/description", "network/recording", "network/statistics", "sweep",
		"experiment", "expression", "fault", "kernels",
	},
	"network/recording": {"network", "network/statistics", "pop", "table", "expression"},
	"network/description": {
		"equations", "tomltree", "table", "table/file", "network", "expression", "rng", "stimulus",
		"kernels", "model", "fault",
	},
	"sched":               nil,
	"tomltree":            {"fault"},
	"kernels/vec/code":    {"kernels/vec"},
	"equations/graph":     {"expression"},
	"equations/canonical": {"equations/graph"},
	"equations": {
		"equations/canonical", "equations/graph", "expression", "fault", "kernels",
		"kernels/vec", "model", "tomltree",
	},
	"fault":    nil,
	"stimulus": {"model"},
	"experiment": {
		"network/cann", "network", "network/description", "equations", "expression", "stimulus", "sweep",
		"pop", "kernels", "model", "fault", "rng", "table", "table/file",
	},
	"table":       nil,
	"table/file":  {"table"},
	"kernels/asm": nil,
	"kernels/vec": {"kernels/asm"},
	"kernels":     {"kernels/asm", "kernels/vec", "kernels/vec/code", "model", "rng"},
	"noise":       {"kernels", "kernels/asm", "model", "rng"},
	"pop":         {"kernels", "kernels/asm", "network", "noise", "sched", "model", "rng"},
	"sweep": {
		"equations", "network", "network/statistics", "pop", "kernels", "kernels/asm", "sched", "model", "table",
	},
	"dynamics": {"model"},
	"bench": {
		"network", "network/description", "table", "sweep", "pop", "kernels", "kernels/asm", "rng",
		"sched", "dynamics", "model",
	},
	"recording": {"pop", "kernels", "model", "table", "table/file"},
	"figure": {
		"network/measure",
		"network", "network/recording", "kernels", "bench", "sweep", "dynamics", "pop",
		"model", "table", "table/file",
	},
	"network":          {"circulant", "kernels", "kernels/asm", "noise", "sched", "model", "rng"},
	"circulant":        nil,
	"network/cann":     {"circulant", "fault", "kernels", "rng", "table"},
	"verify/reference": {"model"},
	"verify": {
		"verify/reference", "network", "network/description", "sweep", "pop", "kernels", "dynamics", "model",
		"table", "table/file",
	},
	"cmd/popsim/internal/analyse": {
		"cmd/popsim/internal/cli", "cmd/popsim/internal/completion", "cmd/popsim/internal/flagset",
		"cmd/popsim/internal/output", "cmd/popsim/internal/record", "cmd/popsim/internal/topics",
		"cmd/popsim/internal/verb", "dynamics", "experiment", "fault", "figure", "model", "sched", "sweep", "table",
		"table/file",
	},
	"cmd/popsim/internal/assess": {
		"sched",
		"bench", "cmd/popsim/internal/cli", "cmd/popsim/internal/completion", "cmd/popsim/internal/flagset",
		"cmd/popsim/internal/topics", "cmd/popsim/internal/verb", "equations", "experiment", "fault", "figure", "kernels",
		"model", "table/file", "verify",
	},
	"cmd/popsim/internal/plot": {
		"cmd/popsim/internal/flagset", "cmd/popsim/internal/topics", "cmd/popsim/internal/verb", "experiment", "fault",
		"figure",
	},
	"cmd/popsim/internal/batch": {"fault", "sweep"},
	"cmd/popsim/internal/cli":   {"sched"},
	"cmd/popsim/internal/completion": {
		"network/cann", "bench", "equations", "network/description", "cmd/popsim/internal/flagset",
		"cmd/popsim/internal/profile",
		"experiment",
		"fault", "kernels", "model", "stimulus", "sweep",
	},
	"cmd/popsim/internal/flagset": {"experiment", "fault", "model"},
	"cmd/popsim/internal/help":    nil,
	"cmd/popsim/internal/manual":  {"cmd/popsim/internal/verb", "fault", "table/file"},
	"cmd/popsim/internal/memory":  {"fault"},
	"cmd/popsim/internal/output":  {"cmd/popsim/internal/cli", "fault", "table/file"},
	"cmd/popsim/internal/record": {
		"network/measure", "network/recording", "network", "network/description", "experiment", "pop", "kernels", "model",
		"network/cann", "sched", "sweep", "table/file",
	},
	"cmd/popsim/internal/reference": {
		"network/cann", "equations", "table", "cmd/popsim/internal/help", "experiment", "model",
		"network/description",
	},
	"cmd/popsim/internal/profile": {"fault", "model"},
	"cmd/popsim/internal/topics":  {"network/measure", "figure", "sweep"},
	"cmd/popsim/internal/verb": {
		"cmd/popsim/internal/completion", "cmd/popsim/internal/flagset", "cmd/popsim/internal/memory",
		"cmd/popsim/internal/output", "cmd/popsim/internal/profile", "cmd/popsim/internal/record", "experiment",
		"fault", "figure", "kernels", "pop", "table/file",
	},
	"cmd/popsim/internal/signals": nil,
	"cmd/popsim": {
		"network/cann",
		"equations",
		"figure", "bench", "verify", "sweep", "pop", "kernels", "kernels/asm", "sched", "dynamics", "model", "table",
		"table/file",
		"cmd/popsim/internal/analyse", "cmd/popsim/internal/assess", "cmd/popsim/internal/plot",
		"cmd/popsim/internal/batch", "cmd/popsim/internal/cli",
		"cmd/popsim/internal/completion", "cmd/popsim/internal/flagset", "cmd/popsim/internal/help",
		"cmd/popsim/internal/manual", "cmd/popsim/internal/memory", "cmd/popsim/internal/output",
		"cmd/popsim/internal/profile", "cmd/popsim/internal/record",
		"cmd/popsim/internal/reference", "cmd/popsim/internal/signals", "cmd/popsim/internal/topics",
		"cmd/popsim/internal/verb", "experiment",
		"fault", "recording", "stimulus", "expression", "network", "network/description", "network/statistics",
		"network/recording", "network/measure",
	},
}

// libraries are those that one package, or the packages below it, may import.
var libraries = map[string]string{
	"github.com/klauspost/cpuid/v2": "kernels",
	"github.com/pkg/profile":        "cmd/popsim/internal/profile",
	"github.com/spf13/cobra":        "cmd/popsim",
	"github.com/parquet-go/":        "table/file",
	"gonum.org/v1/plot":             "figure",
}

// TestLibraryIsLight: a program that computes f-I curves, populations or bifurcations imports no plotting, no file
// formats and no command line, directly or through other packages.
func TestLibraryIsLight(t *testing.T) {
	for _, name := range []string{"pop", "sweep", "dynamics", "network", "stimulus", "rng"} {
		out, err := exec.Command("go", "list", "-deps", "popsim/"+name).Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			dep := strings.TrimSpace(line)
			for _, heavy := range []string{
				"github.com/parquet-go/", "gonum.org/v1/plot", "github.com/spf13/",
				"popsim/table/file", "popsim/figure",
			} {
				if strings.HasPrefix(dep, heavy) {
					t.Errorf("%s compiles %s", name, dep)
				}
			}
		}
	}
}

// TestImports: packages import only lower layers, and each library is imported in one place.
func TestImports(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "popsim/...")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], "popsim/")
		if strings.HasPrefix(name, "docs") { // holds tests alone
			continue
		}
		below, known := layers[name]
		if !known {
			t.Errorf("package %s is missing in the list of layers in this test", name)
		}
		for _, imported := range fields[1:] {
			if own, ok := strings.CutPrefix(imported, "popsim/"); ok && !slices.Contains(below, own) {
				t.Errorf("%s imports %s, which is not below it", name, own)
			}
			for library, only := range libraries {
				if strings.HasPrefix(imported, library) && name != only && !strings.HasPrefix(name, only+"/") {
					t.Errorf("%s imports %s, which only %s may import", name, imported, only)
				}
			}
		}
	}
}

// TestNothingFuses: where a processor has fused multiply-add Go may use it for a bare x*y + z, even across statements,
// and the bits differ from those of other processors. Kernels have float64(x*y) + z; the compiler lists where it would
// fuse.
func TestNothingFuses(t *testing.T) {
	fused := func(room string) (places []string) {
		t.Helper()
		build := exec.Command("go", "build", "-gcflags=-d=fmahash=vy", "-o", os.DevNull, "popsim/"+room)
		build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
		out, err := build.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			if f := strings.Fields(line); len(f) > 2 && f[0] == "fmahash" {
				places = append(places, f[2])
			}
		}
		return places
	}
	for _, name := range []string{
		"kernels", "kernels/vec", "kernels/vec/code", "rng", "noise", "stimulus", "pop", "sweep", "circulant",
		"network", "network/cann", "network/statistics", "network/measure", "network/description",
		"equations", "equations/graph", "equations/canonical", "expression", "experiment",
	} {
		for _, place := range fused(name) {
			t.Errorf("%s: a product is fused with a sum on arm64; float64() around it prevents that", place)
		}
	}
	if len(fused("dynamics")) == 0 {
		t.Error("the compiler does not list where it fuses: dynamics has products and sums")
	}
}
