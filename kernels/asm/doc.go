// Package asm holds the vector kernels: arithmetic over columns, short enough to read against the plain Go it repeats
// bit for bit. The assembly is written by the program in _gen.
package asm

//go:generate go -C _gen run .
