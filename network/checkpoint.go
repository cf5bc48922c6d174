package network

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
	"maps"
	"math"
	"slices"
)

// checkpointMark begins a checkpoint; its number changes with the format.
const checkpointMark = "popsim network checkpoint 1\n"

// Save writes all that the steps to come depend on: the step, the state of every neuron and synapse, and the spikes
// that have not arrived yet. It is called between two Runs. The graph and the inputs are not written: they are
// functions of the Spec.
func (n *Network) Save(w io.Writer) error {
	buffer := bufio.NewWriter(w)
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	c := &checkpoint{to: io.MultiWriter(buffer, sum), sum: sum}
	if _, err := io.WriteString(c.to, checkpointMark); err != nil {
		return err
	}
	for _, x := range []uint64{n.checksum, uint64(n.layout.firsts[len(n.layout.firsts)-1]), uint64(n.step)} {
		c.write(x)
	}
	for _, column := range n.columns() {
		c.write(column)
	}
	lanes := n.models()
	for _, o := range lanes {
		for i := range o.n {
			c.lane = o.shard.AppendLane(c.lane[:0], i)
			c.write(c.lane)
		}
	}
	for k := n.step - n.memory(); k < n.step; k++ {
		c.writeSpikes(n, k)
	}
	c.write(sum.Sum64())
	if c.err != nil {
		return c.err
	}
	return buffer.Flush()
}

// Restore sets a network to the state that Save wrote. The network was built from the same Spec, with any number of
// workers and ranges. After an error it cannot be run.
func (n *Network) Restore(r io.Reader) error {
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	c := &checkpoint{from: io.TeeReader(bufio.NewReader(r), sum), sum: sum}
	mark := make([]byte, len(checkpointMark))
	if _, err := io.ReadFull(c.from, mark); err != nil || string(mark) != checkpointMark {
		return errors.New("no checkpoint of a network, or one of another version")
	}
	var head [3]uint64
	c.read(&head)
	neurons := uint64(n.layout.firsts[len(n.layout.firsts)-1])
	switch {
	case c.err != nil:
		return c.err
	case head[0] != n.checksum || head[1] != neurons:
		return fmt.Errorf("a checkpoint of another network: %d neurons, graph %016x; this one has %d, graph %016x", head[1],
			head[0], neurons, n.checksum)
	case head[2] > math.MaxUint32:
		return fmt.Errorf("a checkpoint of step %d; at most %d are possible", head[2], uint32(math.MaxUint32))
	}
	n.step = int64(head[2])
	for _, column := range n.columns() {
		c.read(column)
	}
	n.shareGates()
	for _, r := range n.ranges {
		r.joinCurrents()
		for _, o := range r.coupled {
			for i := range o.wake {
				o.setWake(i, o.wake[i], o.wakeTheta[i])
			}
		}
	}
	for _, o := range n.models() {
		c.lane = o.shard.AppendLane(c.lane[:0], 0)
		for i := range o.n {
			c.read(c.lane)
			o.shard.PutLane(i, c.lane)
		}
	}
	for k := n.step - n.memory(); k < n.step; k++ {
		c.readSpikes(n, k)
	}
	want := sum.Sum64()
	var got uint64
	c.read(&got)
	if c.err == nil && got != want {
		return errors.New("the checkpoint is damaged")
	}
	for _, s := range n.ranges {
		s.rewindInputs(n.step)
		s.spikesFrom = 0
		s.packed.dropAll()
		s.schedule.clear()
	}
	return c.err
}

// memory is the number of steps for which spikes are kept.
func (n *Network) memory() int64 { return int64(n.layout.longest) + 1 }

// columns lists the state of all neurons and synapses, column by column, each in the order of the neurons.
func (n *Network) columns() (all [][]float64) {
	each := func(column func(r *shard) []float64) {
		for _, r := range n.ranges {
			for _, s := range r.segs {
				if n.layout.classOf[s.population] >= 0 {
					all = append(all, column(r)[s.base:s.base+s.n])
				}
			}
		}
	}
	each(func(r *shard) []float64 { return r.v })
	each(func(r *shard) []float64 { return r.wake })
	each(func(r *shard) []float64 { return r.wakeTheta })
	for c := range n.layout.receptors {
		each(func(r *shard) []float64 { return r.s[c] })
		each(func(r *shard) []float64 { return r.y[c] })
	}
	for _, g := range n.ranges[0].gates { // the same in all ranges: see shareGates
		all = append(all, g.x, g.s)
	}
	for i := range n.inputs {
		all = append(all, n.gatesOfInput(i)...)
		all = append(all, n.noiseOfInput(i)...)
	}
	for j := range 7 {
		for _, r := range n.ranges {
			for _, o := range r.coupled {
				if column := [7][]float64{o.y[0], o.y[1], o.y[2], o.y[3], o.wake, o.wakeTheta, o.level}[j]; column != nil {
					all = append(all, column)
				}
			}
		}
	}
	return all
}

