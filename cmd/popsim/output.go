package main

import (
	"errors"
	"strings"
	"time"

	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/fault"
	"popsim/pop"
	"popsim/table/file"
)

// create opens a table for writing before the work begins.
func (v *call) create(path string, force bool) (*file.Output, error) {
	if output.ToStdout(path) {
		return file.NewCSV(v.stdout), nil
	}
	out, err := file.Create(path, force)
	return out, misused(err)
}

// opening is a table to be opened: its path, "" for none, and the variable that receives its Output.
type opening struct {
	path string
	out  **file.Output
}

// openTables opens tables before the work begins, and checks that the picture can be written. After an error nothing is
// left open.
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
			output.Abort(*t.out)
		}
	}
	return err
}

// apart returns an error if two results would be written to the same file, or if --save has the wrong ending. tables
// are those besides -o. idle says that nothing is computed, so that standard output is free.
func (f *flags) apart(idle bool, tables ...output.Named) error {
	var bad fault.List
	tables = append([]output.Named{{Flag: "-o", Path: f.out.Value}}, tables...)
	others := []output.Named{{Flag: "--plot", Path: f.plot.Value}, {Flag: "--save", Path: f.save.Value}}
	if f.out.Value == "" && !idle && output.ToStdout(f.save.Value) {
		tables[0] = output.Named{Flag: "the table", Path: f.save.Value}
	}
	bad.Add(output.Distinct(tables, others...))
	bad.About("--save", f.checkSave())
	return errors.Join(bad...)
}

// aside writes a record beside a table, if it was written to a regular file.
func (v *call) aside(path string, out *file.Output, r file.Record) error {
	if path == "" || out == nil || out.Direct() {
		return nil
	}
	return v.besides(out.Name(), r)
}

// partial gives the tables and the picture of an interrupted run other names (see file.PartialName), so that a file
// under the requested name is always complete. where says where the tables are.
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

// besides writes a record beside the file path.
func (v *call) besides(path string, r file.Record) error {
	return file.WriteRecord(path, v.completed(r))
}

// completed adds to a record what is the same for all verbs: version, command, times, warnings, machine.
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
	if v.presets != "" {
		r.Extra["presets"] = v.presets
	}
	record.AddMachine(r.Extra)
	return r
}

// spent adds the phases of a computation. The next call of phase measures from their end.
func (v *call) spent(p pop.Phases) {
	for _, q := range []struct {
		name string
		time time.Duration
	}{{"build", p.Build}, {"step", p.Step}, {"record", p.Record}, {"wait", p.Wait}, {"merge", p.Merge}} {
		v.phases = append(v.phases, file.Phase{Name: q.name, Seconds: q.time.Seconds()})
	}
}
