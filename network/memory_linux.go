package network

import (
	"os"
	"syscall"
	"unsafe"
)

// mapPages maps zeros that begin at a huge page; nil where the system refuses.
func mapPages(size int) []byte {
	b, err := syscall.Mmap(-1, 0, size+hugePage, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		return nil
	}
	// The mapping is wider by one huge page, and what lies before the first and behind the last is given back.
	before := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % hugePage)
	if before > 0 {
		munmap(b[:before])
	}
	if b = unmapBehind(b[before:], size); b != nil {
		_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) // without huge pages it is slower, not wrong
	}
	return b
}

// unmapBehind gives back the pages behind the first size bytes, and returns what is left.
func unmapBehind(b []byte, size int) []byte {
	page := os.Getpagesize()
	size = (size + page - 1) / page * page
	if size < len(b) {
		munmap(b[size:])
	}
	return b[:min(size, len(b))]
}

// munmap gives back pages; syscall.Munmap knows whole mappings only.
func munmap(b []byte) {
	_, _, _ = syscall.Syscall(syscall.SYS_MUNMAP, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0)
}
