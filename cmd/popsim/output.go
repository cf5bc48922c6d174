package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/memory"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/kernels"
	"popsim/pop"
	"popsim/sched"
	"popsim/table/file"
)

// toStdout tells whether a path means standard output.
func toStdout(path string) bool {
	return path == "-" || filepath.ToSlash(path) == "/dev/stdout"
}

// onTerminal tells whether standard output is a terminal: a device that reads, not one that swallows.
func (v *call) onTerminal() bool {
	f, ok := v.stdout.(*os.File)
	if !ok || !cli.IsTerminal(f) {
		return false
	}
	this, err := f.Stat()
	for _, swallows := range []string{os.DevNull, "/dev/full"} {
		if other, e := os.Stat(swallows); err == nil && e == nil && os.SameFile(this, other) {
			return false
		}
	}
	return err == nil
}

// duration writes seconds for people.
func duration(seconds float64) string {
	switch {
	case seconds < 100:
		return fmt.Sprintf("%.2g s", seconds)
	case seconds < 6000:
		return fmt.Sprintf("%.0f min", seconds/60)
	case seconds < 100*3600:
		return fmt.Sprintf("%.0f h", seconds/3600)
	}
	return fmt.Sprintf("%.0f days", seconds/86400)
}

// create opens path for one table before the work begins.
func (v *call) create(path string, force bool) (*file.Output, error) {
	if toStdout(path) {
		return file.NewCSV(v.stdout), nil
	}
	out, err := file.Create(path, force)
	return out, misused(err)
}

// opening is a table to be opened: its path, "" for none, and where its Output is put.
type opening struct {
	path string
	out  **file.Output
}

// openTables opens tables before the work begins, and looks whether the picture can be written. Where something cannot be
// written, nothing is left open.
func (v *call) openTables(f *flags, tables ...opening) (err error) {
	if err := f.checkPicture(f.force); err != nil {
		return err
	}
	for _, t := range tables {
		if t.path == "" {
			continue
		}
		if *t.out, err = v.create(t.path, f.force); err != nil {
			break
		}
	}
	if err != nil {
		for _, t := range tables {
			abort(*t.out)
		}
	}
	return err
}

// abort gives up tables that were opened and not finished; nil ones were not opened.
func abort(tables ...*file.Output) {
	for _, out := range tables {
		if out != nil {
			out.Abort()
		}
	}
}

// checkPicture refuses, before the work begins, a picture that could not be written.
func (f *flags) checkPicture(force bool) error {
	if f.plot.Value == "" {
		return nil
	}
	return misused(figure.CheckPicture(f.plot.Value, force))
}

// namedFile is a flag that names a file.
type namedFile struct{ flag, path string }

// distinct refuses two things that would be written to one place. Beside tables lie their records.
func distinct(tables []namedFile, others ...namedFile) error {
	var bad fault.List
	seen := map[string]string{}
	meet := func(what, path string) {
		if other := seen[path]; other != "" && path != os.DevNull {
			bad.Addf("%s and %s would both be written to %s", other, what, path)
		}
	}
	for _, f := range slices.Concat(tables, others) {
		if f.path != "" {
			path := realPath(f.path)
			meet(f.flag, path)
			seen[path] = f.flag
		}
	}
	for _, f := range tables {
		if f.path != "" && !toStdout(f.path) && file.Regular(f.path) {
			meet("the record of "+f.flag, realPath(f.path)+file.RecordEnding)
		}
	}
	return errors.Join(bad...)
}