// gatesOfInput lists the gates of an input's trains, one by one in the order of its pool.
func (n *Network) gatesOfInput(input int) (all [][]float64) {
	type gate struct {
		member int
		column []float64
	}
	var list []gate
	for _, r := range n.ranges {
		for _, p := range r.trains {
			if p.train == n.inputs[input] && p.gates != nil {
				for i, m := range p.members {
					list = append(list, gate{m, p.gates.x[i : i+1]}, gate{m, p.gates.s[i : i+1]})
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b gate) int { return a.member - b.member })
	for _, g := range list {
		all = append(all, g.column)
	}
	return all
}

// noiseOfInput lists the Ornstein-Uhlenbeck processes of an input, one by one in the order of its pool.
func (n *Network) noiseOfInput(input int) (all [][]float64) {
	byMember := map[int][]float64{}
	for _, r := range n.ranges {
		for _, p := range r.trains {
			if p.train != n.inputs[input] || p.noise == nil || p.noise.ou == nil {
				continue
			}
			for j, m := range p.members {
				byMember[m] = p.noise.ou.Z[j : j+1]
			}
		}
	}
	for _, m := range slices.Sorted(maps.Keys(byMember)) {
		all = append(all, byMember[m])
	}
	return all
}

// shareGates copies the gates of the first range to the others.
func (n *Network) shareGates() {
	for _, r := range n.ranges[1:] {
		for i, g := range n.ranges[0].gates {
			copy(r.gates[i].x, g.x)
			copy(r.gates[i].s, g.s)
		}
	}
}

// models lists the segments of neurons other than LIF, in the order of the neurons.
func (n *Network) models() (all []*otherSegment) {
	for _, r := range n.ranges {
		all = append(all, r.other...)
	}
	return all
}

// A checkpoint is written or read, little-endian; the first error is kept.
type checkpoint struct {
	to   io.Writer
	from io.Reader
	sum  hash.Hash64 // of what has been written or read
	lane []float64
	err  error
}

func (c *checkpoint) write(x any) {
	if c.err == nil {
		c.err = binary.Write(c.to, binary.LittleEndian, x)
	}
}

func (c *checkpoint) read(x any) {
	if c.err == nil {
		c.err = binary.Read(c.from, binary.LittleEndian, x)
		if errors.Is(c.err, io.EOF) || errors.Is(c.err, io.ErrUnexpectedEOF) {
			c.err = errors.New("the checkpoint ends early")
		}
	}
}

// storedSpike is a spike of one step in a checkpoint.
type storedSpike struct {
	Neuron int64
	Theta  float64
}

func (c *checkpoint) writeSpikes(n *Network, k int64) {
	var list []storedSpike
	for _, r := range n.ranges {
		for _, s := range r.emitted(k) {
			list = append(list, storedSpike{int64(s.neuron), s.theta})
		}
	}
	c.write(uint64(len(list)))
	c.write(list)
}

func (c *checkpoint) readSpikes(n *Network, k int64) {
	var count uint64
	c.read(&count)
	if limit := uint64(maxSpikes) * uint64(n.layout.firsts[len(n.layout.firsts)-1]); c.err == nil && count > limit {
		c.err = errors.New("the checkpoint is damaged")
	}
	for _, r := range n.ranges {
		if k >= 0 {
			r.history.put(r.slot(k), nil)
		}
	}
	for range count {
		var s storedSpike
		if c.read(&s); c.err != nil {
			return
		}
		found := false
		for _, r := range n.ranges {
			if seg := r.segmentOf(int(s.Neuron)); seg != nil && k >= 0 {
				list := append(r.history.lists[r.slot(k)], spike{int32(s.Neuron), int32(seg.population), s.Theta})
				r.history.put(r.slot(k), list)
				found = true
			}
		}
		if !found {
			c.err = errors.New("the checkpoint is damaged")
		}
	}
}
