//go:build amd64 && !purego && (linux || darwin || freebsd || netbsd || openbsd)

package code

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call runs the machine code at entry.
//
//go:noescape
func call(entry uintptr, a *arguments)

// memory is pages with machine code, which is executable and not writable.
type memory struct{ pages []byte }

// newMemory writes code to pages and makes them executable and read-only.
func newMemory(code []byte) (*memory, error) {
	pages, err := allPages.take((len(code) + os.Getpagesize() - 1) / os.Getpagesize())
	if err != nil {
		return nil, fmt.Errorf("no memory for machine code: %w", err)
	}
	copy(pages, code)
	if err := unix.Mprotect(pages, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		return nil, fmt.Errorf("the system allows no machine code made at run time: %w", err)
	}
	return &memory{pages}, nil
}

// pageStore gives out pages of large blocks, each of which the system is asked to keep together in physical memory.
// Pages of a program that are apart there may not fit into the instruction cache at the same time, depending on their
// physical addresses: one process in a hundred took four times as long a step.
type pageStore struct {
	sync.Mutex
	rest []byte           // of the last block
	free map[int][][]byte // pages that were given back, by their number
}

const blockSize = 2 << 20 // bytes, a huge page

var allPages = pageStore{free: map[int][][]byte{}}

// take returns n writable pages that follow each other.
func (s *pageStore) take(n int) ([]byte, error) {
	s.Lock()
	defer s.Unlock()
	if have := s.free[n]; len(have) > 0 {
		s.free[n] = have[:len(have)-1]
		return have[len(have)-1], nil
	}
	size := n * os.Getpagesize()
	if size > len(s.rest) {
		block, err := newBlock(max(size, blockSize))
		if err != nil {
			return nil, err
		}
		s.rest = block
	}
	pages := s.rest[:size:size]
	s.rest = s.rest[size:]
	return pages, nil
}

// give takes back pages that take has returned. Those that cannot be made writable again are lost.
func (s *pageStore) give(pages []byte) {
	if unix.Mprotect(pages, unix.PROT_READ|unix.PROT_WRITE) != nil {
		return
	}
	s.Lock()
	defer s.Unlock()
	n := len(pages) / os.Getpagesize()
	s.free[n] = append(s.free[n], pages)
}

// newBlock maps memory that starts on a multiple of blockSize.
func newBlock(size int) ([]byte, error) {
	all, err := unix.Mmap(
		-1, 0, size+blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE,
	)
	if err != nil {
		return nil, err
	}
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(all))) % blockSize)
	block := all[skip:][:size:size]
	adviseHuge(block)
	return block, nil
}

func (m *memory) entry() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(m.pages))) }

func (m *memory) free() { allPages.give(m.pages) }

// probe makes and runs a function that does nothing.
func probe() error {
	m, err := newMemory([]byte{0xc3}) // ret
	if err != nil {
		return err
	}
	call(m.entry(), new(arguments))
	m.free()
	return nil
}
