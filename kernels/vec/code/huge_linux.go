//go:build amd64 && !purego

package code

import "syscall"

// adviseHuge asks for huge pages. Without them code runs all the same.
func adviseHuge(block []byte) { _ = syscall.Madvise(block, syscall.MADV_HUGEPAGE) }
