// Package verb holds the common parts of the verbs of the command line: messages, flags and files, experiment files,
// and the common entries of records.
package verb

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

// Call is one call of popsim: its arguments, its output, and the entries common to all records.
type Call struct {
	Args           []string
	Cmd            *cobra.Command    // the verb that runs
	Places         map[string]string // places in the experiment file, by the subjects of errors; see fault.About
	InFile         fault.List        // errors in the experiment file
	Stdout, Stderr io.Writer
	Quiet          bool
	warnings       []string
	Started        time.Time
	Version        string       // of popsim
	phases         []file.Phase // parts of the work that are finished, in order
}

// Infof writes a message to standard error, unless --quiet is given.
func (v *Call) Infof(format string, args ...any) {
	if !v.Quiet {
		fmt.Fprintf(v.Stderr, "popsim: "+format+"\n", args...)
	}
}

// Warnf writes a warning to standard error, also with --quiet, and adds it to the record of the run.
func (v *Call) Warnf(format string, args ...any) {
	text := unprefixed(fmt.Sprintf(format, args...))
	v.warnings = append(v.warnings, text)
	fmt.Fprintf(v.Stderr, "popsim: warning: %s\n", text)
}

// WarnNote warns of a note, if it is not empty.
func (v *Call) WarnNote(note string) {
	if note != "" {
		v.Warnf("%s", note)
	}
}

// mostWarnings is the number of warnings of one list that are written in full.
const mostWarnings = 5

// WarnAll writes a list of warnings, each text once; of a long list the rest is only counted.
func (v *Call) WarnAll(list []string) {
	var written []string
	for _, w := range list {
		if !slices.Contains(written, w) {
			written = append(written, w)
		}
	}
	for k, w := range written {
		if k == mostWarnings && len(written) > mostWarnings+1 {
			v.Warnf("%d more like these", len(written)-k)
			return
		}
		v.Warnf("%s", w)
	}
}

// Texts returns the texts of errors.
func Texts(list []error) []string {
	all := make([]string, len(list))
	for k, err := range list {
		all[k] = err.Error()
	}
	return all
}

// Phase ends a part of the work and returns how long it took, since the end of the part before.
func (v *Call) Phase(name string) (seconds float64) {
	total := 0.0
	for _, p := range v.phases {
		total += p.Seconds
	}
	seconds = time.Since(v.Started).Seconds() - total
	v.phases = append(v.phases, file.Phase{Name: name, Seconds: seconds})
	return seconds
}

// Misuse is an error that was found before any work began; the exit code is exitMisused.
type Misuse struct{ error }

func (m Misuse) Unwrap() error { return m.error }

// Misused marks err as found before any work began; it returns nil if err is nil.
func Misused(err error) error {
	if err == nil {
		return nil
	}
	return Misuse{err}
}

// packagePrefix matches the name with which a package begins its errors; a user of the command line does not need it.
var packagePrefix = regexp.MustCompile(`(^|: )(?:model|kernels|pop|sweep|dynamics|network|figure|table|bench): `)

func unprefixed(text string) string { return packagePrefix.ReplaceAllString(text, "$1") }

// ReportError writes an error to standard error: each of its parts on a line, with its hint below it. It writes nothing
// if the reader of standard output has gone away or the user has interrupted.
func (v *Call) ReportError(err error) {
	if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, context.Canceled) {
		return
	}
	for _, line := range fault.Lines(err, v.Places) {
		fmt.Fprintf(v.Stderr, "popsim: error: %s\n", unprefixed(line.Text))
		if line.Hint != "" {
			fmt.Fprintf(v.Stderr, "popsim: hint: %s\n", line.Hint)
		}
	}
}

// Compute calls work; with --profile under a profile, whose samples are labelled with the verb and the model.
func (v *Call) Compute(ctx context.Context, f *Flags, verb, model string, work func(ctx context.Context) error) error {
	if f.profile.Value == "" {
		return work(ctx)
	}
	stop, err := profile.Start(f.profile.Value, f.profileDir.Value)
	if err != nil {
		return Misused(err)
	}
	defer func() { v.Infof("%s", stop()) }()
	return profile.Labelled(ctx, verb, model, work)
}
