package figure

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// run is a part of a line of text that is set in one way.
type run struct {
	text   string
	italic bool
	sub    bool // smaller and lower: an index
}

var (
	// A variable with an index, as V_th, delta_T or g_Na; names of several letters, as isi_cv, are no variables.
	indexed = regexp.MustCompile(`\b([A-Za-z]|tau|delta)_([A-Za-z0-9∞]+(?:_[A-Za-z0-9]+)*)`)
	// A variable of one letter before its unit, a sign or a value.
	single  = regexp.MustCompile(`(^|[\s,(])([A-Za-z]|tau|delta)( \(| [=<>≤≥]|$|, )`)
	minus   = regexp.MustCompile(`(^|[\s=(,:])-(\d)`)
	printed = strings.NewReplacer(
		"uA/cm2", "µA/cm²", "uF/cm2", "µF/cm²", "mS/cm2", "mS/cm²", "GOhm", "GΩ", "MOhm", "MΩ", "+-", "±")
	greek = map[string]string{"tau": "τ", "delta": "Δ"}
)

// typeset parts a line into runs as print has it: units with their signs, variables italic and their indices lowered,
// a true minus before numbers.
func typeset(line string) []run {
	line = minus.ReplaceAllString(printed.Replace(line), "${1}−${2}")
	var runs []run
	add := func(r run) {
		if r.text != "" {
			runs = append(runs, r)
		}
	}
	at := 0
	for _, v := range variables(line) {
		add(run{text: line[at:v.first]})
		name := line[v.first:v.end]
		if sign, ok := greek[name]; ok {
			name = sign
		}
		add(run{text: name, italic: true})
		at = v.end
		if v.index > v.end {
			add(run{text: line[v.end+1 : v.index], sub: true})
			at = v.index
		}
	}
	add(run{text: line[at:]})
	return runs
}

// variable is the place of a variable in a line: bytes first to end, its index after an underscore up to index.
type variable struct{ first, end, index int }

// variables finds the variables of a line in their order.
func variables(line string) []variable {
	var found []variable
	for _, m := range indexed.FindAllStringSubmatchIndex(line, -1) {
		found = append(found, variable{m[2], m[3], m[5]})
	}
	for at := 0; at < len(line); {
		m := single.FindStringSubmatchIndex(line[at:])
		if m == nil {
			break
		}
		v := variable{at + m[4], at + m[5], at + m[5]}
		if !slices.ContainsFunc(found, func(o variable) bool { return v.first < o.index && o.first < v.end }) {
			found = append(found, v)
		}
		at = v.end // what follows may begin the next
	}
	slices.SortFunc(found, func(a, b variable) int { return a.first - b.first })
	return found
}

// western reports whether the code page of PDF's built-in encoding, Windows-1252, holds all letters of text.
func western(text string) ([]byte, bool) {
	coded := make([]byte, 0, len(text))
	for _, r := range text {
		if r >= utf8.RuneSelf && (r < 0xa0 || r > 0xff) {
			return nil, false
		}
		coded = append(coded, byte(r))
	}
	return coded, true
}
