//go:build amd64 && !purego && (linux || darwin || freebsd || netbsd || openbsd)

#include "textflag.h"

// func call(entry uintptr, a *arguments)
TEXT ·call(SB), NOSPLIT, $0-16
	MOVQ entry+0(FP), AX
	MOVQ a+8(FP), DI
	CALL AX
	RET
