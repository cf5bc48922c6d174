package network

import (
	"popsim/kernels"
	"popsim/kernels/asm"
)

// triples is the scratch of poissonTriples: the instants in a tile of lanes, padded to what kernels round up to.
type triples struct {
	runs  []segmentTrain // those that poissonTriples adds in the steps in which it does
	theta [4][]float64
}

// tripleTile is the number of lanes in a tile of triples.
const tripleTile = 256

// attachTriples notes a run of a Poisson input onto a receptor of coupled neurons whose arrivals can be added in
// vectors.
func (r *shard) attachTriples(p *trainPart, u *trainRun) {
	u.triple = true
	t := &r.triples
	t.runs = append(t.runs, segmentTrain{p, u})
	r.makeColumns(int(p.receptor[u.first]))
	if t.theta[0] != nil {
		return
	}
	for j := range t.theta {
		t.theta[j] = makeColumn(tripleTile + kernels.DrawnTogether)
	}
}

// poissonTriples adds the arrivals of a run in step k to the columns of its receptor: four arrivals of each lane at a
// time, as long as many lanes have as many, then one by one.
func (r *shard) poissonTriples(p *trainPart, u *trainRun, k int64) {
	u.inVectors = k
	t, c := &r.triples, int(p.receptor[u.first])
	seed, weight := r.net.layout.spec.Seed, p.weights[u.first]
	series := r.net.layout.series[c]
	for from := u.first; from < u.first+u.n; from += tripleTile {
		n := min(tripleTile, u.first+u.n-from)
		lanes := (n + kernels.DrawnTogether - 1) / kernels.DrawnTogether * kernels.DrawnTogether
		var to [3][]float64
		for j := range to {
			to[j] = r.columns[c][j][p.lanes[from]:]
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
			kernels.AddInstantsThree(r.net.isa, &asm.InstantsBlock{
				Lanes: lanes, Theta0: t.theta[0], Theta1: t.theta[1], Theta2: t.theta[2], Theta3: t.theta[3],
				Ends: series[0], Shares: series[1], Thirds: series[2], Weight: weight, End: to[0], Share: to[1], Third: to[2],
			})
		}
		for i, count := range counts {
			for j := skip; j < int(count); j++ {
				for m, x := range series.at(p.instant(seed, p.ids[from+i], k, j)) {
					to[m][i] += float64(weight * x)
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
