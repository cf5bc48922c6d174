package kernels

import (
	"fmt"
	"math"
	"math/bits"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"popsim/kernels/asm"
)

// Where the processor has no AVX-512, its kernels are read as text, from the files that the assembler gets, and
// interpreted: slow, but every lane of every operation is there. So a change on such a machine is proved for both
// widths; only the assembler is not tested.

// interpreted makes a step out of the assembly text of f.
func interpreted(t testing.TB, f step) step {
	if f == nil {
		return nil
	}
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	name = name[strings.LastIndex(name, ".")+1:]
	p, err := readProgram(name)
	if err != nil {
		t.Fatal(err)
	}
	return func(b *asm.Block) {
		p.run(uint64(uintptr(unsafe.Pointer(b))))
		runtime.KeepAlive(b)
	}
}

// A program is one assembly function, an instruction at each place.
type program struct {
	name   string
	code   []func(m *machine)
	labels map[string]int
	consts map[string]*[]uint64
	frame  int
}

// A machine is the registers that kernels use.
type machine struct {
	p               *program
	z               [32][8]uint64
	k               [8]uint16  // instructions on bytes leave the upper half 0
	r               [18]uint64 // general registers, then SP and FP
	zero, sign      bool
	overflow, carry bool
	next            int
}

var generalRegisters = strings.Fields("AX BX CX DX SI DI BP R8 R9 R10 R11 R12 R13 R14 R15 R16 SP FP")

const (
	regCX = 2
	regSP = 16
	regFP = 17
)

func (p *program) run(block uint64) {
	stack := make([]uint64, p.frame/8+8)
	args := [1]uint64{block}
	m := &machine{p: p}
	m.r[regSP], m.r[regFP] = uint64(uintptr(unsafe.Pointer(&stack[0]))), uint64(uintptr(unsafe.Pointer(&args[0])))
	for m.next < len(p.code) {
		m.next++
		p.code[m.next-1](m)
	}
	runtime.KeepAlive(&args)
	runtime.KeepAlive(stack)
}

// readProgram finds the function in the files of package asm.
func readProgram(name string) (*program, error) {
	files, err := os.ReadDir("asm")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "_amd64.s") {
			continue
		}
		text, err := os.ReadFile("asm/" + f.Name())
		if err != nil {
			return nil, err
		}
		if at := strings.Index(string(text), "TEXT ·"+name+"(SB)"); at >= 0 {
			return assemble(name, string(text), at)
		}
	}
	return nil, fmt.Errorf("no assembly for %s", name)
}

func assemble(name, text string, at int) (p *program, err error) {
	p = &program{name: name, labels: map[string]int{}, consts: map[string]*[]uint64{}}
	for line := range strings.Lines(text) {
		if f := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" <>+(/,$\n", r) }); len(f) == 6 &&
			f[0] == "DATA" {
			x, err := strconv.ParseUint(f[5], 0, 64) // DATA table<>+8(SB)/8, $0x1
			if err != nil {
				return nil, err
			}
			if p.consts[f[1]] == nil {
				p.consts[f[1]] = new([]uint64)
			}
			*p.consts[f[1]] = append(*p.consts[f[1]], x)
		}
	}
	body := text[at:]
	if end := strings.Index(body[1:], "\nTEXT "); end >= 0 {
		body = body[:end+1]
	}
	var lines [][]string
	for i, line := range strings.Split(body, "\n") {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "//")
		switch {
		case i == 0:
			size, _, _ := strings.Cut(line[strings.Index(line, "$")+1:], "-")
			if p.frame, err = strconv.Atoi(size); err != nil {
				return nil, err
			}
		case line == "" || line[0] == '#' || strings.HasPrefix(line, "DATA") || strings.HasPrefix(line, "GLOBL"):
		case strings.HasSuffix(line, ":"):
			p.labels[strings.TrimSuffix(line, ":")] = len(lines)
		default:
			op, rest, _ := strings.Cut(line, " ")
			words := []string{op}
			for w := range strings.SplitSeq(rest, ",") {
				if w = strings.TrimSpace(w); w != "" {
					words = append(words, w)
				}
			}
			lines = append(lines, words)
		}
	}
	for _, words := range lines {
		f, err := p.instruction(words[0], words[1:])
		if err != nil {
			return nil, fmt.Errorf("%s: %s %s: %w", name, words[0], strings.Join(words[1:], ", "), err)
		}
		p.code = append(p.code, f)
	}
	return p, nil
}

