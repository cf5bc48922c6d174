package vec

// Cost is about how many cycles of throughput the operations recorded so far take that something needs: one each, and
// divisions and square roots the time for which they occupy the divider.
func (b *Block) Cost() (cost int) {
	used := make([]bool, len(b.nodes))
	for i := len(b.nodes) - 1; i >= 0; i-- {
		n := b.nodes[i]
		if used[i] = used[i] || n.op >= opStore; !used[i] {
			continue
		}
		for _, a := range n.inputs() {
			used[a.index] = true
		}
		switch {
		case n.op == opDiv || n.op == opSqrt:
			cost += 10
		case !n.leaf():
			cost++
		}
	}
	return cost
}
