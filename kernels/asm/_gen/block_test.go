package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/vec"
)

// random records size random operations on the columns at m and the pins; every column and pin gets a new value.
func random(b *Block, rng *rand.Rand, size int, m []operand.Mem, pins []*Pin, maskPin *Pin) {
	var vs []Vec
	ms := []Mask{b.GetMask(maskPin)}
	for _, x := range m {
		vs = append(vs, b.Load(x))
	}
	for _, p := range pins {
		vs = append(vs, b.Get(p))
	}
	for _, x := range []float64{0, 1, -1.5, 3, 0.1} {
		vs = append(vs, b.Const(x))
	}
	v := func() Vec {
		if rng.IntN(2) == 0 { // often a recent one, so that chains grow
			return vs[len(vs)-1-rng.IntN(min(len(vs), 5))]
		}
		return vs[rng.IntN(len(vs))]
	}
	// tame is not NaN: the bits of a NaN that arithmetic made are not defined, so operations on bits do not read any.
	tame := func() Vec { return b.Min(b.Max(v(), b.Const(-9)), b.Const(9)) }
	k := func() Mask { return ms[len(ms)-1-rng.IntN(min(len(ms), 12))] }
	preds := []Pred{EQ, LT, LE, GE, GT, NEQ, NLT, NLE, NGE, NGT}
	for range size {
		switch rng.IntN(33) {
		case 0, 1:
			vs = append(vs, b.Add(v(), v()))
		case 2, 3:
			vs = append(vs, b.Sub(v(), v()))
		case 4, 5:
			vs = append(vs, b.Mul(v(), v()))
		case 6:
			vs = append(vs, b.Div(v(), v()))
		case 7:
			vs = append(vs, b.Sqrt(b.Abs(tame())))
		case 8, 9, 10:
			vs = append(vs, b.FMA(v(), v(), v()))
		case 11:
			vs = append(vs, b.FNMA(v(), v(), v()))
		case 12:
			vs = append(vs, b.FMS(v(), v(), v()))
		case 13:
			vs = append(vs, b.Min(v(), v()))
		case 14:
			vs = append(vs, b.Max(v(), v()))
		case 15:
			vs = append(vs, b.Neg(tame()))
		case 16:
			vs = append(vs, b.AndNot(b.Or(tame(), b.Const(1)), b.Xor(tame(), b.Const(2))))
		case 17:
			vs = append(vs, b.AddI(tame(), b.ShrI(b.ShlI(tame(), 3), 20)), b.SubI(tame(), b.ConstBits(7)))
		case 18, 19:
			ms = append(ms, b.Cmp(v(), preds[rng.IntN(len(preds))], v()))
		case 27:
			ms = append(ms, b.CmpWhere(k(), v(), preds[rng.IntN(len(preds))], v()))
		case 20:
			ms = append(ms, b.GtI(tame(), tame()))
		case 21:
			ms = append(ms, b.MaskAnd(k(), k()), b.MaskOr(k(), k()), b.MaskAndNot(k(), k()))
		case 22:
			vs = append(vs, b.Select(k(), v(), v()))
		case 23: // these merge
			vs = append(vs, b.Select(k(), b.Add(v(), v()), v()))
		case 24:
			y := v()
			vs = append(vs, b.Select(k(), b.FMA(y, v(), v()), y))
		case 25:
			y := v()
			vs = append(vs, b.Select(k(), b.FMA(v(), v(), y), y))
		case 26:
			vs = append(vs, b.Count(b.AndNot(tame(), b.ConstBits(1)), k()))
		default:
			vs = append(vs, tame())
		}
	}
	for i, x := range m {
		b.Store(x, vs[len(vs)-1-i%len(vs)])
	}
	for i, p := range pins {
		b.Set(p, vs[len(vs)-4-3*i])
	}
	b.SetMask(maskPin, k())
}

const columns, randomFuncs = 12, 40

