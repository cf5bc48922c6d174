package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"popsim/experiment"
	"popsim/network"
	"popsim/network/description"
	"popsim/table/file"
)

// Network returns what the record of a run or sweep of a network tells of the network: its description with the @files
// that it names, and its parameters.
func Network(n *experiment.Network, res *description.Result) file.Record {
	files := []map[string]any{}
	for _, f := range res.Files {
		files = append(files, map[string]any{"path": f.Path, "sha256": f.SHA256})
	}
	r := file.Record{
		Model: strings.TrimSuffix(n.Description.Path, experiment.Ending), Preset: n.Preset, Dt: res.Spec.Dt,
		Seed: res.Spec.Seed,
		Extra: map[string]any{
			"description": n.Description.Text, "files": files, "settings": n.SettingTexts(), "spikes_on_grid": res.Spec.OnGrid,
		},
	}
	for _, p := range res.Parameters {
		r.Parameters = append(r.Parameters, file.Parameter{Name: p.Name, Value: p.Value, Unit: p.Unit})
	}
	return r
}

// AddGraph puts into extra what was built of a network: its populations and its graph.
func AddGraph(extra map[string]any, spec *network.Spec, sum network.Summary) {
	var populations []map[string]any
	first := 0
	for _, p := range spec.Populations {
		populations = append(populations, map[string]any{"name": p.Name, "first": first, "n": p.N})
		first += p.N
	}
	extra["populations"], extra["synapses"], extra["graph_checksum"] = populations, sum.Edges,
		fmt.Sprintf("%016x", sum.Checksum)
	extra["least_delay_ms"], extra["longest_delay_ms"] = sum.LeastDelay, sum.LongestDelay
	extra["bytes_per_synapse"] = PerSynapse(sum)
}

// PerSynapse is the memory of a graph for each synapse, bytes.
func PerSynapse(sum network.Summary) float64 {
	return float64(sum.Bytes) / math.Max(1, float64(sum.Edges))
}

// Digest is a short name of what decides the result of a run.
func Digest(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:8])
}
