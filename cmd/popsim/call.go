package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/profile"
	"popsim/fault"
	"popsim/table/file"
)

// call is one call of popsim: its arguments, its output, and what is recorded of it for all verbs.
type call struct {
	args           []string
	cmd            *cobra.Command    // the verb that runs
	places         map[string]string // places in the experiment file, by the subjects of errors; see fault.About
	inFile         fault.List        // errors in the experiment file
	stdout, stderr io.Writer
	quiet          bool
	presets        string // the file that the preset of the model stands in, "" where it is built in
	warnings       []string
	started        time.Time
	phases         []file.Phase // parts of the work that are finished, in order
}

// say writes a message to standard error, unless --quiet is given.
func (v *call) say(format string, args ...any) {
	if !v.quiet {
		fmt.Fprintf(v.stderr, "popsim: "+format+"\n", args...)
	}
}

// warn writes a warning to standard error, also with --quiet, and adds it to the record of the run.
func (v *call) warn(format string, args ...any) {
	text := unprefixed(fmt.Sprintf(format, args...))
	v.warnings = append(v.warnings, text)
	fmt.Fprintf(v.stderr, "popsim: warning: %s\n", text)
}

// warnNote warns of a note, if it is not empty.
func (v *call) warnNote(note string) {
	if note != "" {
		v.warn("%s", note)
	}
}

// mostWarnings is the number of warnings of one list that are written in full.
const mostWarnings = 5

// warnAll writes a list of warnings, each text once; of a long list the rest is only counted.
func (v *call) warnAll(list []string) {
	var told []string
	for _, w := range list {
		if !slices.Contains(told, w) {
			told = append(told, w)
		}
	}
	for k, w := range told {
		if k == mostWarnings && len(told) > mostWarnings+1 {
			v.warn("%d more like these", len(told)-k)
			return
		}
		v.warn("%s", w)
	}
}

// texts returns the texts of errors.
func texts(list []error) []string {
	all := make([]string, len(list))
	for k, err := range list {
		all[k] = err.Error()
	}
	return all
}

// phase ends a part of the work and returns how long it took, since the end of the part before.
func (v *call) phase(name string) (seconds float64) {
	total := 0.0
	for _, p := range v.phases {
		total += p.Seconds
	}
	seconds = time.Since(v.started).Seconds() - total
	v.phases = append(v.phases, file.Phase{Name: name, Seconds: seconds})
	return seconds
}

// misuse is an error that was found before any work began; the exit code is exitMisused.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// misused marks err as found before any work began; it returns nil if err is nil.
func misused(err error) error {
	if err == nil {
		return nil
	}
	return misuse{err}
}

// packagePrefix matches the name with which a package begins its errors, which is of no use on a command line.
var packagePrefix = regexp.MustCompile(`(^|: )(?:model|kernels|pop|sweep|dynamics|network|figure|table|bench): `)

func unprefixed(text string) string { return packagePrefix.ReplaceAllString(text, "$1") }

// reportError writes an error to standard error: each of its parts on a line, with its hint below it. It writes nothing
// if the reader of standard output has gone away or the user has interrupted.
func (v *call) reportError(err error) {
	if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, context.Canceled) {
		return
	}
	for _, line := range fault.Lines(err, v.places) {
		fmt.Fprintf(v.stderr, "popsim: error: %s\n", unprefixed(line.Text))
		if line.Hint != "" {
			fmt.Fprintf(v.stderr, "popsim: hint: %s\n", line.Hint)
		}
	}
}

// compute calls work; with --profile under a profile, whose samples are labelled with the verb and the model.
func (v *call) compute(ctx context.Context, f *flags, verb, model string, work func(ctx context.Context) error) error {
	if f.profile.Value == "" {
		return work(ctx)
	}
	stop, err := profile.Start(f.profile.Value, f.profileDir.Value)
	if err != nil {
		return misused(err)
	}
	defer func() { v.say("%s", stop()) }()
	return profile.Labelled(ctx, verb, model, work)
}
