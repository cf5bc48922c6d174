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

// voice is one call of popsim: its arguments, where it speaks, and what it has warned of.
type call struct {
	args           []string
	cmd            *cobra.Command    // the verb that runs
	places         map[string]string // where an experiment file sets what errors are about
	inFile         fault.List        // what is wrong with the experiment file
	stdout, stderr io.Writer
	quiet          bool
	warnings       []string
	started        time.Time
	phases         []file.Phase // finished, one after the other
}

// say tells something on standard error, unless asked to be quiet.
func (v *call) say(format string, args ...any) {
	if !v.quiet {
		fmt.Fprintf(v.stderr, "popsim: "+format+"\n", args...)
	}
}

// warn tells of something that does not stop the work but should be known. It also stands in the record of the run.
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

// mostWarnings is how many of one kind are worth a line each.
const mostWarnings = 5

// warnAll warns of a list that may be long and repeat itself.
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

// texts are what errors say.
func texts(list []error) []string {
	all := make([]string, len(list))
	for k, err := range list {
		all[k] = err.Error()
	}
	return all
}

// phase says that one part of the work ends here, and how long it took since the last.
func (v *call) phase(name string) (seconds float64) {
	total := 0.0
	for _, p := range v.phases {
		total += p.Seconds
	}
	seconds = time.Since(v.started).Seconds() - total
	v.phases = append(v.phases, file.Phase{Name: name, Seconds: seconds})
	return seconds
}

// misuse is an error found before any work has begun.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// misused marks err, if it is one, as found before any work has begun.
func misused(err error) error {
	if err == nil {
		return nil
	}
	return misuse{err}
}

// packagePrefix is the name with which a package begins its errors: of use to a Go program, not to a user.
var packagePrefix = regexp.MustCompile(`(^|: )(?:model|kernels|pop|sweep|dynamics|network|figure|table|bench): `)

func unprefixed(text string) string { return packagePrefix.ReplaceAllString(text, "$1") }

// reportError reports an error, each fault on a line with its advice below it. Nothing is said when the reader of
// standard output has gone away or the user has interrupted.
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

// compute does the work of a verb on a model; where --profile asks for it, under a profile whose samples are labelled
// with both.
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
