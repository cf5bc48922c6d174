package pop

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/model"
)

// BlownUp is the error of a run in which a state became NaN or infinite.
type BlownUp struct {
	Model  *model.Model
	Neuron int64
	Time   float64 // start of the step in which it did, ms; in an epoch of one step, the start of the epoch
	P      []float64
	I      float64   // without Config.Waveform and Config.Input
	State  []float64 // before that step
	Away   float64   // time (ms) from which the neuron has been a Runaway; NaN if it has not
}

func (e *BlownUp) Error() string {
	text := ""
	for j, q := range e.Model.Params {
		text += fmt.Sprintf("%s=%.6g ", q.Name, e.P[j])
	}
	text += fmt.Sprintf("I=%.6g; state before:", e.I)
	for j, s := range e.Model.States {
		text += fmt.Sprintf(" %s=%.6g", s.Name, e.State[j])
	}
	if !math.IsNaN(e.Away) {
		return fmt.Sprintf("pop: neuron %d runs away: from t = %.6g ms on V goes to infinity by its own equations, "+
			"whatever the step, "+
			"and in the step at t = %.6g ms it becomes NaN or infinite (%s)", e.Neuron, e.Away, e.Time, text)
	}
	return fmt.Sprintf("pop: neuron %d became NaN in the step at t = %.6g ms (%s)", e.Neuron, e.Time, text)
}

// Runaway is a neuron whose V goes to infinity by the equations of the model, whatever the step; see
// model.Model.Runaway.
type Runaway struct {
	Neuron int64
	Time   float64 // when that was certain, ms
}

// farV is the magnitude of V (mV) beyond which a neuron is inspected.
const farV = 1000.0

// keep copies the columns of a shard before it is advanced, so that the step in which a state becomes NaN can be found
// by repeating the epoch, without input of earlier steps. The copy belongs to the worker and stays in its cache. In an
// epoch of one step nothing is copied.
func (w *worker) keep(s *shard, steps int) {
	w.kept = w.kept[:0]
	if steps == 1 {
		return
	}
	n := 0
	for _, column := range held(s.columns) {
		if n == cap(w.kept) {
			w.kept = append(w.kept, nil)
		}
		w.kept = w.kept[:n+1]
		w.kept[n] = append(w.kept[n][:0], column...)
		n++
	}
}

// held returns the columns that hold the state of a shard; those that a model does not have are empty.
func held(s *kernels.Shard) [maxHeld][]float64 {
	all := [maxHeld][]float64{s.Wake, s.Level, s.Rem}
	if copy(all[3:], s.Y) < len(s.Y) {
		panic("bug: pop: a kernel has more columns than are kept")
	}
	return all
}

const maxHeld = 3 + kernels.MaxColumns

// inspect looks for neurons whose state became NaN or infinite in this epoch, or that run away.
func (p *Population) inspect(s *shard, w *worker, drive kernels.Drive) {
	for l, v := range s.columns.Y[0][:s.columns.N] {
		if math.Abs(v) <= farV || s.runsAway(l) && v-v == 0 {
			continue
		}
		p.locate(s, w, l, drive)
		if s.failed != nil {
			return
		}
	}
}

func (s *shard) runsAway(lane int) bool {
	return slices.ContainsFunc(s.away, func(r Runaway) bool { return r.Neuron == int64(s.first+lane) })
}

// locate repeats the epoch for lane l of a shard alone, from the columns at its start and with the same input, up to
// the step in which its state becomes NaN or infinite, and records when it is found to run away.
func (p *Population) locate(s *shard, w *worker, l int, drive kernels.Drive) {
	neuron, spec := s.first+l, p.spec
	found := &BlownUp{Model: spec.Model, Neuron: int64(neuron), I: spec.I.At(neuron), State: make([]float64,
		len(spec.Model.States)), Away: math.NaN()}
	for _, v := range spec.P {
		found.P = append(found.P, v.At(neuron))
	}
	for _, r := range s.away {
		if r.Neuron == found.Neuron {
			found.Away = r.Time
		}
	}
	one := p.kernel.NewShard(neuron, 1, p.dt, p.setting())
	now := held(s.columns) // in an epoch of one step only the state after it is known
	before := now[:]
	if len(w.kept) > 0 {
		before = w.kept
	}
	for j, column := range held(one) {
		if len(column) > 0 {
			column[0] = before[j][l]
		}
	}
	scratch, row := kernels.NewWorker(), make([]float64, kernels.Group)
	var events []kernels.Event
	for done := range p.length {
		k := p.first + int64(done)
		d, current := kernels.Drive{}, found.I
		if drive.Waveform != nil {
			d.Waveform = drive.Waveform[done : done+1]
			current += float64(spec.Gain.At(neuron) * d.Waveform[0])
		}
		if drive.Row != nil {
			row[0] = drive.Row[done*drive.Stride+l]
			d.Row, d.Stride = row, kernels.Group
			current += row[0]
		}
		one.State(0, k, found.State)
		found.Time = float64(k) * p.dt
		if math.IsNaN(found.Away) && spec.Model.Runaway(found.P, current, found.State) {
			found.Away = found.Time
			s.away = append(s.away, Runaway{found.Neuron, found.Time})
		}
		events = one.Advance(scratch, k, 1, d, false, events[:0])
		if v := one.Y[0][0]; v-v != 0 {
			break
		}
	}
	if v := s.columns.Y[0][l]; v-v != 0 {
		s.failed = found
	}
}

// FinestTrial is the divisor of the smallest step that SmallerStep tries.
const FinestTrial = 1024

// ErrLongTrial is the error of SmallerStep where a trial would take too many steps.
var ErrLongTrial = errors.New("pop: the trial of a smaller step would take too long")

// SmallerStep looks for a step with which the neuron of e, a neuron of spec that was run in steps of dt ms, stays in
// range until 20 steps after the blow-up. It runs the neuron alone, without Config.Waveform and Config.Input, in steps
// of dt/4, dt/16, ..., dt/FinestTrial. It returns the step, 0 if none was found, and the time (ms) up to which it was
// tried.
func (e *BlownUp) SmallerStep(spec Spec, dt float64) (step, end float64, err error) {
	const budget = 2e6 // steps of a trial
	one := Spec{Model: spec.Model, Method: spec.Method, N: 1, P: kernels.Uniform(e.P), I: kernels.Values{e.I}}
	for _, x := range spec.Init {
		if x != nil {
			x = kernels.Values{x.At(int(e.Neuron))}
		}
		one.Init = append(one.Init, x)
	}
	end = e.Time + float64(20*dt)
	for f := 4.0; f <= FinestTrial; f *= 4 {
		if end/(dt/f) > budget {
			return 0, end, ErrLongTrial
		}
		if _, err := Run(context.Background(), one, Config{Dt: dt / f, Workers: 1}, end); err == nil {
			return dt / f, end, nil
		}
	}
	return 0, end, nil
}
