package network

// MappedBytes is the size of the memory of a network outside Go's heap.
func MappedBytes(n *Network) (bytes int) {
	for _, b := range n.pages.pieces {
		bytes += len(b)
	}
	return bytes
}
