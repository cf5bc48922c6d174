package network

import "unsafe"

// history is the spikes of a range by step, for as long as the longest delay. It is all of a range that others read
// while it is advanced: the spikes of the epoch before. Each line of the cache that one core has written and another
// reads takes as long as a barrier, so that the spikes of a step, where they are few, are on lines of their own with
// their number, and are found without reading anything else that changes.
type history struct {
	steps []emission // by step modulo their number
	lists [][]spike  // likewise: scratch, and the spikes of a step where they are more than an emission holds
}

// An emission is the spikes of one step: n of them.
type emission struct {
	n   int64
	few [fewSpikes]spike
	_   [linePair - 8 - 16*fewSpikes]byte
}

const fewSpikes = 7

// linePair is the bytes of two lines of the cache, which some processors fetch together. What one core writes and
// another reads or writes at the same time must not be in one such pair.
const linePair = 128

type linePad [linePair]byte

func newHistory(steps int64) history {
	return history{makeLines[emission](int(steps)), make([][]spike, steps)}
}

// makeLines returns n zeros in memory of their own: it starts and ends with a pair of lines. T has no pointers.
func makeLines[T any](n int) []T {
	var zero T
	size := (n*int(unsafe.Sizeof(zero)) + linePair - 1) / linePair * linePair
	b := make([]byte, size+linePair)
	at := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % linePair
	return unsafe.Slice((*T)(unsafe.Pointer(&b[at])), size/int(unsafe.Sizeof(zero)))[:n:n]
}

// begin returns an empty list for the spikes of a step. The emission is written at once, long before put, since its
// lines are still in the cache of whoever read it last.
func (h *history) begin(slot int64) []spike {
	e := &h.steps[slot]
	e.n, e.few[fewSpikes-1] = 0, spike{}
	return h.lists[slot][:0]
}

// put makes a list, which begin has returned and which has been appended to, the spikes of a step.
func (h *history) put(slot int64, list []spike) {
	h.lists[slot] = list
	e := &h.steps[slot]
	copy(e.few[:], list)
	e.n = int64(len(list))
}

// of is the spikes of a step.
func (h *history) of(slot int64) []spike {
	if e := &h.steps[slot]; e.n <= fewSpikes {
		return e.few[:e.n]
	}
	return h.lists[slot]
}
