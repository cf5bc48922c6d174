//go:build amd64 && !purego && (darwin || freebsd || netbsd || openbsd)

package code

// adviseHuge does nothing: the system is not told how to place pages.
func adviseHuge([]byte) {}
