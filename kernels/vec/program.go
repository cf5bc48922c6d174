package vec

// FrameLanes is the number of lanes of a column of a Frame.
const FrameLanes = 64

// A Place is one of the memories of a Frame, as the base of a Mem.
type Place uint8

// The places. A program reads all but After and writes only After, so that its inputs do not change while it runs.
const (
	Before Place = iota // columns
	After               // columns
	Lane                // columns
	Input               // columns, those of the current step
	Shared              // one value each, for all lanes
)

// Column is column j of a place.
func (p Place) Column(j int) Mem { return Mem{Base: p, Disp: 8 * FrameLanes * j} }

// SharedValue is value j of the place Shared, to be broadcast.
func SharedValue(j int) Mem { return Mem{Base: Shared, Disp: 8 * j} }

// Fired is the name of the register in which Bits passes the mask of a program to its executor.
const Fired ProgramRegister = "fired"

// A ProgramRegister is a general register of a program; no other recording names one so.
type ProgramRegister string

// FiredVector is the general register that receives the mask of Fired of a vector, by the number of the vector.
type FiredVector int

// inVector moves a place of a frame to the current vector.
func (b *Block) inVector(m Mem) Mem {
	if p, ok := m.Base.(Place); ok && p != Shared {
		m.Disp += b.vector * b.Target.Bytes()
	}
	return m
}

// RecordVectors records p for n vectors that follow each other.
func (p *Program) RecordVectors(b *Block, n int) {
	for s := range n {
		b.Vector(s)
		b.vector = s
		p.Record(b)
	}
}

// A Frame is the memory of a program: columns of FrameLanes values for a group of lanes, and the current step.
type Frame struct {
	// the state at the start and at the end of the current step; they change places after each step
	Before, After []float64
	Lane          []float64 // what differs from lane to lane and does not change
	Input         []float64 // what changes from step to step: Stride values on for each step
	Shared        []float64 // what is the same for all lanes
	Stride        int

	Step, Steps int    // the current step, and the one to stop before
	At, Lanes   int    // the lane to go on with in this step, and how many lanes there are
	Fired       uint64 // bit l: the mask of Fired held in lane l of the vectors just run

	Log    []Firing  // nil: Run returns after vectors in which a lane fired
	Kept   []float64 // for each place of the log the first Program.Keep columns of the lane before the step, then after it
	Logged int       // how many the log has
}

// A Firing is a step in which a lane fired.
type Firing struct{ Step, Lane int }

// A Program is one step of a vector of lanes, as operations on the columns of a Frame. It records the same operations
// for every target: their meaning is that of Block.
//
// Executors of a program are alike but for speed. Run continues with step f.Step at lane f.At and returns
//
//   - with f.Fired = 0 when f.Step has reached f.Steps;
//   - with f.Fired ≠ 0 after the vectors in which a lane fired: f.At is the first lane after them, Before and After are
//     those of this step. The caller may change After and call Run again.
//
// A frame with a Log is for programs whose lanes go on by themselves after they have fired: Run appends what fired to
// the log, leaves Fired 0, and returns when f.Step has reached f.Steps or less than FrameLanes places of the log are
// left.
type Program struct {
	Name   string
	Record func(b *Block)
	Keep   int // columns that a log keeps of a lane that fired
}

// An Executor runs a program. It may be used by one goroutine at a time.
type Executor interface{ Run(f *Frame) }

// End ends the current step: the state at its end is the state before the next.
func (f *Frame) End() {
	f.At = 0
	f.Step++
	f.Before, f.After = f.After, f.Before
}