// An operand is a register, an immediate, or an address: disp + base + scale·index.
type operand struct {
	kind        byte // 'z', 'k', 'r', 'i', 'm'
	n           int  // of the register
	disp        uint64
	base, index int // general registers, -1 for none
	scale       uint64
	broadcast   bool
}

func (p *program) operand(s string) (o operand, err error) {
	o.base, o.index = -1, -1
	if n, err := strconv.Atoi(s[1:]); err == nil && (s[0] == 'Z' || s[0] == 'K') {
		return operand{kind: s[0] | 0x20, n: n}, nil
	}
	if n := general(s); n >= 0 {
		return operand{kind: 'r', n: n}, nil
	}
	if s[0] == '$' {
		x, err := strconv.ParseInt(strings.TrimPrefix(s[1:], "+"), 0, 64)
		return operand{kind: 'i', disp: uint64(x)}, err
	}
	o.kind = 'm'
	at, in, _ := strings.Cut(s, "(")
	if name, disp, ok := strings.Cut(at, "<>+"); ok {
		table := p.consts[name]
		if table == nil {
			return o, fmt.Errorf("no table %s", name)
		}
		d, err := strconv.ParseUint(disp, 0, 64)
		o.disp = d + uint64(uintptr(unsafe.Pointer(unsafe.SliceData(*table))))
		return o, err
	}
	if _, disp, ok := strings.Cut(at, "+"); ok { // an argument
		at = disp
	}
	if at != "" {
		d, err := strconv.ParseInt(at, 0, 64)
		if err != nil {
			return o, err
		}
		o.disp = uint64(d)
	}
	base, index, ok := strings.Cut(strings.TrimSuffix(in, ")"), ")(")
	if o.base = general(base); o.base < 0 {
		return o, fmt.Errorf("no register %q", base)
	}
	if ok {
		reg, scale, _ := strings.Cut(index, "*")
		o.index = general(reg)
		if o.scale, err = strconv.ParseUint(scale, 0, 64); err != nil || o.index < 0 {
			return o, fmt.Errorf("no index %q", index)
		}
	}
	return o, nil
}

func general(s string) int {
	for i, r := range generalRegisters {
		if r == s {
			return i
		}
	}
	return -1
}

func (m *machine) address(o operand) uint64 {
	a := o.disp
	if o.base >= 0 {
		a += m.r[o.base]
	}
	if o.index >= 0 {
		a += o.scale * m.r[o.index]
	}
	return a
}

// pointer is memory at an address that the kernel was given, so that it is alive.
func pointer[T any](a uint64) *T { return *(**T)(unsafe.Pointer(&a)) }

func (m *machine) vector(o operand) *[8]uint64 {
	switch {
	case o.kind == 'z':
		return &m.z[o.n]
	case o.broadcast:
		x := *pointer[uint64](m.address(o))
		return &[8]uint64{x, x, x, x, x, x, x, x}
	}
	return pointer[[8]uint64](m.address(o))
}

func (m *machine) get(o operand) uint64 {
	switch o.kind {
	case 'r':
		return m.r[o.n]
	case 'i':
		return o.disp
	case 'k':
		return uint64(m.k[o.n])
	}
	return *pointer[uint64](m.address(o))
}

func (m *machine) set(o operand, x uint64) {
	switch o.kind {
	case 'r':
		m.r[o.n] = x
	case 'k':
		m.k[o.n] = uint16(x)
	default:
		*pointer[uint64](m.address(o)) = x
	}
}

// result sets the flags of x; carry and overflow are the caller's.
func (m *machine) result(x uint64, carry, overflow bool) uint64 {
	m.zero, m.sign, m.carry, m.overflow = x == 0, int64(x) < 0, carry, overflow
	return x
}

func (m *machine) add(x, y, carry uint64) uint64 {
	s, c := bits.Add64(x, y, carry)
	return m.result(s, c != 0, int64((x^s)&(y^s)) < 0)
}

func (m *machine) sub(x, y uint64) uint64 {
	d, c := bits.Sub64(x, y, 0)
	return m.result(d, c != 0, int64((x^y)&(x^d)) < 0)
}

