package description

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"popsim/fault"
)

// entry is a key of a TOML file with its value, in the order of the file.
type entry struct {
	key   string
	place string // FILE:LINE:COLUMN
	kind  kind
	text  string   // of a scalar: a text without its quotes, a number or true and false as they were written
	items []*entry // of a list or a table
}

type kind int

const (
	scalarText kind = iota
	scalarNumber
	scalarBool
	list
	table
	other // dates and times
)

// get returns the item of a table with a key, or nil.
func (e *entry) get(key string) *entry {
	if e == nil {
		return nil
	}
	for _, c := range e.items {
		if c.key == key {
			return c
		}
	}
	return nil
}

// readTOML reads a file into a tree; faults are repeated and misplaced keys. The error is one of syntax, which ends the
// reading.
func readTOML(path string, data []byte) (root *entry, faults fault.List, err error) {
	root = &entry{kind: table, place: path + ":1:1"}
	p := new(unstable.Parser)
	p.Reset(data)
	at := root
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			names, place := keyOf(path, p, e)
			at = root
			for i, name := range names {
				next := at.get(name)
				if next == nil {
					next = &entry{key: name, place: place, kind: table}
					at.items = append(at.items, next)
				} else if next.kind != table || i == len(names)-1 && len(next.items) > 0 && !onlyTables(next) {
					faults.Add(fault.At(place, fmt.Errorf("%s stands twice", strings.Join(names, "."))))
				}
				at = next
			}
			if e.Kind == unstable.ArrayTable {
				faults.Add(
					fault.At(place, fmt.Errorf("[[%s]] is a list of tables; a table is written [%[1]s]", strings.Join(names, "."))),
				)
			}
		case unstable.KeyValue:
			if err := add(path, p, e, at); err != nil {
				faults.Add(err)
			}
		}
	}
	if err := p.Error(); err != nil {
		where := root.place
		if pe, ok := err.(*unstable.ParserError); ok {
			start := p.Shape(p.Range(pe.Highlight)).Start
			where = fmt.Sprintf("%s:%d:%d", path, start.Line, start.Column)
		}
		return nil, nil, errors.Join(faults.Err(), fault.At(where, fmt.Errorf("no TOML: %w", err)))
	}
	return root, faults, nil
}

func onlyTables(e *entry) bool {
	for _, c := range e.items {
		if c.kind != table {
			return false
		}
	}
	return true
}

func keyOf(path string, p *unstable.Parser, e *unstable.Node) (names []string, place string) {
	for k := e.Key(); k.Next(); {
		n := k.Node()
		if place == "" {
			start := p.Shape(n.Raw).Start
			place = fmt.Sprintf("%s:%d:%d", path, start.Line, start.Column)
		}
		names = append(names, string(n.Data))
	}
	return names, place
}

// add puts a line, or a pair of an inline table, into a table.
func add(path string, p *unstable.Parser, n *unstable.Node, to *entry) error {
	names, place := keyOf(path, p, n)
	for _, name := range names[:len(names)-1] {
		next := to.get(name)
		if next == nil {
			next = &entry{key: name, place: place, kind: table}
			to.items = append(to.items, next)
		}
		to = next
	}
	last := names[len(names)-1]
	if to.get(last) != nil || to.kind != table {
		return fault.At(place, fmt.Errorf("%s stands twice", strings.Join(names, ".")))
	}
	e, err := value(path, p, n.Value(), place)
	e.key = last
	to.items = append(to.items, e)
	return err
}

func value(path string, p *unstable.Parser, n *unstable.Node, place string) (*entry, error) {
	e := &entry{place: place, text: string(n.Data)}
	var faults fault.List
	switch n.Kind {
	case unstable.String:
	case unstable.Bool:
		e.kind = scalarBool
	case unstable.Integer, unstable.Float:
		e.kind, e.text = scalarNumber, strings.ReplaceAll(e.text, "_", "")
	case unstable.Array:
		e.kind = list
		for items := n.Children(); items.Next(); {
			item, err := value(path, p, items.Node(), place)
			faults.Add(err)
			e.items = append(e.items, item)
		}
	case unstable.InlineTable:
		e.kind = table
		for pairs := n.Children(); pairs.Next(); {
			faults.Add(add(path, p, pairs.Node(), e))
		}
	default:
		e.kind = other
	}
	return e, faults.Err()
}
