// Package recording writes results of a population to tables while it runs: spikes, states over time, and a row for
// each neuron.
package recording

import (
	"popsim/pop"
	"popsim/table"
	"popsim/table/file"
)

// BlockRows is the number of rows that are appended to a table at once.
const BlockRows = 1 << 14

// Spikes writes spikes to a table with the columns neuron and time_ms. With Background it appends to the table in a
// goroutine of its own while the next spikes are computed. Call W(k) the call of AddSpikes for block k and A(k) the
// appending of that block to the table: A(k) precedes the return of W(k+1), so one of the two blocks of columns is
// always free, and the error of A(k) is returned by W(k+2) at the latest, or by Close.
type Spikes struct {
	out    *file.Output
	blocks [2]spikeBlock
	n      int              // blocks appended
	queue  chan *spikeBlock // nil without a goroutine
	ended  chan struct{}    // closed when the goroutine ends, after err was set
	err    error
}

// spikeBlock is a block of spikes in columns.
type spikeBlock struct {
	neurons []int64
	times   []float64
}

func (b *spikeBlock) table() *table.Table {
	return table.NewTable(table.Col("neuron", b.neurons), table.Col("time_ms", b.times))
}

// NewSpikes returns a recorder of spikes that writes to out.
func NewSpikes(out *file.Output) *Spikes { return &Spikes{out: out} }

// Background starts the goroutine. It must be called before the first AddSpikes; Close ends the goroutine.
func (s *Spikes) Background() {
	s.queue, s.ended = make(chan *spikeBlock), make(chan struct{})
	go func() {
		defer close(s.ended)
		for b := range s.queue {
			if s.err = s.out.Append(b.table()); s.err != nil {
				return
			}
		}
	}()
}

// AddSpikes appends a block, which it copies.
func (s *Spikes) AddSpikes(block []pop.Spike) error {
	b := &s.blocks[s.n%2]
	s.n++
	b.neurons, b.times = b.neurons[:0], b.times[:0]
	for _, x := range block {
		b.neurons, b.times = append(b.neurons, x.Neuron), append(b.times, x.Time)
	}
	if s.queue == nil {
		return s.out.Append(b.table())
	}
	select {
	case s.queue <- b:
		return nil
	case <-s.ended:
		return s.err
	}
}

// Close waits until every block is in the table. A table without spikes gets its header. The table remains to be
// committed.
func (s *Spikes) Close() error {
	if s.queue != nil {
		close(s.queue)
		<-s.ended
		s.queue = nil
	}
	if s.err != nil {
		return s.err
	}
	return s.out.Append((&spikeBlock{neurons: []int64{}, times: []float64{}}).table())
}
