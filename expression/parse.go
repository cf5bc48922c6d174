// Package expression is the language of formulas in descriptions of networks and of models: + - * / ^, parentheses,
// functions, comparisons inside where, and units, which are checked as vectors of exponents. `20mV` and `20 mV` are the
// same.
package expression

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Op is what a node does to its arguments.
type Op int

// The operations.
const (
	Number    Op = iota // Value
	UnitName            // Name, a unit
	Name                // Name, of any quantity
	Negate              // -a
	Add                 // a + b
	Subtract            // a - b
	Multiply            // a b; also of a number and the unit after it
	Divide              // a / b
	Power               // a^b
	Less                // a < b
	LessEqual           // a <= b
	Call                // function Name of all arguments
)

// A Node is one operation of an expression, with its place in the text.
type Node struct {
	Op     Op
	Value  float64
	Name   string
	Args   []*Node
	Column int // from 1, in characters

	behindNumber bool // of a UnitName: it is one whatever names there are
}

// MayBeName reports whether a UnitName is a name if there is one: after a number it is always the unit.
func (n *Node) MayBeName() bool { return n.Op == UnitName && !n.behindNumber }

// Expr is an expression as it was written.
type Expr struct {
	Text string
	Root *Node
}

// An Error is a fault at a column of an expression, counted from 1 in characters.
type Error struct {
	Column  int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

func faultAt(column int, format string, args ...any) error {
	return &Error{column, fmt.Sprintf(format, args...)}
}

// Limits of an expression, so that no text exhausts the stack.
const (
	maxLength = 100_000
	maxDepth  = 200
)

// Parse reads an expression. Its names are looked up later, by Check.
func Parse(text string) (*Expr, error) {
	if len(text) > maxLength {
		return nil, faultAt(1, "an expression of %d characters; at most %d are possible", len(text), maxLength)
	}
	if !utf8.ValidString(text) {
		return nil, faultAt(1, "no valid UTF-8")
	}
	p := parser{text: []rune(text)}
	if err := p.next(); err != nil {
		return nil, err
	}
	root, err := p.binary(0)
	if err == nil && p.kind != end {
		err = faultAt(p.column, "%s after the end of the expression", p.token())
	}
	if err != nil {
		return nil, err
	}
	return &Expr{text, root}, nil
}

type tokenKind int

const (
	end tokenKind = iota
	number
	word
	symbol
)

// parser is a Pratt parser with one token of look-ahead.
type parser struct {
	text   []rune
	at     int // after the token
	kind   tokenKind
	name   string // of a word or symbol
	value  float64
	column int
	depth  int
}

func (p *parser) token() string {
	if p.kind == end {
		return "the end"
	}
	return strconv.Quote(string(p.text[p.column-1 : p.at]))
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || r == '²' }

// next reads a token.
func (p *parser) next() error {
	for p.at < len(p.text) && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
	p.column = p.at + 1
	if p.at == len(p.text) {
		p.kind = end
		return nil
	}
	start := p.at
	switch r := p.text[p.at]; {
	case r >= '0' && r <= '9' || r == '.':
		return p.readNumber()
	case isWord(r):
		for p.at < len(p.text) && isWord(p.text[p.at]) {
			p.at++
		}
		p.kind, p.name = word, string(p.text[start:p.at])
	case strings.ContainsRune("+-*/^(),<>", r):
		p.at++
		if (r == '<' || r == '>') && p.at < len(p.text) && p.text[p.at] == '=' {
			p.at++
		}
		p.kind, p.name = symbol, string(p.text[start:p.at])
	default:
		return faultAt(p.column, "%q is no part of an expression", r)
	}
	return nil
}

// readNumber reads digits, a point and an exponent; an e or E belongs to the number only where digits follow.
func (p *parser) readNumber() error {
	start := p.at
	digits := func() {
		for p.at < len(p.text) && (p.text[p.at] >= '0' && p.text[p.at] <= '9' || p.text[p.at] == '.') {
			p.at++
		}
	}
	digits()
	if p.at < len(p.text) && (p.text[p.at] == 'e' || p.text[p.at] == 'E') {
		j := p.at + 1
		if j < len(p.text) && (p.text[j] == '+' || p.text[j] == '-') {
			j++
		}
		if j < len(p.text) && p.text[j] >= '0' && p.text[j] <= '9' {
			p.at = j
			digits()
		}
	}
	x, err := strconv.ParseFloat(string(p.text[start:p.at]), 64)
	if err != nil || math.IsInf(x, 0) {
		return faultAt(p.column, "%q is not a finite number", string(p.text[start:p.at]))
	}
	p.kind, p.value = number, x
	return nil
}

// binding is the precedence of an operator; rightmost is whether it is right-associative.
func binding(op string) (power int, rightmost bool) {
	switch op {
	case "<", "<=", ">", ">=":
		return 1, false
	case "+", "-":
		return 2, false
	case "*", "/":
		return 3, false
	case "^":
		return 5, true
	}
	return 0, false
}

// negation binds as products do, so that -2^2 is -4.
const negation = 3

var operators = map[string]Op{
	"+": Add, "-": Subtract, "*": Multiply, "/": Divide, "^": Power,
	"<": Less, "<=": LessEqual, ">": Less, ">=": LessEqual,
}

// binary reads operands joined by operators that bind more strongly than least.
func (p *parser) binary(least int) (*Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, faultAt(p.column, "more than %d parentheses inside each other", maxDepth)
	}
	defer func() { p.depth-- }()
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	for p.kind == symbol {
		power, rightmost := binding(p.name)
		if power == 0 || power <= least {
			break
		}
		op, column := p.name, p.column
		if err := p.next(); err != nil {
			return nil, err
		}
		if rightmost {
			power--
		}
		right, err := p.binary(power)
		if err != nil {
			return nil, err
		}
		args := []*Node{left, right}
		if op[0] == '>' {
			args[0], args[1] = right, left
		}
		left = &Node{Op: operators[op], Args: args, Column: column}
	}
	return left, nil
}

