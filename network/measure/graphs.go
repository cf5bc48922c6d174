package measure

import (
	"context"
	"sync"

	"popsim/network"
	"popsim/network/description"
)

// graphs keeps networks whose trial has ended for other trials of the same point, which need not draw the graph again.
// There are never more of them than jobs run at once.
type graphs struct {
	mu   sync.Mutex
	idle []idleNetwork
}

type idleNetwork struct {
	point int
	net   *network.Network
}

// measure runs a trial of a point, on a kept graph or a new one. last is whether all other trials of the point have
// begun.
func (g *graphs) measure(
	ctx context.Context,
	set *Set,
	res *description.Result,
	run Run,
	point int,
	last bool,
) ([]float64, error) {
	net := g.take(point)
	var err error
	if net != nil {
		err = net.Restart(res.Spec)
	} else {
		net, err = run.build(ctx, res)
	}
	if err != nil {
		return nil, err
	}
	values, err := set.measure(ctx, net, res, run)
	if err != nil || last {
		net.Close()
		return values, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = append(g.idle, idleNetwork{point, net})
	return values, nil
}

// take returns a kept network of a point, nil if there is none, and closes one of another point: points are run one
// after the other.
func (g *graphs) take(point int) *network.Network {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, n := range g.idle {
		if n.point == point {
			g.idle = append(g.idle[:i], g.idle[i+1:]...)
			return n.net
		}
	}
	for _, n := range g.idle {
		n.net.Close()
	}
	g.idle = g.idle[:0]
	return nil
}
