package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	maxNPYHeader = 1 << 20 // bytes of a header, and of one element; longer ones are taken to be wrong
	npyChunk     = 1 << 16 // bytes read at once: memory grows with what is read, not with a header's claim
)

// npyField is one field of a .npy array.
type npyField struct {
	name  string
	order binary.ByteOrder
	kind  byte // f, i, u or U
	size  int  // bytes
}

// npyArray is the description that a .npy file begins with.
type npyArray struct {
	fields     []npyField
	structured bool
	shape      []int
}

// readNPYColumn is ReadNamed for arrays; column is a field of records, or "".
func readNPYColumn(r io.Reader, path, column string) ([]float64, error) {
	a, err := readNPYHeader(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	field := 0
	switch {
	case column != "" && !a.structured:
		return nil, fmt.Errorf("%s has no columns: it holds one array", path)
	case a.structured:
		var names []string
		for _, f := range a.fields {
			names = append(names, f.name)
		}
		if field, err = chooseColumn(names, column, path); err != nil {
			return nil, err
		}
	}
	if a.fields[field].kind == 'U' {
		return nil, fmt.Errorf("%s holds an array of strings; one number per element is needed", path)
	}
	if n := len(a.shape); n != 1 && (n != 2 || a.shape[1] != 1) {
		return nil, fmt.Errorf("%s has shape %s; (N,) or (N, 1) is needed", path, a.shapeText())
	}
	var values []float64
	err = a.read(r, func(f npyField, b []byte) {
		if f.name == a.fields[field].name {
			values = append(values, f.float(b))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%s holds no numbers", path)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s: element %d is %v; a finite number is needed", path, i, v)
		}
	}
	return values, nil
}

// read calls take with each field of each element, in order.
func (a *npyArray) read(r io.Reader, take func(f npyField, b []byte)) error {
	size := 0
	for _, f := range a.fields {
		size += f.size
	}
	if size > maxNPYHeader {
		return fmt.Errorf("an element is %d bytes long", size)
	}
	want := 1
	for _, n := range a.shape {
		if n > 0 && want > math.MaxInt/n {
			return fmt.Errorf("shape %s is too large", a.shapeText())
		}
		want *= n
	}
	chunk := make([]byte, max(1, npyChunk/size)*size)
	for got := 0; got < want; {
		n, err := io.ReadFull(r, chunk[:min(len(chunk)/size, want-got)*size])
		for b := chunk[:n/size*size]; len(b) > 0; {
			for _, f := range a.fields {
				take(f, b[:f.size])
				b = b[f.size:]
			}
		}
		got += n / size
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("the file is cut off: it holds %d of %d elements", got, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f npyField) float(b []byte) float64 {
	switch f.kind {
	case 'f':
		if f.size == 4 {
			return float64(math.Float32frombits(f.order.Uint32(b)))
		}
		return math.Float64frombits(f.order.Uint64(b))
	case 'u':
		return float64(f.bits(b))
	}
	return float64(f.int(b))
}

// bits is the element without its sign's meaning.
func (f npyField) bits(b []byte) uint64 {
	switch f.size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(f.order.Uint16(b))
	case 4:
		return uint64(f.order.Uint32(b))
	}
	return f.order.Uint64(b)
}

func (f npyField) int(b []byte) int64 {
	if f.kind == 'u' {
		return int64(f.bits(b))
	}
	shift := 64 - 8*f.size
	return int64(f.bits(b)<<shift) >> shift
}

func (a *npyArray) shapeText() string {
	s := strings.Trim(fmt.Sprint(a.shape), "[]")
	s = strings.ReplaceAll(s, " ", ", ")
	if len(a.shape) == 1 {
		s += ","
	}
	return "(" + s + ")"
}

// readNPYHeader reads up to the first element.
func readNPYHeader(r io.Reader) (*npyArray, error) {
	head := make([]byte, len(npyMagic)+2)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(npyMagic)]) != npyMagic {
		return nil, errors.New("this is not a .npy file: it does not begin with \\x93NUMPY")
	}
	var length uint32
	var err error
	switch version := head[len(npyMagic)]; version {
	case 1:
		var short uint16
		err = binary.Read(r, binary.LittleEndian, &short)
		length = uint32(short)
	case 2, 3:
		err = binary.Read(r, binary.LittleEndian, &length)
	default:
		return nil, fmt.Errorf(".npy version %d is not supported (use 1, 2 or 3)", version)
	}
	if err != nil {
		return nil, errors.New("the file is cut off within its header")
	}
	if length > maxNPYHeader {
		return nil, fmt.Errorf("the header claims to be %d bytes long", length)
	}
	var text bytes.Buffer
	if n, err := io.CopyN(&text, r, int64(length)); err != nil {
		return nil, fmt.Errorf("the file is cut off within its header: it holds %d of %d bytes", n, length)
	}
	return parseNPYHeader(text.String())
}

