package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/help"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/reference"
	"popsim/experiment"
	"popsim/expression"
	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/statistics"
	"popsim/pop"
	"popsim/recording"
	"popsim/table"
	"popsim/table/file"
)

// networkFlags are those that run takes for networks alone.
type networkFlags struct {
	onGrid                    bool
	populations, edges, rates experiment.Word
	bin                       experiment.Quantity
}

// add registers the flags.
func (f *networkFlags) add(set *pflag.FlagSet) {
	f.populations, f.edges, f.rates = experiment.Word{Form: "FILE"}, experiment.Word{Form: "FILE"}, experiment.Word{Form: "FILE"}
	f.bin = experiment.Quantity{Unit: "ms", Value: 1}
	add(set, experiment.Flag{Name: "spikes-on-grid", Value: (*experiment.Switch)(&f.onGrid), Help: "networks: spikes and arrivals at the ends of steps"})
	add(set, experiment.Flag{Name: "populations", Value: &f.populations, Help: "networks: table of rate, CV, synchrony, ... of populations"})
	add(set, experiment.Flag{Name: "edges", Value: &f.edges, Help: "networks: table of all synapses"})
	add(set, experiment.Flag{Name: "rates", Value: &f.rates, Help: "networks: table of rates of populations over time"})
	add(set, experiment.Flag{Name: "bin", Value: &f.bin, Help: "networks: time over which --rates and counts for synchrony are taken"})
}

// given tells whether one of the flags was set.
func (f *networkFlags) given() bool {
	return f.onGrid || f.populations.Value != "" || f.edges.Value != "" || f.rates.Value != "" || f.bin.Given
}

// networkNamed returns the network that the first word names, NAME[:PRESET] or a path ending in .toml; ok is false where it
// names none.
func networkNamed(args []string) (d *description.Description, preset string, ok bool, err error) {
	if len(args) == 0 {
		return nil, "", false, nil
	}
	name, preset, _ := strings.Cut(args[0], ":")
	if slices.Contains(description.Names(), name) {
		d, err = description.Lookup(name)
		return d, preset, true, err
	}
	if filepath.Ext(name) != experiment.Ending {
		return nil, "", false, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, "", true, err
	}
	d, err = description.Parse(name, data)
	return d, preset, true, err
}

// networkRun is one call of run for a network.
type networkRun struct {
	*runCommand
	d        *description.Description
	preset   string
	resolved *description.Result
	isa      kernels.ISA
	from     float64 // ms, what is discarded

	firsts      []int // first neuron of each population, and their number
	recorders   []*statistics.Recorder
	trains      []pop.Train // of each neuron, as run of a population has them
	spikesAll   int64
	counts      []int64 // of the bin in hand, by population
	bin, nBins  int64
	out, spikes *file.Output
	pops, edges *file.Output
	rates       *file.Output
}

// runNetwork is run for a network: read everything, build, advance, write.
func (s *runCommand) runNetwork(ctx context.Context, d *description.Description, preset string, words []string) error {
	r := &networkRun{runCommand: s, d: d, preset: preset}
	if err := r.read(words); err != nil {
		return misused(err)
	}
	err := s.openTables(&s.flags, opening{s.out.Value, &r.out}, opening{s.spikes.Value, &r.spikes},
		opening{s.networkFlags.populations.Value, &r.pops}, opening{s.networkFlags.edges.Value, &r.edges}, opening{s.networkFlags.rates.Value, &r.rates})
	if err != nil {
		return err
	}
	taken := slices.ContainsFunc([]experiment.Word{s.spikes, s.networkFlags.populations, s.networkFlags.edges, s.networkFlags.rates},
		func(w experiment.Word) bool { return output.ToStdout(w.Value) })
	if s.out.Value == "" && !taken && !output.OnTerminal(s.stdout) {
		r.out = file.NewCSV(s.stdout)
	}
	defer func() { output.Abort(r.out, r.spikes, r.pops, r.edges, r.rates) }()
	s.phase("read")
	n, err := network.Build(ctx, r.resolved.Spec, network.Config{Workers: s.workers.Value, ISA: r.isa, Memory: int64(memory.Available())})
	if err != nil {
		return err
	}
	s.phase("built")
	var done int64
	err = s.compute(ctx, &s.flags, "run", d.Title, func(ctx context.Context) (err error) {
		done, err = r.advance(ctx, n)
		return err
	})
	s.phase("run")
	interrupted := errors.Is(err, context.Canceled)
	if interrupted {
		s.interrupted = true
		s.warn("interrupted at %.6g ms of %.6g ms; what was finished is %s", float64(done)*r.resolved.Spec.Dt, s.time.Value,
			s.partial(r.out, r.spikes, r.pops, r.edges, r.rates))
	} else if err != nil {
		return err
	}
	if e := r.write(n, done); e != nil {
		return e
	}
	return err
}

