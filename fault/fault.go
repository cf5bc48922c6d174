// Package fault holds errors in the input of a user, with the part of the input that they concern, its place in a file,
// and what would be right. Errors are collected, so that all of them are reported together.
package fault

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hinted is an error with advice.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Hint adds advice to an error: what would be right. It returns nil if err is nil.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hinted{err, fmt.Sprintf(format, args...)}
}

// concern is an error about a named part of the input.
type concern struct {
	error
	about string
}

func (c concern) Unwrap() error { return c.error }

// About sets the subject of an error: the name of the part of the input that it is about, under which Lines looks up
// its place. It returns nil if err is nil.
func About(what string, err error) error {
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

// At sets the place of an error, FILE:LINE:COLUMN. It returns nil if err is nil.
func At(place string, err error) error {
	if err == nil {
		return nil
	}
	return placed{err, place}
}

// List collects errors.
type List []error

// Add adds an error if it is not nil.
func (l *List) Add(err error) {
	if err != nil {
		*l = append(*l, err)
	}
}

// About adds an error about a part of the input if it is not nil.
func (l *List) About(what string, err error) { l.Add(About(what, err)) }

// Addf adds a new error.
func (l *List) Addf(format string, args ...any) { l.Add(fmt.Errorf(format, args...)) }

// Err returns all errors as one, nil if there are none.
func (l List) Err() error { return errors.Join(l...) }

// Line is one error as it is shown: its text, which begins with its place if that is known, and the advice that belongs
// to it.
type Line struct{ Text, Hint string }

// Lines splits an error into its parts. places holds the places of parts of the input by their subjects, see About.
// Errors with a place come first, in the order of the file. Errors of the same text are one. Advice that several errors
// share is given with the last of them.
func Lines(err error, places map[string]string) []Line {
	var lines []Line
	collect(err, "", places, &lines)
	slices.SortStableFunc(lines, byPlace)
	seen := map[string]bool{}
	lines = slices.DeleteFunc(lines, func(l Line) bool {
		again := seen[l.Text]
		seen[l.Text] = true
		return again
	})
	for i := range lines {
		if slices.ContainsFunc(lines[i+1:], func(l Line) bool { return l.Hint == lines[i].Hint }) {
			lines[i].Hint = ""
		}
	}
	return lines
}

// byPlace orders lines that begin with FILE:LINE:COLUMN by their places, before all others.
func byPlace(a, b Line) int {
	var at [2][2]int
	for i, text := range []string{a.Text, b.Text} {
		at[i][0] = math.MaxInt
		if m := atPlace.FindStringSubmatch(text); m != nil {
			at[i][0], _ = strconv.Atoi(m[1])
			at[i][1], _ = strconv.Atoi(m[2])
		}
	}
	return slices.Compare(at[0][:], at[1][:])
}

var atPlace = regexp.MustCompile(`^\S+?:(\d+):(\d+): `)

// collect appends the errors that err consists of; place is the place of an error that wraps it.
func collect(err error, place string, places map[string]string, lines *[]Line) {
	switch e := err.(type) {
	case nil:
	case hinted:
		before := len(*lines)
		collect(e.error, place, places, lines)
		if len(*lines) > before {
			(*lines)[len(*lines)-1].Hint = e.hint
		}
	case placed:
		collect(e.error, e.place+": ", places, lines)
	case concern:
		if at := places[e.about]; at != "" {
			place = at + ": "
		}
		collect(e.error, place, places, lines)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			collect(one, place, places, lines)
		}
	default:
		if inner := errors.Unwrap(err); inner != nil && inner.Error() == err.Error() {
			collect(inner, place, places, lines) // err only marks it
			return
		}
		for text := range strings.SplitSeq(err.Error(), "\n") {
			if place != "" {
				text = place + strings.TrimPrefix(text, "--") // keys of a file have no dashes
			}
			*lines = append(*lines, Line{Text: text})
		}
		var h hinted
		if errors.As(err, &h) {
			(*lines)[len(*lines)-1].Hint = h.hint
		}
	}
}
