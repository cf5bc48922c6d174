package network

import (
	"os"
	"syscall"
	"unsafe"
)

// reserves is whether memory may be mapped for more than will be written: pages that are not written use no memory.
var reserves = true

// mapPages maps size bytes of zeros, large sizes in huge pages; it returns nil if the system refuses.
func mapPages(size int) []byte {
	const huge = 2 * hugePage // size from which on they pay, whose last one is used in part
	margin := 0
	if size >= huge {
		margin = hugePage
	}
	b, err := syscall.Mmap(-1, 0, size+margin, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		return nil
	}
	if margin == 0 {
		return b
	}
	// The mapping is larger by one huge page; the pages before the first and after the last whole huge page are unmapped.
	if before := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % hugePage); before > 0 {
		munmap(b[:before])
		b = b[before:]
	}
	b = unmapBehind(b, size)
	_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) // without huge pages it is slower, not wrong
	return b
}

// unmapBehind unmaps the pages after the first size bytes, and returns the rest.
func unmapBehind(b []byte, size int) []byte {
	page := os.Getpagesize()
	size = (size + page - 1) / page * page
	if size < len(b) {
		munmap(b[size:])
	}
	return b[:min(size, len(b))]
}

// munmap unmaps the pages of b, which may be part of a mapping; syscall.Munmap takes only whole mappings.
func munmap(b []byte) {
	_, _, _ = syscall.Syscall(syscall.SYS_MUNMAP, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0)
}
