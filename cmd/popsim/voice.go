package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"popsim/report"
)

// voice is one call of popsim: its arguments, where it speaks, and what it has warned of.
type voice struct {
	args           []string
	stdout, stderr io.Writer
	quiet          bool
	warnings       []string
	started        time.Time
	phases         []report.Phase // finished, one after the other
}

// say tells something on standard error, unless asked to be quiet.
func (v *voice) say(format string, args ...any) {
	if !v.quiet {
		fmt.Fprintf(v.stderr, "popsim: "+format+"\n", args...)
	}
}

// warn tells of something that does not stop the work but should be known. It also stands in the record of the run.
func (v *voice) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	v.warnings = append(v.warnings, text)
	fmt.Fprintf(v.stderr, "popsim: warning: %s\n", text)
}

// phase says that one part of the work ends here, and how long it took since the last.
func (v *voice) phase(name string) {
	total := 0.0
	for _, p := range v.phases {
		total += p.Seconds
	}
	v.phases = append(v.phases, report.Phase{Name: name, Seconds: time.Since(v.started).Seconds() - total})
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

// hinted is an error to which a way out is known.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// hint gives an error a way out.
func hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hinted{err, fmt.Sprintf(format, args...)}
}

// faults collects what is wrong, so that all of it is told at once.
type faults []error

func (f *faults) add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

func (f *faults) addf(format string, args ...any) { f.add(fmt.Errorf(format, args...)) }

// misuse is all faults as one error, or nil.
func (f *faults) misuse() error { return misused(errors.Join(*f...)) }

// complain tells an error and the hints it carries. When the reader of standard output has gone away or the user has
// interrupted, nobody needs telling.
func (v *voice) complain(err error) {
	if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, context.Canceled) {
		return
	}
	var lines, hints []string
	collect(err, &lines, &hints)
	for _, line := range lines {
		fmt.Fprintf(v.stderr, "popsim: error: %s\n", line)
	}
	told := map[string]bool{}
	for _, h := range hints {
		if !told[h] {
			fmt.Fprintf(v.stderr, "popsim: hint: %s\n", h)
		}
		told[h] = true
	}
}

// collect takes an error apart: one line for each fault, and the hints.
func collect(err error, lines, hints *[]string) {
	switch e := err.(type) {
	case misuse:
		collect(e.error, lines, hints)
	case hinted:
		collect(e.error, lines, hints)
		*hints = append(*hints, e.hint)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			collect(one, lines, hints)
		}
	default:
		for line := range strings.SplitSeq(err.Error(), "\n") {
			*lines = append(*lines, line)
		}
		var h hinted
		if errors.As(err, &h) {
			*hints = append(*hints, h.hint)
		}
	}
}
