package network

// kept is what is kept of spikes for as long as they can arrive, numbered in the order in which they become known.
type kept[T any] struct {
	all  []T // by number, modulo a power of two
	next uint32
	// What next was before each step whose spikes may still arrive, by step modulo the number of steps.
	nextAt []uint32
}

func (q *kept[T]) at(k int64) int64 { return k % int64(len(q.nextAt)) }

// begin is called before what is kept of spikes of step s is added.
func (q *kept[T]) begin(s int64) { q.nextAt[q.at(s)] = q.next }

// add appends what is kept of a spike and returns its number. What is kept of spikes before step oldest is no
// longer needed, and is overwritten.
func (q *kept[T]) add(x T, oldest int64) uint32 {
	if first := q.nextAt[q.at(max(0, oldest))]; int(q.next-first) >= len(q.all) {
		const least = 64
		more := make([]T, max(least, 2*len(q.all)))
		for i := first; i != q.next; i++ {
			more[int(i)&(len(more)-1)] = *q.of(i)
		}
		q.all = more
	}
	q.next++
	*q.of(q.next - 1) = x
	return q.next - 1
}

// of is what is kept under a number.
func (q *kept[T]) of(n uint32) *T { return &q.all[int(n)&(len(q.all)-1)] }

// drop forgets everything.
func (q *kept[T]) drop() {
	for k := range q.nextAt {
		q.nextAt[k] = q.next
	}
}
