package verb

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

// Create opens a table for writing before the work begins.
func (v *Call) Create(path string, force bool) (*file.Output, error) {
	if output.ToStdout(path) {
		return file.NewCSV(v.Stdout), nil
	}
	out, err := file.Create(path, force)
	return out, Misused(err)
}

// Opening is a table to be opened: its path, "" for none, and the variable that receives its Output.
type Opening struct {
	Path string
	Out  **file.Output
}

// OpenTables opens tables before the work begins, and checks that the picture can be written. After an error nothing is
// left open.
func (v *Call) OpenTables(f *Flags, tables ...Opening) (err error) {
	if err := f.CheckPicture(f.Force); err != nil {
		return err
	}
	for _, t := range tables {
		if t.Path == "" {
			continue
		}
		if *t.Out, err = v.Create(t.Path, f.Force); err != nil {
			break
		}
	}
	if err != nil {
		for _, t := range tables {
			output.Abort(*t.Out)
		}
	}
	return err
}

// Apart returns an error if two results would be written to the same file, or if --save has the wrong ending. tables
// are those besides -o. idle says that nothing is computed, so that standard output is free.
func (f *Flags) Apart(idle bool, tables ...output.Named) error {
	var bad fault.List
	tables = append([]output.Named{{Flag: "-o", Path: f.Out.Value}}, tables...)
	others := []output.Named{{Flag: "--plot", Path: f.Plot.Value}, {Flag: "--save", Path: f.Save.Value}}
	if f.Out.Value == "" && !idle && output.ToStdout(f.Save.Value) {
		tables[0] = output.Named{Flag: "the table", Path: f.Save.Value}
	}
	bad.Add(output.Distinct(tables, others...))
	bad.About("--save", f.checkSave())
	return errors.Join(bad...)
}

// Aside writes a record beside a table, if it was written to a regular file.
func (v *Call) Aside(path string, out *file.Output, r file.Record) error {
	if path == "" || out == nil || out.Direct() {
		return nil
	}
	return v.Besides(out.Name(), r)
}

// Partial gives the tables and the picture of an interrupted run other names (see file.PartialName), so that a file
// under the requested name is always complete. where names the files for a message.
func (f *Flags) Partial(tables ...*file.Output) (where string) {
	var names []string
	for _, out := range tables {
		if out != nil && !out.Direct() {
			out.Partial()
			names = append(names, out.Name())
		}
	}
	f.Plot.Value, f.Force = file.PartialName(f.Plot.Value), true
	if len(names) == 0 {
		return "written"
	}
	return "in " + strings.Join(names, ", ")
}

// Besides writes a record beside the file path.
func (v *Call) Besides(path string, r file.Record) error {
	return file.WriteRecord(path, v.Completed(r))
}

// Completed adds the entries common to all verbs to a record: version, command, times, warnings, machine.
func (v *Call) Completed(r file.Record) file.Record {
	r.Version = "popsim " + v.Version
	r.Started, r.Phases = v.Started, v.phases
	r.Command = append([]string{"popsim"}, v.Args...)
	r.Warnings = v.warnings
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	r.MemoryBytes = memory.Held()
	if r.Extra == nil {
		r.Extra = map[string]any{}
	}
	record.AddMachine(r.Extra)
	return r
}

// Spent adds the phases of a computation. The next call of phase measures from their end.
func (v *Call) Spent(p pop.Phases) {
	for _, q := range []struct {
		name string
		time time.Duration
	}{{"build", p.Build}, {"step", p.Step}, {"record", p.Record}, {"wait", p.Wait}, {"merge", p.Merge}} {
		v.phases = append(v.phases, file.Phase{Name: q.name, Seconds: q.time.Seconds()})
	}
}
