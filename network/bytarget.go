package network

// Populations whose projections are all drawn by target are filled range by range, by one worker each: the edges onto a
// range are drawn to count them by source and delay, and drawn again to write each to its place. Tables with runs by
// delay are counted in their index. A packed table has no index by delay: its edges are counted in memory of the
// worker, which serves for the next range again.

// mostPlaces is the largest expected number of places in the run of a source of a packed table that is filled by
// target: edges are counted in 16 bits.
const mostPlaces = 1 << 15

// mostByTarget bounds the mean number of places that a source needs in a packed table of one range.
func (l *layout) mostByTarget(key pair) float64 {
	edges := 0.0
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		for _, from := range p.From {
			if from.Population == key.population {
				edges += l.edges(p) / float64(size(p.From)) // of each source in this part of the pool
			}
		}
	}
	return edges + float64(l.longest)/(1<<(16-packedLaneBits)-1)
}

// fillRanges draws and stores the edges of the populations that are filled range by range.
func (b *builder) fillRanges() error {
	var draws []*drawing
	for _, d := range b.net.layout.draws {
		if byTarget(d.p.Rule) && b.filling[d.p.From[0].Population] == rangeByRange {
			draws = append(draws, d)
		}
	}
	if len(draws) == 0 {
		return nil
	}
	return b.parallel(len(b.net.ranges), func(sc *scratch, i int) error {
		return b.fillRange(sc, i, draws)
	})
}

// fillRange draws and stores the edges of projections onto a range.
func (b *builder) fillRange(sc *scratch, number int, draws []*drawing) error {
	r := b.net.ranges[number]
	all := func(f func(sc *scratch, d *drawing, post int) error) error {
		for _, d := range draws {
			if err := b.targets(d, r, func(post int) error { return f(sc, d, post) }); err != nil {
				return err
			}
		}
		return nil
	}
	others, packed := b.ofRange(number, rangeByRange)
	sc.clearOffsets(packed)
	if err := all(b.count); err != nil {
		return err
	}
	if err := b.begin(others); err != nil {
		return err
	}
	if err := b.beginPacked(packed); err != nil {
		return err
	}
	if err := all(b.place); err != nil {
		return err
	}
	none := uint16(r.lanes)
	for _, s := range others {
		s.end(none)
	}
	for _, s := range packed {
		s.endPacked(none)
	}
	b.trimPacked(packed)
	return nil
}

// clearOffsets sets the counts of packed tables to 0.
func (sc *scratch) clearOffsets(packed []*store) {
	all := 0
	for _, s := range packed {
		all += len(s.start) / 2 * s.delays
	}
	sc.offsets = resized(sc.offsets, all)
	clear(sc.offsets)
	left := sc.offsets
	for _, s := range packed {
		n := len(s.start) / 2 * s.delays
		s.offsets, left = left[:n], left[n:]
	}
}

// beginPacked ends the counting of edges of the packed tables of a range: it makes counts places, and allocates memory.
func (b *builder) beginPacked(packed []*store) error {
	blocks := 0
	for _, s := range packed {
		most := s.mostLater()
		for source := range len(s.start) / 2 {
			places := layDelays(s.offsets[source*s.delays:][:s.delays], most)
			if places >= 2*mostPlaces {
				panic("bug: network: more places of a run than 16 bits count; see mostPlaces")
			}
			row := s.row(source)
			row[0] = uint32(blocks)
			blocks += (places + 3) / 4
			row[1] = uint32(blocks)
		}
		if blocks > maxBlocks {
			return tooMany(int64(blocks))
		}
	}
	b.makePacked(packed, blocks)
	if len(packed) > 0 {
		packed[0].next.Store(int64(blocks))
	}
	return nil
}

// placePacked stores the edges of a bundle of one target, whose counters are known, in a packed table; pre counts from
// source number first of the population.
func (s *store) placePacked(sc *scratch, first int, lane uint16) {
	n := len(sc.starts)
	offsets, blocks, rows := s.offsets, s.b32, s.start[2*first:]
	pre, weight := sc.pre[:n], sc.weight[:n]
	for k, i := range sc.starts {
		at := offsets[i]
		offsets[i] = at + 1
		b := &blocks[rows[2*pre[k]]+uint32(at/4)]
		b.To[at%4], b.W[at%4] = lane, float32(weight[k])
	}
}

// endPacked ends the filling of a packed table by target.
func (s *store) endPacked(none uint16) {
	for source := range len(s.start) / 2 {
		markDelays(s.table, source, s.offsets[source*s.delays:][:s.delays], none)
	}
	s.offsets = nil
}
