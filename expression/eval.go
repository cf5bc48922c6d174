package expression

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"popsim/rng"
)

// function is a function of the language: of its arguments' values, and of their dimensions.
type function struct {
	least, most int // number of arguments; a most of 0 is no limit
	value       func(x []float64) float64
	dim         func(name string, at *Node, d []Dimension) (Dimension, error)
}

func (f function) count() string {
	switch {
	case f.least == f.most && f.least == 1:
		return "1"
	case f.least == f.most:
		return fmt.Sprint(f.least)
	}
	return fmt.Sprintf("at least %d", f.least)
}

// unary are the functions of one argument. All are made of correctly rounded operations, so that a description gives
// the same bits on every architecture.
var unary = map[string]func(float64) float64{
	"exp":    rng.Exp,
	"log":    logarithm,
	"sqrt":   math.Sqrt,
	"abs":    math.Abs,
	"floor":  math.Floor,
	"ceil":   math.Ceil,
	"round":  math.Round,
	"sin":    func(x float64) float64 { s, _ := sincos(x); return s },
	"cos":    func(x float64) float64 { _, c := sincos(x); return c },
	"tanh":   func(x float64) float64 { return math.Copysign(1-2/(rng.Exp(2*math.Abs(x))+1), x) },
	"cosh":   func(x float64) float64 { return 0.5 * (rng.Exp(x) + rng.Exp(-x)) },
	"sinh":   func(x float64) float64 { return 0.5 * (rng.Exp(x) - rng.Exp(-x)) },
	"exprel": exprel,
}

var functions = map[string]function{
	"exp":    {1, 1, of1("exp"), pure},
	"log":    {1, 1, of1("log"), pure},
	"sqrt":   {1, 1, of1("sqrt"), root},
	"abs":    {1, 1, of1("abs"), alike},
	"min":    {2, 0, fold(math.Min), alike},
	"max":    {2, 0, fold(math.Max), alike},
	"floor":  {1, 1, of1("floor"), pure},
	"ceil":   {1, 1, of1("ceil"), pure},
	"round":  {1, 1, of1("round"), pure},
	"sin":    {1, 1, of1("sin"), pure},
	"cos":    {1, 1, of1("cos"), pure},
	"tanh":   {1, 1, of1("tanh"), pure},
	"cosh":   {1, 1, of1("cosh"), pure},
	"sinh":   {1, 1, of1("sinh"), pure},
	"exprel": {1, 1, of1("exprel"), pure},
	"where":  {3, 3, where, choice},
}

// FunctionNames lists the functions.
func FunctionNames() []string { return slices.Sorted(maps.Keys(functions)) }

// Reserved reports whether a name is reserved: a unit of more than one letter, a function or pi.
func Reserved(name string) bool {
	_, f := functions[name]
	return f || IsUnit(name) && len(name) > 1 || name == "pi"
}

func of1(name string) func([]float64) float64 {
	f := unary[name]
	return func(x []float64) float64 { return f(x[0]) }
}

func fold(f func(a, b float64) float64) func([]float64) float64 {
	return func(x []float64) float64 {
		y := x[0]
		for _, v := range x[1:] {
			y = f(y, v)
		}
		return y
	}
}

func where(x []float64) float64 {
	if x[0] != 0 {
		return x[1]
	}
	return x[2]
}

func logarithm(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case !(x > 0):
		return math.NaN()
	case math.IsInf(x, 1):
		return x
	case x < 0x1p-1022:
		return rng.Log(x*0x1p54) - 54*math.Ln2
	}
	return rng.Log(x)
}

// exprel is x/(e^x - 1), 1 at 0: the factor of rates that are 0/0 at one voltage.
func exprel(x float64) float64 {
	if math.Abs(x) < 0.5 {
		sum := 1.0 // (e^x - 1)/x by Taylor's series
		for k := 16; k >= 2; k-- {
			sum = math.FMA(sum, x/float64(k), 1)
		}
		return 1 / sum
	}
	return x / (rng.Exp(x) - 1)
}