func parseNPYHeader(text string) (*npyArray, error) {
	value, err := parsePython(text)
	if err != nil {
		return nil, fmt.Errorf("the header %q makes no sense: %w", shorten(text), err)
	}
	dict, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the header %q is no dictionary", shorten(text))
	}
	a := new(npyArray)
	switch descr := dict["descr"].(type) {
	case string:
		f, err := newNPYField("value", descr)
		if err != nil {
			return nil, err
		}
		a.fields = []npyField{f}
	case []any:
		a.structured = true
		for _, item := range descr {
			pair, _ := item.([]any)
			if len(pair) != 2 {
				return nil, fmt.Errorf("the header %q has a field that is no pair of name and type", shorten(text))
			}
			name, _ := pair[0].(string)
			kind, _ := pair[1].(string)
			f, err := newNPYField(name, kind)
			if err != nil {
				return nil, err
			}
			a.fields = append(a.fields, f)
		}
	}
	shape, ok := dict["shape"].([]any)
	if !ok || len(a.fields) == 0 {
		return nil, fmt.Errorf("the header %q lacks a type or a shape", shorten(text))
	}
	for _, item := range shape {
		n, ok := item.(int)
		if !ok || n < 0 {
			return nil, fmt.Errorf("the header %q has a shape that is not one of whole numbers", shorten(text))
		}
		a.shape = append(a.shape, n)
	}
	return a, nil
}

// shorten shortens s for an error message.
func shorten(s string) string {
	const most = 80
	if s = strings.TrimSpace(s); len(s) > most {
		s = s[:most] + "..."
	}
	return s
}

// newNPYField reads a type such as <f8, >i4, |u1 or <U12.
func newNPYField(name, descr string) (npyField, error) {
	f := npyField{name: name, order: binary.LittleEndian}
	if strings.Contains(descr, "O") {
		return f, errors.New("the array holds pickled Python objects; save numbers, for example with a.astype(float)")
	}
	unknown := fmt.Errorf("type %q is not supported (use f4, f8, i1 to i8 or u1 to u8)", shorten(descr))
	if len(descr) < 3 || !strings.Contains("<>|=", descr[:1]) {
		return f, unknown
	}
	if descr[0] == '>' {
		f.order = binary.BigEndian
	}
	f.kind = descr[1]
	n, err := strconv.Atoi(descr[2:])
	if err != nil {
		return f, unknown
	}
	f.size = n
	switch {
	case f.kind == 'U' && 0 < n && n <= npyChunk/4:
		f.size = 4 * n
		return f, nil
	case f.kind == 'f' && (n == 4 || n == 8), (f.kind == 'i' || f.kind == 'u') && (n == 1 || n == 2 || n == 4 || n == 8):
		return f, nil
	}
	return f, unknown
}

// parsePython reads a Python literal of the kinds that .npy headers hold: dictionaries with string keys as
// map[string]any, tuples and lists as []any, strings, whole numbers, True and False.
func parsePython(text string) (any, error) {
	p := &pythonParser{rest: text}
	value, err := p.value(0)
	if p.skip(); err == nil && p.rest != "" {
		err = fmt.Errorf("%q follows its end", shorten(p.rest))
	}
	return value, err
}

type pythonParser struct{ rest string }

const maxNesting = 8 // of tuples in lists in dictionaries; headers need three

func (p *pythonParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept takes the token if it is next.
func (p *pythonParser) accept(token string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, token)
	p.rest = rest
	return ok
}

func (p *pythonParser) value(depth int) (any, error) {
	p.skip()
	switch {
	case depth > maxNesting:
		return nil, errors.New("it is nested too deeply")
	case p.rest == "":
		return nil, io.ErrUnexpectedEOF
	case p.accept("True"):
		return true, nil
	case p.accept("False"):
		return false, nil
	case p.accept("{"):
		dict := map[string]any{}
		_, err := p.items("}", depth, func(key any) error {
			name, ok := key.(string)
			if !ok || !p.accept(":") {
				return errors.New("a key is not followed by a value")
			}
			value, err := p.value(depth + 1)
			dict[name] = value
			return err
		})
		return dict, err
	case p.accept("("):
		return p.items(")", depth, nil)
	case p.accept("["):
		return p.items("]", depth, nil)
	case p.rest[0] == '\'' || p.rest[0] == '"':
		return p.quoted()
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(p.rest)
	}
	n, err := strconv.Atoi(p.rest[:end])
	if err != nil {
		return nil, fmt.Errorf("%q is no value", shorten(p.rest))
	}
	p.rest = strings.TrimPrefix(p.rest[end:], "L") // Python 2 wrote long integers so
	return n, nil
}

// items reads values up to the closing token. After each it calls then, if given.
func (p *pythonParser) items(closing string, depth int, then func(any) error) ([]any, error) {
	list := []any{}
	for !p.accept(closing) {
		item, err := p.value(depth + 1)
		if err == nil && then != nil {
			err = then(item)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, item)
		if !p.accept(",") {
			if p.accept(closing) {
				break
			}
			return nil, fmt.Errorf("%q or a comma is missing", closing)
		}
	}
	return list, nil
}

func (p *pythonParser) quoted() (any, error) {
	quote := p.rest[0]
	var s strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch b := p.rest[i]; {
		case b == quote:
			p.rest = p.rest[i+1:]
			return s.String(), nil
		case b == '\\' && i+1 < len(p.rest):
			i++
			switch p.rest[i] {
			case 'n':
				s.WriteByte('\n')
			case 'r':
				s.WriteByte('\r')
			default:
				s.WriteByte(p.rest[i])
			}
		default:
			s.WriteByte(b)
		}
	}
	return nil, errors.New("a string has no end")
}