var jumps = map[string]func(m *machine) bool{
	"JMP": func(*machine) bool { return true },
	"JE":  func(m *machine) bool { return m.zero }, "JEQ": func(m *machine) bool { return m.zero },
	"JZ":  func(m *machine) bool { return m.zero },
	"JNE": func(m *machine) bool { return !m.zero }, "JNZ": func(m *machine) bool { return !m.zero },
	"JLT": func(m *machine) bool { return m.sign != m.overflow },
	"JGE": func(m *machine) bool { return m.sign == m.overflow },
	"JLE": func(m *machine) bool { return m.zero || m.sign != m.overflow },
	"JGT": func(m *machine) bool { return !m.zero && m.sign == m.overflow },
	"JLO": func(m *machine) bool { return m.carry }, "JHS": func(m *machine) bool { return !m.carry },
}

// lanewise lists operations on two sources, in Intel's order.
var lanewise = map[string]func(x, y uint64) uint64{
	"VADDPD": floats(func(x, y float64) float64 { return x + y }),
	"VSUBPD": floats(func(x, y float64) float64 { return x - y }),
	"VMULPD": floats(func(x, y float64) float64 { return x * y }),
	"VDIVPD": floats(func(x, y float64) float64 { return x / y }),
	"VMINPD": floats(func(x, y float64) float64 {
		if x < y {
			return x
		}
		return y
	}),
	"VMAXPD": floats(func(x, y float64) float64 {
		if x > y {
			return x
		}
		return y
	}),
	"VANDPD": func(x, y uint64) uint64 { return x & y }, "VANDNPD": func(x, y uint64) uint64 { return y &^ x },
	"VORPD": func(x, y uint64) uint64 { return x | y }, "VXORPD": func(x, y uint64) uint64 { return x ^ y },
	"VPADDQ": func(x, y uint64) uint64 { return x + y }, "VPSUBQ": func(x, y uint64) uint64 { return x - y },
}

func floats(f func(x, y float64) float64) func(x, y uint64) uint64 {
	return func(x, y uint64) uint64 {
		return math.Float64bits(f(math.Float64frombits(x), math.Float64frombits(y)))
	}
}

var predicates = map[uint64]func(x, y float64) bool{
	0x00: func(x, y float64) bool { return x == y }, 0x11: func(x, y float64) bool { return x < y },
	0x12: func(x, y float64) bool { return x <= y }, 0x1d: func(x, y float64) bool { return x >= y },
	0x1e: func(x, y float64) bool { return x > y }, 0x04: func(x, y float64) bool { return x != y },
	0x15: func(x, y float64) bool { return !(x < y) }, 0x16: func(x, y float64) bool { return !(x <= y) },
	0x19: func(x, y float64) bool { return !(x >= y) }, 0x1a: func(x, y float64) bool { return !(x > y) },
}

// scalar lists what general registers do with a source and a destination.
var scalar = map[string]func(m *machine, src, dst uint64) uint64{
	"ADDQ": func(m *machine, s, d uint64) uint64 { return m.add(d, s, 0) },
	"ADCQ": func(m *machine, s, d uint64) uint64 {
		c := uint64(0)
		if m.carry {
			c = 1
		}
		return m.add(d, s, c)
	},
	"SUBQ":   func(m *machine, s, d uint64) uint64 { return m.sub(d, s) },
	"ANDQ":   func(m *machine, s, d uint64) uint64 { return m.result(d&s, false, false) },
	"ORQ":    func(m *machine, s, d uint64) uint64 { return m.result(d|s, false, false) },
	"XORQ":   func(m *machine, s, d uint64) uint64 { return m.result(d^s, false, false) },
	"SHLQ":   func(m *machine, s, d uint64) uint64 { return d << (s & 63) },
	"SHRQ":   func(m *machine, s, d uint64) uint64 { return d >> (s & 63) },
	"IMULQ":  func(m *machine, s, d uint64) uint64 { return d * s },
	"MOVQ":   func(_ *machine, s, _ uint64) uint64 { return s },
	"TZCNTQ": func(_ *machine, s, _ uint64) uint64 { return uint64(bits.TrailingZeros64(s)) },
	"BLSRQ":  func(m *machine, s, _ uint64) uint64 { return m.result(s&(s-1), s == 0, false) },
	"POPCNTQ": func(m *machine, s, _ uint64) uint64 {
		return m.result(uint64(bits.OnesCount64(s)), false, false)
	},
}

