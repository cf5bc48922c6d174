package asm

// PhiloxBlock is the argument of the kernels that draw words of Philox4x32-10: lane l has the counter
// (Counter[0] + Lane[0][l], Counter[1] + Lane[1][l], Counter[2], Counter[3]) for the first lanes, and from vector to
// vector Step is added to the first two words of it.
type PhiloxBlock struct {
	Counter [4]uint32
	Keys    [2 * PhiloxRounds]uint32 // two words for each round
	Lane    [2]*[PhiloxLanes]uint32
	Step    [2]uint32
	Vectors int // of 16 lanes with AVX-512, of 8 with AVX2; even but for PhiloxWordsOf, At and From

	// PhiloxWords, out: the four words of each lane, lane by lane. PhiloxWordsOf, At and From, out: word w of lane l is at
	// w·Stride + l.
	Words []uint32

	// PhiloxCounts, out: byte l of row w, which starts at w·Stride, is Least plus the number of Thresholds that are at
	// most word w of lane l.
	Counts     []uint8
	Stride     int
	Thresholds []uint32
	Least      uint32

	// PhiloxInstants: Theta[j][l], out, is the number of (0, 1) that word j of lane l stands for, as rng.Uniform32 has it,
	// where Counts[l], in, exceeds Skip + j, else NoArrival. PhiloxOffsets, PhiloxOffsetsOf: 0.5 less that number, else 0;
	// Number[l] is how many of the four there are, and bit l%8 of More[l/8] whether Counts[l] exceeds Skip by more.
	Theta  [4]*float64
	Skip   uint32
	Number *float64
	More   *uint8

	// PhiloxNormals, PhiloxOffsetsOf and PhiloxWordsOf: the first word of the counter of lane l is IDs[l], in, instead.
	// PhiloxWordsOf: the second is Counters[l]. PhiloxNormals: lane l of row w of Normals, out, which starts at w·Stride,
	// is the number that word w of the lane stands for, as rng.Normal32 has it by its table.
	IDs      []uint32
	Counters []uint32
	// PhiloxWordsAt: the first two words are IDs[q.Bit()] and Counter[1] + q.Row() of the place q = Places[l].
	// PhiloxWordsFrom: the first is Counter[0] + q.Bit().
	Places []BitPlace
	// PhiloxWordsOf, At and From, out: the number of (0, 1) that word 1 of lane l stands for, as rng.Uniform32 has it
	U           []float64
	Normals     []float64
	NormalTable *[NormalCells][4]float64

	// PhiloxScaled: lane l of Normals, out, is FMA(Scale, x, Shift) of the number x that word 0 of the lane stands for.
	Scale, Shift float64
}

// The table of rng.Normal32: the number of its cells, and what the first is for, as the upper 16 bits of word + 0.5.
const (
	NormalCells = 512
	NormalFirst = 0x3fe0
)

// OffsetsTogether is the number of arrivals of a lane that PhiloxOffsets draws.
const OffsetsTogether = 4

// The constants of Philox4x32-10: rounds, multipliers, and what a round adds to the two words of the key.
const (
	PhiloxRounds = 10
	PhiloxMul0   = 0xD2511F53
	PhiloxMul1   = 0xCD9E8D57
	PhiloxWeyl0  = 0x9E3779B9
	PhiloxWeyl1  = 0xBB67AE85
)

// PhiloxLanes is the number of lanes that the widest kernel draws at a time.
const PhiloxLanes = 16

// CountBlock is the argument of AddCounts: Row[l] += float64(Counts[l] Weight), rounded after the product, for Lanes
// lanes, a multiple of 8.
type CountBlock struct {
	Row    []float64
	Counts []uint8
	Weight float64
	Lanes  int
}
