package code

import (
	"math"

	"popsim/kernels/vec"
)

// assembly collects the machine code of a program. Registers: rdi the arguments, rsi before, r8 after, r9 lane, r10
// input, r11 shared, r12 constants, r13 spilled values, rax the offset of the first lane in a column, rbx the fired
// lanes of the current vectors, rdx the end of the log, r15 that of the kept columns, rcx scratch.
type assembly struct {
	encoder
	target vec.Target
	pool   []float64
	at     map[uint64]int // place of a constant in the pool, bytes
	slots  int
}

type (
	constantBase struct{}
	spillBase    struct{}
)

// Instruction, Constant and Slot are those of vec.Emitter.
func (a *assembly) Instruction(name string, operands ...vec.Operand) {
	a.instruction(name, operands)
	if g, ok := operands[len(operands)-1].(vec.General); ok {
		a.collect(int(g.Reg.(vec.FiredVector)))
	}
}

// Constant: AVX-512 broadcasts operands, AVX2 reads whole vectors.
func (a *assembly) Constant(bits uint64) (m vec.Mem, one bool) {
	one = a.target.HasMasks()
	at, ok := a.at[bits]
	if !ok {
		at = 8 * len(a.pool)
		a.at[bits] = at
		n := a.target.Lanes
		if one {
			n = 1
		}
		for range n {
			a.pool = append(a.pool, math.Float64frombits(bits))
		}
	}
	return vec.Mem{Base: constantBase{}, Disp: at}, one
}

// Slot is the place of a spilled value.
func (a *assembly) Slot(i int) vec.Mem {
	a.slots = max(a.slots, i+1)
	return vec.Mem{Base: spillBase{}, Disp: i * a.target.Bytes()}
}

func (a *assembly) addressOf(m vec.Mem) address {
	switch m.Base {
	case constantBase{}:
		return address{base: r12, disp: m.Disp}
	case spillBase{}:
		return address{base: r13, disp: m.Disp}
	case vec.Shared:
		return address{base: r11, disp: m.Disp}
	}
	base := map[any]register{vec.Before: rsi, vec.After: r8, vec.Lane: r9, vec.Input: r10}[m.Base]
	return address{base: base, indexed: true, disp: m.Disp}
}

// assemble writes the code of a call: loops over steps and vectors around the program.
func assemble(p *vec.Program, target vec.Target, n int, tune vec.Tuning) *assembly {
	a := &assembly{target: target, at: map[uint64]int{}}
	a.wide, a.place = target.HasMasks(), a.addressOf
	for _, x := range []struct {
		to   register
		from int
	}{
		{rsi, atBefore},
		{r8, atAfter},
		{r9, atLane},
		{r10, atInput},
		{r11, atShared},
		{r12, atConsts},
		{r13, atSpill},
		{rax, atAt},
		{rdx, atLog},
		{r15, atKept},
	} {
		a.load(x.to, x.from)
	}
	a.put(0xe9, 0, 0, 0, 0) // jmp to the test of the lanes
	entry := len(a.bytes)
	step := len(a.bytes)
	a.put(0x31, 0xc0) // xor eax, eax
	body := len(a.bytes)
	a.put(0x31, 0xdb) // xor ebx, ebx
	b := vec.NewBlock(p.Name, vec.Context{Target: target, Tune: tune})
	p.RecordVectors(b, n)
	b.Emit(a)
	a.put(0x48, 0x05) // add rax, n vectors
	a.put32(n * target.Bytes())
	a.put(0x48, 0x85, 0xdb) // test rbx, rbx
	fired := a.jump(0x85)   // jnz
	a.bind(entry)
	lanes := len(a.bytes)
	a.put(0x48, 0x3b, 0x47, atLanes)  // cmp rax, lanes
	a.jumpBack(0x8c, body)            // jl
	a.put(0x4c, 0x87, 0xc6)           // xchg rsi, r8
	a.put(0x4c, 0x03, 0x57, atStride) // add r10, stride
	a.put(0x48, 0xff, 0x4f, atSteps)  // dec steps
	a.jumpBack(0x85, step)            // jnz
	exit := len(a.bytes)
	a.put(0x48, 0x2b, 0x57, atLog)    // sub rdx, log
	a.put(0x48, 0x89, 0x57, atLogged) // mov logged, rdx
	a.put(0x48, 0x89, 0x47, atAt)     // mov at, rax
	a.put(0xc5, 0xf8, 0x77, 0xc3)     // vzeroupper; ret
	a.bind(fired)
	a.log(n*target.Bytes(), p.Keep)
	a.put(0x48, 0x3b, 0x57, atLogEnd) // cmp rdx, end of the log
	a.jumpBack(0x86, lanes)           // jbe
	a.jumpBack(0x87, exit)            // ja
	return a
}

