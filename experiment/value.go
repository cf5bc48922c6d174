package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"popsim/expression"
	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/sweep"
	"popsim/table/file"
)

// Kind is the kind of a value. Kinds are bits, so that a set of accepted kinds is one Kind.
type Kind int

// The kinds of values.
const (
	Number   Kind = 1 << iota // one number
	List                      // several numbers: 5,6,7
	Range                     // several numbers by a rule: 0:20:0.5, 0:20/201, log:1:100/50
	Interval                  // two ends and all between them: -5:20
	Drawn                     // a number for each neuron by chance: normal:21:2, uniform:15:30
	File                      // numbers of a file: @file.npy

	// Several are the kinds that hold one or more numbers in order.
	Several = Number | List | Range | File
)

// Value is the value of NAME=VALUE, parsed. Its numbers are in Unit.
type Value struct {
	Kind Kind
	Unit string
	// of a Number, the one; of a List, all; of a Range and an Interval, start, stop and, without Count, step
	Numbers []float64
	Count   int      // of a Range start:stop/n; 0 in one with a step
	Log     bool     // of a Range: evenly spaced in the logarithm
	Draw    Draw     // of kind Drawn
	Path    string   // of a File, as it was given after the @
	Notes   []string // remarks for the user on a value that may not be meant as it is read
	axis    sweep.Axis
}

// ParseValue parses the value of the quantity name:
//
//	21              one number
//	5,6,7           a list
//	0:20:0.5        start:stop:step; stop is included when the steps reach it
//	0:20/201        201 values, both ends included
//	log:1:100/50    50 values, evenly spaced in the logarithm
//	-5:20           an interval
//	normal:21:2     a draw for each neuron, of mean and standard deviation, as lognormal:M:SD; uniform:LO:HI between
//	                two ends
//	@file.npy       one value per element or row of a .npy, .csv, .npz or .parquet file
//	@file.csv:COL   a column of it
//
// Numbers may have a unit of the same dimension as unit, to which they are converted. A list or range of one value is a
// Number.
func ParseValue(name, text, unit string) (Value, error) {
	v, err := parseValue(name, strings.TrimSpace(text), unit)
	if err != nil {
		return Value{}, inSetting(name, text, err)
	}
	if v.Kind != File && scalesBeside(text, unit) {
		v.Notes = append(v.Notes, fmt.Sprintf("%s=%s: numbers without a unit are in %s; write the unit of each", name, text,
			unit))
	}
	return v.named(name, unit), nil
}

// scalesBeside reports whether a range, interval or draw has a number without a unit, other than 0, beside one in a
// unit of another scale than the quantity's, as in 0.1:0.8nA.
func scalesBeside(text, unit string) bool {
	span, _, _ := cutCount(text)
	bare, scaled := false, false
	for t := range strings.SplitSeq(span, ":") {
		t = strings.TrimSpace(t)
		x, err := model.ParseQuantity(t, unit)
		switch y, ok := leadingNumber(t); {
		case err != nil || !ok: // log, normal, ...
		case isBare(t):
			bare = bare || x != 0
		default:
			scaled = scaled || x != y
		}
	}
	return bare && scaled
}

// leadingNumber is the number that a text begins with.
func leadingNumber(text string) (float64, bool) {
	for end := len(text); end > 0; end-- {
		if x, err := strconv.ParseFloat(text[:end], 64); err == nil {
			return x, true
		}
	}
	return 0, false
}

// named is the value of a quantity.
func (v Value) named(name, unit string) Value {
	v.Unit = unit
	v.axis.Name, v.axis.Unit = name, unit
	return v
}

// Len returns the number of values: 0 for an interval or a draw.
func (v Value) Len() int { return v.axis.Len() }

// At returns value i.
func (v Value) At(i int) float64 { return v.axis.At(i) }

// Axis returns the values as an axis of a sweep; it is empty for an interval or a draw.
func (v Value) Axis() sweep.Axis { return v.axis }

// Single returns the number of a value that holds exactly one; ok is false for others.
func (v Value) Single() (x float64, ok bool) {
	if v.Len() != 1 {
		return math.NaN(), false
	}
	return v.At(0), true
}

