package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"popsim/experiment"
	"popsim/expression"
	"popsim/fault"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
	"popsim/sweep"
)

// Sweep is a network at the points of a grid over its parameters, with so many trials of each.
type Sweep struct {
	Description *description.Description
	Options     description.Options // Settings holds those that do not vary
	Grid        sweep.Grid
	Trials      int
	Measures    []string // names; none are Defaults and all tables
	Run         Run      // Time of 0 and a negative Discard: those of the description

	Base     *description.Result // at the first point
	Forecast network.Forecast    // of the first point
	set      *Set
	notes    notes
	graphs   graphs
}

// status is the name of a column; OK and so on are its words.
const (
	status  = "status"
	OK      = "ok"
	Refused = "refused" // the description does not allow these values
	Blown   = "nan"     // a neuron blew up
)

// Read sorts settings: those with several values become axes, which vary in their order, the last one fastest. The
// error holds all faults.
func (x *Sweep) Read(settings []description.Setting) error {
	var bad fault.List
	for _, s := range settings {
		if !several(s.Text) {
			x.Options.Settings = append(x.Options.Settings, s)
		}
	}
	units, plain := x.units()
	for _, s := range settings {
		if !several(s.Text) {
			continue
		}
		v, err := experiment.ParseValue(s.Name, s.Text, unitOf(s, plain, units))
		if err == nil && v.Kind == experiment.Interval {
			err = fmt.Errorf("%s=%s is an interval; a range has a step or a number, as in %[1]s=%s/10", s.Name, s.Text, s.Text)
		}
		if err != nil {
			bad.About(s.Name, err)
			continue
		}
		x.Grid.Axes = append(x.Grid.Axes, v.Axis())
	}
	if err := bad.Err(); err != nil {
		return err
	}
	bad.Add(x.Grid.Check())
	bad.Add(x.resolve())
	return bad.Err()
}

// units are those of the entries of [parameters], and a network that has them: that without the settings that vary or,
// if it is refused, that of the preset alone (a setting may be what is wrong). The network is nil if both are.
func (x *Sweep) units() (map[string]string, *description.Result) {
	units := map[string]string{}
	plain, err := x.Description.Resolve(x.Options)
	if err != nil {
		plain, err = x.Description.Resolve(description.Options{Preset: x.Options.Preset})
	}
	if err != nil {
		return units, nil
	}
	for _, p := range plain.Parameters {
		units[p.Name] = p.Unit
	}
	return units, plain
}

// several reports whether a text has several values: a list, a range or a file, and no draw.
func several(text string) bool {
	kind, _, _ := strings.Cut(text, ":")
	if slices.Contains([]string{"normal", "lognormal", "uniform"}, kind) {
		return false
	}
	depth := 0
	for _, c := range text {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0 && (c == ':' || c == ','):
			return true
		}
	}
	return strings.HasPrefix(text, "@")
}

// unitOf is the unit of an entry of [parameters], or of POPULATION.NAME.
func unitOf(s description.Setting, res *description.Result, units map[string]string) string {
	if unit, ok := units[s.Name]; ok {
		return unit
	}
	population, name, ok := strings.Cut(s.Name, ".")
	if res == nil || !ok {
		return "1"
	}
	for _, p := range res.Spec.Populations {
		if p.Name != population || p.Model == nil {
			continue
		}
		if name == "I" {
			return p.Model.CurrentUnit
		}
		if j := p.Model.Index(name); j >= 0 {
			return p.Model.Params[j].Unit
		}
		if j := p.Model.StateIndex(strings.TrimSuffix(name, "0")); j >= 0 {
			return p.Model.States[j].Unit
		}
	}
	return "1"
}

// resolve reads the network at the corners of the grid, and the measures.
func (x *Sweep) resolve() error {
	for _, point := range x.corners() {
		res, err := x.At(point, 0)
		if err != nil {
			return err
		}
		if x.Base != nil {
			continue
		}
		x.Base = res
		if x.Forecast, err = res.Spec.ForecastOf(network.Config{Workers: x.Run.Workers}); err != nil {
			return err
		}
	}
	if x.Run.Time == 0 {
		x.Run.Time = x.Base.Time
	}
	if x.Run.Discard < 0 {
		x.Run.Discard = x.Base.Discard
	}
	if dt := x.Base.Spec.Dt; x.Run.Time < dt || x.Run.Discard >= x.Run.Time {
		return fmt.Errorf("a time of %g ms of which %g ms are discarded leaves nothing in steps of %g ms", x.Run.Time,
			x.Run.Discard, dt)
	}
	if err := experiment.CheckSpan(x.Run.Time, x.Base.Spec.Dt); err != nil {
		return fault.About("--time", err)
	}
	if err := recording.CheckBin(x.Run.Bin, x.Base.Spec.Dt); err != nil {
		return fault.About("--bin", err)
	}
	var err error
	x.set, err = New(x.Base, x.Measures)
	if err == nil {
		err = x.set.within(x.Run.Time)
	}
	return fault.About("--measures", err)
}

