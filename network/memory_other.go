//go:build !linux

package network

// reserves is whether memory may be allocated for more than will be written; here it may not.
var reserves = false

// mapPages maps nothing: the memory is Go's.
func mapPages(int) []byte { return nil }

// unmapBehind is never called with mapped memory.
func unmapBehind(b []byte, _ int) []byte { return b }