// Values returns the numbers for n neurons: one for all, or one for each. The numbers of a file are not copied. A drawn
// number depends only on seed, name and the number of the neuron.
func (v Value) Values(name string, n int, seed uint64) kernels.Values {
	if v.Kind == Drawn {
		return v.Draw.Values(name, n, seed)
	}
	return v.axis.All()
}

// String returns the value as text, every number with its unit. ParseValue parses it to the same value.
func (v Value) String() string {
	if v.Unit == "1" {
		return v.text("")
	}
	return v.text(v.Unit)
}

// behindNumber returns a unit as it is written after a number: 3 times 1/ms is 3/ms.
func behindNumber(unit string) string {
	if strings.HasPrefix(unit, "1/") {
		return unit[1:]
	}
	return unit
}

// Bare returns the value as text, its numbers without units.
func (v Value) Bare() string { return v.text("") }

func (v Value) text(unit string) string {
	switch v.Kind {
	case File:
		return "@" + v.Path
	case Drawn:
		return v.Draw.text(unit)
	}
	texts := make([]string, len(v.Numbers))
	for i, x := range v.Numbers {
		texts[i] = strconv.FormatFloat(x, 'g', -1, 64) + behindNumber(unit)
	}
	if v.Kind == List || v.Kind == Number {
		return strings.Join(texts, ",")
	}
	text := strings.Join(texts, ":")
	if v.Log {
		text = "log:" + text
	}
	if v.Count > 0 {
		text += "/" + strconv.Itoa(v.Count)
	}
	return text
}

func parseValue(name, text, unit string) (Value, error) {
	if text == "" {
		return Value{}, errors.New("no value; use a number, a list a,b,c or a range start:stop:step")
	}
	if path, ok := strings.CutPrefix(text, "@"); ok {
		return fromFile(name, path, unit)
	}
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case kind == "log":
		return counted(rest, unit, true)
	case slices.Contains(drawLaws, kind):
		d, err := parseDraw(kind, rest, unit)
		return Value{Kind: Drawn, Draw: d}, err
	}
	_, _, hasCount := cutCount(text)
	switch {
	case !strings.Contains(text, ":"):
		return list(text, unit)
	case strings.Contains(text, ","):
		return Value{}, errors.New("a list holds single numbers, no ranges; name the quantity once")
	case hasCount:
		return counted(text, unit, false)
	}
	x, err := numbers(strings.Split(text, ":"), unit)
	switch {
	case err != nil:
		return Value{}, err
	case len(x) > 3:
		return Value{}, errors.New("too many colons; a range is start:stop:step")
	case len(x) == 3:
		axis, err := sweep.Stepped("", unit, x[0], x[1], x[2])
		return several(Value{Kind: Range, Numbers: x, axis: axis}), err
	case x[0] >= x[1]:
		return Value{}, errors.New("the interval must run upwards")
	case math.IsInf(x[1]-x[0], 0):
		return Value{}, sweep.ErrWide
	}
	return Value{Kind: Interval, Numbers: x}, nil
}

// mixesUnits reports whether some numbers have a unit and others, other than 0, have none.
func mixesUnits(texts []string, x []float64) bool {
	with, without := false, false
	for i, t := range texts {
		bare := isBare(t)
		with, without = with || !bare, without || bare && x[i] != 0
	}
	return with && without
}

// isBare reports whether a number has no unit.
func isBare(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err == nil
}

// baseUnits holds one unit of each dimension.
var baseUnits = []string{"ms", "mV", "pA", "nS", "GOhm", "uA/cm2", "mS/cm2", "uF/cm2", "Hz"}

// isUnit reports whether text is a unit of any dimension.
func isUnit(text string) bool {
	return slices.ContainsFunc(baseUnits, func(u string) bool {
		_, err := model.ParseQuantity("1"+text, u)
		return err == nil
	})
}

// ParseColumn reads the column of a file, PATH or PATH:COLUMN, as values of the quantity name in unit.
func ParseColumn(name, path, unit string) (Value, error) { return fromFile(name, path, unit) }

