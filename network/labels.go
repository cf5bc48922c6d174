package network

import (
	"context"
	"runtime/pprof"
	"strconv"
)

// part is a part of the work of a step, as profiles label it. The waiting for others is labelled by package sched.
type part int

const (
	delivery  part = iota // adding up the edges of spikes that arrive
	input                 // inputs
	update                // neurons and synaptic variables
	recording             // merging spikes and handing them out
	parts
)

var partNames = [parts]string{"delivery", "input", "update", "recording"}

// label makes the labels of the ranges if ctx has labels, which means that a profile is wanted.
func (n *Network) label(ctx context.Context) {
	wanted := false
	pprof.ForLabels(ctx, func(_, _ string) bool { wanted = true; return false })
	for _, r := range n.ranges {
		r.labels = nil
		for p := 0; wanted && p < int(parts); p++ {
			r.labels = append(r.labels,
				pprof.WithLabels(ctx, pprof.Labels("part", partNames[p], "shard", strconv.Itoa(r.number))))
		}
	}
}

// part labels the goroutine with the part of the work that it begins.
func (r *shard) part(p part) {
	if r.labels != nil {
		pprof.SetGoroutineLabels(r.labels[p])
	}
	if r.laps != nil {
		r.laps.begin(p)
	}
}