// corners are the points at the ends of all axes, the first of them point 0.
func (x *Sweep) corners() []int {
	points := []int{0}
	if x.Grid.Zip {
		return slices.Compact([]int{0, int(x.Grid.Points()) - 1})
	}
	for j, a := range x.Grid.Axes {
		for _, p := range points {
			if a.Len() > 1 {
				points = append(points, p+(a.Len()-1)*x.Grid.Stride(j))
			}
		}
		if len(points) > 64 {
			break
		}
	}
	return points
}

// At is the network of a trial, both from 0 on, of a point.
func (x *Sweep) At(point, trial int) (*description.Result, error) {
	o := x.Options
	o.Trial = uint64(trial)
	o.Settings = slices.Clone(o.Settings)
	for j, a := range x.Grid.Axes {
		text := strconv.FormatFloat(x.Grid.At(point, j), 'g', -1, 64)
		if a.Unit != "1" && a.Unit != "" {
			text = fmt.Sprintf("%s*(%s)", text, a.Unit)
		}
		o.Settings = append(o.Settings, description.Setting{Name: a.Name, Text: text})
	}
	return x.Description.Resolve(o)
}

// Columns are those of the measures, then status.
func (x *Sweep) Columns() []sweep.JobColumn {
	return append(slices.Clone(x.set.Columns()), sweep.JobColumn{Name: status, Words: []string{OK, Refused, Blown}})
}

// Jobs is the sweep as jobs. alone is whether each takes all workers.
func (x *Sweep) Jobs(alone bool) *sweep.Jobs {
	return &sweep.Jobs{
		Grid: x.Grid, Trials: x.Trials, Columns: x.Columns(), Identity: x.identity(), Alone: alone, Run: x.job,
	}
}

// identity describes all that the results depend on.
func (x *Sweep) identity() string {
	o, r := x.Options, x.Run
	var b strings.Builder
	fmt.Fprintf(&b, "preset %q seed %d dt %v grid %v time %v discard %v bin %v\n", o.Preset, o.Seed, x.Base.Spec.Dt,
		o.OnGrid, r.Time, r.Discard, r.Bin)
	for _, s := range o.Settings {
		fmt.Fprintf(&b, "%s=%s\n", s.Name, s.Text)
	}
	for _, f := range x.Base.Files {
		fmt.Fprintf(&b, "%s %s\n", f.Path, f.SHA256)
	}
	b.WriteString(x.Description.Text)
	return b.String()
}

// job runs one trial of a point.
func (x *Sweep) job(ctx context.Context, point, trial, workers int) ([]float64, error) {
	ended := func(values []float64, word string) []float64 {
		return append(values, float64(slices.Index([]string{OK, Refused, Blown}, word)))
	}
	res, err := x.At(point, trial)
	if err != nil {
		x.notes.add(x.name(point), err)
		return ended(x.set.Missing(), Refused), nil
	}
	set, err := New(res, x.Measures)
	if err != nil {
		return nil, err
	}
	run := x.Run
	run.Workers = workers
	values, err := x.graphs.measure(ctx, set, res, run, point, trial >= max(1, x.Trials)-1)
	var blown *network.BlownUp
	switch {
	case errors.As(err, &blown):
		x.notes.add(x.name(point), err)
		return ended(x.set.Missing(), Blown), nil
	case err != nil:
		return nil, err
	}
	return ended(values, OK), nil
}

// name is a point as the command line has it.
func (x *Sweep) name(point int) string {
	var words []string
	for j, a := range x.Grid.Axes {
		unit := a.Unit
		if unit == "1" || !expression.IsUnit(unit) {
			unit = ""
		}
		words = append(words, fmt.Sprintf("%s=%v%s", a.Name, x.Grid.At(point, j), unit))
	}
	return strings.Join(words, " ")
}

// notes collects the errors at points.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) add(where string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, fmt.Sprintf("%s: %s", where, strings.ReplaceAll(err.Error(), "\n", "; ")))
}

// Notes lists the errors at points, in an order that does not depend on workers.
func (x *Sweep) Notes() []string {
	x.notes.mu.Lock()
	defer x.notes.mu.Unlock()
	return slices.Sorted(slices.Values(x.notes.list))
}
