package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/printer"

	"popsim/kernels/vec"
)

// TestRowKernel assembles a vec.Kernel with two states, a decision and a row that is cleared, and compares it bit for
// bit with its plain Go.
func TestRowKernel(t *testing.T) {
	kernel := &vec.Kernel{
		Name: "Decay", Doc: "decays.", Argument: "DecayBlock", States: []string{"Current", "Peak"}, Coefs: []string{"Rate"},
		Rows:    []string{"Arrived", "Out"},
		Vectors: map[string]int{"AVX2": 4, "AVX512": 4},
		Step: func(b *vec.Block, x *vec.Vars) {
			i := b.FMA(x.Get("Current"), x.Get("Rate"), x.Get("Arrived"))
			i = b.Select(b.Cmp(i, vec.LT, b.Const(-1)), b.Mul(i, b.Const(0.5)), i)
			x.Set("Current", i)
			x.Set("Peak", b.Max(i, x.Get("Peak")))
			x.Set("Out", b.Exp2Near(b.Max(b.Const(-9), b.Min(b.Const(9), i))))
			x.Set("Arrived", b.Const(1e-290))
		},
	}
	t.Chdir(t.TempDir())
	put := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("go.mod", "module rows\n\ngo 1.26\n")
	put("main.go", "package main\n\nconst Group = 64\n\ntype Column [Group]float64\n\n"+
		"type DecayBlock struct {\n\tCurrent, Peak, Rate *Column\n\tArrived, Out []float64\n\tSteps int\n}\n\nfunc main() "+
		"{}\n")
	f := &file{name: "decay", ctx: build.NewContext(), consts: map[string][]uint64{}, spills: map[string]int{}}
	f.ctx.Package("rows")
	for _, w := range isas {
		rowKernel(kernel)(f, w)
	}
	out, err := f.compile()
	if err != nil {
		t.Fatal(err)
	}
	cfg := printer.Config{Name: "test", Pkg: "main"}
	text, err := printer.NewGoAsm(cfg).Print(out)
	if err != nil {
		t.Fatal(err)
	}
	stubs, err := printer.NewStubs(cfg).Print(out)
	if err != nil {
		t.Fatal(err)
	}
	put("decay_amd64.s", string(text))
	put("stubs.go", string(stubs))
	put("plain.go", "package main\n\nimport \"math\"\n\n"+kernel.GoText())
	put("main.go", rowRunner)
	got, err := exec.Command("go", "run", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	t.Logf("%s", got)
}

const rowRunner = `package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"unsafe"
)

const (
	Group = 64
	steps = 7
)

type Column [Group]float64

type DecayBlock struct {
	Current, Peak, Rate *Column
	Arrived, Out        []float64
	Steps               int
}

func aligned(n int) []float64 {
	x := make([]float64, n+8)
	return x[(64-uintptr(unsafe.Pointer(&x[0]))%64)%64/8:][:n]
}

func main() {
	info, _ := os.ReadFile("/proc/cpuinfo")
	var want []float64
	for _, f := range []struct {
		flag string
		run  func(*DecayBlock)
	}{{"", DecayGo}, {" avx2 ", DecayAVX2}, {" avx512dq ", DecayAVX512}} {
		if f.flag != "" && !bytes.Contains(info, []byte(f.flag)) {
			fmt.Println(f.flag, "is not here")
			continue
		}
		rng := rand.New(rand.NewPCG(5, 6))
		all := aligned((3 + 2*steps) * Group)
		for i := range all {
			all[i] = rng.NormFloat64() * 2
		}
		column := func(j int) *Column { return (*Column)(all[j*Group:]) }
		b := DecayBlock{column(0), column(1), column(2), all[3*Group : (3+steps)*Group], all[(3+steps)*Group:], steps}
		f.run(&b)
		if want == nil {
			want = all
		}
		for i := range all {
			if math.Float64bits(all[i]) != math.Float64bits(want[i]) {
				fmt.Println(f.flag, "word", i, all[i], "want", want[i])
				os.Exit(1)
			}
		}
	}
}
`
