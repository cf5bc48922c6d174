package main

import (
	"context"
	"errors"
	"fmt"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/sched"
	"popsim/sweep"

	"github.com/spf13/cobra"
)

// rheobaseVerb returns the verb rheobase, which finds the onset of firing.
func (v *call) rheobaseVerb() *cobra.Command {
	var f verb.Flags
	cmd := &cobra.Command{
		Use:     "rheobase MODEL[:PRESET] [NAME=VALUE ...]",
		Short:   "The current from which on a neuron fires",
		Long:    topics.Text("rheobase"),
		Example: "  popsim rheobase adex\n  popsim rheobase hh g_K=30",
		RunE:    func(cmd *cobra.Command, args []string) error { return v.rheobase(cmd.Context(), args, &f) },
	}
	cmd.Annotations, cmd.ValidArgsFunction = verb.OfModel, completion.Models
	f.Steps(cmd.Flags(), sweep.DefaultTime, 500)
	f.Profiling(cmd.Flags())
	return cmd
}

func (v *call) rheobase(ctx context.Context, args []string, f *verb.Flags) error {
	isa, bad := f.Check()
	q, err := experiment.ParseNeuron(args)
	bad.Add(err)
	if q.Model == nil {
		return verb.Misused(bad.Err())
	}
	method, err := q.Model.Method(f.Method.Value)
	bad.About("--method", err)
	for _, s := range q.Settings {
		if s.Target == experiment.Current {
			bad.About("I", fault.Hint(errors.New("rheobase looks for I, but it is given"), "leave it out"))
		}
	}
	point, err := q.Single("rheobase")
	bad.Add(err)
	if err := verb.Misused(bad.Err()); err != nil {
		return err
	}
	spec := sweep.Spec{
		Model: q.Model, Method: method.Name, P: point.Params, Init: point.Initial,
		Time: f.Time.Value, Discard: f.Discard.Value, Dt: f.Dt.Value,
	}
	if err := spec.Check(); err != nil {
		return verb.Misused(err)
	}
	cfg := sweep.Config{Workers: f.Workers.Value, ISA: isa}
	if cfg.Workers == 0 {
		cfg.Workers = sched.Allowed()
	}
	return v.Compute(ctx, f, "rheobase", q.Name(), func(ctx context.Context) error {
		found, err := sweep.Onsets(ctx, spec, cfg)
		if err != nil && !errors.Is(err, sweep.ErrNeverFires) {
			return err
		}
		text := sweep.OnsetText(found, dynamics.Rheobase(q.Model, point.Params), q.Model.CurrentUnit, err)
		fmt.Fprintf(v.Stdout, "%s: %s\n", q.Name(), text)
		return nil
	})
}