// instruction makes one instruction, whose operands are in Go's order, executable.
func (p *program) instruction(op string, words []string) (func(m *machine), error) {
	if jump, ok := jumps[op]; ok {
		to, ok := p.labels[words[0]]
		if !ok {
			return nil, fmt.Errorf("no label")
		}
		return func(m *machine) {
			if jump(m) {
				m.next = to
			}
		}, nil
	}
	op, broadcast := strings.CutSuffix(op, ".BCST")
	args := make([]operand, len(words))
	for i, w := range words {
		if w == "CL" && (op == "SHLQ" || op == "SHRQ") {
			w = "CX"
		}
		o, err := p.operand(w)
		if err != nil {
			return nil, err
		}
		o.broadcast = broadcast
		args[i] = o
	}
	switch op {
	case "RET":
		return func(m *machine) { m.next = len(m.p.code) }, nil
	case "VZEROUPPER":
		return func(*machine) {}, nil
	case "PREFETCHT0", "PCALIGN":
		return func(*machine) {}, nil
	case "LEAQ":
		return func(m *machine) { m.r[args[1].n] = m.address(args[0]) }, nil
	case "CMPQ":
		return func(m *machine) { m.sub(m.get(args[0]), m.get(args[1])) }, nil
	case "TESTQ":
		return func(m *machine) { m.result(m.get(args[0])&m.get(args[1]), false, false) }, nil
	case "INCQ", "DECQ": // these leave the carry alone
		by := map[string]uint64{"INCQ": 1, "DECQ": ^uint64(0)}[op]
		return func(m *machine) {
			c := m.carry
			m.set(args[0], m.add(m.get(args[0]), by, 0))
			m.carry = c
		}, nil
	case "NOTQ":
		return func(m *machine) { m.set(args[0], ^m.get(args[0])) }, nil
	case "NEGQ":
		return func(m *machine) { m.set(args[0], m.sub(0, m.get(args[0]))) }, nil
	case "MOVBQZX":
		return func(m *machine) { m.set(args[1], uint64(uint8(m.get(args[0])))) }, nil
	case "MOVWQZX":
		return func(m *machine) { m.set(args[1], uint64(uint16(m.get(args[0])))) }, nil
	case "MOVL":
		return func(m *machine) {
			if args[1].kind == 'm' {
				*pointer[uint32](m.address(args[1])) = uint32(m.get(args[0]))
				return
			}
			m.r[args[1].n] = uint64(uint32(m.get(args[0])))
		}, nil
	case "KMOVB":
		return func(m *machine) {
			if args[1].kind == 'm' {
				*pointer[uint8](m.address(args[1])) = uint8(m.get(args[0]))
				return
			}
			m.set(args[1], uint64(uint8(m.get(args[0]))))
		}, nil
	case "KMOVW":
		return func(m *machine) { m.set(args[1], uint64(uint16(m.get(args[0])))) }, nil
	case "KUNPCKBW":
		return func(m *machine) { m.k[args[2].n] = m.k[args[1].n]<<8 | m.k[args[0].n]&0xff }, nil
	case "KORTESTB":
		return func(m *machine) { x := m.k[args[0].n] | m.k[args[1].n]; m.result(uint64(x), x == 0xff, false) }, nil
	case "KANDB":
		return func(m *machine) { m.k[args[2].n] = m.k[args[1].n] & m.k[args[0].n] }, nil
	case "KANDNB":
		return func(m *machine) { m.k[args[2].n] = m.k[args[0].n] &^ m.k[args[1].n] }, nil
	case "KORB":
		return func(m *machine) { m.k[args[2].n] = m.k[args[1].n] | m.k[args[0].n] }, nil
	case "VCMPPD":
		holds := predicates[args[0].disp]
		if holds == nil {
			return nil, fmt.Errorf("no predicate")
		}
		return m8(
			args[3],
			args[2],
			args[1],
			func(x, y uint64) bool { return holds(math.Float64frombits(x), math.Float64frombits(y)) },
		), nil
	case "VPCMPGTQ":
		return m8(args[2], args[1], args[0], func(x, y uint64) bool { return int64(x) > int64(y) }), nil
	case "VMOVUPD", "VMOVAPD":
		return func(m *machine) { *m.vector(args[1]) = *m.vector(args[0]) }, nil
	case "VBROADCASTSD":
		args[0].broadcast = true
		return func(m *machine) { m.z[args[1].n] = *m.vector(args[0]) }, nil
	case "VBLENDMPD":
		return func(m *machine) {
			x, y := m.vector(args[0]), *m.vector(args[1])
			for l := range y {
				if m.k[args[2].n]>>l&1 != 0 {
					y[l] = x[l]
				}
			}
			m.z[args[3].n] = y
		}, nil
	case "VPCOMPRESSQ.Z":
		return func(m *machine) {
			x, n := *m.vector(args[0]), 0
			out := &m.z[args[2].n]
			*out = [8]uint64{}
			for l := range x {
				if m.k[args[1].n]>>l&1 != 0 {
					out[n] = x[l]
					n++
				}
			}
		}, nil
	case "VPEXPANDD.Z":
		return func(m *machine) {
			x, n := *m.vector(args[0]), 0
			var out [8]uint64
			for l := range 16 {
				if m.k[args[1].n]>>l&1 != 0 {
					out[l/2] |= x[n/2] >> (n % 2 * 32) << 32 >> (32 - l%2*32)
					n++
				}
			}
			m.z[args[2].n] = out
		}, nil
	case "VPMOVDB":
		return func(m *machine) {
			to := pointer[[16]uint8](m.address(args[1]))
			for l := range to {
				to[l] = uint8(m.vector(args[0])[l/2] >> (l % 2 * 32))
			}
		}, nil
	case "VPMOVZXBQ":
		return func(m *machine) {
			for l, x := range pointer[[8]uint8](m.address(args[0])) {
				m.z[args[1].n][l] = uint64(x)
			}
		}, nil
	case "VPERMPD":
		return func(m *machine) {
			x, index := *m.vector(args[0]), *m.vector(args[1])
			for l, i := range index {
				if m.k[args[2].n]>>l&1 != 0 {
					m.z[args[3].n][l] = x[i&7]
				}
			}
		}, nil
	case "VPERMT2PD":
		return func(m *machine) {
			second, index, first := *m.vector(args[0]), *m.vector(args[1]), m.z[args[2].n]
			for l, i := range index {
				m.z[args[2].n][l] = append(first[:8:8], second[:]...)[i&15]
			}
		}, nil
	case "VPSLLQ":
		return v8(args[1:], func(m *machine, d, l int) uint64 { return m.vector(args[1])[l] << args[0].disp }), nil
	case "VPSRLQ":
		return v8(args[1:], func(m *machine, d, l int) uint64 { return m.vector(args[1])[l] >> args[0].disp }), nil
	case "VSQRTPD":
		return v8(args, func(m *machine, d, l int) uint64 {
			return math.Float64bits(math.Sqrt(math.Float64frombits(m.vector(args[0])[l])))
		}), nil
	}
	if f := scalar[op]; f != nil && len(args) == 2 {
		return func(m *machine) { m.set(args[1], f(m, m.get(args[0]), m.get(args[1]))) }, nil
	}
	if f := lanewise[op]; f != nil {
		return v8(args, func(m *machine, d, l int) uint64 { return f(m.vector(args[1])[l], m.vector(args[0])[l]) }), nil
	}
	for _, name := range []string{"VFMADD", "VFNMADD", "VFMSUB"} {
		form, ok := strings.CutPrefix(op, name)
		if !ok {
			continue
		}
		var x, y, z int // which of the sources: 0 and 1, or 2 for the destination
		switch form {
		case "132PD":
			x, y, z = 2, 0, 1
		case "213PD":
			x, y, z = 1, 2, 0
		case "231PD":
			x, y, z = 1, 0, 2
		default:
			continue
		}
		return v8(args, func(m *machine, d, l int) uint64 {
			at := func(i int) float64 {
				if i == 2 {
					return math.Float64frombits(m.z[d][l])
				}
				return math.Float64frombits(m.vector(args[i])[l])
			}
			a, b, c := at(x), at(y), at(z)
			switch name {
			case "VFNMADD":
				a = -a
			case "VFMSUB":
				c = -c
			}
			return math.Float64bits(math.FMA(a, b, c))
		}), nil
	}
	return nil, fmt.Errorf("unknown instruction")
}

// m8 compares lane by lane into a mask.
func m8(k, x, y operand, holds func(x, y uint64) bool) func(m *machine) {
	return func(m *machine) {
		a, b := m.vector(x), m.vector(y)
		set := uint16(0)
		for l := range a {
			if holds(a[l], b[l]) {
				set |= 1 << l
			}
		}
		m.k[k.n] = set
	}
}

// v8 computes lane by lane what f gives for lane l and destination d; lanes outside of a mask before the destination
// keep their values.
func v8(args []operand, f func(m *machine, d, l int) uint64) func(m *machine) {
	d, mask := args[len(args)-1].n, args[len(args)-2]
	return func(m *machine) {
		out := m.z[d]
		for l := range out {
			if mask.kind != 'k' || m.k[mask.n]>>l&1 != 0 {
				out[l] = f(m, d, l)
			}
		}
		m.z[d] = out
	}
}
