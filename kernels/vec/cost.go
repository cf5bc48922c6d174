package vec

// Cost is the work of the operations recorded so far that something needs, in quarters of a cycle of throughput:
// multiplications and fused ones run on two of four pipes, all others but divisions and square roots on any.
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
			cost += 20
		case ops[n.op].fma:
			cost += 2
		case !n.leaf():
			cost++
		}
	}
	return cost
}

// Path is the latency of the longest chain of operations recorded so far that something needs, in cycles.
func (b *Block) Path() (longest int) {
	path := make([]int, len(b.nodes)) // to the result of each
	for i, n := range b.nodes {
		for _, a := range n.inputs() {
			path[i] = max(path[i], path[a.index])
		}
		path[i] += ops[n.op].latency
		if n.op >= opStore {
			longest = max(longest, path[i])
		}
	}
	return longest
}