// read resolves the description and refuses what makes no sense.
func (r *networkRun) read(words []string) error {
	isa, bad := r.check()
	r.isa = isa
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"--neurons: the file of a network gives its sizes", r.n.Given},
		{"--waveform: inputs of a network stand in its file, [input.NAME]", len(r.waveforms.List) > 0},
		{"--method: methods stand in its file, one for each population", r.flags.method.Given},
		{"--trace, --of, --every and --tops are not there for networks yet", r.trace.Value != "" || r.of.Value != "" || r.every.Given || r.tops},
		{"--plot is not there for networks yet", r.plot.Value != ""},
		{"--save is not there for networks yet; the command line stands in the record", r.save.Value != ""},
	} {
		if f.given {
			bad.Add(errors.New(f.name))
		}
	}
	o := description.Options{Preset: r.preset, Seed: r.seed.Value, OnGrid: r.networkFlags.onGrid}
	if r.dt.Given {
		o.Dt = r.dt.Value
	}
	for _, w := range words {
		name, text, ok := strings.Cut(w, "=")
		if !ok {
			bad.Addf("%q is no NAME=VALUE", w)
			continue
		}
		o.Settings = append(o.Settings, description.Setting{Name: name, Text: text})
	}
	resolved, err := r.d.Resolve(o)
	bad.Add(err)
	r.resolved = resolved
	if r.networkFlags.bin.Err != nil {
		bad.Addf("--bin: %w", r.networkFlags.bin.Err)
	}
	if resolved == nil {
		return bad.Err()
	}
	if !r.time.Given && resolved.Time > 0 {
		r.time.Value = resolved.Time
	}
	r.from = r.discard.Value
	if !r.discard.Given && resolved.Discard > 0 && resolved.Discard < r.time.Value {
		r.from = resolved.Discard
	}
	if r.from >= r.time.Value {
		bad.Addf("discard is %v ms of %v ms; it must be less than the time", r.from, r.time.Value)
	}
	r.cfg.Dt = resolved.Spec.Dt
	bad.Add(experiment.CheckSpan(r.time.Value, r.cfg.Dt))
	bin, dt := r.networkFlags.bin.Value, r.cfg.Dt
	if steps := math.Round(bin / dt); steps < 1 || math.Abs(steps*dt-bin) > 1e-9*bin {
		bad.Addf("--bin is %v ms; it must be a whole number of steps of %v ms", bin, dt)
	}
	bad.Add(output.Distinct([]output.Named{
		{Flag: "-o", Path: r.out0()},
		{Flag: "--spikes", Path: r.runCommand.spikes.Value},
		{Flag: "--populations", Path: r.networkFlags.populations.Value},
		{Flag: "--edges", Path: r.networkFlags.edges.Value},
		{Flag: "--rates", Path: r.networkFlags.rates.Value},
	}))
	return bad.Err()
}

func (r *networkRun) out0() string { return r.runCommand.out.Value }

// advance runs the network and takes what is asked for on the way.
func (r *networkRun) advance(ctx context.Context, n *network.Network) (done int64, err error) {
	spec := r.resolved.Spec
	r.firsts = []int{0}
	for i, p := range spec.Populations {
		r.firsts = append(r.firsts, r.firsts[i]+p.N)
		r.recorders = append(r.recorders, statistics.NewRecorder(p.N, r.from, r.networkFlags.bin.Value))
	}
	total := r.firsts[len(spec.Populations)]
	r.trains = make([]pop.Train, total)
	r.counts = make([]int64, len(spec.Populations))
	r.nBins = int64(math.Round(r.networkFlags.bin.Value / spec.Dt))
	steps := int64(math.Round(r.time.Value / spec.Dt))
	var progress *cli.Progress
	if !r.quiet {
		progress = cli.NewProgress(r.stderr, float64(steps)*float64(total), "neuron-steps")
	}
	err = n.Run(ctx, steps, network.Recorder{
		Spikes: func(block []network.Spike) error { return r.take(block, spec.Dt) },
		Progress: func(k int64) error {
			done = k
			progress.Update(float64(k) * float64(total))
			return r.closeBins(k)
		},
	})
	progress.Clear()
	return n.Steps(), err
}

