//go:build !linux

package network

// mapPages maps nothing: the memory is Go's.
func mapPages(int) []byte { return nil }

// unmapBehind is never called with mapped memory.
func unmapBehind(b []byte, _ int) []byte { return b }
