package record

import (
	"encoding/json"
	"maps"
	"slices"

	"popsim/sweep"
	"popsim/table/file"
)

// Merged returns the record of a merged file: the experiment, from the record of the first part, and the cost of all
// parts.
func Merged(parts *sweep.Parts) file.Record {
	spec := parts.Spec
	r := file.Record{
		Model: spec.Model.Name, Dt: spec.Dt, Method: spec.Method, Kernel: spec.Model.Name + "/" + spec.Method,
		Extra: map[string]any{
			"points": parts.Rows(), "time_ms": spec.Time, "discard_ms": spec.Discard, "from": spec.From.String(),
			"full": spec.Full,
			"zip":  spec.Grid.Zip, "interrupted": false, "spike_rule": SpikeRule(spec.Model), "experiment": parts.Digest(),
			"neuron_steps": parts.Work.LaneSteps, "parts": parts.Count(), "parts_seconds": parts.Work.Seconds,
			"ns_per_neuron_step": parts.Work.Seconds * 1e9 / max(1, float64(parts.Work.LaneSteps)),
		},
	}
	addParts(&r, parts.Records(), addFirst)
	return r
}

// MergedJobs returns the record of a merged file of a sweep of a network.
func MergedJobs(parts *sweep.JobsParts) file.Record {
	r := file.Record{Extra: map[string]any{
		"interrupted": false, "experiment": parts.Result.Jobs.Digest(), "parts": parts.Count, "parts_seconds": parts.Seconds,
	}}
	AddChoices(r.Extra, parts.Result)
	addParts(&r, parts.Records, func(r *file.Record, q file.Record) {
		r.Model, r.Preset, r.Parameters, r.Dt, r.Seed = q.Model, q.Preset, q.Parameters, q.Dt, q.Seed
		r.Extra["part_command"] = q.Command
		for _, name := range []string{
			"description", "files", "settings", "points", "trials", "time_ms", "discard_ms", "bin_ms", "zip",
			"spikes_on_grid", "memory_forecast_bytes",
		} {
			r.Extra[name] = q.Extra[name]
		}
	})
	return r
}

// addParts adds the records of parts to r; first adds that of the first part.
func addParts(r *file.Record, records []json.RawMessage, first func(r *file.Record, q file.Record)) {
	versions, sets, processors, longest := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0.0
	for i, text := range records {
		var q file.Record
		if json.Unmarshal(text, &q) != nil {
			continue
		}
		if i == 0 {
			first(r, q)
		}
		r.ISA, r.Workers = q.ISA, max(r.Workers, q.Workers)
		versions[q.Version], sets[q.ISA] = true, true
		if p, ok := q.Extra["processor"].(string); ok {
			processors[p] = true
		}
		total := 0.0
		for _, p := range q.Phases {
			total += p.Seconds
		}
		longest = max(longest, total)
	}
	r.Extra["parts_versions"] = slices.Sorted(maps.Keys(versions))
	r.Extra["parts_instruction_sets"] = slices.Sorted(maps.Keys(sets))
	r.Extra["parts_processors"] = slices.Sorted(maps.Keys(processors))
	r.Extra["parts_longest_seconds"] = longest
}

// addFirst copies the entries about the whole experiment from q, the record of the first part, to r.
func addFirst(r *file.Record, q file.Record) {
	r.Preset, r.Parameters, r.Seed = q.Preset, q.Parameters, q.Seed
	if len(q.Command) > 1 {
		r.Extra["verb"] = q.Command[1]
	}
	r.Extra["part_command"] = q.Command
	for _, name := range []string{"neuron_steps_forecast", "memory_forecast_bytes", "bytes_per_neuron", "rheobase"} {
		if x, ok := q.Extra[name]; ok {
			r.Extra[name] = x
		}
	}
}