// TestBlocksAgreeWithInterpreter assembles random blocks, runs them in a module made for it, and compares with the
// interpreter.
func TestBlocksAgreeWithInterpreter(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	f := &file{name: "random", ctx: build.NewContext(), consts: map[string][]uint64{}, spills: map[string]int{}}
	input := make([]uint64, 64)
	for i := range input {
		input[i] = math.Float64bits(rng.NormFloat64() * 3)
	}
	copy(
		input,
		[]uint64{
			0,
			1 << 63,
			1,
			math.Float64bits(math.Inf(1)),
			math.Float64bits(math.NaN()),
			math.Float64bits(1.0 / 3),
			math.Float64bits(-2),
		},
	)
	var calls strings.Builder
	var want [][]uint64
	for i := range randomFuncs {
		for _, w := range isas {
			name := fmt.Sprintf("R%d", i)
			k := f.Func(w, name, "func(mem *float64, bits *uint64)", "is random.")
			mem, bitsAt := k.Arg("mem"), k.Arg("bits")
			var m []operand.Mem
			memory := map[vec.Mem][]float64{}
			in := &vec.Interpreter{
				Memory:  func(m vec.Mem) []float64 { return memory[m] },
				Pins:    map[*Pin][]uint64{},
				General: map[any]uint64{},
			}
			for c := range columns {
				m = append(m, at(mem, c*w.Bytes()))
				for l := range w.Lanes {
					p := place(m[c])
					memory[p] = append(memory[p], math.Float64frombits(input[(c*w.Lanes+l*7)%len(input)]))
				}
			}
			pins := []*Pin{k.Pin(), k.Pin(), k.Pin()}
			maskPin := k.PinMask()
			block := func(name string, rec func(b *Block)) {
				k.Block(name, func(b *Block) { rec(b); in.Run(b.Block) })
			}
			block("first", func(b *Block) {
				for i, p := range pins {
					b.Set(p, b.Mul(b.Load(m[i]), b.Const(float64(i)+0.5)))
				}
				b.SetMask(maskPin, b.Cmp(b.Load(m[0]), LT, b.Load(m[1])))
			})
			seed := rng.Uint64()
			size := []int{10, 60, 200, 500}[i%4]
			for j := range 3 {
				block("again", func(b *Block) {
					random(b, rand.New(rand.NewPCG(seed, uint64(j))), size, m, pins, maskPin)
				})
			}
			gp, seen := k.GP32(), k.GP32()
			k.XORL(seen, seen)
			block("last", func(b *Block) {
				for i, p := range pins {
					b.Store(m[i], b.Get(p))
				}
				b.Bits(b.GetMask(maskPin), gp)
				b.Test(b.GetMask(maskPin))
			})
			back := k.NewLabel("back")
			k.JNZ(k.Later("any", func() {
				k.MOVL(operand.U32(1), seen)
				k.JMP(operand.LabelRef(back))
			}))
			k.Label(back)
			k.MOVL(gp, at(bitsAt, 0))
			k.MOVL(seen, at(bitsAt, 4))
			k.End()

			var res []uint64
			for _, x := range m {
				for _, y := range memory[place(x)] {
					res = append(res, math.Float64bits(y))
				}
			}
			mask := in.General[gp]
			if in.Any {
				mask |= 1 << 32
			}
			want = append(want, append(res, mask))
			fmt.Fprintf(&calls, "\trun(%d, %s%s, has%s)\n", w.Lanes, name, w.Name, w.Name)
		}
	}
	out, err := f.compile()
	if err != nil {
		t.Fatal(err)
	}
	cfg := printer.Config{Name: "test", Pkg: "main"}
	asm, err := printer.NewGoAsm(cfg).Print(out)
	if err != nil {
		t.Fatal(err)
	}
	stubs, err := printer.NewStubs(cfg).Print(out)
	if err != nil {
		t.Fatal(err)
	}
	program := fmt.Sprintf(runner, input, columns, calls.String())
	for name, text := range map[string][]byte{
		"go.mod": []byte("module random\n\ngo 1.26\n"), "r_amd64.s": asm, "r_amd64.go": stubs, "main.go": []byte(program),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	spilled, compared := 0, 0
	for i, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n") {
		spilled += min(1, f.spills[fmt.Sprintf("R%d%s", i/2, isas[i%2].Name)])
		words := strings.Fields(line)
		if len(words) == 0 {
			t.Logf("function %d skipped: not on this processor", i)
			continue
		}
		for j, s := range words {
			var got uint64
			fmt.Sscanf(s, "%x", &got)
			w := want[i][j]
			bothNaN := math.IsNaN(math.Float64frombits(got)) && math.IsNaN(math.Float64frombits(w)) && j < len(words)-1
			if compared++; w != got && !bothNaN {
				t.Fatalf("R%d%s: word %d is %x, want %x", i/2, isas[i%2].Name, j, got, w)
			}
		}
	}
	if spilled == 0 || compared == 0 {
		t.Fatalf("%d functions spilled, %d words compared: the test is too easy", spilled, compared)
	}
	t.Logf("%d words of %d functions, %d with spills", compared, 2*randomFuncs, spilled)
}

const runner = `package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
)

var cpuinfo, _ = os.ReadFile("/proc/cpuinfo")
var (
	hasAVX2   = bytes.Contains(cpuinfo, []byte(" fma ")) && bytes.Contains(cpuinfo, []byte(" avx2 "))
	hasAVX512 = bytes.Contains(cpuinfo, []byte(" avx512dq "))
)

func run(lanes int, f func(mem *float64, bits *uint64), has bool) {
	input := %#v
	mem := make([]float64, %d*lanes)
	for i := range mem {
		c, l := i/lanes, i%%lanes
		mem[i] = math.Float64frombits(input[(c*lanes+l*7)%%len(input)])
	}
	var bits uint64
	if has {
		f(&mem[0], &bits)
		for _, x := range mem {
			fmt.Printf("%%x ", math.Float64bits(x))
		}
		fmt.Printf("%%x", bits)
	}
	fmt.Println()
}

func main() {
%s}
`

// TestRefuses: registers and instructions that an AVX2 processor does not have are errors.
func TestRefuses(t *testing.T) {
	for name, emit := range map[string]func(k *Func){
		"register":    func(k *Func) { k.VADDPD(reg.Y17, reg.Y1, reg.Y2) },
		"mask":        func(k *Func) { k.KORB(reg.K1, reg.K2, reg.K3) },
		"instruction": func(k *Func) { k.VRNDSCALEPD(operand.U8(0), reg.Y1, reg.Y2) },
	} {
		f := &file{name: "bad", ctx: build.NewContext(), consts: map[string][]uint64{}, spills: map[string]int{}}
		k := f.Func(avx2, "Bad", "func()", "is bad.")
		emit(k)
		k.End()
		if _, err := f.compile(); err == nil {
			t.Errorf("an AVX2 function with an AVX-512 %s was accepted", name)
		}
	}
}
