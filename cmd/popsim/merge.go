package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/memory"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/sweep"
	"popsim/table/file"
)

const mergeHelp = `merge joins the parts that popsim fi or map --part I/N -o FILE have left beside FILE. FILE gets the same bytes as from
the sweep in one go. Parts that are missing, doubled, torn or of different experiments are refused; they stay where they
are. Memory does not grow with the number of points, but --plot needs all of them.`

// mergeVerb joins parts.
func (v *call) mergeVerb() *cobra.Command {
	var f flags
	measure := experiment.Word{Form: "COLUMN", Value: "rate_Hz"}
	cmd := &cobra.Command{
		Use:         "merge FILE",
		Short:       "Join the parts of a sweep into FILE",
		Long:        mergeHelp,
		Annotations: ofFile,
		Example:     "  popsim map adex I=0:60/1000 b=0:60/1000 --part 1/2 -o map.npz\n  popsim map adex I=0:60/1000 b=0:60/1000 --part 2/2 -o map.npz\n  popsim merge map.npz --plot map.png",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(fault.Hint(fmt.Errorf("merge takes one file, but got %d", len(args)), "it is the name that was given with -o"))
			}
			if measure.Given && f.plot.Value == "" {
				return misused(fault.Hint(errors.New("--measure is about a picture, but there is none"), "--plot FILE draws one"))
			}
			return v.merge(args[0], f, measure.Value)
		},
	}
	f.plot = experiment.Word{Form: "FILE"}
	set := cmd.Flags()
	add(set, experiment.Flag{Name: "plot", Value: &f.plot, Help: "picture to draw: .svg .png .pdf"})
	add(set, experiment.Flag{Name: "measure", Letter: "m", Value: &measure, Offers: completion.Measures, Help: "column to draw"})
	add(set, experiment.Flag{Name: "force", Once: true, Value: (*experiment.Switch)(&f.force), Help: "overwrite files that exist"})
	add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.quiet), Help: "no summary, only warnings and errors"})
	return cmd
}

func (v *call) merge(path string, f flags, measure string) error {
	if err := distinct([]namedFile{{"FILE", path}}, namedFile{"--plot", f.plot.Value}); err != nil {
		return misused(err)
	}
	if err := f.checkPicture(f.force); err != nil {
		return err
	}
	out, err := v.create(path, f.force)
	if err != nil {
		return err
	}
	defer out.Abort()
	parts, err := sweep.OpenParts(path)
	if err != nil {
		return err
	}
	defer parts.Close()
	v.phase("check")
	record := mergedRecord(parts)
	picture, err := v.wholeOf(parts, record, f, measure)
	if err != nil {
		return err
	}
	t := tally{}
	even := strings.EqualFold(filepath.Ext(path), ".npy") // its columns have one width from the first row on
	err = parts.Blocks(even, func(b *sweep.Result) error {
		t.count(b)
		return out.Append(tableOf(b))
	})
	if err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	v.phase("write")
	if picture != nil {
		if err := picture.Save(f.plot.Value, f.force); err != nil {
			return err
		}
		v.phase("plot")
	}
	v.say("%s of %s in %s", counted(parts.Rows(), "point"), counted(parts.Count(), "part"), path)
	t.tell(v)
	return errors.Join(v.aside(path, out, record), failed(t["nan"], parts.Rows()))
}

// wholeOf does what needs all points in memory: the picture, if one is asked for, and the borders of a curve, for the record.
func (v *call) wholeOf(parts *sweep.Parts, record file.Record, f flags, measure string) (*figure.Figure, error) {
	borders := record.Extra["verb"] == "fi" && len(parts.Spec.Grid.Axes) == 1 && parts.Spec.From == sweep.FromRest
	if f.plot.Value == "" && !borders {
		return nil, nil
	}
	forecast, err := parts.Spec.Forecast(1)
	if err != nil {
		return nil, err
	}
	if err := memory.Fits(fmt.Sprintf("a picture of %d points", parts.Rows()), forecast.Bytes); err != nil && f.plot.Value != "" {
		return nil, misused(err)
	} else if err != nil {
		return nil, nil
	}
	r, err := parts.Result()
	if err != nil {
		return nil, err
	}
	if borders {
		var lines []string
		for _, b := range r.Borders() {
			lines = append(lines, b.String())
		}
		if lines != nil {
			record.Extra["borders"] = lines
		}
	}
	if f.plot.Value == "" {
		return nil, nil
	}
	verb, _ := record.Extra["verb"].(string)
	picture, err := figureOf(verb, r, r.Spec.Model.Name, measure)
	return picture, misused(err)
}

// mergedRecord is the record of a merged file: what its parts say of the experiment, and what they have cost together.
func mergedRecord(parts *sweep.Parts) file.Record {
	spec := parts.Spec
	r := file.Record{
		Model: spec.Model.Name, Dt: spec.Dt, Method: spec.Method, Kernel: spec.Model.Name + "/" + spec.Method,
		Extra: map[string]any{
			"points": parts.Rows(), "time_ms": spec.Time, "discard_ms": spec.Discard, "from": spec.From.String(), "full": spec.Full,
			"zip": spec.Grid.Zip, "interrupted": false, "spike_rule": ruleOf(spec.Model), "experiment": parts.Digest(),
			"neuron_steps": parts.Work.LaneSteps, "parts": parts.Count(), "parts_seconds": parts.Work.Seconds,
			"ns_per_neuron_step": parts.Work.Seconds * 1e9 / max(1, float64(parts.Work.LaneSteps)),
		},
	}
	versions, sets, processors, most := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0.0
	for i, text := range parts.Records() {
		var q file.Record
		if json.Unmarshal(text, &q) != nil {
			continue
		}
		if i == 0 {
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
		r.ISA, r.Workers = q.ISA, max(r.Workers, q.Workers)
		versions[q.Version], sets[q.ISA] = true, true
		if p, ok := q.Extra["processor"].(string); ok {
			processors[p] = true
		}
		total := 0.0
		for _, p := range q.Phases {
			total += p.Seconds
		}
		most = max(most, total)
	}
	r.Extra["parts_versions"] = slices.Sorted(maps.Keys(versions))
	r.Extra["parts_instruction_sets"] = slices.Sorted(maps.Keys(sets))
	r.Extra["parts_processors"] = slices.Sorted(maps.Keys(processors))
	r.Extra["parts_longest_seconds"] = most
	return r
}
