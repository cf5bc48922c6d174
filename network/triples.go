package network

import (
	"popsim/kernels"
	"popsim/kernels/asm"
)

// triples is the scratch of poissonTriples: a tile of lanes, padded to what kernels round up to.
type triples struct {
	runs              []segmentTrain // those that poissonTriples adds in the steps in which it does
	theta             [4][]float64
	end, share, third []float64
}

// tripleTile is the number of lanes in a tile of triples.
const tripleTile = 256

// attachTriples notes a run of a Poisson input onto rows of triples whose arrivals can be added in vectors.
func (r *shard) attachTriples(p *trainPart, u *trainRun) {
	u.triple = true
	t := &r.triples
	t.runs = append(t.runs, segmentTrain{p, u})
	if t.end != nil {
		return
	}
	column := func() []float64 { return make([]float64, tripleTile+kernels.DrawnTogether) }
	t.end, t.share, t.third = column(), column(), column()
	for j := range t.theta {
		t.theta[j] = column()
	}
}

// poissonTriples adds the arrivals of a run in step k to its rows of triples: four arrivals of each lane at a time, as
// long as many lanes have as many, then one by one.
func (r *shard) poissonTriples(p *trainPart, u *trainRun, k int64) {
	u.inVectors = k
	t, c := &r.triples, int(p.receptor[u.first])
	seed, weight := r.net.layout.spec.Seed, p.weights[u.first]
	series := r.net.layout.series[c]
	for from := u.first; from < u.first+u.n; from += tripleTile {
		n := min(tripleTile, u.first+u.n-from)
		lanes := (n + kernels.DrawnTogether - 1) / kernels.DrawnTogether * kernels.DrawnTogether
		row := r.rows[c][3*int(p.lanes[from]):][:3*n]
		for i := range n {
			t.end[i], t.share[i], t.third[i] = row[3*i], row[3*i+1], row[3*i+2]
		}
		counts := p.counts[int(k%4)*p.stride+from:][:n]
		skip := 0
		for ; float64(skip) < max(1, u.mean-1); skip += 4 {
			kernels.Instants(r.net.isa, p.instantsOf(seed, skip/4), counts, skip, &t.theta, p.ids[from], uint32(k))
			for j := range t.theta {
				for i := n; i < lanes; i++ {
					t.theta[j][i] = asm.NoArrival
				}
			}
			b := asm.InstantsBlock{
				Lanes: lanes, Theta0: t.theta[0], Theta1: t.theta[1], Theta2: t.theta[2], Theta3: t.theta[3],
				Ends: series[0], Shares: series[1], Weight: weight, End: t.end, Share: t.share,
			}
			kernels.AddInstantsTwo(r.net.isa, &b)
			b.Ends, b.End = series[2], t.third
			kernels.AddInstants(r.net.isa, &b)
		}
		for i := range n {
			row[3*i], row[3*i+1], row[3*i+2] = t.end[i], t.share[i], t.third[i]
		}
		for i, count := range counts {
			for j := skip; j < int(count); j++ {
				for m, x := range series.at(p.instant(seed, p.ids[from+i], k, j)) {
					row[3*i+m] += float64(weight * x)
				}
			}
		}
	}
}

// findTriples appends the arrivals in step k that poissonTriples has added to a lane to r.found.
func (r *shard) findTriples(lane int, k int64) {
	for _, t := range r.triples.runs {
		p, u := t.part, t.run
		i := lane - int(p.lanes[u.first])
		if u.inVectors != k || i < 0 || i >= u.n {
			continue
		}
		i += u.first
		for j := range int(p.counts[int(k%4)*p.stride+i]) {
			theta := p.instant(r.net.layout.spec.Seed, p.ids[i], k, j)
			r.found = append(r.found, arrival{uint16(lane), p.receptor[i], theta, p.weights[i]})
		}
	}
}
