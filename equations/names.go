package equations

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/tomltree"
)

func plainName(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return true
}

// reserved lists names that files cannot define, with their meaning.
var reserved = map[string]string{
	"t": "time", "dt": "the time step", "gain": "the factor of the stimulus",
}

// mayName checks the name of a parameter, a state or a formula.
func (d *definition) mayName(e *tomltree.Entry, isParameter bool) bool {
	name := e.Key
	parsed, err := expression.Parse(name)
	meaning, isReserved := reserved[name]
	switch {
	case isReserved:
		d.fault(e.Place, "%s: the name is reserved for %s", name, meaning)
	case name == "I" && !isParameter:
		d.fault(e.Place, "I: the name is reserved for the input current, which is given in [parameters]")
	case expression.Reserved(name):
		d.fault(e.Place, "%s: the name is reserved: it is a unit or a function", name)
	case err != nil || parsed.Root.Op != expression.Name && parsed.Root.Op != expression.UnitName ||
		parsed.Text != strings.TrimSpace(name):
		d.fault(e.Place, "%q is no name; letters, digits and _ will do", name)
	case d.byName[name] != nil || d.letByName[name] != nil:
		d.fault(e.Place, "%s: the name is given twice", name)
	default:
		return true
	}
	return false
}

// find returns the quantity of a name, nil if there is none. A fault in a named formula is reported once; formulas that
// use it take it to fit any unit.
func (d *definition) find(name string) (*quantity, error) {
	if q := d.byName[name]; q != nil {
		return q, nil
	}
	l := d.letByName[name]
	switch {
	case l == nil:
		return nil, nil
	case l.value != nil:
		return l.value, nil
	case l.begun:
		return nil, fmt.Errorf("%s depends on itself", name)
	}
	l.begun = true
	q, err := d.parse(l.from.Text)
	if err != nil {
		d.formulaFault(l.from, name, err)
		q = quantity{node: d.Const(0), loose: true}
	}
	l.value = &q
	return l.value, nil
}

// names lists all that formulas may name.
func (d *definition) names() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(d.byName)), maps.Keys(d.letByName))
	slices.Sort(names)
	return names
}