// sincos reduces x by multiples of pi/2 in three parts and sums Taylor's series; |x| is at most 1e6.
func sincos(x float64) (sin, cos float64) {
	if !(math.Abs(x) <= 1e6) {
		return math.NaN(), math.NaN()
	}
	n := math.Round(x * (2 / math.Pi))
	r := math.FMA(-n, 0x1.921fb54442d18p+0, x)
	r = math.FMA(-n, 0x1.1a62633145c07p-54, r)
	z := float64(r * r)
	s, c := 0.0, 0.0
	for k := 21; k >= 3; k -= 2 {
		s = math.FMA(s, z, 1) * (-1 / float64((k-1)*k))
	}
	for k := 20; k >= 2; k -= 2 {
		c = math.FMA(c, z, 1) * (-1 / float64((k-1)*k))
	}
	s, c = math.FMA(float64(s*z), r, r), math.FMA(c, z, 1)
	switch int64(n) & 3 {
	case 1:
		return c, -s
	case 2:
		return -s, -c
	case 3:
		return -c, s
	}
	return s, c
}

// power is x^y: a product for whole y up to 64, else exp(y log x).
func power(x, y float64) float64 {
	if n := math.Abs(y); n == math.Floor(n) && n <= 64 {
		p, base := 1.0, x
		for k := int(n); k > 0; k >>= 1 {
			if k&1 != 0 {
				p = float64(p * base)
			}
			base = float64(base * base)
		}
		if y < 0 {
			return 1 / p
		}
		return p
	}
	switch {
	case y == 0.5:
		return math.Sqrt(x)
	case x == 0 && y > 0:
		return 0
	}
	return rng.Exp(y * logarithm(x))
}

func pure(name string, at *Node, d []Dimension) (Dimension, error) {
	if d[0] != None {
		return None, faultAt(at.Column, "%s of %v; it takes a pure number", name, d[0])
	}
	return None, nil
}

func root(_ string, at *Node, d []Dimension) (Dimension, error) {
	e, ok := d[0].power(0.5)
	if !ok {
		return None, faultAt(at.Column, "sqrt of %v", d[0])
	}
	return e, nil
}

func alike(name string, at *Node, d []Dimension) (Dimension, error) {
	for _, e := range d[1:] {
		if e != d[0] {
			return None, faultAt(at.Column, "%s of %v and %v", name, d[0], e)
		}
	}
	return d[0], nil
}

func choice(name string, at *Node, d []Dimension) (Dimension, error) {
	if op := at.Args[0].Op; op != Less && op != LessEqual {
		return None, faultAt(at.Args[0].Column, "where takes a comparison first, such as where(V < 0 mV, x, y)")
	}
	return alike(name, at, d[1:])
}

// Check returns the dimension of the expression. dims holds those of its names; nil is none. The error is the first
// fault, with its column: an unknown name with the nearest, or units that do not fit. Where a name is also that of a
// unit of one letter (V, s), the unit is meant only directly after a number. An expression with such names is evaluated
// only after Check.
func (e *Expr) Check(dims map[string]Dimension) (Dimension, error) {
	if op := e.Root.Op; op == Less || op == LessEqual {
		return None, faultAt(e.Root.Column, "a comparison where a number should be")
	}
	return check(e.Root, dims)
}

// CheckCondition checks an expression that is a comparison, such as "V >= V_peak".
func (e *Expr) CheckCondition(dims map[string]Dimension) error {
	if op := e.Root.Op; op != Less && op != LessEqual {
		return faultAt(e.Root.Column, "no comparison; conditions are written V >= V_peak")
	}
	_, err := check(e.Root, dims)
	return err
}

func check(n *Node, dims map[string]Dimension) (Dimension, error) {
	d := make([]Dimension, len(n.Args))
	for i, a := range n.Args {
		if (a.Op == Less || a.Op == LessEqual) && !(n.Op == Call && n.Name == "where" && i == 0) {
			return None, faultAt(a.Column, "a comparison where a number should be")
		}
		var err error
		if d[i], err = check(a, dims); err != nil {
			return None, err
		}
	}
	switch n.Op {
	case Number:
		return None, nil
	case UnitName:
		if d, ok := dims[n.Name]; ok && !n.behindNumber {
			n.Op = Name
			return d, nil
		}
		return units[n.Name].dim, nil
	case Name:
		if n.Name == "pi" {
			return None, nil
		}
		if d, ok := dims[n.Name]; ok {
			return d, nil
		}
		return None, faultAt(n.Column, "unknown name %q%s", n.Name, Nearest(n.Name, slices.Sorted(maps.Keys(dims))))
	case Negate:
		return d[0], nil
	case Multiply:
		return d[0].plus(d[1], 1), nil
	case Divide:
		return d[0].plus(d[1], -1), nil
	case Call:
		return functions[n.Name].dim(n.Name, n, d)
	case Power:
		return checkPower(n, d)
	}
	if d[0] != d[1] {
		what := map[Op]string{Add: "sum", Subtract: "difference", Less: "comparison", LessEqual: "comparison"}[n.Op]
		return None, faultAt(n.Column, "%s of %v and %v", what, d[0], d[1])
	}
	return d[0], nil
}

