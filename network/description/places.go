package description

import (
	"regexp"
	"strings"

	"popsim/fault"
)

// aboutTable finds in an error of package network the table that it is about.
var aboutTable = regexp.MustCompile(`^(population|synapse|projection|input) ([^\s:,]+)[:,]? ?(.*)`)

// located adds to the faults of network.Spec.Check or network.Build the places of the tables that they are about, or of
// the keys with which they begin.
func (d *Description) located(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all fault.List
		for _, one := range many.Unwrap() {
			all.Add(d.located(one))
		}
		return all.Err()
	}
	if err == nil {
		return nil
	}
	m := aboutTable.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	section, name, rest := d.root.get(m[1]), m[2], m[3]
	e := section.get(name)
	for e == nil && strings.Contains(name, ".") { // a pair of pairs = true
		name = name[:strings.LastIndex(name, ".")]
		e = section.get(name)
	}
	if e == nil {
		return err
	}
	for _, c := range e.items {
		kind, _, _ := strings.Cut(c.text, ":")
		if c.key == "rule" && strings.HasPrefix(rest, kind) || strings.HasPrefix(rest+" ", c.key+" ") {
			return fault.At(c.place, err)
		}
	}
	return fault.At(e.place, err)
}
