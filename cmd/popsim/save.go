package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"popsim/table/file"
)

// errNotBegun is the error of a verb that has understood its command line, but whose experiment file is at fault.
var errNotBegun = errors.New("not begun")

// ofOneRun are the flags that belong to one run and not to an experiment.
var ofOneRun = []string{"save", "save-every", "help", "force", "resume", "part", "dry-run", "profile", "profile-dir"}

// understood is called when a verb has understood what is asked of it, has opened its files and would begin: the experiment
// is written where --save asks for it. resolved has the values of flags that were not given, or not in full; an empty text
// stands for what the flag itself holds. The error says that the work must not begin.
func (v *voice) understood(f *flags, q question, resolved map[string]string) error {
	if len(v.inFile) > 0 {
		return misused(errNotBegun)
	}
	switch path := f.save.value; {
	case path == "":
		return nil
	case toStdout(path):
		_, err := v.stdout.Write(v.experiment(q, resolved))
		return err
	default:
		if err := file.Check(path, f.force); err != nil {
			return misused(err)
		}
		return file.Write(path, v.experiment(q, resolved), f.force)
	}
}

// experiment is the command line as an experiment file, resolved.
func (v *voice) experiment(q question, resolved map[string]string) []byte {
	var b strings.Builder
	set := v.cmd.Flags()
	fmt.Fprintf(&b, "# popsim %s; popsim FILE.toml runs this again\n", version())
	fmt.Fprintf(&b, "%s = %s\n", verbKey, quoted(v.cmd.Name()))
	if q.model != nil {
		name := q.model.Name
		if q.preset.Name != "" {
			name += ":" + q.preset.Name
		}
		fmt.Fprintf(&b, "%s = %s\n", modelKey, quoted(name))
	}
	set.VisitAll(func(f *pflag.Flag) {
		text, known := resolved[f.Name]
		if !f.Changed && !known || slices.Contains(ofOneRun, f.Name) {
			return
		}
		if text != "" {
			text = quoted(text)
		} else {
			text = flagTOML(f.Value)
		}
		fmt.Fprintf(&b, "%s = %s\n", f.Name, text)
	})
	if q.model == nil {
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "\n[%s]\n", valuesKey)
	for _, s := range q.complete() {
		fmt.Fprintf(&b, "%s = %s\n", s.name, quoted(withUnits(s.text, s.unit)))
	}
	return []byte(b.String())
}

// flagTOML is the value of a flag in a file.
func flagTOML(value pflag.Value) string {
	switch x := value.(type) {
	case *quantity:
		return quoted(strconv.FormatFloat(x.value, 'g', -1, 64) + x.unit)
	case *count:
		return strconv.Itoa(x.value)
	case *seed:
		return quoted(x.String()) // TOML has no unsigned numbers of 64 bits
	case pflag.SliceValue:
		var items []string
		for _, s := range x.GetSlice() {
			items = append(items, quoted(s))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if value.Type() == "bool" {
		return value.String()
	}
	return quoted(value.String())
}

// milliseconds is a time with its unit.
func milliseconds(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) + "ms" }

// quoted is a basic string of TOML.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// complete lists all parameters, those that were not set as the preset has them, and the current where preset or setting
// give one. What was set keeps its order, which is that of the grid; the rest comes first.
func (q question) complete() []setting {
	base := q.base()
	var all []setting
	add := func(s setting, x float64) {
		if !slices.ContainsFunc(q.settings, func(t setting) bool { return t.name == s.name }) {
			s.text = strconv.FormatFloat(x, 'g', -1, 64)
			all = append(all, s)
		}
	}
	for j, p := range q.model.Params {
		add(setting{name: p.Name, unit: p.Unit, kind: setsParam, index: j}, base.params[j])
	}
	if x := q.preset.I; x == x {
		add(setting{name: "I", unit: q.model.CurrentUnit, kind: setsCurrent}, x)
	}
	return append(all, q.settings...)
}

// withUnits gives every bare number of a value its unit.
func withUnits(text, unit string) string {
	if unit == "" || unit == "1" {
		return text
	}
	return eachNumber(text, func(number string) string {
		if _, err := strconv.ParseFloat(number, 64); err == nil {
			return number + unit
		}
		return number
	})
}

// bare takes the model's own unit from the numbers of a value.
func bare(text, unit string) string {
	if unit == "" || unit == "1" {
		return text
	}
	return eachNumber(text, func(number string) string {
		short := strings.TrimSpace(strings.TrimSuffix(number, unit))
		if _, err := strconv.ParseFloat(short, 64); err == nil {
			return short
		}
		return number
	})
}

// eachNumber replaces the numbers of a value, with their units; the name of a file, the kind of a range and the number of
// its values are left alone.
func eachNumber(text string, replace func(number string) string) string {
	if strings.HasPrefix(text, "@") {
		return text
	}
	head, tail := "", ""
	for _, kind := range []string{"log:", "normal:", "uniform:"} {
		if rest, ok := strings.CutPrefix(text, kind); ok {
			head, text = kind, rest
		}
	}
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		if _, err := strconv.Atoi(strings.TrimSpace(text[i+1:])); err == nil {
			text, tail = text[:i], text[i:]
		}
	}
	b := []byte(head)
	for text != "" {
		end := strings.IndexAny(text, ",:")
		if end < 0 {
			end = len(text)
		}
		b = append(b, replace(strings.TrimSpace(text[:end]))...)
		if end < len(text) {
			b = append(b, text[end])
			end++
		}
		text = text[end:]
	}
	return string(b) + tail
}
