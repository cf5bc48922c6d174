package network

import (
	"sync"
	"unsafe"
)

// mapped holds the memory of a network outside Go's heap.
type mapped struct {
	lock   sync.Mutex
	pieces [][]byte
}

// Sizes, bytes: of huge pages, and that from which on slices are mapped.
const (
	hugePage    = 2 << 20
	leastMapped = 64 << 10
)

// allocate returns n zeros. Large slices are in mapped memory, with huge pages where the system has them; the system
// provides a page of it only when it is first written.
func allocate[T any](m *mapped, n int) []T {
	var zero T
	size := n * int(unsafe.Sizeof(zero))
	if size < leastMapped {
		return make([]T, n)
	}
	b := mapPages(size)
	if b == nil {
		return make([]T, n)
	}
	m.lock.Lock()
	m.pieces = append(m.pieces, b)
	m.lock.Unlock()
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// trim returns the first n elements of s, a slice that allocate has returned, and frees the memory after them.
func trim[T any](m *mapped, s []T, n int) []T {
	var zero T
	size := n * int(unsafe.Sizeof(zero))
	data := unsafe.Pointer(unsafe.SliceData(s))
	m.lock.Lock()
	defer m.lock.Unlock()
	for i, b := range m.pieces {
		if unsafe.Pointer(unsafe.SliceData(b)) == data {
			m.pieces[i] = unmapBehind(b, size)
			return s[:n:n]
		}
	}
	if n < len(s)/8*7 {
		return append([]T(nil), s[:n]...)
	}
	return s[:n:n]
}

// release returns all memory to the system.
func (m *mapped) release() {
	m.lock.Lock()
	defer m.lock.Unlock()
	for _, b := range m.pieces {
		unmapBehind(b, 0)
	}
	m.pieces = nil
}
