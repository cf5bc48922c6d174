package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"popsim/bench"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/equations"
	"popsim/experiment"
	"popsim/model"
)

func (v *call) benchVerb() *cobra.Command {
	var q bench.Selection
	f := verb.Flags{Dt: experiment.Quantity{Unit: "ms"}}
	rows := experiment.Word{Form: "REGEXP"}
	kinds := experiment.Words{List: []string{bench.KernelRows, bench.PopulationRows}, Form: "KINDS"}
	cmd := &cobra.Command{
		Use:         "bench [MODEL]",
		Short:       "What kernels cost on this machine, in rows for benchstat",
		Long:        topics.Text("bench"),
		Example:     "  popsim bench --quick\n  popsim bench adex --method flow --isa avx2\n  popsim bench hh --kind work",
		Annotations: verb.OfModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error {
			isa, bad := f.Check()
			switch len(args) {
			case 0:
			case 1:
				m, err := equations.Lookup(args[0])
				bad.Add(err)
				q.Models = []*model.Model{m}
			default:
				bad.Addf("bench takes one model, but got %s", strings.Join(args, " "))
			}
			if f.Isa.Value != "auto" {
				q.ISA = isa
			}
			q.Method, q.Dt = f.Method.Value, f.Dt.Value
			bad.About("--kind", bench.CheckKinds(kinds.List))
			if rows.Value != "" {
				pattern, err := regexp.Compile(rows.Value)
				if err != nil {
					bad.About("--rows", fmt.Errorf("--rows: %w", err))
				}
				q.Rows = pattern
			}
			bad.Add(f.Apart(false))
			if len(bad) == 0 {
				bad.Add(q.Check())
			}
			if err := verb.Misused(bad.Err()); err != nil {
				return err
			}
			var subject experiment.Neuron
			if len(q.Models) == 1 {
				subject.Model = q.Models[0]
			}
			if err := v.Understood(&f, subject, nil); err != nil {
				return err
			}
			if q.Quick && !kinds.Given {
				kinds.List = []string{bench.KernelRows}
			}
			if err := bench.Header(v.Stdout, version()); err != nil {
				return err
			}
			label := "all"
			if subject.Model != nil {
				label = subject.Model.Name
			}
			return v.Compute(cmd.Context(), &f, "bench", label, func(ctx context.Context) error {
				return q.Run(ctx, kinds.List, v.Stdout, v.Say)
			})
		},
	}
	set := cmd.Flags()
	flagset.Add(set, experiment.Flag{Name: "dt", Value: &f.Dt, Help: "time step (default that of each method)"})
	f.Kernel(set, "this integration method alone", "this instruction set alone: avx512, avx2 or go; auto means all")
	flagset.Add(set, experiment.Flag{Name: "quick", Value: (*experiment.Switch)(&q.Quick), Help: "uniform " +
		"parameters in the " +
		"first-level cache, spikes alone; less than 30 s"})
	flagset.Add(set, experiment.Flag{
		Name: "kind", Value: &kinds, Offers: completion.BenchKinds,
		Help: "rows to measure: " +
			strings.Join(bench.Kinds, ", "),
	})
	flagset.Add(set, experiment.Flag{Name: "rows", Value: &rows, Help: "rows whose name matches alone, as in " +
		"params=each/n=512$"})
	flagset.Add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.Quiet), Help: "rows only, no messages"})
	f.Profiling(set)
	f.Saving(set)
	return cmd
}
