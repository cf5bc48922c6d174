package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"popsim/report"
)

// toStdout tells whether a path means standard output.
func toStdout(path string) bool {
	return path == "-" || filepath.ToSlash(path) == "/dev/stdout"
}

// onTerminal tells whether standard output is a terminal: a device that reads, not one that swallows.
func (v *voice) onTerminal() bool {
	f, ok := v.stdout.(*os.File)
	if !ok || !report.IsTerminal(f) {
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
func (v *voice) create(path string, force bool) (*report.Output, error) {
	if toStdout(path) {
		return report.NewCSV(v.stdout), nil
	}
	out, err := report.Create(path, force)
	return out, misused(err)
}

// distinct refuses two things that would be written to one place.
func distinct(files []file) error {
	var bad faults
	seen := map[string]string{}
	for _, f := range files {
		if f.path == "" {
			continue
		}
		path := filepath.Clean(f.path)
		if toStdout(f.path) {
			path = "standard output"
		}
		if other := seen[path]; other != "" {
			bad.addf("%s and %s would both be written to %s", other, f.flag, path)
		}
		seen[path] = f.flag
	}
	return errors.Join(bad...)
}

// file is a flag that names a file.
type file struct{ flag, path string }

// aside writes the record of a run beside a file that it wrote.
func (v *voice) aside(path string, out *report.Output, r report.RunRecord) error {
	if path == "" || out == nil || out.Direct() {
		return nil
	}
	return v.besides(path, r)
}

// besides completes a record and writes it.
func (v *voice) besides(path string, r report.RunRecord) error {
	r.Version = "popsim " + version()
	r.Started, r.Phases = v.started, v.phases
	r.Command = append([]string{"popsim"}, v.args...)
	r.Warnings = v.warnings
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	r.MemoryBytes = held()
	return report.WriteRecord(path, r)
}

// parameters lists what a question has set, resolved, in the order of the model. values gives the text of a setting
// that is not one number.
func (q question) parameters(settings map[string]any) []report.Parameter {
	base := q.base()
	var all []report.Parameter
	add := func(name, unit string, value any) {
		if x, ok := settings[name]; ok {
			value = x
		}
		if value != nil {
			all = append(all, report.Parameter{Name: name, Value: value, Unit: unit})
		}
	}
	for j, p := range q.model.Params {
		add(p.Name, p.Unit, base.params[j])
	}
	add("I", q.model.CurrentUnit, base.current)
	for _, s := range q.model.States {
		add(s.Name+"0", s.Unit, nil)
	}
	add("gain", "1", nil)
	return all
}

// title names the question in pictures.
func (q question) title() string {
	text := q.model.Name
	if q.preset.Name != "" {
		text += ":" + q.preset.Name
	}
	for _, s := range q.settings {
		text += fmt.Sprintf("  %s=%s", s.name, s.text)
	}
	return text
}