func checkPower(n *Node, d []Dimension) (Dimension, error) {
	if d[1] != None {
		return None, faultAt(n.Column, "an exponent in %v; it must be a pure number", d[1])
	}
	if d[0] == None {
		return None, nil
	}
	exponent := &Expr{Root: n.Args[1]}
	if !exponent.Bare() {
		return None, faultAt(n.Column, "%v to a power that is no plain number", d[0])
	}
	p, ok := d[0].power(exponent.Eval(nil))
	if !ok {
		return None, faultAt(n.Column, "%v to the power %v", d[0], exponent.Eval(nil))
	}
	return p, nil
}

// Eval returns the value in base units. value returns those of names; it may be nil if there are none. A comparison is
// 1 or 0.
func (e *Expr) Eval(value func(name string) float64) float64 { return eval(e.Root, value) }

func eval(n *Node, value func(string) float64) float64 {
	switch n.Op {
	case Number:
		return n.Value
	case UnitName:
		u := units[n.Name]
		return u.num / u.den
	case Name:
		if n.Name == "pi" {
			return math.Pi
		}
		return value(n.Name)
	case Negate:
		return -eval(n.Args[0], value)
	case Call:
		var few [4]float64
		x := few[:0]
		for _, a := range n.Args {
			x = append(x, eval(a, value))
		}
		return functions[n.Name].value(x)
	case Multiply:
		if u := n.Args[1]; u.Op == UnitName { // one rounding
			return eval(n.Args[0], value) * units[u.Name].num / units[u.Name].den
		}
	}
	a, b := eval(n.Args[0], value), eval(n.Args[1], value)
	switch n.Op {
	case Add:
		return a + b
	case Subtract:
		return a - b
	case Multiply:
		return float64(a * b)
	case Divide:
		return a / b
	case Power:
		return power(a, b)
	case Less:
		return truth(a < b)
	case LessEqual:
		return truth(a <= b)
	}
	panic(fmt.Sprintf("bug: operation %d", n.Op))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// In returns the value in a unit. A bare expression is in that unit already; else its dimension must be that of the
// unit.
func (e *Expr) In(u Unit, dims map[string]Dimension, value func(name string) float64) (float64, error) {
	d, err := e.Check(dims)
	if err != nil {
		return 0, err
	}
	if e.Bare() {
		return e.Eval(nil), nil
	}
	if d != u.Dim && u.Dim == None {
		return 0, faultAt(1, "%s is in %v; it should have no unit", shortened(e.Text), d)
	}
	if d != u.Dim && d == None {
		return 0, faultAt(1, "%s has no unit; it should be in %s", shortened(e.Text), u.Name)
	}
	if d != u.Dim {
		return 0, faultAt(1, "%s is in %v; it should be in %s", shortened(e.Text), d, u.Name)
	}
	if x, ok := e.literal(u); ok {
		return x, nil
	}
	return u.From(e.Eval(value)), nil
}

// literal is the value in u of a number with one unit, with one rounding: 8 Hz is 8 Hz.
func (e *Expr) literal(u Unit) (float64, bool) {
	n, sign := e.Root, 1.0
	if n.Op == Negate {
		n, sign = n.Args[0], -1
	}
	if n.Op != Multiply || n.Args[0].Op != Number || n.Args[1].Op != UnitName {
		return 0, false
	}
	from := units[n.Args[1].Name]
	// The ratio of two powers of ten is exact one way or the other.
	if up, down := from.num*u.den, u.num*from.den; up >= down {
		return sign * n.Args[0].Value * (up / down), true
	} else {
		return sign * n.Args[0].Value / (down / up), true
	}
}

func shortened(text string) string {
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return text
}

// Exp is exp(x) as expressions compute it: by correctly rounded operations, with the same bits on every architecture.
func Exp(x float64) float64 { return rng.Exp(x) }

// Unary is a function of one argument by its name; nil if there is none.
func Unary(name string) func(float64) float64 { return unary[name] }

// Apply is a function of the language by its name; it must be one of FunctionNames and take so many arguments.
func Apply(name string, x ...float64) float64 { return functions[name].value(x) }
