//go:build amd64 && !purego

package code

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/cpuid/v2"

	"popsim/kernels/vec"
)

// targets are those that this processor runs.
func targets(t *testing.T) (all []vec.Target) {
	if err := Available(); err != nil {
		t.Skip("no machine code here: ", err)
	}
	if !cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		t.Skip("the processor has no AVX2")
	}
	all = append(all, vec.AVX2)
	if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ) {
		all = append(all, vec.AVX512)
	}
	return all
}

// columns is the number of columns, and of shared values, of random programs.
const columns = 4

// randomProgram is a program of n operations of all kinds on earlier results; the states are rotated, so that several
// steps use them all.
func randomProgram(seed uint64, n int) *vec.Program {
	return &vec.Program{Name: fmt.Sprint("random ", seed), Record: func(b *vec.Block) {
		r := rand.New(rand.NewPCG(seed, 1))
		var v []vec.Vec
		for j := range columns {
			v = append(v, b.Load(vec.Before.Column(j)), b.Load(vec.Lane.Column(j)), b.Broadcast(vec.SharedValue(j)))
		}
		v = append(v, b.Load(vec.Input.Column(0)), b.Const(1.5), b.ConstBits(0x3ff0000000000001))
		var m []vec.Mask
		x := func() vec.Vec { return v[len(v)-1-min(r.IntN(len(v)), r.IntN(len(v)))] }
		bits := func() vec.Vec { // no NaN: which one of two an operation gives is not defined
			y := x()
			return b.Select(b.Cmp(y, vec.EQ, y), y, b.Const(1.25))
		}
		preds := []vec.Pred{vec.EQ, vec.LT, vec.LE, vec.GE, vec.GT, vec.NEQ, vec.NLT, vec.NLE, vec.NGE, vec.NGT}
		mask := func() vec.Mask { return m[r.IntN(len(m))] }
		m = append(m, b.Cmp(x(), vec.LT, x()))
		for range n {
			switch r.IntN(26) {
			case 0, 1:
				v = append(v, b.Add(x(), x()))
			case 2:
				v = append(v, b.Sub(x(), x()))
			case 3, 4:
				v = append(v, b.Mul(x(), x()))
			case 5:
				v = append(v, b.Div(x(), x()))
			case 6, 7, 8:
				v = append(v, b.FMA(x(), x(), x()))
			case 9:
				v = append(v, b.FNMA(x(), x(), x()))
			case 10:
				v = append(v, b.FMS(x(), x(), x()))
			case 11:
				v = append(v, b.Min(x(), x()))
			case 12:
				v = append(v, b.Max(x(), x()))
			case 13:
				v = append(v, b.Sqrt(b.Abs(x())))
			case 14:
				v = append(v, b.And(bits(), bits()))
			case 15:
				v = append(v, b.Xor(b.Or(bits(), bits()), bits()))
			case 16:
				v = append(v, b.AndNot(bits(), bits()))
			case 17:
				v = append(v, b.AddI(bits(), b.ShlI(bits(), uint8(r.IntN(60)))))
			case 18:
				v = append(v, b.SubI(bits(), b.ShrI(bits(), uint8(r.IntN(60)))))
			case 19, 20:
				m = append(m, b.Cmp(x(), preds[r.IntN(len(preds))], x()))
			case 21:
				m = append(m, b.GtI(bits(), bits()))
			case 22:
				m = append(m, b.MaskAnd(mask(), mask()), b.MaskOr(mask(), mask()))
			case 23:
				m = append(m, b.MaskAndNot(mask(), mask()))
			default:
				v = append(v, b.Select(mask(), x(), x()))
			}
		}
		for j := range columns {
			b.Store(vec.After.Column(j), v[len(v)-1-j])
		}
		b.Bits(b.MaskAnd(m[len(m)-1], b.Cmp(v[len(v)-1], vec.GT, b.Load(vec.Lane.Column(0)))), vec.Fired)
	}}
}

// same compares bits; all NaN are the same, since operations on two of them may give either.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

func frame(seed uint64, lanes, steps int) *vec.Frame {
	r := rand.New(rand.NewPCG(seed, 2))
	fill := func(n int) []float64 {
		x := aligned(n)
		for i := range x {
			x[i] = r.NormFloat64() * math.Exp(2*r.NormFloat64())
		}
		return x
	}
	return &vec.Frame{
		Before: fill(columns * vec.FrameLanes), After: fill(columns * vec.FrameLanes), Lane: fill(columns * vec.FrameLanes),
		Input: fill(steps * vec.FrameLanes), Shared: fill(columns), Stride: vec.FrameLanes, Lanes: lanes, Steps: steps,
	}
}

