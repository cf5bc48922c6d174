//go:build amd64 && !purego && (darwin || freebsd || netbsd || openbsd)

package code

// adviseHuge does nothing: these systems have no such advice.
func adviseHuge([]byte) {}
