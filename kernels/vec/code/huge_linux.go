//go:build amd64 && !purego

package code

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages. Without them code runs all the same.
func adviseHuge(block []byte) { _ = unix.Madvise(block, unix.MADV_HUGEPAGE) }
