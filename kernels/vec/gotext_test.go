package vec

import (
	"fmt"
	"go/format"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// record records size random operations on the columns a, b, c and ends with stores to them and with the bits of a
// mask.
func record(b *Block, rng *rand.Rand, size int) {
	places := []Mem{{Base: "a"}, {Base: "b"}, {Base: "c"}}
	vs := []Vec{b.Const(0), b.Const(1), b.Const(-1.5), b.Const(0.1)}
	for _, m := range places {
		vs = append(vs, b.Load(m))
	}
	v := func() Vec { return vs[rng.IntN(len(vs))] }
	// tame is no NaN: the bits of a NaN that arithmetic made are not defined.
	tame := func() Vec { return b.Min(b.Max(v(), b.Const(-9)), b.Const(9)) }
	ms := []Mask{b.Cmp(v(), LT, v())}
	m := func() Mask { return ms[rng.IntN(len(ms))] }
	preds := []Pred{EQ, LT, LE, GE, GT, NEQ, NLT, NLE, NGE, NGT}
	for range size {
		x, y := tame(), tame()
		vs = append(vs, []func() Vec{
			func() Vec { return b.Add(x, y) }, func() Vec { return b.Sub(x, y) }, func() Vec { return b.Mul(x, y) },
			func() Vec { return b.Div(x, b.Or(y, b.Const(1))) }, func() Vec { return b.Sqrt(b.Abs(x)) },
			func() Vec { return b.FMA(x, y, v()) }, func() Vec { return b.FNMA(x, y, v()) },
			func() Vec { return b.FMS(x, y, v()) },
			func() Vec { return b.FNMA(b.Const(-1.5), x, y) }, func() Vec { return b.Neg(x) },
			func() Vec { return b.Exp2Near(x) },
			func() Vec { return b.Exp(y) }, func() Vec { return b.Horner(x, 1, 2, -3) },
			func() Vec { return b.Select(m(), x, y) },
			func() Vec { return b.Xor(x, b.AndNot(y, b.ConstBits(7))) },
			func() Vec { return b.AddI(x, b.ShrI(b.ShlI(y, 3), 20)) },
			func() Vec { return b.SubI(x, b.ConstBits(7)) }, func() Vec { return b.Count(b.And(x, b.ConstBits(255)), m()) },
		}[rng.IntN(18)]())
		ms = append(ms, b.Cmp(v(), preds[rng.IntN(len(preds))], v()), b.GtI(x, y), b.MaskOr(m(), m()), b.MaskAnd(m(), m()),
			b.MaskAndNot(m(), m()))
	}
	for i, place := range places {
		b.Store(place, b.Min(b.Max(vs[len(vs)-1-i], b.Const(-1e3)), b.Const(1e3)))
	}
	b.Bits(m(), "word")
}

// TestGoTextAgreesWithInterpreter compiles random blocks printed as Go and compares their results with those of the
// interpreter.
func TestGoTextAgreesWithInterpreter(t *testing.T) {
	const blocks = 12
	rng := rand.New(rand.NewPCG(3, 4))
	var text, calls, want strings.Builder
	text.WriteString("package main\n\nimport (\"fmt\"; \"math\")\n\nvar _ = math.FMA\n")
	for i := range blocks {
		b := NewBlock("random", Context{Target: Go})
		record(b, rng, []int{3, 20, 80}[i%3])
		columns := map[any][]float64{}
		for _, c := range []string{"a", "b", "c"} {
			for range Go.Lanes {
				columns[c] = append(columns[c],
					[]float64{rng.NormFloat64() * 3, 0, math.Inf(1), math.NaN(), 0.5}[min(rng.IntN(12), 4)%5])
			}
		}
		fmt.Fprintf(&calls, "f%d(", i)
		for _, c := range []string{"a", "b", "c"} {
			calls.WriteString("[8]float64{")
			for _, x := range columns[c] {
				fmt.Fprintf(&calls, "math.Float64frombits(%#x),", math.Float64bits(x))
			}
			calls.WriteString("},")
		}
		calls.WriteString(")\n")
		in := &Interpreter{Memory: func(m Mem) []float64 { return columns[m.Base] }, General: map[any]uint64{}}
		in.Run(b)
		for _, c := range []string{"a", "b", "c"} {
			for _, x := range columns[c] {
				fmt.Fprintf(&want, "%x ", math.Float64bits(x))
			}
		}
		fmt.Fprintf(&want, "%x\n", in.General["word"])
		body := b.GoText(GoNames{
			Memory:  func(m Mem) string { return m.Base.(string) + "[l]" },
			General: func(r any) string { return r.(string) },
		})
		fmt.Fprintf(&text,
			"func f%d(a, b, c [8]float64) {\nword := uint64(0)\nfor l := range 8 {\n%s}\nshow(a, b, c, word)\n}\n", i, body)
	}
	fmt.Fprintf(
		&text,
		"func show(a, b, c [8]float64, word uint64) {\nfor _, v := range [][8]float64{a, b, c} {\nfor _, x := range v "+
			"{\nfmt.Printf(\"%%x \", math.Float64bits(x))\n}\n}\nfmt.Printf(\"%%x\\n\", word)\n}\nfunc main() {\n%s}\n",
		calls.String(),
	)
	program, err := format.Source([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, program, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("go", "run", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if string(got) != want.String() {
		g, w := strings.Split(string(got), "\n"), strings.Split(want.String(), "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("block %d gives\n%s, want\n%s", i, g[i], w[i])
			}
		}
		t.Fatal("lines are missing")
	}
}

// TestKernelText: the example of the package comment as Go; a coefficient that no step reads is left out.
func TestKernelText(t *testing.T) {
	k := &Kernel{
		Name: "Decay", Doc: "decays.", Argument: "DecayBlock", States: []string{"Current"},
		Coefs: []string{"Decay", "Unread"}, Rows: []string{"Arrived", "Out"},
		Step: func(b *Block, x *Vars) {
			i := b.FMA(x.Get("Current"), x.Get("Decay"), x.Get("Arrived"))
			x.Set("Current", i)
			x.Set("Out", i)
			x.Set("Arrived", b.Const(1e-290))
		},
	}
	const types = "package main\n\nimport \"math\"\n\nconst Group = 16\ntype Column [Group]float64\n" +
		"type DecayBlock struct { Current, Decay, Unread *Column; Arrived, Out []float64; Steps int }\n"
	const program = `func main() {
	b := DecayBlock{&Column{3: 1, 12: 2}, &Column{3: 0.5, 12: 0.25}, nil, make([]float64, 32), make([]float64, 32), 2}
	b.Arrived[16+12] = 7
	DecayGo(&b)
	if b.Out[3] != 0.5 || b.Out[16+3] != 0.25 || b.Out[16+12] != 7.125 ||
		b.Current[12] != 7.125 || b.Arrived[16+12] != 1e-290 {
		panic(b.Out)
	}
}
`
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(types+k.GoText()+program), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "run", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, k.GoText())
	}
}
