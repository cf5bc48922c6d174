package description

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"popsim/expression"
	"popsim/fault"
	"popsim/model"
	"popsim/network"
	"popsim/stimulus"
)

// goodName reports whether a name consists of letters, digits, _ and, if dashes is true, -.
func goodName(name string, dashes bool) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) && !(dashes && c == '-')
	})
}

// written is the unit in which a parameter is given: that after its number, else one of its dimension.
func written(x *expression.Expr, d expression.Dimension) string {
	text := strings.TrimSpace(x.Text)
	if cut := strings.LastIndexAny(text, "0123456789. "); cut >= 0 {
		if name := text[cut+1:]; expression.IsUnit(name) && len(x.Names()) == 0 {
			if u, err := expression.UnitOf(name); err == nil && u.Dim == d {
				return name
			}
		}
	}
	return unitText(d)
}

// unitText is the unit of a dimension as an expression.
func unitText(d expression.Dimension) string {
	for _, name := range []string{"uA/cm2", "mS/cm2", "uF/cm2", "1/ms"} {
		if u, err := expression.UnitOf(name); err == nil && u.Dim == d {
			return name
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(d.String(), " ", "*"), "area", "(cm2/1000000)")
}

func (r *resolver) value(name string) float64 { return r.values[name] }

// parse reads an expression of a scalar.
func (r *resolver) parse(e *entry, text string) *expression.Expr {
	if e.kind != scalarText && e.kind != scalarNumber {
		r.fault(e, "a number, or a text with a number and its unit or an expression, is needed")
		return nil
	}
	x, err := expression.Parse(text)
	if err != nil {
		if strings.ContainsAny(text, ",:") {
			err = fault.Hint(err, "one value is needed; popsim map goes through several")
		}
		r.fault(e, "%q: %w", text, err)
		return nil
	}
	if slices.ContainsFunc(x.Names(), func(name string) bool { return r.broken[name] }) {
		return nil // that is reported already
	}
	return x
}

// number evaluates text in a unit; ok is false after a fault.
func (r *resolver) number(e *entry, text, unit string) (v float64, ok bool) {
	x := r.parse(e, text)
	if x == nil {
		return 0, false
	}
	u, err := expression.UnitOf(unit)
	if err == nil {
		v, err = x.In(u, r.dims, r.value)
	}
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("the value is %g", v)
	}
	if err != nil {
		r.fault(e, "%q: %w", text, err)
		return 0, false
	}
	return v, true
}

func (r *resolver) optional(from *entry, key, unit string, otherwise float64) float64 {
	if e := from.get(key); e != nil {
		if v, ok := r.number(e, e.text, unit); ok {
			return v
		}
	}
	return otherwise
}

// whole evaluates a count.
func (r *resolver) whole(e *entry, text string) (int, bool) {
	v, ok := r.number(e, text, "1")
	if ok && (v != math.Round(v) || math.Abs(v) > 1<<53) {
		r.fault(e, "%q is %g; a whole number is needed", text, v)
		return 0, false
	}
	return int(v), ok
}

func (r *resolver) flag(from *entry, key string, otherwise bool) bool {
	e := from.get(key)
	if e == nil {
		return otherwise
	}
	if e.kind != scalarBool {
		r.fault(e, "true or false is needed")
	}
	return e.text == "true"
}

// word returns a text of a table.
func (r *resolver) word(from *entry, key string) string {
	e := from.get(key)
	if e == nil {
		return ""
	}
	if e.kind != scalarText {
		r.fault(e, "a text is needed")
		return ""
	}
	return e.text
}

// isMatrix reports whether a list has the rows and columns of a matrix.
func (e *entry) isMatrix(rows, columns int) bool {
	return len(e.items) == rows && !slices.ContainsFunc(e.items, func(row *entry) bool {
		return row.kind != list || len(row.items) != columns
	})
}

// cell returns the entry of a matrix for a pair, or that of all pairs; nil, too, of a list that is no such matrix,
// which is reported once.
func (r *resolver) cell(e *entry, key string, i, j, rows, columns int) *entry {
	m := e.get(key)
	if m == nil || m.kind != list {
		return m
	}
	if !m.isMatrix(rows, columns) {
		if i == 0 && j == 0 {
			r.fault(m, "a matrix of %d rows (targets) and %d columns (sources) is needed", rows, columns)
		}
		return nil
	}
	c := m.items[i].items[j]
	c.key = fmt.Sprintf("%s, row %d, column %d", key, i+1, j+1)
	return c
}

// unitOf is the unit of an entry by the models of a pool; it is a fault if they differ.
func (r *resolver) unitOf(e *entry, to []network.Part, unit func(m *model.Model) string) (name string) {
	for _, p := range to {
		m := r.out.Spec.Populations[p.Population].Model
		if m == nil {
			continue
		}
		u := unit(m)
		if name != "" && u != name {
			r.fault(e, "its unit is %s for some populations and %s for others; two inputs are needed", name, u)
			return u
		}
		name = u
	}
	return name
}

// shape reads a waveform; its numbers may be expressions. A single number is constant.
func (r *resolver) shape(e *entry, unit string) func(step int64) float64 {
	kind, _, _ := strings.Cut(e.text, ":")
	if !slices.Contains(stimulus.Kinds, kind) && !strings.HasPrefix(kind, "@") && !strings.Contains(e.text, ":") {
		v, _ := r.number(e, e.text, unit)
		return func(int64) float64 { return v }
	}
	failed := errors.New("reported already")
	s := stimulus.Syntax{
		Number: func(text, unit string) (float64, error) {
			v, ok := r.number(e, text, unit)
			if !ok {
				return 0, failed
			}
			return v, nil
		},
		Column: func(path string) ([]float64, error) {
			f := r.file(e, "@"+path, -1)
			if f == nil {
				return nil, failed
			}
			if len(f.names) != 1 || f.numbers[f.names[0]] == nil {
				return nil, fmt.Errorf("%s: one column of numbers is needed", path)
			}
			return f.numbers[f.names[0]], nil
		},
	}
	shape, err := s.Parse(e.text, unit)
	if err != nil {
		if !errors.Is(err, failed) {
			r.fault(e, "%w", err)
		}
		return nil
	}
	return stimulus.Sum{shape}.Waveform(r.out.Spec.Dt).Mean
}
