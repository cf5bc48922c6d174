package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"popsim/table/file"
)

// voice is one call of popsim: its arguments, where it speaks, and what it has warned of.
type voice struct {
	args           []string
	cmd            *cobra.Command    // the verb that runs
	places         map[string]string // where an experiment file sets what errors are about
	inFile         faults            // what is wrong with the experiment file
	stdout, stderr io.Writer
	quiet          bool
	warnings       []string
	started        time.Time
	phases         []file.Phase // finished, one after the other
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

// mostWarnings is how many of one kind are worth a line each.
const mostWarnings = 5

// warnAll warns of a list that may be long and repeat itself.
func (v *voice) warnAll(list []string) {
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
func (v *voice) phase(name string) {
	total := 0.0
	for _, p := range v.phases {
		total += p.Seconds
	}
	v.phases = append(v.phases, file.Phase{Name: name, Seconds: time.Since(v.started).Seconds() - total})
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

// concern is an error about one thing on the command line: the model, a setting by its name, or a flag with its dashes.
// Where an experiment file has set it, complain says at which line.
type concern struct {
	error
	about string
}

func (c concern) Unwrap() error { return c.error }

// modelAbout is what errors about MODEL[:PRESET] are about.
const modelAbout = "MODEL"

// about says what an error is about.
func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return concern{err, what}
}

// placed is an error at a place in a file.
type placed struct {
	error
	place string
}

func (p placed) Unwrap() error { return p.error }

// faults collects what is wrong, so that all of it is told at once.
type faults []error

func (f *faults) add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

func (f *faults) about(what string, err error) { f.add(about(what, err)) }

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
	v.collect(err, "", &lines, &hints)
	slices.SortStableFunc(lines, byPlace)
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

// byPlace orders lines that begin with FILE:LINE:COLUMN as the file has them, before all others.
func byPlace(a, b string) int {
	var at [2][2]int
	for i, text := range []string{a, b} {
		at[i][0] = math.MaxInt
		if m := atPlace.FindStringSubmatch(text); m != nil {
			at[i][0], _ = strconv.Atoi(m[1])
			at[i][1], _ = strconv.Atoi(m[2])
		}
	}
	return slices.Compare(at[0][:], at[1][:])
}

var atPlace = regexp.MustCompile(`^\S+?:(\d+):(\d+): `)

// collect takes an error apart: one line for each fault, with its place before it, and the hints.
func (v *voice) collect(err error, place string, lines, hints *[]string) {
	switch e := err.(type) {
	case misuse:
		v.collect(e.error, place, lines, hints)
	case hinted:
		v.collect(e.error, place, lines, hints)
		*hints = append(*hints, e.hint)
	case placed:
		v.collect(e.error, e.place+": ", lines, hints)
	case concern:
		if at := v.places[e.about]; at != "" {
			place = at + ": "
		}
		v.collect(e.error, place, lines, hints)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			v.collect(one, place, lines, hints)
		}
	default:
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if place != "" {
				line = place + strings.TrimPrefix(line, "--") // in a file flags have no dashes
			}
			*lines = append(*lines, line)
		}
		var h hinted
		if errors.As(err, &h) {
			*hints = append(*hints, h.hint)
		}
	}
}