// log writes a vec.Firing of each lane that fired in the vectors just run, which fill so many bytes of a column, with
// the steps that are to be done and bytes as units, and keeps the first columns of the lane. Vector registers hold
// nothing at this place.
func (a *assembly) log(bytes, keep int) {
	next := len(a.bytes)
	a.put(0x48, 0x0f, 0xbc, 0xcb) // bsf rcx, rbx
	a.put(0x48, 0x8d, 0x8c, 0xc8) // lea rcx, [rax + 8 rcx - bytes]
	a.put32(-bytes)
	a.put(0xc5, 0xfb, 0x10, 0x47, atSteps) // vmovsd xmm0, steps
	a.put(0xc5, 0xfb, 0x11, 0x02)          // vmovsd [rdx], xmm0
	a.put(0x48, 0x89, 0x4a, 8)             // mov [rdx + 8], rcx
	for j := range keep {
		a.put(0xc5, 0xfb, 0x10, 0x84, 0x0e) // vmovsd xmm0, [rsi + rcx + column]
		a.put32(8 * vec.FrameLanes * j)
		a.keep(j)
		a.put(0xc4, 0xc1, 0x7b, 0x10, 0x84, 0x08) // vmovsd xmm0, [r8 + rcx + column]
		a.put32(8 * vec.FrameLanes * j)
		a.keep(keep + j)
	}
	a.put(0x48, 0x83, 0xc2, firingSize) // add rdx, size
	a.put(0x49, 0x81, 0xc7)             // add r15, size
	a.put32(16 * keep)
	a.put(0x48, 0x8d, 0x4b, 0xff) // lea rcx, [rbx - 1]
	a.put(0x48, 0x21, 0xcb)       // and rbx, rcx
	a.jumpBack(0x85, next)        // jnz
}

// keep is vmovsd [r15 + 8 j], xmm0.
func (a *assembly) keep(j int) {
	a.put(0xc4, 0xc1, 0x7b, 0x11, 0x87)
	a.put32(8 * j)
}

// load is mov to, [rdi + from].
func (a *assembly) load(to register, from int) {
	a.put(0x48|byte(to>>3)<<2, 0x8b, 0x40|byte(to&7)<<3|byte(rdi), byte(from))
}

// collect adds the bits of a vector, which are in rcx, to rbx.
func (a *assembly) collect(vector int) {
	if shift := vector * a.target.Lanes; shift > 0 {
		a.put(0x48, 0xc1, 0xe1, byte(shift)) // shl rcx, shift
	}
	a.put(0x48, 0x09, 0xcb) // or rbx, rcx
}

// jump is a conditional jump to a place that bind sets.
func (a *assembly) jump(condition byte) (from int) {
	a.put(0x0f, condition, 0, 0, 0, 0)
	return len(a.bytes)
}

func (a *assembly) bind(from int) {
	d := len(a.bytes) - from
	copy(a.bytes[from-4:], []byte{byte(d), byte(d >> 8), byte(d >> 16), byte(d >> 24)})
}

func (a *assembly) jumpBack(condition byte, to int) {
	a.put(0x0f, condition)
	a.put32(to - (len(a.bytes) + 4))
}
