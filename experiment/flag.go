package experiment

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"popsim/model"
)

// Flag is the record of one flag of a verb, from which the parser of the command line, the keys of experiment files,
// completion and manual pages are made.
type Flag struct {
	Name   string    // long name, and key in a file
	Letter string    // short name, "" for none
	Value  FlagValue // receives the value; it holds the default at first
	Once   bool      // belongs to one call and not to the experiment, so that it is not saved
	Help   string

	// Offers returns the values that a shell may offer, given the model on the command line, nil if there is none.
	Offers func(m *model.Model) []string
}

// FlagValue is the value of a flag, parsed when it is set. Errors in quantities and counts are kept in them, to be
// reported together with others.
type FlagValue interface {
	Set(text string) error
	String() string
	Type() string        // form of a value in help, such as TIME; "bool" for switches
	TOML() string        // the value as it is written in a file
	takes(e Entry) error // returns an error if an entry of a file has the wrong type
}

// Quantity is a number with a unit.
type Quantity struct {
	Value float64
	Unit  string
	Form  string // "" means TIME
	Given bool
	Err   error
}

// Set reads a number with or without a unit.
func (q *Quantity) Set(text string) error {
	q.Given = true
	q.Value, q.Err = model.ParseQuantity(text, q.Unit)
	return nil
}

func (q *Quantity) String() string {
	if q.Value == 0 {
		return ""
	}
	return strconv.FormatFloat(q.Value, 'g', -1, 64) + q.Unit
}

// Type is the form.
func (q *Quantity) Type() string {
	if q.Form != "" {
		return q.Form
	}
	return "TIME"
}

// TOML is the number with its unit.
func (q *Quantity) TOML() string { return Quote(strconv.FormatFloat(q.Value, 'g', -1, 64) + q.Unit) }

func (q *Quantity) takes(e Entry) error { return e.one(true) }

// Count is a whole number from 1 on, which may be written as 1e6.
type Count struct {
	Value int
	Given bool
	Err   error
}

// Set reads a whole number.
func (c *Count) Set(text string) error {
	c.Given = true
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || x != math.Trunc(x) || strings.ContainsAny(text, "_xX"):
		c.Err = fmt.Errorf("%q is not a whole number", text)
	case x < 1 || x >= 1<<53:
		c.Err = fmt.Errorf("%s is out of range; it must be 1 or more, and below 2^53", text)
	default:
		c.Value = int(x)
	}
	return nil
}

func (c *Count) String() string {
	if c.Value == 0 {
		return ""
	}
	return strconv.Itoa(c.Value)
}

// Type is N.
func (c *Count) Type() string { return "N" }

// TOML is the number.
func (c *Count) TOML() string { return strconv.Itoa(c.Value) }

func (c *Count) takes(e Entry) error { return e.one(true) }

// Seed is any number of 64 bits.
type Seed struct {
	Value uint64
	Err   error
}

// Set reads a whole number from 0 to 2^64-1.
func (s *Seed) Set(text string) error {
	if s.Value, s.Err = strconv.ParseUint(text, 0, 64); s.Err != nil || strings.Contains(text, "_") {
		s.Err = fmt.Errorf("%q is not a whole number from 0 to 2^64-1", text)
	}
	return nil
}

func (s *Seed) String() string { return strconv.FormatUint(s.Value, 10) }

// Type is N.
func (s *Seed) Type() string { return "N" }

// TOML is the number as a text: TOML has no unsigned numbers of 64 bits.
func (s *Seed) TOML() string { return Quote(s.String()) }

func (s *Seed) takes(e Entry) error { return e.one(true) }

// Word is a word, a path, or a text that is parsed later, when the model is known. Form is FILE for a file and DIR for
// a directory.
type Word struct {
	Value  string
	Form   string
	Number bool // a file may hold it as a number
	List   bool // a file may hold it as a list, whose items are joined by commas
	Given  bool
}

// Set keeps the text.
func (w *Word) Set(text string) error { w.Value, w.Given = text, true; return nil }

func (w *Word) String() string { return w.Value }

// Type is the form.
func (w *Word) Type() string { return w.Form }

// TOML is the text.
func (w *Word) TOML() string { return Quote(w.Value) }

func (w *Word) takes(e Entry) error {
	if w.List && e.list {
		e.list = false
	}
	return e.one(w.Number)
}

// Words are several words divided by commas; the flag may be repeated.
type Words struct {
	List  []string
	Form  string
	Given bool
}

// Set appends the words of text; the first call replaces the default.
func (w *Words) Set(text string) error {
	if !w.Given {
		w.List = nil
	}
	w.Given = true
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			w.List = append(w.List, word)
		}
	}
	return nil
}

func (w *Words) String() string { return strings.Join(w.List, ",") }

// Type is the form.
func (w *Words) Type() string { return w.Form }

// TOML is a list of texts.
func (w *Words) TOML() string { return quoteList(w.List) }

func (w *Words) takes(e Entry) error {
	e.list = false
	return e.one(false)
}

// Texts are the values of a flag that may be repeated.
type Texts struct {
	List []string
	Form string
}

// Set appends a text.
func (t *Texts) Set(text string) error { t.List = append(t.List, text); return nil }

func (t *Texts) String() string { return strings.Join(t.List, " ") }

// Type is the form.
func (t *Texts) Type() string { return t.Form }

// TOML is a list of texts.
func (t *Texts) TOML() string { return quoteList(t.List) }

func (t *Texts) takes(e Entry) error {
	e.list = false
	return e.one(false)
}

// Switch is on or off.
type Switch bool

// Set reads true or false.
func (s *Switch) Set(text string) error {
	on, err := strconv.ParseBool(text)
	*s = Switch(on)
	return err
}

func (s *Switch) String() string { return strconv.FormatBool(bool(*s)) }

// Type is bool.
func (s *Switch) Type() string { return "bool" }

// IsBoolFlag is true: the flag without a value switches it on.
func (s *Switch) IsBoolFlag() bool { return true }

// TOML is true or false.
func (s *Switch) TOML() string { return s.String() }

func (s *Switch) takes(e Entry) error {
	if e.list || e.form != logical {
		return fmt.Errorf("true or false is needed")
	}
	return nil
}
