package vec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A GoNames gives the Go expressions for what a block refers to, inside a loop over the lanes l of a vector.
type GoNames struct {
	Memory  func(m Mem) string // one float64: of lane l, or of all lanes where m is broadcast
	Pin     func(p *Pin) string
	General func(r any) string // an unsigned integer that Bits sets bit l of
}

// GoText is the block as statements of plain Go that compute lane l: math.FMA where the block fuses, float64(x*y) where
// it does not. The block must be recorded for the target Go and not be emitted. Test and StoreBits have no text.
func (b *Block) GoText(names GoNames) string {
	b.link() // marks what is used
	g := &goPrinter{names: names, value: make([]string, len(b.nodes)), old: map[string]bool{}}
	for _, n := range b.nodes {
		if n.op == opStore {
			g.old[names.Memory(n.mem)] = true
		}
	}
	for _, n := range b.nodes {
		if n.sched.used {
			g.statement(n)
		}
	}
	return g.text.String()
}

type goPrinter struct {
	names GoNames
	value []string        // the Go expression of each node
	old   map[string]bool // places that are stored to; loads from them need a variable
	text  strings.Builder
}

func (g *goPrinter) of(n *node) string { return g.value[n.index] }

// bits is n as an unsigned integer.
func (g *goPrinter) bits(n *node) string {
	switch n.op {
	case opConst:
		return fmt.Sprintf("%#x", n.bits)
	case opShlI:
		return fmt.Sprintf("%s<<%d", g.bits(n.args[0]), n.imm)
	case opShrI:
		return fmt.Sprintf("%s>>%d", g.bits(n.args[0]), n.imm)
	}
	return "math.Float64bits(" + g.of(n) + ")"
}

func (g *goPrinter) printf(format string, args ...any) { fmt.Fprintf(&g.text, format+"\n", args...) }

// define makes a variable of n.
func (g *goPrinter) define(n *node, expression string) {
	letter := "x"
	if n.mask {
		letter = "m"
	}
	g.value[n.index] = letter + strconv.Itoa(n.index)
	g.printf("%s := %s", g.of(n), expression)
}

func (g *goPrinter) statement(n *node) {
	var x, y string
	if len(n.args) > 0 {
		x = g.of(n.args[0])
	}
	if len(n.args) > 1 {
		y = g.of(n.args[1])
	}
	switch n.op {
	case opConst:
		g.value[n.index] = literal(n.bits)
	case opLoad:
		if place := g.names.Memory(n.mem); g.old[place] || !n.one {
			g.define(n, place)
		} else {
			g.value[n.index] = place
		}
	case opGet:
		g.value[n.index] = g.names.Pin(n.pin)
	case opStore:
		g.printf("%s = %s", g.names.Memory(n.mem), x)
	case opSet:
		g.printf("%s = %s", g.names.Pin(n.pin), x)
	case opBits:
		g.printf("if %s {\n%s |= 1 << l\n}", x, g.names.General(n.gp))
	case opShlI, opShrI: // written out where it is read
		g.value[n.index] = "math.Float64frombits(" + g.bits(n) + ")"
	case opMin, opMax, opSelect:
		g.choice(n)
	case opCmp:
		g.define(n, comparison(x, Pred(n.imm), y))
	default:
		if n.mask && n.op != opGtI {
			g.define(n, g.maskExpression(n))
		} else {
			g.define(n, g.expression(n))
		}
	}
}

// choice is an operation that gives one of two values.
func (g *goPrinter) choice(n *node) {
	condition, x, y := g.of(n.args[0]), n.args[len(n.args)-2], n.args[len(n.args)-1]
	switch n.op {
	case opMin:
		condition += " < " + g.of(y)
	case opMax:
		condition += " > " + g.of(y)
	}
	g.define(n, g.of(y))
	g.printf("if %s {\n%s = %s\n}", condition, g.of(n), g.of(x))
}

func (g *goPrinter) maskExpression(n *node) string {
	x, y := g.of(n.args[0]), g.of(n.args[1])
	switch n.op {
	case opAnd:
		return x + " && " + y
	case opOr:
		return x + " || " + y
	case opAndNot:
		return y + " && !" + x
	}
	panic("bug: vec: a mask operation without Go text")
}

// expression is the Go expression of an operation on one, two or three vectors.
func (g *goPrinter) expression(n *node) string {
	of := make([]any, len(n.args))
	for i, a := range n.args {
		of[i] = g.of(a)
	}
	switch n.op {
	case opFNMA:
		of[0] = negative(g.of(n.args[0]))
	case opFMS:
		of[2] = negative(g.of(n.args[2]))
	}
	if f, ok := goFloat[n.op]; ok {
		return fmt.Sprintf(f, of...)
	}
	for i, a := range n.args {
		of[i] = g.bits(a)
	}
	switch n.op {
	case opGtI:
		return fmt.Sprintf("int64(%s) > int64(%s)", of...)
	case opAndNot:
		of[0], of[1] = of[1], of[0]
	}
	sign, ok := map[op]string{opAnd: "&", opOr: "|", opXor: "^", opAndNot: "&^", opAddI: "+", opSubI: "-"}[n.op]
	if !ok {
		panic("bug: vec: an operation without Go text: " + ops[n.op].name)
	}
	return fmt.Sprintf("math.Float64frombits(%s %s %s)", of[0], sign, of[1])
}

var goFloat = map[op]string{
	opAdd: "%s + %s", opSub: "%s - %s", opMul: "float64(%s * %s)", opDiv: "%s / %s", opSqrt: "math.Sqrt(%s)",
	opFMA: "math.FMA(%s, %s, %s)", opFNMA: "math.FMA(%s, %s, %s)", opFMS: "math.FMA(%s, %s, %s)",
}

// negative is the text of -x.
func negative(x string) string {
	if strings.HasPrefix(x, "-") {
		return x[1:]
	}
	return "-" + x
}

func comparison(x string, p Pred, y string) string {
	if sign, ok := map[Pred]string{EQ: "==", LT: "<", LE: "<=", GE: ">=", GT: ">", NEQ: "!="}[p]; ok {
		return x + " " + sign + " " + y
	}
	return "!(" + comparison(x, p.negated(), y) + ")"
}

// literal is the shortest text of a constant.
func literal(bits uint64) string {
	x := math.Float64frombits(bits)
	if math.IsNaN(x) || math.IsInf(x, 0) || bits == 1<<63 {
		return fmt.Sprintf("math.Float64frombits(%#x)", bits)
	}
	short, hex := strconv.FormatFloat(x, 'g', -1, 64), strconv.FormatFloat(x, 'x', -1, 64)
	if !strings.ContainsAny(short, ".e") { // so that 1/x of two literals could never be a division of integers
		short += ".0"
	}
	if len(hex) < len(short) {
		short = hex
	}
	return short
}

// Bases lists the places the block loads or stores vectors at, in the order of their first use.
func (b *Block) Bases() (all []any) {
	b.link() // marks what is used
	for _, n := range b.nodes {
		if n.sched.used && !n.one && (n.op == opLoad || n.op == opStore) && !slices.Contains(all, n.mem.Base) {
			all = append(all, n.mem.Base)
		}
	}
	return all
}