// fromFile reads a column of a file. A unit in its header is taken; a header that names another quantity is an error.
func fromFile(name, path, unit string) (Value, error) {
	c, err := file.ReadNamed(path)
	if err != nil {
		return Value{}, err
	}
	quantity, in := c.Name, ""
	if !NamesQuantity(c.Name) {
		if base, u := file.SplitHeader(c.Name); u != "" && (isUnit(u) || strings.ContainsAny(c.Name, "([")) {
			quantity, in = base, u
		}
	}
	if quantity != name && NamesQuantity(quantity) {
		return Value{}, fmt.Errorf("the header of %s is %q, another quantity", path, c.Name)
	}
	if in != "" && in != "1" && in != unit {
		for i, x := range c.Values {
			if c.Values[i], err = model.ParseQuantity(strconv.FormatFloat(x, 'g', -1, 64)+in, unit); err != nil {
				return Value{}, fmt.Errorf("the header of %s is %q: %w", path, c.Name, err)
			}
		}
	}
	return Value{Kind: File, Path: path, Notes: c.Notes, axis: sweep.Values("", "", c.Values...)}, nil
}

// several returns v as a Number if it holds one number.
func several(v Value) Value {
	if v.Len() == 1 {
		return Value{Kind: Number, Numbers: []float64{v.At(0)}, axis: sweep.Values("", "", v.At(0))}
	}
	return v
}

// list parses one number, or several divided by commas.
func list(text, unit string) (Value, error) {
	texts := strings.Split(text, ",")
	x, err := numbers(texts, unit)
	if err != nil {
		return Value{}, err
	}
	if mixesUnits(texts, x) {
		return Value{}, fmt.Errorf("a list of numbers with and without units; write the unit of each (bare numbers are "+
			"in %s, decimals have a point)", unit)
	}
	return several(Value{Kind: List, Numbers: x, axis: sweep.Values("", "", x...)}), nil
}

// inSetting adds to every error in which setting it was found.
func inSetting(name, text string, err error) error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s=%s: %w", name, text, err)
	}
	var all fault.List
	for _, one := range list.Unwrap() {
		all.Addf("%s=%s: %w", name, text, one)
	}
	return all.Err()
}

// numbers parses numbers, and reports all texts that are not numbers.
func numbers(texts []string, unit string) ([]float64, error) {
	values := make([]float64, len(texts))
	var bad fault.List
	for i, t := range texts {
		var err error
		values[i], err = model.ParseQuantity(t, unit)
		bad.Add(err)
	}
	return values, bad.Err()
}

// cutCount cuts text at the slash of start:stop/n. A slash within a unit, as in uA/cm2 and 0.02/ms, is part of the
// unit.
func cutCount(text string) (span, count string, ok bool) {
	i := strings.LastIndexByte(text, '/')
	if i < 0 || expression.IsUnit(strings.Trim(text[i+1:], "()*^0123456789 ")) || i > 0 && i+1 < len(text) &&
		unicode.IsLetter(rune(text[i-1])) && unicode.IsLetter(rune(text[i+1])) {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// counted parses start:stop/n.
func counted(text, unit string, log bool) (Value, error) {
	span, count, ok := cutCount(text)
	x, err := numbers(strings.Split(span, ":"), unit)
	if err != nil {
		return Value{}, err
	}
	n, errN := strconv.Atoi(strings.TrimSpace(count))
	if !ok || len(x) != 2 || errN != nil {
		return Value{}, errors.New("start:stop/n with a whole number n is needed")
	}
	space := sweep.Counted
	if log {
		space = sweep.Logarithmic
	}
	axis, err := space("", unit, x[0], x[1], n)
	return Value{Kind: Range, Numbers: x, Count: n, Log: log, axis: axis}, err
}

// ParseNumbers parses a number, list or range of a flag; an interval a:b is an error, which names the flag.
func ParseNumbers(flag, text, unit string) ([]float64, error) {
	v, err := ParseValue(flag, text, unit)
	if err == nil && v.Kind&Several == 0 {
		err = fmt.Errorf("%s=%s: a number, a list a,b,c or a range start:stop:step is needed", flag, text)
	}
	return v.axis.All(), err
}

// ParseInterval parses the interval a:b of a flag, a < b.
func ParseInterval(flag, text, unit string) (lo, hi float64, err error) {
	v, err := ParseValue(flag, text, unit)
	switch {
	case err != nil:
		return 0, 0, err
	case v.Kind != Interval:
		return 0, 0, fmt.Errorf("%s=%s: an interval start:stop is needed", flag, text)
	}
	return v.Numbers[0], v.Numbers[1], nil
}
