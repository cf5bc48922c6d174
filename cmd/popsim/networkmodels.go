package main

import (
	"fmt"
	"io"
	"strings"

	"popsim/cmd/popsim/internal/help"
	"popsim/cmd/popsim/internal/reference"
	"popsim/experiment"
	"popsim/network"
	"popsim/network/description"
	"popsim/table/file"
)

// describeNetwork tells what a network is made of.
func describeNetwork(w io.Writer, d *description.Description, preset string) error {
	res, err := d.Resolve(description.Options{Preset: preset})
	if err != nil {
		return misused(err)
	}
	fmt.Fprintf(w, "%s: %s\n\n  %s\n\nParameters\n", strings.TrimSuffix(d.Path, experiment.Ending), d.Title, d.Source)
	help.Columns(w, func(w io.Writer) {
		for _, p := range res.Parameters {
			fmt.Fprintf(w, "  %s\t%s\t%.6g\t%s\n", p.Name, p.Text, p.Value, reference.Unit(p.Unit))
		}
	})
	fmt.Fprintln(w, "\nPopulations")
	help.Columns(w, func(w io.Writer) {
		for _, p := range res.Spec.Populations {
			kind := "spike trains"
			if p.Model != nil {
				kind = p.Model.Name
			}
			fmt.Fprintf(w, "  %s\t%d\t%s\n", p.Name, p.N, kind)
		}
	})
	fmt.Fprintln(w, "\nProjections")
	help.Columns(w, func(w io.Writer) {
		for _, p := range res.Spec.Projections {
			s := res.Spec.Synapses[p.Synapse]
			fmt.Fprintf(w, "  %s\t%s\t%s\n", p.Name, s.Name, s.Kind)
		}
	})
	if names := d.Presets(); len(names) > 0 {
		fmt.Fprintf(w, "\nPresets\n  %s\n", strings.Join(names, ", "))
	}
	return nil
}

// networkParameters are the entries of [parameters] for a record.
func networkParameters(res *description.Result) (all []file.Parameter) {
	for _, p := range res.Parameters {
		all = append(all, file.Parameter{Name: p.Name, Value: p.Value, Unit: p.Unit})
	}
	return all
}

// describedNetwork is what a record says of a network that was built: its description with the @files that it names, its
// populations, and its graph.
func describedNetwork(d *description.Description, res *description.Result, sum network.Summary, firsts []int) map[string]any {
	var populations []map[string]any
	for j, p := range res.Spec.Populations {
		populations = append(populations, map[string]any{"name": p.Name, "first": firsts[j], "n": p.N})
	}
	return map[string]any{
		"description": d.Text, "files": filesOf(res), "populations": populations, "synapses": sum.Edges,
		"least_delay_ms": sum.LeastDelay, "longest_delay_ms": sum.LongestDelay, "bytes_per_synapse": perSynapse(sum),
		"graph_checksum": fmt.Sprintf("%016x", sum.Checksum),
	}
}

// filesOf are the @files of a network with their checksums, for a record.
func filesOf(res *description.Result) []map[string]any {
	files := []map[string]any{}
	for _, f := range res.Files {
		files = append(files, map[string]any{"path": f.Path, "sha256": f.SHA256})
	}
	return files
}
