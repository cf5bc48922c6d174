package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms are the packages of the house, each with the rooms below it that it may enter. What is not below, is above or
// beside, and an import of it climbs.
var rooms = map[string][]string{
	"model":       nil,
	"sched":       nil,
	"report":      nil,
	"kernels/asm": nil,
	"kernels":     {"kernels/asm", "model", "report"},
	"pop":         {"kernels", "kernels/asm", "sched", "model", "report"},
	"sweep":       {"pop", "kernels", "kernels/asm", "sched", "model", "report"},
	"dynamics":    {"model", "report"},
	"bench":       {"sweep", "pop", "kernels", "kernels/asm", "sched", "dynamics", "model", "report"},
	"cmd/popsim":  {"bench", "sweep", "pop", "kernels", "kernels/asm", "sched", "dynamics", "model", "report"},
}

// guests are libraries that are met in one place alone.
var guests = map[string]string{
	"github.com/klauspost/cpuid/v2": "kernels",
	"github.com/pkg/profile":        "cmd/popsim",
	"github.com/spf13/cobra":        "cmd/popsim",
	"github.com/parquet-go/":        "report",
	"gonum.org/v1/plot":             "report",
}

func TestHouse(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "popsim/...")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		room := strings.TrimPrefix(fields[0], "popsim/")
		if strings.HasPrefix(room, "docs") { // a reader of the house, which nobody lives in
			continue
		}
		below, known := rooms[room]
		if !known {
			t.Errorf("%s is no room of the house; the list in this test says which there are", room)
		}
		for _, other := range fields[1:] {
			if r, ours := strings.CutPrefix(other, "popsim/"); ours && !slices.Contains(below, r) {
				t.Errorf("%s imports %s: this edge climbs", room, r)
			}
			for guest, host := range guests {
				if strings.HasPrefix(other, guest) && room != host {
					t.Errorf("%s imports %s, which is met in %s alone", room, other, host)
				}
			}
		}
	}
}

// TestNothingFuses: where a processor has fused multiply-add Go may use it for a bare x*y + z, even across statements, and other
// bits come out than elsewhere. Kernels say float64(x*y) + z; the compiler tells where it would fuse.
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
	for _, place := range fused("kernels") {
		t.Errorf("%s: a product is fused with a sum on arm64; float64() around it prevents that", place)
	}
	if len(fused("dynamics")) == 0 {
		t.Error("the compiler does not tell where it fuses: dynamics has products and sums")
	}
}
