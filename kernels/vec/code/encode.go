package code

import (
	"fmt"

	"popsim/kernels/vec"
)

// register is a general register by its number in the processor's encoding.
type register byte

const (
	rax register = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
	r8
	r9
	r10
	r11
	r12
	r13
	_
	r15
)

// address is [base + index + disp].
type address struct {
	base    register
	indexed bool // by rax, the lane's offset in a column
	disp    int
}

// form is the encoding of an instruction: Intel's VEX.pp.map.W opcode, with the W of EVEX.
type form struct {
	pp, opmap, opcode byte
	vexW              byte // W of the VEX form
	evexW             byte
	ext               int8 // extension of the opcode in the reg field, -1: none; the destination is then in vvvv
	unary             bool // one source
}

const (
	map0F   = 1
	map0F38 = 2
	map0F3A = 3
	pp66    = 1
)

// forms are the instructions on vectors that have VEX and EVEX forms alike.
var forms = map[string]form{
	"VADDPD": arithmetic(0x58), "VMULPD": arithmetic(0x59), "VSUBPD": arithmetic(0x5c), "VMINPD": arithmetic(0x5d),
	"VDIVPD": arithmetic(0x5e), "VMAXPD": arithmetic(0x5f), "VANDPD": arithmetic(0x54), "VANDNPD": arithmetic(0x55),
	"VORPD": arithmetic(0x56), "VXORPD": arithmetic(0x57), "VPADDQ": arithmetic(0xd4), "VPSUBQ": arithmetic(0xfb),
	"VSQRTPD":     {pp: pp66, opmap: map0F, opcode: 0x51, evexW: 1, ext: -1, unary: true},
	"VPSLLQ":      {pp: pp66, opmap: map0F, opcode: 0x73, evexW: 1, ext: 6},
	"VPSRLQ":      {pp: pp66, opmap: map0F, opcode: 0x73, evexW: 1, ext: 2},
	"VFMADD132PD": fma(0x98), "VFMADD213PD": fma(0xa8), "VFMADD231PD": fma(0xb8),
	"VFMSUB132PD": fma(0x9a), "VFMSUB213PD": fma(0xaa), "VFMSUB231PD": fma(0xba),
	"VFNMADD132PD": fma(0x9c), "VFNMADD213PD": fma(0xac), "VFNMADD231PD": fma(0xbc),
	"VMOVUPD": moves(0x10), "VMOVAPD": moves(0x28),
	"VBROADCASTSD": {pp: pp66, opmap: map0F38, opcode: 0x19, evexW: 1, ext: -1, unary: true},
	"VCMPPD":       arithmetic(0xc2), "VPCMPGTQ": {pp: pp66, opmap: map0F38, opcode: 0x37, evexW: 1, ext: -1},
	"VBLENDMPD": {pp: pp66, opmap: map0F38, opcode: 0x65, evexW: 1, ext: -1},
	"VBLENDVPD": {pp: pp66, opmap: map0F3A, opcode: 0x4b, ext: -1},
	"VMOVMSKPD": moves(0x50),
}

func arithmetic(opcode byte) form {
	return form{pp: pp66, opmap: map0F, opcode: opcode, evexW: 1, ext: -1}
}

func fma(opcode byte) form {
	return form{pp: pp66, opmap: map0F38, opcode: opcode, vexW: 1, evexW: 1, ext: -1}
}

func moves(opcode byte) form {
	return form{pp: pp66, opmap: map0F, opcode: opcode, evexW: 1, ext: -1, unary: true}
}

// masks are the instructions on two mask registers, VEX.L1.0F.W0, by opcode; KORTESTB is not among them.
var masks = map[string]byte{"KANDB": 0x41, "KANDNB": 0x42, "KORB": 0x45, "KXORB": 0x47}

// An encoder appends machine code for one instruction set.
type encoder struct {
	bytes []byte
	wide  bool // AVX-512: EVEX and 64 bytes; else VEX and 32
	place func(m vec.Mem) address
}

func (e *encoder) put(b ...byte) { e.bytes = append(e.bytes, b...) }

func (e *encoder) put32(x int) { e.put(byte(x), byte(x>>8), byte(x>>16), byte(x>>24)) }

// instruction encodes an instruction by its name in Go's assembler, with the operands in Go's order. Names and operands
// are those that vec.Block emits.
func (e *encoder) instruction(name string, operands []vec.Operand) {
	n := len(operands)
	if opcode, ok := masks[name]; ok {
		y, x, d := operands[0].(vec.Reg), operands[1].(vec.Reg), operands[2].(vec.Reg)
		e.vex(form{pp: pp66, opmap: map0F, opcode: opcode}, true, d.Number(), x.Number(), y, 0)
		return
	}
	if name == "KMOVB" {
		e.moveMask(operands[0], operands[1])
		return
	}
	f, ok := forms[name]
	if !ok {
		panic("bug: code: no encoding of " + name)
	}
	if m, isMem := operands[n-1].(vec.Mem); isMem { // a store
		f.opcode++
		e.vector(f, operands[0].(vec.Reg).Number(), 0, m, 0, nil)
		return
	}
	if g, isGeneral := operands[n-1].(vec.General); isGeneral {
		e.vector(f, int(generalOf(g)), 0, operands[0], 0, nil)
		return
	}
	dst := operands[n-1].(vec.Reg)
	if name == "VMOVAPD" { // Go's assembler takes the form of a store
		f.opcode++
		e.vector(f, operands[0].(vec.Reg).Number(), 0, dst, 0, nil)
		return
	}
	sources := operands[:n-1]
	mask := 0
	var immediate []byte
	if name == "VBLENDVPD" { // the mask is a vector, in an immediate
		immediate = []byte{byte(sources[0].(vec.Reg).Number()) << 4}
		sources = sources[1:]
	} else if k, isReg := sources[len(sources)-1].(vec.Reg); isReg && k.IsMask() {
		mask, sources = k.Number(), sources[:len(sources)-1]
	}
	if imm, isImm := sources[0].(vec.Imm); isImm {
		immediate, sources = []byte{byte(imm)}, sources[1:]
	}
	switch {
	case f.ext >= 0:
		e.vector(f, int(f.ext), dst.Number(), sources[0], mask, immediate)
	case f.unary:
		e.vector(f, dst.Number(), 0, sources[0], mask, immediate)
	default:
		e.vector(f, dst.Number(), sources[1].(vec.Reg).Number(), sources[0], mask, immediate)
	}
}

