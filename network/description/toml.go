package description

import (
	"errors"

	"popsim/fault"
	"popsim/tomltree"
)

// entry is a key of a TOML file with its value, in the order of the file.
type entry struct {
	key   string
	place string // FILE:LINE:COLUMN
	kind  kind
	text  string   // of a scalar: a text without its quotes, a number or true and false as they were written
	items []*entry // of a list or a table
}

// kind is the kind of a value.
type kind tomltree.Kind

// The kinds, in the order of those of tomltree.
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

// readTOML reads a file into a tree; faults are keys given twice or out of place. The error is one of syntax.
func readTOML(path string, data []byte) (root *entry, faults fault.List, err error) {
	tree, err := tomltree.Read(path, data)
	if errors.Is(err, tomltree.ErrSyntax) {
		return nil, nil, err
	}
	faults.Add(err)
	return entryOf(tree), faults, nil
}

// entryOf copies an entry with its items.
func entryOf(t *tomltree.Entry) *entry {
	e := &entry{key: t.Key, place: t.Place, kind: kind(t.Kind), text: t.Text}
	for _, item := range t.Items {
		e.items = append(e.items, entryOf(item))
	}
	return e
}
