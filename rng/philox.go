// Package rng draws random numbers by key: a number is a pure function of the seed, the name of a stream, the number of
// the neuron, and a counter. Nothing depends on the order in which numbers are drawn, so any division of the work among
// goroutines gives the same bits.
//
// Words come from Philox4x32-10. Distributions are made of words by correctly rounded operations only (+, -, ·, /,
// sqrt, FMA), so that every architecture gives the same bits.
package rng

import (
	"hash/fnv"
	"math/bits"
)

const (
	mul0   = 0xD2511F53
	mul1   = 0xCD9E8D57
	weyl0  = 0x9E3779B9
	weyl1  = 0xBB67AE85
	rounds = 10
)

// A Block is the output of Philox for one counter: four independent 32-bit words.
type Block [4]uint32

// Philox4x32 is the generator Philox4x32-10 of Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).
func Philox4x32(counter Block, key [2]uint32) Block {
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range rounds {
		h0, l0 := bits.Mul32(mul0, c0)
		h1, l1 := bits.Mul32(mul1, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += weyl0
		k1 += weyl1
	}
	return Block{c0, c1, c2, c3}
}

// NameKey is the key of a name: its FNV-1a hash of 64 bits.
func NameKey(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// A Stream is the family of random numbers of one seed and one name, numbered by id (a neuron, a source, ...) and
// counter (a step, a draw, ...). It is a value; its methods may be called from any goroutine.
type Stream struct {
	key  [2]uint32 // the seed
	name [2]uint32 // upper half of Philox's counter
}

// NewStream returns the stream of a seed and a name. Streams of different names are independent.
func NewStream(seed uint64, name string) Stream { return StreamOf(seed, NameKey(name)) }

// StreamOf returns the stream of a seed and the key of a name.
func StreamOf(seed, nameKey uint64) Stream {
	return Stream{
		key:  [2]uint32{uint32(seed), uint32(seed >> 32)},
		name: [2]uint32{uint32(nameKey), uint32(nameKey >> 32)},
	}
}

// Key returns the key of Philox under which s draws, and the upper half of its counters; the lower half is the id and
// the counter. With them, words can be drawn by other means that give the same bits.
func (s Stream) Key() (key, name [2]uint32) { return s.key, s.name }

// At returns the four words of an id and a counter.
func (s Stream) At(id, counter uint32) Block {
	return Philox4x32(Block{id, counter, s.name[0], s.name[1]}, s.key)
}

// Uint64 returns the first two words of (id, counter) as one: the second is the upper half.
func (s Stream) Uint64(id, counter uint32) uint64 {
	b := s.At(id, counter)
	return uint64(b[1])<<32 | uint64(b[0])
}

// Uniform returns a number of (0, 1) from the first two words of (id, counter), both ends excluded.
func (s Stream) Uniform(id, counter uint32) float64 { return Uniform64(s.Uint64(id, counter)) }

// Words fills dst with consecutive words of one id: dst[j] is word j%4 of the counter first + j/4.
func (s Stream) Words(dst []uint32, id, first uint32) {
	for len(dst) >= 4 {
		b := s.At(id, first)
		copy(dst, b[:])
		dst = dst[4:]
		first++
	}
	if len(dst) > 0 {
		b := s.At(id, first)
		copy(dst, b[:])
	}
}

// WordsOf fills dst[j] with word w (0 to 3) of the id first + j at one counter.
func (s Stream) WordsOf(dst []uint32, first, counter uint32, w int) {
	for j := range dst {
		dst[j] = s.At(first+uint32(j), counter)[w&3]
	}
}

// Blocks fills dst[j] with the four words of the id first + j at one counter.
func (s Stream) Blocks(dst []Block, first, counter uint32) {
	for j := range dst {
		dst[j] = s.At(first+uint32(j), counter)
	}
}

// Below maps a word to 0 <= k < n. A value's probability differs from 1/n by less than 2^-32.
func Below(word, n uint32) uint32 {
	k, _ := bits.Mul32(word, n)
	return k
}

// Below64 maps a word to 0 <= k < n. A value's probability differs from 1/n by less than 2^-64.
func Below64(word, n uint64) uint64 {
	k, _ := bits.Mul64(word, n)
	return k
}