// Machine code computes the bits of the interpreter: random programs, several steps, stops where lanes fire. Operations
// on bit patterns are given no NaN.
func TestSameBits(t *testing.T) {
	programs := 300
	if testing.Short() {
		programs = 50
	}
	for _, target := range targets(t) {
		for i := range programs {
			seed, size := uint64(i), 5+i*i%200
			p := randomProgram(seed, size)
			n := []int{1, 2, 4, 8}[i%4]
			c, err := Compile(p, target, n, vec.Tuning{})
			if err != nil {
				t.Fatal(err)
			}
			lanes := []int{64, 1, 37}[i%3]
			const steps = 3
			a, b := frame(seed, lanes, steps), frame(seed, lanes, steps)
			x, y := c.Executor(), p.Compile().Executor()
			stops := compareRuns(t, fmt.Sprintf("%s, program %d, %d vectors", target.Name, i, n), a, b, x, y)
			if stops < 0 {
				return
			}
		}
	}
}

// compareRuns runs both executors to the end; the interpreter stops once a step, machine code after each group of
// vectors.
func compareRuns(t *testing.T, what string, a, b *vec.Frame, x, y vec.Executor) (stops int) {
	fired := map[int]uint64{}
	for x.Run(a); a.Fired != 0; x.Run(a) {
		fired[a.Step] |= a.Fired
		stops++
	}
	for y.Run(b); b.Fired != 0; y.Run(b) {
		if b.Fired != fired[b.Step] {
			t.Errorf("%s: in step %d lanes %#x fire, want %#x", what, b.Step, fired[b.Step], b.Fired)
			return -1
		}
	}
	for j := range columns {
		for l := range a.Lanes {
			if i := j*vec.FrameLanes + l; !same(a.Before[i], b.Before[i]) {
				t.Errorf("%s: column %d, lane %d: %x, want %x", what, j, l, a.Before[i], b.Before[i])
				return -1
			}
		}
	}
	return stops
}

// The functions of package vec are the same bits too.
func TestFunctionsSameBits(t *testing.T) {
	for _, target := range targets(t) {
		p := &vec.Program{Name: "functions", Record: func(b *vec.Block) {
			x := b.Load(vec.Before.Column(0))
			s, c := b.SinCos(x)
			b.Store(vec.After.Column(0), b.Add(b.ExpAll(x), b.ExpRel(x)))
			b.Store(vec.After.Column(1), b.Add(b.Log(x), b.Tanh(x)))
			b.Store(vec.After.Column(2), b.Add(b.Cosh(x), b.Sinh(x)))
			b.Store(vec.After.Column(3), b.Add(s, c))
		}}
		c, err := Compile(p, target, 2, vec.Tuning{})
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(50) {
			compareRuns(t, target.Name, frame(seed, 64, 1), frame(seed, 64, 1), c.Executor(), p.Compile().Executor())
		}
	}
}

// recorder writes instructions as text beside their bytes.
type recorder struct {
	*assembly
	lines []string
}

func (r *recorder) Instruction(name string, operands ...vec.Operand) {
	from := len(r.bytes)
	r.instruction(name, operands)
	r.lines = append(r.lines, r.text(name, operands)+" | "+hex.EncodeToString(r.bytes[from:]))
}

// text is an instruction in Go's assembler.
func (r *recorder) text(name string, operands []vec.Operand) string {
	var words []string
	for _, o := range operands {
		switch o := o.(type) {
		case vec.Reg:
			letter := "Y"
			if o.IsMask() {
				letter = "K"
			} else if r.wide {
				letter = "Z"
			}
			words = append(words, fmt.Sprint(letter, o.Number()))
		case vec.Imm:
			words = append(words, fmt.Sprint("$", o))
		case vec.General:
			words = append(words, "CX")
		default:
			m, _ := r.memory(o)
			if _, ok := o.(vec.Broadcast); ok {
				name += ".BCST"
			}
			names := [...]string{6: "SI", 8: "R8", 9: "R9", 10: "R10", 11: "R11", 12: "R12", 13: "R13"}
			text := fmt.Sprintf("%d(%s)", m.disp, names[m.base])
			if m.indexed {
				text += "(AX*1)"
			}
			words = append(words, text)
		}
	}
	return name + " " + strings.Join(words, ", ")
}

