package network

import (
	"os"
	"syscall"
	"unsafe"
)

// reserves says that memory may be mapped for more than will be written: what is not written is never taken.
var reserves = true

// mapPages maps zeros, those of large sizes in huge pages; nil where the system refuses.
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
	// The mapping is wider by one huge page, and what lies before the first and behind the last is given back.
	if before := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % hugePage); before > 0 {
		munmap(b[:before])
		b = b[before:]
	}
	b = unmapBehind(b, size)
	_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) // without huge pages it is slower, not wrong
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
