// Package analyse holds the verbs that analyse the dynamics of a model: phase and bifurcation.
package analyse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/model"
	"popsim/table/file"
)

// phaseCommand is one call of phase.
type phaseCommand struct {
	*verb.Call
	verb.Flags
	starts     experiment.Texts
	over, upTo experiment.Word
	second     experiment.Word
	neuron     experiment.Neuron
	at         experiment.Point
	options    dynamics.PlaneOptions
	moving     int          // place of the setting that has several values, a frame each; -1 for one plane
	document   bool         // all of the plane is written, as JSON
	table      *file.Output // or this
}

// Phase returns the verb phase of a call.
func Phase(v *verb.Call) *cobra.Command {
	s := &phaseCommand{Call: v}
	cmd := &cobra.Command{
		Use:   "phase MODEL[:PRESET] [NAME=VALUE ...]",
		Short: "The phase plane: nullclines, fixed points, cycles, trajectories",
		Long:  topics.Text("phase"),
		Example: "  popsim phase rhh I=5 --plot plane.svg -o plane.json\n  popsim phase adex:nd-tonic --plot " +
			"plane.svg --start -55,0 --start -70,40\n  popsim phase hh I=8 --y h --plot plane.png\n  popsim phase rhh " +
			"I=-5:15/41 --plot frame.png",
		Annotations: verb.OfModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	s.Time = experiment.Quantity{Unit: "ms", Value: 100}
	s.starts = experiment.Texts{Form: "V,y"}
	s.over, s.upTo, s.second = experiment.Word{Form: "LO:HI"}, experiment.Word{Form: "LO:HI"},
		experiment.Word{Form: "STATE"}
	flagset.Add(set, experiment.Flag{Name: "start", Value: &s.starts, Help: "start of a trajectory, as V,y or as " +
		"all states; may be repeated"})
	flagset.Add(set, experiment.Flag{Name: "time", Value: &s.Time, Help: "model time of the trajectories"})
	flagset.Add(set, experiment.Flag{Name: "y", Value: &s.second, Help: "second variable of hh: m, h or n (default n)"})
	flagset.Add(set, experiment.Flag{Name: "V-range", Value: &s.over, Help: "potentials to show, mV (default where the " +
		"model lives)"})
	flagset.Add(set, experiment.Flag{Name: "y-range", Value: &s.upTo, Help: "values of the second variable to show"})
	s.Files(set, &v.Quiet)
	set.Lookup("out").Usage = "file to write: .json holds the whole plane, other tables the fixed points and cycles"
	return cmd
}

func (s *phaseCommand) run(ctx context.Context, args []string) (err error) {
	if err := s.read(args); err != nil {
		return err
	}
	if s.moving >= 0 {
		return s.runFrames(ctx, s.moving)
	}
	if err := s.open(); err != nil {
		return err
	}
	defer output.Abort(s.table)
	if err := s.Understood(&s.Flags, s.neuron, map[string]string{"time": ""}); err != nil {
		return err
	}
	s.Phase("read")
	var plane *dynamics.Plane
	err = s.Compute(ctx, &s.Flags, "phase", s.neuron.Model.Name, func(ctx context.Context) (err error) {
		plane, err = dynamics.PhasePlane(ctx, s.neuron.Model, s.at.Params, s.at.Current, s.options)
		return err
	})
	s.Phase("phase")
	if err != nil {
		return err
	}
	s.WarnAll(plane.Warnings)
	if err := s.write(plane); err != nil {
		return err
	}
	s.report(plane)
	s.Infof(
		"%s, %s, %s in %.2g s",
		cli.Count(len(plane.FixedPoints), "fixed point"),
		cli.Count(len(plane.Cycles), "cycle"),
		cli.Count(len(plane.Trajectories), "trajectory"),
		time.Since(s.Started).Seconds(),
	)
	return nil
}

// read parses and checks the command line.
func (s *phaseCommand) read(args []string) error {
	q, err := experiment.ParseNeuron(args)
	bad := fault.List{}
	bad.Add(err)
	if q.Model == nil {
		return verb.Misused(bad.Err())
	}
	if err := dynamics.Supports(q.Model); err != nil {
		return verb.Misused(err)
	}
	s.neuron = q
	s.WarnAll(q.Notes)
	if s.moving, err = movingSetting(q); err != nil {
		return verb.Misused(err)
	}
	if s.moving >= 0 {
		q, err = fixed(q, s.moving, 0)
		bad.Add(err)
	}
	s.at, err = q.Single("phase")
	bad.Add(err)
	if err == nil {
		bad.Add(q.Model.Check(s.at.Params))
	}
	if s.second.Value != "" {
		m := q.Model
		if len(m.States) < 3 {
			bad.Addf("--y chooses among the variables of hh; %s has no choice", m.Name)
		} else if m.StateIndex(s.second.Value) < 1 {
			bad.About("--y", fmt.Errorf("--y %s: %s has %s", s.second.Value, m.Name, stateNames(m)))
		}
		s.options.Y = s.second.Value
	}
	bad.Add(s.readWindow())
	if s.Time.Err != nil {
		bad.About("--time", fmt.Errorf("--time: %w", s.Time.Err))
	} else if s.Time.Value <= 0 {
		bad.About("--time", fmt.Errorf("--time is %v ms; it must be greater than 0", s.Time.Value))
	}
	s.options.Time = s.Time.Value
	if len(bad) == 0 {
		s.options.Starts, err = s.at.Starts(q.Model, s.starts.List)
		bad.About("--start", err)
	}
	bad.Add(s.Apart(false))
	bad.Add(s.CheckProfile())
	return verb.Misused(bad.Err())
}

// frame sets the neuron of one of several frames.
func (s *phaseCommand) frame(q experiment.Neuron) (err error) {
	s.neuron = q
	if s.at, err = q.Single("phase"); err != nil {
		return err
	}
	s.options.Starts, err = s.at.Starts(q.Model, s.starts.List)
	return errors.Join(q.Model.Check(s.at.Params), err)
}

func stateNames(m *model.Model) string {
	var all []string
	for _, x := range m.States[1:] {
		all = append(all, x.Name)
	}
	return strings.Join(all, ", ")
}

// readWindow parses --V-range and --y-range.
func (s *phaseCommand) readWindow() error {
	var bad fault.List
	for _, r := range []struct {
		flag   string
		text   string
		lo, hi *float64
		unit   string
	}{
		{"--V-range", s.over.Value, &s.options.VLo, &s.options.VHi, "mV"},
		{"--y-range", s.upTo.Value, &s.options.YLo, &s.options.YHi, experiment.PointUnits(s.neuron.Model, 2)[1]},
	} {
		if r.text == "" {
			continue
		}
		var err error
		*r.lo, *r.hi, err = experiment.ParseInterval(r.flag, r.text, r.unit)
		bad.About(r.flag, err)
	}
	return errors.Join(bad...)
}

// open opens the files before the work begins.
func (s *phaseCommand) open() (err error) {
	if err := s.CheckPicture(s.Force); err != nil {
		return err
	}
	switch path := s.Out.Value; {
	case path == "" && output.OnTerminal(s.Stdout):
		s.Infof("the plane is not shown on a terminal; -o FILE.json keeps it")
	case path == "":
		s.document = true
	case strings.EqualFold(filepath.Ext(path), ".json") && file.Regular(path):
		s.document = true
		return verb.Misused(file.Check(path, s.Force))
	default:
		s.table, err = s.Create(path, s.Force)
	}
	return err
}

// write writes the results.
func (s *phaseCommand) write(p *dynamics.Plane) error {
	if s.document {
		text, err := json.MarshalIndent(p, "", " ")
		if err != nil {
			return err
		}
		text = append(text, '\n')
		if s.Out.Value == "" {
			if _, err := s.Stdout.Write(text); err != nil {
				return fmt.Errorf("writing JSON: %w", err)
			}
		} else if err := file.Write(s.Out.Value, text, s.Force); err != nil {
			return err
		} else if err := s.Besides(s.Out.Value, s.record()); err != nil {
			return err
		}
	} else if s.table != nil {
		if err := s.table.WriteTable(figure.PlaneTable(p)); err != nil {
			return err
		}
		if err := s.table.Commit(); err != nil {
			return err
		}
		if err := s.Aside(s.Out.Value, s.table, s.record()); err != nil {
			return err
		}
	}
	if s.Plot.Value == "" {
		return nil
	}
	return s.Draw(&s.Flags, figure.Phase(s.neuron.Title(), p), s.Force)
}

// report writes the results in words.
func (s *phaseCommand) report(p *dynamics.Plane) {
	for _, line := range figure.PlaneText(p, s.neuron.Model) {
		s.Infof("%s", line)
	}
}

// record returns the record of the files.
func (s *phaseCommand) record() file.Record {
	return file.Record{
		Model: s.neuron.Model.Name, Preset: s.neuron.Preset.Name,
		Parameters: s.neuron.Parameters(nil), Workers: 1,
	}
}
