package network

import "reflect"

// RangeBytes is the memory of the ranges of a network without that of edges in its tables.
func RangeBytes(n *Network) float64 {
	var f footprint
	f.add(reflect.ValueOf(n.layout.spec))
	given := f.bytes()
	for _, r := range n.ranges {
		kept := r.tables
		r.tables = nil
		for _, g := range r.gates {
			g.tables = nil
		}
		f.add(reflect.ValueOf(r))
		r.tables = kept
	}
	return f.bytes() - given
}

// ColumnBytes is the forecast of RangeBytes.
func ColumnBytes(n *Network) float64 {
	x, _, err := n.columnBytes(len(n.ranges))
	if err != nil {
		panic(err)
	}
	return x
}

// MappedBytes is the size of the memory of a network outside Go's heap.
func MappedBytes(n *Network) (bytes int) {
	for _, b := range n.pages.pieces {
		bytes += len(b)
	}
	return bytes
}

// WithoutPacking calls f while no tables are packed.
func WithoutPacking(f func()) {
	packs = false
	defer func() { packs = true }()
	f()
}