// take notes a block of spikes, and hands it to the table of spikes.
func (r *networkRun) take(block []network.Spike, dt float64) error {
	neurons, times := make([]int64, len(block)), make([]float64, len(block))
	for i, s := range block {
		if err := r.closeBins(s.Step); err != nil {
			return err
		}
		t := (float64(s.Step) + s.Theta) * dt
		neurons[i], times[i] = int64(s.Neuron), t
		j := r.populationOf(int(s.Neuron))
		r.recorders[j].Add(int(s.Neuron)-r.firsts[j], t)
		r.trains[s.Neuron].Add(t, r.from)
		r.counts[j]++
	}
	r.spikesAll += int64(len(block))
	if r.spikes == nil || len(block) == 0 {
		return nil
	}
	return r.spikes.Append(table.NewTable(table.Col("neuron", neurons), table.Col("time_ms", times)))
}

func (r *networkRun) populationOf(neuron int) int {
	j, found := slices.BinarySearch(r.firsts, neuron)
	if !found {
		j--
	}
	return j
}

// closeBins writes the rates of all bins that end at or before a step.
func (r *networkRun) closeBins(step int64) error {
	for (r.bin+1)*r.nBins <= step {
		columns := []table.Column{table.Col("time_ms", []float64{float64(r.bin*r.nBins) * r.cfg.Dt})}
		for j, p := range r.resolved.Spec.Populations {
			rate := float64(r.counts[j]) / float64(p.N) / (float64(r.nBins) * r.cfg.Dt) * 1000
			columns = append(columns, table.Col(p.Name+"_Hz", []float64{rate}))
			r.counts[j] = 0
		}
		r.bin++
		if r.rates != nil {
			if err := r.rates.Append(table.NewTable(columns...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// write finishes all tables and tells what happened.
func (r *networkRun) write(n *network.Network, done int64) error {
	spec, sum := r.resolved.Spec, n.Summary()
	end := float64(done) * spec.Dt
	measured := end > r.from
	var measures []statistics.Population
	if r.out != nil && measured {
		if err := r.writeNeurons(); err != nil {
			return err
		}
	}
	if r.edges != nil {
		if err := r.writeEdges(n); err != nil {
			return err
		}
	}
	if measured {
		for _, c := range r.recorders {
			measures = append(measures, c.Measure(end))
		}
		t := populationTable(spec, measures)
		if r.pops != nil {
			if err := r.pops.Append(t); err != nil {
				return err
			}
		}
		if !r.quiet {
			r.tellPopulations(spec, measures)
		}
	}
	record := r.networkRecord(sum, done)
	for _, f := range []struct {
		path string
		out  *file.Output
	}{
		{r.out0(), r.out},
		{r.runCommand.spikes.Value, r.spikes},
		{r.networkFlags.populations.Value, r.pops},
		{r.networkFlags.edges.Value, r.edges},
		{r.networkFlags.rates.Value, r.rates},
	} {
		if f.out == nil {
			continue
		}
		if err := f.out.Commit(); err != nil {
			return err
		}
		if err := r.aside(f.path, f.out, record); err != nil {
			return err
		}
	}
	r.say("%s, %s, delays %.4g to %.4g ms, %.3g bytes a synapse; %s in %.6g ms",
		cli.Count(sum.Neurons, "neuron"), cli.Count(int(sum.Edges), "synapse"), sum.LeastDelay, sum.LongestDelay,
		float64(sum.Bytes)/math.Max(1, float64(sum.Edges)), cli.Count(int(r.spikesAll), "spike"), end)
	return nil
}

// writeNeurons writes a row per neuron: its spikes in the whole run, and rate and variation of the intervals after --discard.
func (r *networkRun) writeNeurons() error {
	var population []string
	var neuron, spikes []int64
	var rate, latency, cv []float64
	for j, p := range r.resolved.Spec.Populations {
		for i := r.firsts[j]; i < r.firsts[j+1]; i++ {
			t := &r.trains[i]
			population, neuron, spikes = append(population, p.Name), append(neuron, int64(i)), append(spikes, t.Spikes())
			rate, latency, cv = append(rate, t.Rate()), append(latency, t.Latency()), append(cv, t.CV())
		}
	}
	return r.out.Append(table.NewTable(table.Col("population", population), table.Col("neuron", neuron), table.Col("spikes", spikes),
		table.Col("rate_Hz", rate), table.Col("latency_ms", latency), table.Col("isi_cv", cv)))
}

func (r *networkRun) writeEdges(n *network.Network) (err error) {
	var projection []string
	var pre, post []int64
	var weight, delay []float64
	flush := func() error {
		e := r.edges.Append(table.NewTable(table.Col("projection", projection), table.Col("pre", pre), table.Col("post", post),
			table.Col("weight", weight), table.Col("delay_ms", delay)))
		projection, pre, post, weight, delay = projection[:0], pre[:0], post[:0], weight[:0], delay[:0]
		return e
	}
	n.Edges(func(p, from, to int, w, d float64) bool {
		projection, pre, post = append(projection, r.resolved.Spec.Projections[p].Name), append(pre, int64(from)), append(post, int64(to))
		weight, delay = append(weight, w), append(delay, d)
		if len(pre) == recording.BlockRows {
			err = flush()
		}
		return err == nil
	})
	if err == nil {
		err = flush()
	}
	return err
}

func populationTable(spec *network.Spec, m []statistics.Population) *table.Table {
	names, sizes := make([]string, len(m)), make([]int64, len(m))
	of := func(f func(statistics.Population) float64) []float64 {
		x := make([]float64, len(m))
		for i := range m {
			x[i] = f(m[i])
		}
		return x
	}
	for i, p := range spec.Populations {
		names[i], sizes[i] = p.Name, int64(p.N)
	}
	return table.NewTable(table.Col("population", names), table.Col("n", sizes),
		table.Col("rate_Hz", of(func(p statistics.Population) float64 { return p.Rate })),
		table.Col("rate_se_Hz", of(func(p statistics.Population) float64 { return p.RateSE })),
		table.Col("rate_sd_Hz", of(func(p statistics.Population) float64 { return p.RateSD })),
		table.Col("cv", of(func(p statistics.Population) float64 { return p.CV })),
		table.Col("synchrony", of(func(p statistics.Population) float64 { return p.Synchrony })),
		table.Col("fano", of(func(p statistics.Population) float64 { return p.Fano })),
		table.Col("correlation", of(func(p statistics.Population) float64 { return p.Correlation })))
}

// tellPopulations shows the table of populations at the end of a run.
func (r *networkRun) tellPopulations(spec *network.Spec, m []statistics.Population) {
	help.Columns(r.stderr, func(w io.Writer) {
		fmt.Fprintln(w, "population\tn\trate Hz\tse\tCV\tsynchrony\tFano\tcorrelation")
		for i, p := range spec.Populations {
			fmt.Fprintf(w, "%s\t%d\t%.4g\t%.2g\t%.3f\t%.3f\t%.3g\t%.4f\n", p.Name, p.N, m[i].Rate, m[i].RateSE, m[i].CV, m[i].Synchrony, m[i].Fano, m[i].Correlation)
		}
	})
}

// networkRecord says how the tables were made.
func (r *networkRun) networkRecord(sum network.Summary, done int64) file.Record {
	var populations []map[string]any
	for j, p := range r.resolved.Spec.Populations {
		populations = append(populations, map[string]any{"name": p.Name, "first": r.firsts[j], "n": p.N})
	}
	var all []file.Parameter
	for _, p := range r.resolved.Parameters {
		all = append(all, file.Parameter{Name: p.Name, Value: p.Value, Unit: p.Unit})
	}
	return file.Record{
		Model: strings.TrimSuffix(r.d.Path, experiment.Ending), Preset: r.preset, Parameters: all, Dt: r.cfg.Dt, Seed: r.seed.Value,
		ISA: r.isa.String(), Workers: r.workers.Value,
		Extra: map[string]any{
			"description": r.d.Text, "populations": populations, "synapses": sum.Edges, "least_delay_ms": sum.LeastDelay,
			"longest_delay_ms": sum.LongestDelay, "bytes_per_synapse": float64(sum.Bytes) / math.Max(1, float64(sum.Edges)),
			"graph_checksum": fmt.Sprintf("%016x", sum.Checksum), "steps": done, "time_ms": r.time.Value, "discard_ms": r.from,
			"spikes": r.spikesAll, "interrupted": r.interrupted, "spikes_on_grid": r.networkFlags.onGrid,
		},
	}
}

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

// nearestNetwork adds to the error about an unknown model the network of a similar name.
func nearestNetwork(args []string, err error) error {
	if len(args) == 0 || err == nil {
		return err
	}
	name, _, _ := strings.Cut(args[0], ":")
	if _, lookup := model.Lookup(name); lookup == nil {
		return err
	}
	if near := expression.Nearest(name, description.Names()); near != "" {
		return fault.Hint(err, "the networks are %s", strings.Join(description.Names(), ", "))
	}
	return err
}
