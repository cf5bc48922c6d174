package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"popsim/experiment"
	"popsim/network"
	"popsim/network/cann"
	"popsim/network/description"
	"popsim/network/measure"
	"popsim/network/recording"
	"popsim/sweep"
	"popsim/table/file"
)

// Network returns the entries about the network in the record of a run or sweep: its description with the @files that
// it names, and its parameters.
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

// AddGraph puts the populations and the graph of a network into extra.
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

// NetworkRun returns the record of a run of a network.
func NetworkRun(n *experiment.Network, res *description.Result, sum network.Summary, s *recording.Session,
	forecast network.Forecast,
) file.Record {
	r := Network(n, res)
	AddGraph(r.Extra, res.Spec, sum)
	end := s.Recording.End()
	for name, value := range map[string]any{
		"steps": recording.Steps(end, res.Spec.Dt), "time_ms": s.To, "discard_ms": s.From, "bin_ms": s.Bin,
		"spikes":         s.Recording.Spikes(),
		"forecast_bytes": forecast.Bytes, "forecast_synapses": forecast.Edges, "forecast_build_s": forecast.Seconds,
		"run_s":           s.Seconds,
		"realtime_factor": s.Seconds * 1000 / math.Max(end, 1e-9),
	} {
		r.Extra[name] = value
	}
	return r
}

// NetworkSweep returns the record of a sweep of a network, or of a part of it.
func NetworkSweep(n *experiment.Network, x *measure.Sweep, r *sweep.JobsResult) file.Record {
	out := Network(n, x.Base)
	for name, value := range map[string]any{
		"points": int(r.Jobs.Grid.Points()), "trials": r.Jobs.Trials, "time_ms": x.Run.Time, "discard_ms": x.Run.Discard,
		"bin_ms": x.Run.Bin, "zip": r.Jobs.Grid.Zip, "experiment": r.Jobs.Digest(), "runs": r.Finished(),
		"runs_at_once":          !r.Jobs.Alone,
		"memory_forecast_bytes": x.Forecast.Bytes, "run_s": r.Elapsed.Seconds(),
	} {
		out.Extra[name] = value
	}
	AddChoices(out.Extra, r)
	AddWorkers(out.Extra, r.Sched)
	out.Workers = r.Workers
	return out
}

// AddChoices puts into extra the functions that are fitted to choices, by measure.
func AddChoices(extra map[string]any, r *sweep.JobsResult) {
	fits := map[string]any{}
	for _, c := range measure.ChoicesOf(r) {
		if c.FitError == nil {
			fits[c.Name] = map[string]any{
				"alpha": c.Fit.Alpha, "beta": c.Fit.Beta,
				"alpha_95": ends(c.Fit.AlphaInterval), "beta_95": ends(c.Fit.BetaInterval),
			}
		}
	}
	if len(fits) > 0 {
		extra["weibull"] = fits
	}
}

// ends are those of an interval; an open one is nil, as JSON has no infinity.
func ends(interval [2]float64) (out [2]any) {
	for i, x := range interval {
		if !math.IsInf(x, 0) {
			out[i] = x
		}
	}
	return out
}

// PerSynapse is the memory of a graph for each synapse, bytes.
func PerSynapse(sum network.Summary) float64 {
	return float64(sum.Bytes) / math.Max(1, float64(sum.Edges))
}

// Digest is a short name of an identity: of all that the result of a run depends on.
func Digest(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:8])
}

// CANN returns the record of what cann was run with, in steps of dt ms.
func CANN(c *experiment.CANN, dt float64, seed uint64) file.Record {
	r := file.Record{Model: "cann", Dt: dt, Method: "rk4", Seed: seed, Extra: map[string]any{}}
	_, r.Preset, _ = strings.Cut(c.Name, ":")
	for i, p := range cann.Parameters {
		r.Parameters = append(r.Parameters, file.Parameter{Name: p.Name, Value: c.Values[i], Unit: p.Unit})
	}
	return r
}

// Number is x as JSON holds it: nil for NaN and the infinities.
func Number(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}