// operand reads a number, perhaps with a unit, a name, a call, a sign and its operand, or an expression in parentheses.
func (p *parser) operand() (*Node, error) {
	column := p.column
	switch {
	case p.kind == number:
		n := &Node{Op: Number, Value: p.value, Column: column}
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.kind == word {
			if !IsUnit(p.name) {
				return nil, faultAt(p.column, "unknown unit %q behind a number%s", p.name, Nearest(p.name, UnitNames()))
			}
			unit, err := p.powerOfUnit()
			if err != nil {
				return nil, err
			}
			n = &Node{Op: Multiply, Args: []*Node{n, unit}, Column: column}
		}
		return n, nil
	case p.kind == word:
		name := p.name
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.kind == symbol && p.name == "(" {
			return p.call(name, column)
		}
		if IsUnit(name) {
			return &Node{Op: UnitName, Name: plain(name), Column: column}, nil
		}
		return &Node{Op: Name, Name: name, Column: column}, nil
	case p.kind == symbol && (p.name == "-" || p.name == "+"):
		sign := p.name
		if err := p.next(); err != nil {
			return nil, err
		}
		x, err := p.binary(negation)
		if err != nil || sign == "+" {
			return x, err
		}
		return &Node{Op: Negate, Args: []*Node{x}, Column: column}, nil
	case p.kind == symbol && p.name == "(":
		if err := p.next(); err != nil {
			return nil, err
		}
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return x, p.closing(column)
	}
	return nil, faultAt(column, "%s where a number, a name or a parenthesis should be", p.token())
}

// powerOfUnit reads a unit after a number, with a power of its own: 3 mV^2 is 3 (mV^2).
func (p *parser) powerOfUnit() (*Node, error) {
	unit := &Node{Op: UnitName, Name: plain(p.name), Column: p.column, behindNumber: true}
	if err := p.next(); err != nil || p.kind != symbol || p.name != "^" {
		return unit, err
	}
	column := p.column
	if err := p.next(); err != nil {
		return nil, err
	}
	exponent, err := p.binary(4)
	return &Node{Op: Power, Args: []*Node{unit, exponent}, Column: column}, err
}

func (p *parser) closing(open int) error {
	if p.kind != symbol || p.name != ")" {
		return faultAt(p.column, "%s where the parenthesis of column %d should be closed", p.token(), open)
	}
	return p.next()
}

func (p *parser) call(name string, column int) (*Node, error) {
	f, known := functions[name]
	if !known {
		return nil, faultAt(column, "unknown function %q%s", name, Nearest(name, FunctionNames()))
	}
	n := &Node{Op: Call, Name: name, Column: column}
	open := p.column
	for {
		if err := p.next(); err != nil {
			return nil, err
		}
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		n.Args = append(n.Args, x)
		if p.kind != symbol || p.name != "," {
			break
		}
	}
	if err := p.closing(open); err != nil {
		return nil, err
	}
	if len(n.Args) < f.least || f.most > 0 && len(n.Args) > f.most {
		return nil, faultAt(column, "%s of %d arguments; it takes %s", name, len(n.Args), f.count())
	}
	return n, nil
}

// Names lists the names that the expression needs, each once, in alphabetical order.
func (e *Expr) Names() []string {
	seen := map[string]bool{}
	e.Root.each(func(n *Node) {
		if n.Op == Name && n.Name != "pi" {
			seen[n.Name] = true
		}
	})
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (n *Node) each(f func(*Node)) {
	f(n)
	for _, a := range n.Args {
		a.each(f)
	}
}

// Bare reports whether the expression holds neither names nor units, so that its value may be taken to be in any unit.
func (e *Expr) Bare() bool {
	bare := true
	e.Root.each(func(n *Node) { bare = bare && n.Op != UnitName && (n.Op != Name || n.Name == "pi") })
	return bare
}

// Nearest is ", did you mean ...?" where one of names is like name, and else empty.
func Nearest(name string, names []string) string {
	best, least := "", 3
	for _, n := range names {
		d := distance(strings.ToLower(name), strings.ToLower(n))
		if d < least && d < len(n) {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the number of insertions, deletions and replacements that make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