// generalOf is the register that Bits of any vector writes to, from which collect reads it.
func generalOf(vec.General) register { return rcx }

func (e *encoder) moveMask(from, to vec.Operand) {
	f := form{opmap: map0F, opcode: 0x90}
	switch to := to.(type) {
	case vec.General:
		f.pp, f.opcode = pp66, 0x93
		e.vex(f, false, int(generalOf(to)), 0, from, 0)
	case vec.Mem:
		f.pp, f.opcode = pp66, 0x91
		e.vex(f, false, from.(vec.Reg).Number(), 0, to, 0)
	case vec.Reg:
		f.pp = pp66
		e.vex(f, false, to.Number(), 0, from, 0)
	default:
		panic(fmt.Sprintf("bug: code: KMOVB to %T", to))
	}
}

// vector encodes an instruction on vectors: reg and vvvv are registers, rm a register or memory.
func (e *encoder) vector(f form, reg, vvvv int, rm vec.Operand, mask int, immediate []byte) {
	if e.wide {
		e.evex(f, reg, vvvv, rm, mask)
	} else {
		e.vex(f, true, reg, vvvv, rm, f.vexW)
	}
	e.put(immediate...)
}

// vex encodes the VEX form; long is its L.
func (e *encoder) vex(f form, long bool, reg, vvvv int, rm vec.Operand, w byte) {
	m, isMem := e.memory(rm)
	var b, x byte = 1, 1 // inverted high bits
	if isMem {
		b = byte(^m.base>>3) & 1
	} else {
		b = byte(^rm.(vec.Reg).Number()>>3) & 1
	}
	r := byte(^reg>>3) & 1
	l := byte(0)
	if long {
		l = 1
	}
	last := byte(^vvvv&15)<<3 | l<<2 | f.pp
	if b == 1 && w == 0 && f.opmap == map0F { // the short form
		e.put(0xc5, r<<7|last, f.opcode)
	} else {
		e.put(0xc4, r<<7|x<<6|b<<5|f.opmap, w<<7|last, f.opcode)
	}
	e.modRM(reg, rm, m, isMem, 1)
}

// evex encodes the EVEX form for vectors of 64 bytes.
func (e *encoder) evex(f form, reg, vvvv int, rm vec.Operand, mask int) {
	m, isMem := e.memory(rm)
	_, broadcast := rm.(vec.Broadcast)
	var b, x byte = 1, 1
	scale := 64
	switch {
	case isMem:
		b = byte(^m.base>>3) & 1
		if broadcast || f.opcode == 0x19 && f.opmap == map0F38 {
			scale = 8
		}
	default:
		n := rm.(vec.Reg).Number()
		b, x = byte(^n>>3)&1, byte(^n>>4)&1
	}
	p0 := byte(^reg>>3&1)<<7 | x<<6 | b<<5 | byte(^reg>>4&1)<<4 | f.opmap
	p1 := f.evexW<<7 | byte(^vvvv&15)<<3 | 1<<2 | f.pp
	p2 := byte(2)<<5 | byte(^vvvv>>4&1)<<3 | byte(mask)
	if broadcast {
		p2 |= 1 << 4
	}
	e.put(0x62, p0, p1, p2, f.opcode)
	e.modRM(reg, rm, m, isMem, scale)
}

// memory is the address of an operand in memory.
func (e *encoder) memory(o vec.Operand) (a address, ok bool) {
	switch o := o.(type) {
	case vec.Mem:
		return e.place(o), true
	case vec.Broadcast:
		return e.place(o.Mem), true
	}
	return a, false
}

// modRM encodes the operands after an opcode. A displacement of one byte counts in units of scale.
func (e *encoder) modRM(reg int, rm vec.Operand, m address, isMem bool, scale int) {
	field := byte(reg&7) << 3
	if !isMem {
		e.put(0xc0 | field | byte(rm.(vec.Reg).Number()&7))
		return
	}
	short := m.disp%scale == 0 && m.disp/scale >= -128 && m.disp/scale <= 127
	mod := byte(2)
	switch {
	case m.disp == 0 && m.base&7 != rbp:
		mod = 0
	case short:
		mod = 1
	}
	switch {
	case m.indexed: // SIB: base + rax
		e.put(mod<<6|field|4, byte(m.base&7))
	case m.base&7 == rsp: // r12 needs a SIB without index
		e.put(mod<<6|field|4, 0x20|byte(m.base&7))
	default:
		e.put(mod<<6 | field | byte(m.base&7))
	}
	switch mod {
	case 1:
		e.put(byte(m.disp / scale))
	case 2:
		e.put32(m.disp)
	}
}
