// Package tomltree reads a TOML file into a tree that keeps the order of the file and the place of every key and value,
// for files that are read strictly: all their faults are reported together, by line and column.
package tomltree

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"popsim/fault"
)

// An Entry is a key of a file with its value.
type Entry struct {
	Key   string
	Place string // of the key: FILE:LINE:COLUMN
	Kind  Kind
	Text  string   // of a scalar: a text without its quotes; a number, or true and false, as they were written
	Items []*Entry // of a list or a table

	path         string
	line, column int  // where Text begins
	plain        bool // Text stands on one line as it was written, so that its characters are columns of the file
}

// Kind is the kind of a value.
type Kind int

// The kinds.
const (
	Text Kind = iota
	Number
	Bool
	List
	Table
	Other // dates and times
)

// Get returns the item of a table with a key, or nil; e may be nil.
func (e *Entry) Get(key string) *Entry {
	if e == nil {
		return nil
	}
	for _, c := range e.Items {
		if c.Key == key {
			return c
		}
	}
	return nil
}

// Tables lists the items of the table with a key, empty where there is none; e may be nil.
func (e *Entry) Tables(key string) []*Entry {
	if t := e.Get(key); t != nil {
		return t.Items
	}
	return nil
}

// At is the place of a character of Text, counted from 1; without a place of its own it is that of the value.
func (e *Entry) At(column int) string {
	switch {
	case e.line == 0:
		return e.Place
	case !e.plain:
		column = 1
	}
	return fmt.Sprintf("%s:%d:%d", e.path, e.line, e.column+column-1)
}

// MaxSize is the largest size of a file in bytes, small enough that no nesting exhausts the stack of the parser.
const MaxSize = 1 << 18

// ErrSyntax is the error of a text that is not TOML.
var ErrSyntax = errors.New("no TOML")

// Read reads the text of a file into a tree. The error holds all faults: keys given twice, lists of tables and, as
// ErrSyntax, the fault of syntax that ends the reading, with which the tree is incomplete.
func Read(path string, data []byte) (*Entry, error) {
	root := &Entry{Kind: Table, Place: path + ":1:1", path: path}
	if len(data) > MaxSize {
		return root, fault.At(root.Place, fmt.Errorf("a file of %d bytes; at most %d are read", len(data), MaxSize))
	}
	r := reader{path: path, data: data, Parser: new(unstable.Parser)}
	r.Reset(data)
	at := root
	for r.NextExpression() {
		e := r.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			at = r.table(root, e)
		case unstable.KeyValue:
			r.faults.Add(r.add(e, at))
		}
	}
	if err := r.Error(); err != nil {
		where := root.Place
		if pe, ok := err.(*unstable.ParserError); ok {
			start := r.Shape(r.Range(pe.Highlight)).Start
			where = fmt.Sprintf("%s:%d:%d", path, start.Line, start.Column)
		}
		r.faults.Add(fault.At(where, fmt.Errorf("%w: %w", ErrSyntax, err)))
	}
	return root, r.faults.Err()
}

type reader struct {
	*unstable.Parser
	path   string
	data   []byte
	faults fault.List
	// starts are the offsets at which lines from the second on begin, as far as data has been looked at: up to counted
	starts  []int
	counted int
}

// position is the line and the column of an offset. That of unstable.Parser counts all lines before it.
func (r *reader) position(offset uint32) (line, column int) {
	at := int(offset)
	for r.counted <= at {
		next := bytes.IndexByte(r.data[r.counted:], '\n')
		if next < 0 {
			break
		}
		r.counted += next + 1
		r.starts = append(r.starts, r.counted)
	}
	line = sort.Search(len(r.starts), func(i int) bool { return r.starts[i] > at })
	if line == 0 {
		return 1, at + 1
	}
	return line + 1, at - r.starts[line-1] + 1
}

// table returns the table that a line [NAME] begins.
func (r *reader) table(root *Entry, e *unstable.Node) *Entry {
	names, place := r.key(e)
	at := root
	for i, name := range names {
		next := at.Get(name)
		if next == nil {
			next = &Entry{Key: name, Place: place, Kind: Table, path: r.path}
			at.Items = append(at.Items, next)
		} else if next.Kind != Table || i == len(names)-1 && len(next.Items) > 0 && !onlyTables(next) {
			r.faults.Add(fault.At(place, fmt.Errorf("%s is given twice", strings.Join(names, "."))))
		}
		at = next
	}
	if e.Kind == unstable.ArrayTable {
		r.faults.Add(fault.At(place, fmt.Errorf("[[%s]] is a list of tables; a table is written [%[1]s]",
			strings.Join(names, "."))))
	}
	return at
}

func onlyTables(e *Entry) bool {
	for _, c := range e.Items {
		if c.Kind != Table {
			return false
		}
	}
	return true
}

func (r *reader) key(e *unstable.Node) (names []string, place string) {
	for k := e.Key(); k.Next(); {
		n := k.Node()
		if place == "" {
			line, column := r.position(n.Raw.Offset)
			place = fmt.Sprintf("%s:%d:%d", r.path, line, column)
		}
		names = append(names, string(n.Data))
	}
	return names, place
}

// add puts a line, or a pair of an inline table, into a table.
func (r *reader) add(n *unstable.Node, to *Entry) error {
	names, place := r.key(n)
	for _, name := range names[:len(names)-1] {
		next := to.Get(name)
		if next == nil {
			next = &Entry{Key: name, Place: place, Kind: Table, path: r.path}
			to.Items = append(to.Items, next)
		}
		to = next
	}
	last := names[len(names)-1]
	if to.Get(last) != nil || to.Kind != Table {
		return fault.At(place, fmt.Errorf("%s is given twice", strings.Join(names, ".")))
	}
	e, err := r.value(n.Value(), place)
	e.Key = last
	to.Items = append(to.Items, e)
	return err
}

func (r *reader) value(n *unstable.Node, place string) (*Entry, error) {
	e := &Entry{Place: place, Text: string(n.Data), path: r.path}
	var faults fault.List
	switch n.Kind {
	case unstable.String:
		r.locate(e, n)
	case unstable.Bool:
		e.Kind = Bool
	case unstable.Integer, unstable.Float:
		e.Kind, e.Text = Number, strings.ReplaceAll(e.Text, "_", "")
	case unstable.Array:
		e.Kind = List
		for items := n.Children(); items.Next(); {
			item, err := r.value(items.Node(), place)
			faults.Add(err)
			e.Items = append(e.Items, item)
		}
	case unstable.InlineTable:
		e.Kind = Table
		for pairs := n.Children(); pairs.Next(); {
			faults.Add(r.add(pairs.Node(), e))
		}
	default:
		e.Kind = Other
	}
	return e, faults.Err()
}

// locate finds where the text of a value begins.
func (r *reader) locate(e *Entry, n *unstable.Node) {
	if n.Raw.Length == 0 {
		return
	}
	line, column := r.position(n.Raw.Offset)
	e.line, e.column = line, column+1 // after the quote
	raw := string(r.data[n.Raw.Offset : n.Raw.Offset+n.Raw.Length])
	e.plain = len(raw) == len(e.Text)+2 && raw[1:len(raw)-1] == e.Text && !strings.Contains(raw, "\n")
}
