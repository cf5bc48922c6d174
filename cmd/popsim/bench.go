package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"popsim/bench"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/topics"
	"popsim/equations"
	"popsim/experiment"
	"popsim/model"
)

func (v *call) benchVerb() *cobra.Command {
	var q bench.Selection
	f := flags{dt: experiment.Quantity{Unit: "ms"}}
	rows := experiment.Word{Form: "REGEXP"}
	kinds := experiment.Words{List: []string{bench.KernelRows, bench.PopulationRows}, Form: "KINDS"}
	cmd := &cobra.Command{
		Use:         "bench [MODEL]",
		Short:       "What kernels cost on this machine, in rows for benchstat",
		Long:        topics.Text("bench"),
		Example:     "  popsim bench --quick\n  popsim bench adex --method flow --isa avx2\n  popsim bench hh --kind work",
		Annotations: ofModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error {
			isa, bad := f.check()
			switch len(args) {
			case 0:
			case 1:
				m, err := equations.Lookup(args[0])
				bad.Add(err)
				q.Models = []*model.Model{m}
			default:
				bad.Addf("bench takes one model, but got %s", strings.Join(args, " "))
			}
			if f.isa.Value != "auto" {
				q.ISA = isa
			}
			q.Method, q.Dt = f.method.Value, f.dt.Value
			bad.About("--kind", bench.CheckKinds(kinds.List))
			if rows.Value != "" {
				pattern, err := regexp.Compile(rows.Value)
				if err != nil {
					bad.About("--rows", fmt.Errorf("--rows: %w", err))
				}
				q.Rows = pattern
			}
			bad.Add(f.apart(false))
			if len(bad) == 0 {
				bad.Add(q.Check())
			}
			if err := misused(bad.Err()); err != nil {
				return err
			}
			var subject experiment.Neuron
			if len(q.Models) == 1 {
				subject.Model = q.Models[0]
			}
			if err := v.understood(&f, subject, nil); err != nil {
				return err
			}
			if q.Quick && !kinds.Given {
				kinds.List = []string{bench.KernelRows}
			}
			if err := bench.Header(v.stdout, version()); err != nil {
				return err
			}
			label := "all"
			if subject.Model != nil {
				label = subject.Model.Name
			}
			return v.compute(cmd.Context(), &f, "bench", label, func(ctx context.Context) error {
				return q.Run(ctx, kinds.List, v.stdout, v.say)
			})
		},
	}
	set := cmd.Flags()
	add(set, experiment.Flag{Name: "dt", Value: &f.dt, Help: "time step (default that of each method)"})
	f.kernel(set, "this integration method alone", "this instruction set alone: avx512, avx2 or go; auto means all")
	add(set, experiment.Flag{Name: "quick", Value: (*experiment.Switch)(&q.Quick), Help: "uniform parameters in the " +
		"first-level cache, spikes alone; less than 30 s"})
	add(set, experiment.Flag{Name: "kind", Value: &kinds, Offers: completion.BenchKinds, Help: "rows to measure: " +
		strings.Join(bench.Kinds, ", ")})
	add(set, experiment.Flag{Name: "rows", Value: &rows, Help: "rows whose name matches alone, as in params=each/n=512$"})
	add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.quiet), Help: "rows alone, no talk"})
	f.profiling(set)
	f.saving(set)
	return cmd
}
