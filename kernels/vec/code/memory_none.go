//go:build !amd64 || purego || !(linux || darwin || freebsd || netbsd || openbsd)

package code

import "errors"

type memory struct{}

func newMemory([]byte) (*memory, error) { return nil, probe() }

func (m *memory) entry() uintptr { return 0 }

func (m *memory) free() {}

func call(uintptr, *arguments) {}

func probe() error { return errors.New("this build makes no machine code at run time") }
