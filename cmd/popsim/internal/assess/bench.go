// Package assess holds the verbs that measure popsim itself: convergence, verify and bench.
package assess

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

// benchCommand is one call of bench.
type benchCommand struct {
	*verb.Call
	verb.Flags
	version string
	q       bench.Selection
	rows    experiment.Word
	kinds   experiment.Words
}

// Bench returns the verb bench of a call; its rows name the version of popsim.
func Bench(v *verb.Call, version string) *cobra.Command {
	s := &benchCommand{
		Call: v, version: version, Flags: verb.Flags{Dt: experiment.Quantity{Unit: "ms"}},
		rows:  experiment.Word{Form: "REGEXP"},
		kinds: experiment.Words{List: []string{bench.KernelRows, bench.PopulationRows}, Form: "KINDS"},
	}
	cmd := &cobra.Command{
		Use:         "bench [MODEL]",
		Short:       "What kernels cost on this machine, in rows for benchstat",
		Long:        topics.Text("bench"),
		Example:     "  popsim bench --quick\n  popsim bench adex --method flow --isa avx2\n  popsim bench hh --kind work",
		Annotations: verb.OfModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
	}
	set := cmd.Flags()
	flagset.Add(set, experiment.Flag{Name: "dt", Value: &s.Dt, Help: "time step (default that of each method)"})
	s.Kernel(set, "this integration method alone", "this instruction set alone: avx512, avx2 or go; auto means all")
	flagset.Add(set,
		experiment.Flag{
			Name: "quick", Value: (*experiment.Switch)(&s.q.Quick),
			Help: "uniform parameters in the first-level cache, spikes alone; less than 30 s",
		},
		experiment.Flag{
			Name: "kind", Value: &s.kinds, Offers: completion.BenchKinds,
			Help: "rows to measure: " + strings.Join(bench.Kinds, ", "),
		},
		experiment.Flag{
			Name: "rows", Value: &s.rows, Help: "rows whose name matches alone, as in params=each/n=512$",
		},
		experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.Quiet), Help: "rows only, no messages"})
	s.Profiling(set)
	s.Saving(set)
	return cmd
}

// run parses and checks the command line, and measures.
func (s *benchCommand) run(ctx context.Context, args []string) error {
	if err := verb.Misused(s.read(args)); err != nil {
		return err
	}
	var subject experiment.Neuron
	label := "all"
	if len(s.q.Models) == 1 {
		subject.Model = s.q.Models[0]
		label = subject.Model.Name
	}
	if err := s.Understood(&s.Flags, subject, nil); err != nil {
		return err
	}
	if s.q.Quick && !s.kinds.Given {
		s.kinds.List = []string{bench.KernelRows}
	}
	if err := bench.Header(s.Stdout, s.version); err != nil {
		return err
	}
	return s.Compute(ctx, &s.Flags, "bench", label, func(ctx context.Context) error {
		return s.q.Run(ctx, s.kinds.List, s.Stdout, s.Infof)
	})
}

// read parses and checks the command line, and reports all errors together.
func (s *benchCommand) read(args []string) error {
	isa, bad := s.Check()
	switch len(args) {
	case 0:
	case 1:
		m, err := equations.Lookup(args[0])
		bad.Add(err)
		s.q.Models = []*model.Model{m}
	default:
		bad.Addf("bench takes one model, but got %s", strings.Join(args, " "))
	}
	if s.Isa.Value != "auto" {
		s.q.ISA = isa
	}
	s.q.Method, s.q.Dt = s.Method.Value, s.Dt.Value
	bad.About("--kind", bench.CheckKinds(s.kinds.List))
	if s.rows.Value != "" {
		pattern, err := regexp.Compile(s.rows.Value)
		if err != nil {
			bad.About("--rows", fmt.Errorf("--rows: %w", err))
		}
		s.q.Rows = pattern
	}
	bad.Add(s.Apart(false))
	if len(bad) == 0 {
		bad.Add(s.q.Check())
	}
	return bad.Err()
}
