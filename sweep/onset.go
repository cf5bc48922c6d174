package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Constants of the search for the onset of firing.
const (
	onsetPoints    = 41   // currents of each range
	onsetGrowth    = 4    // of the range where nothing fires in it
	onsetRanges    = 12   // ranges that are tried: up to 4^10 times the usual one
	onsetTolerance = 1e-4 // of the range that is refined
)

// ErrNeverFires is the error if no current was found at which a neuron fires until the end of its run.
var ErrNeverFires = errors.New("it does not keep firing at any current that was tried")

// Onsets finds the currents at which a neuron, started at its equilibrium at I = 0 and stepped to each current, first
// fires and first fires persistently: the transitions of its f-I curve up to sustained firing, within 1e-4 of the range
// of currents that contains them. Spec has no grid. The error is ErrNeverFires if the neuron does not fire persistently
// at any current tried.
func Onsets(ctx context.Context, spec Spec, cfg Config) ([]Transition, error) {
	lo, hi := min(0, spec.Model.Typical.Silent), spec.Model.Typical.Largest
	closer := false // the range is around the onset already
	for range onsetRanges {
		spec.Grid.Axes = []Axis{Even("I", spec.Model.CurrentUnit, lo, hi, onsetPoints)}
		r, err := Run(ctx, spec, cfg)
		if err != nil {
			return nil, err
		}
		switch quiet, first := r.onset(); {
		case first < 0:
			hi *= onsetGrowth
		case quiet < 0: // it fires at all of them
			lo -= float64(onsetGrowth * (hi - lo))
		case closer:
			_, found, err := Refine(ctx, r, cfg, onsetTolerance*(hi-lo))
			return upTo(found, string(firing)), err
		default:
			lo, hi = r.Axis(quiet, 0), r.Axis(min(first+1, r.Rows()-1), 0)
			closer = true
		}
	}
	return nil, fmt.Errorf("%w, up to I = %g %s", ErrNeverFires, hi/onsetGrowth, spec.Model.CurrentUnit)
}

// onset returns the first row of an f-I curve at which the neuron fires persistently, and the last row before it
// without a spike; -1 where there is none.
func (r *Result) onset() (quiet, first int) {
	quiet = -1
	for row := range r.Rows() {
		if f, _ := r.outcome(row); f == firing {
			return quiet, row
		}
		if r.Value("spikes", row) == 0 {
			quiet = row
		}
	}
	return quiet, -1
}

// upTo returns the transitions up to the first above which the behaviour is the given one.
func upTo(found []Transition, above string) []Transition {
	for i, t := range found {
		if t.Above == above {
			return found[:i+1]
		}
	}
	return found
}

// Gain is the slope of the straight line fitted by least squares to the points of an f-I curve with persistent firing,
// Hz per unit of current, and their number; NaN of fewer than three.
func (r *Result) Gain() (slope float64, points int) {
	var x, y []float64
	for row := range r.Rows() {
		if rate := r.Value("rate_Hz", row); rate > 0 && r.Word("status", row) == "ok" {
			x, y = append(x, r.Axis(row, 0)), append(y, rate)
		}
	}
	if len(x) < 3 {
		return math.NaN(), len(x)
	}
	mx, my := mean(x), mean(y)
	sxy, sxx := 0.0, 0.0
	for i := range x {
		sxy += float64((x[i] - mx) * (y[i] - my))
		sxx += float64((x[i] - mx) * (x[i] - mx))
	}
	return sxy / sxx, len(x)
}

// OnsetText describes at which currents, in unit, firing begins: found is the result of Onsets. lost is the current at
// which the resting state disappears, NaN if it is not known; never is the error of Onsets.
func OnsetText(found []Transition, lost float64, unit string, never error) string {
	var parts []string
	for _, t := range found {
		switch text := t.Digits() + " " + unit; {
		case t.Above == string(transient):
			parts = append(parts, "first spike at "+text)
		case t.Above == string(firing) && t.Class > 0:
			parts = append(parts, fmt.Sprintf("keeps firing from %s, class %d", text, t.Class))
		case t.Above == string(firing):
			parts = append(parts, "keeps firing from "+text)
		}
	}
	if never != nil {
		parts = append(parts, never.Error())
	}
	if !math.IsNaN(lost) {
		parts = append(parts, fmt.Sprintf("resting state lost at %.10g %s", lost, unit))
	}
	return strings.Join(parts, "; ")
}
