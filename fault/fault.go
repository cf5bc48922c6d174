// Package fault holds what is wrong with the input of a user: errors that know which part of the input they concern, at
// which line of a file it stands, and what would be right. Faults are collected, so that all of them are reported at
// once.
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

// Hint adds advice to an error: what would be right. It is nil where err is.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hinted{err, fmt.Sprintf(format, args...)}
}

// concern is an error about one named part of the input.
type concern struct {
	error
	about string
}

func (c concern) Unwrap() error { return c.error }

// About says which part of the input an error concerns, by the name under which Lines looks up its place. It is nil where
// err is.
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

// At puts an error at a place, FILE:LINE:COLUMN. It is nil where err is.
func At(place string, err error) error {
	if err == nil {
		return nil
	}
	return placed{err, place}
}

// List collects faults.
type List []error

// Add adds an error; nil is left out.
func (l *List) Add(err error) {
	if err != nil {
		*l = append(*l, err)
	}
}

// About adds an error about a part of the input; nil is left out.
func (l *List) About(what string, err error) { l.Add(About(what, err)) }

// Addf adds a new error.
func (l *List) Addf(format string, args ...any) { l.Add(fmt.Errorf(format, args...)) }

// Err is all faults as one error, nil if there are none.
func (l List) Err() error { return errors.Join(l...) }

// Line is one fault as it is shown: its text, which begins with its place where that is known, and the advice that
// belongs to it.
type Line struct{ Text, Hint string }

// Lines takes an error apart into its faults. places has the places of parts of the input by the names given to About.
// Faults of files come first, in the order of the file. Advice that several faults share stands at the last of them.
func Lines(err error, places map[string]string) []Line {
	var lines []Line
	collect(err, "", places, &lines)
	slices.SortStableFunc(lines, byPlace)
	for i := range lines {
		if slices.ContainsFunc(lines[i+1:], func(l Line) bool { return l.Hint == lines[i].Hint }) {
			lines[i].Hint = ""
		}
	}
	return lines
}

// byPlace orders lines that begin with FILE:LINE:COLUMN as the file has them, before all others.
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

// collect appends the faults that err is made of; place is that of an error around it.
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