// realPath is one name for each file, however it is written. One in the working directory has a short name.
func realPath(path string) string {
	if toStdout(path) {
		return "standard output"
	}
	real, err := file.Real(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if real, err = filepath.Abs(real); err != nil {
		return filepath.Clean(path)
	}
	if here, err := filepath.EvalSymlinks("."); err == nil {
		if here, err = filepath.Abs(here); err == nil {
			if short, err := filepath.Rel(here, real); err == nil && filepath.IsLocal(short) {
				return short
			}
		}
	}
	return real
}

// apart refuses files that would be one, and a --save that no call would read; tables are those beside -o. idle says
// that nothing is to be computed, so that standard output is free.
func (f *flags) apart(idle bool, tables ...namedFile) error {
	var bad fault.List
	tables = append([]namedFile{{"-o", f.out.Value}}, tables...)
	others := []namedFile{{"--plot", f.plot.Value}, {"--save", f.save.Value}}
	if f.out.Value == "" && !idle && toStdout(f.save.Value) {
		tables[0] = namedFile{"the table", f.save.Value}
	}
	bad.Add(distinct(tables, others...))
	bad.About("--save", f.checkSave())
	return errors.Join(bad...)
}

// aside writes the record of a run beside a file that it wrote.
func (v *call) aside(path string, out *file.Output, r file.Record) error {
	if path == "" || out == nil || out.Direct() {
		return nil
	}
	return v.besides(out.Name(), r)
}

// partial gives what an interruption leaves the names of unfinished results (see file.PartialName), so that a file under
// the name that was asked for is whole. It says where the tables are.
func (f *flags) partial(tables ...*file.Output) (where string) {
	var names []string
	for _, out := range tables {
		if out != nil && !out.Direct() {
			out.Partial()
			names = append(names, out.Name())
		}
	}
	f.plot.Value, f.force = file.PartialName(f.plot.Value), true
	if len(names) == 0 {
		return "written"
	}
	return "in " + strings.Join(names, ", ")
}

// besides completes a record and writes it.
func (v *call) besides(path string, r file.Record) error {
	return file.WriteRecord(path, v.completed(r))
}

// completed is a record with what the call itself can tell.
func (v *call) completed(r file.Record) file.Record {
	r.Version = "popsim " + version()
	r.Started, r.Phases = v.started, v.phases
	r.Command = append([]string{"popsim"}, v.args...)
	r.Warnings = v.warnings
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	r.MemoryBytes = memory.Held()
	if r.Extra == nil {
		r.Extra = map[string]any{}
	}
	tellMachine(r.Extra)
	return r
}

// tellMachine puts into extra what the machine is and gave, and what collecting garbage has cost so far.
func tellMachine(extra map[string]any) {
	var gc runtime.MemStats
	runtime.ReadMemStats(&gc)
	extra["go"], extra["system"] = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	extra["processor"], extra["processor_features"] = kernels.Processor(), strings.Join(kernels.Features(), " ")
	extra["cpus"], extra["cpus_allowed"] = runtime.NumCPU(), sched.Allowed()
	extra["gc_cycles"], extra["gc_pause_s"], extra["gc_cpu_fraction"] = gc.NumGC, float64(gc.PauseTotalNs)/1e9, gc.GCCPUFraction
	extra["allocated_bytes"] = gc.TotalAlloc
}

// tellWorkers puts into extra what the workers did: at work and waiting for each other, in seconds, and how much more
// each had to do than the mean of them.
func tellWorkers(extra map[string]any, s sched.Stats) {
	busy, wait, over := make([]float64, len(s.Busy)), make([]float64, len(s.Wait)), make([]float64, len(s.Busy))
	mean := 0.0
	for i := range busy {
		busy[i], wait[i] = s.Busy[i].Seconds(), s.Wait[i].Seconds()
		mean += busy[i] / float64(len(busy))
	}
	for i := range over {
		if mean > 0 {
			over[i] = busy[i]/mean - 1
		}
	}
	extra["epochs"], extra["worker_busy_s"], extra["worker_wait_s"] = s.Epochs, busy, wait
	extra["worker_imbalance"], extra["imbalance"] = over, s.Imbalance()
}

// spent enters the phases of a computation. What follows them is the business of the next phase.
func (v *call) spent(p pop.Phases) {
	for _, q := range []struct {
		name string
		time time.Duration
	}{{"build", p.Build}, {"step", p.Step}, {"record", p.Record}, {"wait", p.Wait}, {"merge", p.Merge}} {
		v.phases = append(v.phases, file.Phase{Name: q.name, Seconds: q.time.Seconds()})
	}
}

// parameters lists the parameters of a neuron, resolved, in the order of the model, then the current and what else was
// set. other has the values of some that stand for what was set. What is not one number stands as text.
func parameters(n experiment.Neuron, other map[string]any) []file.Parameter {
	values := map[string]any{}
	for _, s := range n.Settings {
		values[s.Name] = s.Value.Bare()
		if x, ok := s.Value.Single(); ok {
			values[s.Name] = x
		}
	}
	maps.Copy(values, other)
	base := n.Base()
	var all []file.Parameter
	add := func(name, unit string, value any) {
		if x, ok := values[name]; ok {
			value = x
		}
		if value != nil {
			all = append(all, file.Parameter{Name: name, Value: value, Unit: unit})
		}
	}
	for j, p := range n.Model.Params {
		add(p.Name, p.Unit, base.Params[j])
	}
	add("I", n.Model.CurrentUnit, base.Current)
	for _, s := range n.Model.States {
		add(s.Name+"0", s.Unit, nil)
	}
	add(experiment.GainName, "1", nil)
	return all
}
