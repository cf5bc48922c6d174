package network

import (
	"slices"
	"testing"
	"unsafe"
)

// TestHistory: the spikes of each step are found again, few or many, also where the place of a step is used again.
func TestHistory(t *testing.T) {
	const steps = 3
	h := newHistory(steps)
	last := map[int64][]spike{}
	for k, n := range []int{0, 1, fewSpikes, fewSpikes + 1, 100, 2, fewSpikes + 1, 0, 50} {
		slot := int64(k % steps)
		list := h.begin(slot)
		for i := range n {
			list = append(list, spike{neuron: int32(i), population: int32(k), theta: float64(i)})
		}
		h.put(slot, list)
		last[slot] = slices.Clone(list)
		for slot, want := range last {
			if got := h.of(slot); !slices.Equal(got, want) {
				t.Errorf("after step %d: %d spikes at place %d, want %d", k, len(got), slot, len(want))
			}
		}
	}
}

// TestLinesOfTheirOwn: two slices never have memory in the same pair of lines, and emissions fill pairs of lines.
func TestLinesOfTheirOwn(t *testing.T) {
	if size := unsafe.Sizeof(emission{}); size != linePair {
		t.Errorf("an emission has %d bytes, want %d", size, linePair)
	}
	owner := map[uintptr]int{}
	for i := range 200 {
		s := makeLines[uint16](1 + i)
		if len(s) != 1+i || cap(s) != 1+i {
			t.Fatalf("length %d, capacity %d, want %d", len(s), cap(s), 1+i)
		}
		first := uintptr(unsafe.Pointer(&s[0]))
		if first%linePair != 0 {
			t.Errorf("%d values start in the middle of a pair of lines", len(s))
		}
		for p := first; p < first+uintptr(2*len(s)); p += 2 {
			if other, ok := owner[p/linePair]; ok && other != i {
				t.Fatalf("slices %d and %d share lines", other, i)
			}
			owner[p/linePair] = i
		}
		defer func() { s[0]++ }() // so that no memory is used twice
	}
}
