//go:build amd64 && !purego && (linux || darwin || freebsd || netbsd || openbsd)

package code

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// call runs the machine code at entry.
//
//go:noescape
func call(entry uintptr, a *arguments)

// memory is pages with machine code.
type memory struct{ pages []byte }

// newMemory maps pages, writes the code, and makes them executable and read-only.
func newMemory(code []byte) (*memory, error) {
	size := (len(code) + os.Getpagesize() - 1) / os.Getpagesize() * os.Getpagesize()
	pages, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("no memory for machine code: %w", err)
	}
	copy(pages, code)
	if err := syscall.Mprotect(pages, syscall.PROT_READ|syscall.PROT_EXEC); err != nil {
		_ = syscall.Munmap(pages)
		return nil, fmt.Errorf("the system allows no machine code made at run time: %w", err)
	}
	return &memory{pages}, nil
}

func (m *memory) entry() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(m.pages))) }

func (m *memory) free() { _ = syscall.Munmap(m.pages) }

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
