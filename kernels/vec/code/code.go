// Package code makes machine code of vec programs at run time, for AVX2 and AVX-512: the operations of a program,
// scheduled and with registers given by package vec, inside a loop over the vectors of a frame and its steps. It
// computes the bits of vec.Code.
//
// Memory with code in it is never writable and executable together: it is written, then made executable. If the system
// refuses that, and in builds without assembly, Available returns the reason, and plain Go takes the place of machine
// code.
//
// # Calls
//
// A call is a plain function call from assembly (call_amd64.s). The code uses neither the stack nor the registers of
// Go's runtime (BP, R14); it is not preempted, since the runtime does not stop a goroutine at addresses outside its
// tables, and returns after at most the steps of a frame. Spilled values are in memory of the executor.
package code

import (
	"runtime"
	"sync"
	"unsafe"

	"popsim/kernels/vec"
)

// Code is a program as machine code. It may be shared.
type Code struct {
	memory *memory
	lanes  int       // that one pass advances
	consts []float64 // read-only, on a cache line
	spills int       // numbers that an executor spills at most
	keep   int       // see vec.Program
	Size   int       // bytes of machine code
}

// arguments is the memory that the machine code reads and writes; the code contains the offsets of its fields.
type arguments struct {
	before, after, lane, input, shared, consts, spill unsafe.Pointer // 0 ... 48
	stride, steps, at, lanes                          int            // 56 (bytes), 64 (to do), 72 (bytes), 80 (bytes)
	log                                               unsafe.Pointer // 88, with room for vec.FrameLanes at least
	logEnd                                            uintptr        // 96, beyond which there is not
	logged                                            int            // 104 (bytes)
	kept                                              unsafe.Pointer // 112
}

const (
	atBefore, atAfter, atLane, atInput, atShared, atConsts, atSpill = 0, 8, 16, 24, 32, 40, 48
	atStride, atSteps, atAt, atLanes, atLog, atLogEnd, atLogged     = 56, 64, 72, 80, 88, 96, 104
	atKept, firingSize                                              = 112, 16
)

// Compile makes machine code of a program for the target, of n vectors at a time (n times Lanes at most
// vec.FrameLanes).
func Compile(p *vec.Program, target vec.Target, n int, tune vec.Tuning) (*Code, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	a := assemble(p, target, n, tune)
	m, err := newMemory(a.bytes)
	if err != nil {
		return nil, err
	}
	c := &Code{
		memory: m,
		lanes:  n * target.Lanes,
		consts: aligned(len(a.pool)),
		spills: a.slots * target.Lanes,
		keep:   p.Keep,
		Size:   len(a.bytes),
	}
	copy(c.consts, a.pool)
	runtime.AddCleanup(c, func(m *memory) { m.free() }, m)
	return c, nil
}

// Available returns an error that says why no machine code can be made here; nil if it can. It tries once.
var Available = sync.OnceValue(probe)

// executor is a Code with memory of its own: the constants and, after them, spilled values. They are together so that
// no two of them are a multiple of 4 KB apart: a load from such a place waits for the store to the other.
type executor struct {
	*Code
	args            arguments
	constants, rest []float64
	pass            [vec.FrameLanes]vec.Firing // the log of frames without
	unused          []float64                  // what it keeps
}

// Executor makes the scratch memory of one goroutine.
func (c *Code) Executor() vec.Executor {
	const line = 8 // numbers of a cache line
	n := (len(c.consts) + line - 1) / line * line
	own := aligned(n + c.spills + line)
	copy(own, c.consts)
	return &executor{Code: c, constants: own, rest: own[n:], unused: make([]float64, 2*c.keep*vec.FrameLanes)}
}

// Run is that of vec.Executor. Lanes from Lanes up to the end of the last vector are computed too: their columns must
// exist, with arbitrary values.
func (x *executor) Run(f *vec.Frame) {
	a := &x.args
	for {
		if f.At >= f.Lanes {
			f.End()
		}
		log, kept, last := x.pass[:], x.unused, 0 // the call returns after a pass that logs behind the last place
		if f.Log != nil {
			log, kept = f.Log[f.Logged:], f.Kept[2*x.keep*f.Logged:]
			last = len(log) - vec.FrameLanes
		}
		if f.Fired = 0; f.Step >= f.Steps || last < 0 {
			return
		}
		*a = arguments{
			before: unsafe.Pointer(&f.Before[0]), after: unsafe.Pointer(&f.After[0]),
			input: unsafe.Pointer(&f.Input[f.Step*f.Stride]),
			lane:  pointer(f.Lane), shared: pointer(f.Shared), consts: pointer(x.constants), spill: pointer(x.rest),
			stride: 8 * f.Stride, steps: f.Steps - f.Step, at: 8 * f.At, lanes: 8 * f.Lanes,
			log: unsafe.Pointer(&log[0]), logEnd: uintptr(unsafe.Pointer(&log[0])) + firingSize*uintptr(last),
			kept: pointer(kept),
		}
		call(x.memory.entry(), a)
		if (f.Steps-f.Step-a.steps)%2 != 0 {
			f.Before, f.After = f.After, f.Before
		}
		f.Step, f.At = f.Steps-a.steps, a.at/8
		n := x.inFrame(f, log[:a.logged/firingSize], kept)
		if a.steps == 0 {
			f.At = 0
		}
		if f.Log == nil {
			for _, e := range log[:n] {
				f.Fired |= 1 << e.Lane
			}
		} else {
			f.Logged += n
		}
		if a.steps == 0 || f.Fired != 0 {
			runtime.KeepAlive(x.Code)
			return
		}
	}
}

// inFrame converts the units of what machine code has logged, removes lanes that are not in the frame, and returns how
// many are left.
func (x *executor) inFrame(f *vec.Frame, log []vec.Firing, kept []float64) (n int) {
	width := 2 * x.keep
	for k, e := range log {
		e.Step, e.Lane = f.Steps-e.Step, e.Lane/8
		if e.Lane >= f.Lanes {
			continue
		}
		log[n] = e
		if n < k {
			copy(kept[n*width:(n+1)*width], kept[k*width:])
		}
		n++
	}
	return n
}

func pointer(x []float64) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

// aligned returns memory for n numbers that starts on a cache line.
func aligned(n int) []float64 {
	x := make([]float64, n+8)
	skip := 0
	if over := uintptr(pointer(x)) % 64; over != 0 {
		skip = int(64-over) / 8
	}
	return x[skip : skip+n : skip+n]
}