// The encoder writes the bytes of Go's assembler.
func TestEncoding(t *testing.T) {
	for _, target := range []vec.Target{vec.AVX2, vec.AVX512} {
		r := &recorder{assembly: &assembly{target: target, at: map[uint64]int{}}}
		r.wide, r.place = target.HasMasks(), r.addressOf
		for seed := range uint64(25) {
			b := vec.NewBlock("encoding", vec.Context{Target: target})
			randomProgram(seed, 150).RecordVectors(b, 2)
			b.Emit(r)
		}
		var source strings.Builder
		source.WriteString("#include \"textflag.h\"\nTEXT ·f(SB), NOSPLIT, $0\n")
		seen := map[string]bool{}
		var want []string
		for _, l := range r.lines {
			text, code, _ := strings.Cut(l, " | ")
			if !seen[l] {
				seen[l] = true
				source.WriteString(text + "\n")
				want = append(want, code)
			}
		}
		got := assembled(t, source.String())
		if all := strings.Join(want, ""); got != all {
			at := 0
			for i, w := range want { // the first that differs
				if !strings.HasPrefix(got[at:], w) {
					t.Fatalf("%s: %s; Go's assembler: %s...", target.Name, strings.Split(source.String(), "\n")[i+2]+" "+w,
						got[at:min(at+24, len(got))])
				}
				at += len(w)
			}
		}
		t.Logf("%s: %d different instructions", target.Name, len(want))
	}
}

// assembled is what Go's assembler makes of a source, in hexadecimal digits.
func assembled(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "f_amd64.s")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "tool", "asm", "-p", "x", "-S", "-I",
		filepath.Join(strings.TrimSpace(string(root)), "pkg", "include"), "-o", filepath.Join(dir, "f.o"), path)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(out)) {
		if m := regexp.MustCompile(`^\t0x[0-9a-f]+ ((?:[0-9a-f]{2} )+)`).FindStringSubmatch(line); m != nil {
			digits.WriteString(strings.ReplaceAll(m[1], " ", ""))
		}
	}
	return strings.TrimSuffix(digits.String(), "c3")
}

// firstColumns lists the first columns of a lane before the current step, then after it.
func firstColumns(f *vec.Frame, columns, lane int) (all []float64) {
	for _, place := range [][]float64{f.Before, f.After} {
		for j := range columns {
			all = append(all, place[j*vec.FrameLanes+lane])
		}
	}
	return all
}

// A frame with a log gets the same lanes and bits as one without, whatever the room of the log, which keeps the columns
// of the lanes that fired.
func TestLog(t *testing.T) {
	const steps, lanes, keep = 7, 37, columns - 1
	for _, target := range targets(t) {
		for seed := range uint64(20) {
			p := randomProgram(seed, 40)
			p.Keep = keep
			c, err := Compile(p, target, 2, vec.Tuning{})
			if err != nil {
				t.Fatal(err)
			}
			stops := frame(seed, lanes, steps)
			var want [steps]uint64
			kept := map[vec.Firing][]float64{}
			for x := c.Executor(); ; {
				if x.Run(stops); stops.Fired == 0 {
					break
				}
				want[stops.Step] |= stops.Fired
				for l := range lanes {
					if stops.Fired>>l&1 != 0 {
						kept[vec.Firing{Step: stops.Step, Lane: l}] = firstColumns(stops, keep, l)
					}
				}
			}
			for _, room := range []int{vec.FrameLanes, 100, 1000} {
				for name, x := range map[string]vec.Executor{"machine code": c.Executor(), "plain Go": p.Compile().Executor()} {
					f := frame(seed, lanes, steps)
					f.Log, f.Kept = make([]vec.Firing, room), make([]float64, 2*keep*room)
					var got [steps]uint64
					for f.Step < steps {
						f.Logged = 0
						x.Run(f)
						for k, e := range f.Log[:f.Logged] {
							got[e.Step] |= 1 << e.Lane
							if k := f.Kept[2*keep*k:][:2*keep]; !slices.EqualFunc(k, kept[e], same) {
								t.Fatalf("%s, program %d, room %d, %s, %v: %x, want %x", target.Name, seed, room, name, e, k, kept[e])
							}
						}
					}
					if got != want {
						t.Errorf("%s, program %d, room %d, %s: %#x, want %#x", target.Name, seed, room, name, got, want)
					}
					for i, v := range stops.Before {
						if i%vec.FrameLanes < lanes && !same(f.Before[i], v) {
							t.Fatalf("%s, program %d, room %d, %s: value %d: %x, want %x", target.Name, seed, room, name, i,
								f.Before[i], v)
						}
					}
				}
			}
		}
	}
}
