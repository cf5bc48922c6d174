package record

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"strings"

	"popsim/experiment"
	"popsim/model"
	"popsim/pop"
	"popsim/sweep"
	"popsim/table/file"
)

// Population returns the record of a run of a population with seed, without the entries that the verb adds.
func Population(n experiment.Neuron, spec pop.Spec, cfg pop.Config, sum pop.Summary, seed uint64) file.Record {
	method, _ := spec.Model.Method(spec.Method)
	extra := map[string]any{
		"neurons": spec.N, "steps": sum.Steps, "spikes": sum.Spikes, "spike_rule": SpikeRule(spec.Model),
		"shards":           sum.Shards,
		"bytes_per_neuron": sum.Bytes,
	}
	if len(sum.Away) > 0 {
		extra["runaway"] = sum.Away
	}
	addEquations(extra, spec.Model)
	AddWorkers(extra, sum.Sched)
	if work := float64(spec.N) * float64(sum.Steps); work > 0 {
		extra["ns_per_neuron_step"] = sum.Elapsed.Seconds() * 1e9 / work
	}
	return file.Record{
		Model: spec.Model.Name, Preset: n.Preset.Name, Parameters: n.Parameters(nil), Dt: cfg.Dt, Method: method.Name,
		Seed:   seed,
		Kernel: spec.Model.Name + "/" + method.Name, ISA: sum.Kernel.ISA.String(), Workers: len(sum.Sched.Busy), Extra: extra,
	}
}

// Sweep returns the record of a sweep, without the entries that the verb adds.
func Sweep(n experiment.Neuron, r *sweep.Result, seed uint64) file.Record {
	spec := r.Spec
	extra := map[string]any{
		"points": r.Rows(), "time_ms": spec.Time, "discard_ms": spec.Discard, "from": spec.From.String(), "full": spec.Full,
		"zip": spec.Grid.Zip, "neuron_steps": r.LaneSteps, "spike_rule": SpikeRule(spec.Model), "experiment": r.Digest(),
		"ns_per_neuron_step": r.Elapsed.Seconds() * 1e9 / math.Max(1, float64(r.LaneSteps)), "bytes_per_neuron": r.Bytes,
	}
	addEquations(extra, spec.Model)
	AddWorkers(extra, r.Sched)
	return file.Record{
		Model: spec.Model.Name, Preset: n.Preset.Name, Parameters: n.Parameters(nil), Dt: spec.Dt, Method: spec.Method,
		Seed:   seed,
		Kernel: spec.Model.Name + "/" + spec.Method, ISA: r.Kernel.ISA.String(), Workers: r.Workers, Extra: extra,
	}
}

// addEquations adds the file of a model that was read from one.
func addEquations(extra map[string]any, m *model.Model) {
	if m.Text != "" {
		extra["equations"] = map[string]string{
			"file": m.File, "sha256": fmt.Sprintf("%x", sha256.Sum256([]byte(m.Text))), "text": m.Text,
		}
	}
}

// Lines returns values as texts.
func Lines[T fmt.Stringer](values []T) (lines []string) {
	for _, x := range values {
		lines = append(lines, x.String())
	}
	return lines
}

// Finished reports whether the table at path is complete and belongs to the experiment with this digest.
func Finished(path, digest string) bool {
	r, err := file.ReadRecord(path)
	if err != nil || r.Extra["interrupted"] != false || r.Extra["experiment"] != digest {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// Models returns the record of a sweep of several models from those of each: that of the first, with the parameters of
// all, named MODEL.NAME.
func Models(models []string, records []file.Record) file.Record {
	all := records[0]
	all.Model, all.Preset, all.Parameters = strings.Join(models, ","), "", nil
	for i, r := range records {
		for _, p := range r.Parameters {
			p.Name = models[i] + "." + p.Name
			all.Parameters = append(all.Parameters, p)
		}
	}
	delete(all.Extra, "rheobase")
	delete(all.Extra, "borders")
	return all
}
