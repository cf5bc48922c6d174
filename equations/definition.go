package equations

import (
	"math"
	"slices"
	"sync"

	"popsim/equations/graph"
	"popsim/expression"
	"popsim/fault"
	"popsim/model"
	"popsim/tomltree"
)

// mostNodes is the largest number of operations of equations, and maxNodes that of equations with their derivatives by
// all states: they bound the time that a file takes.
const (
	mostNodes = 1_500
	maxNodes  = 20_000
)

// definition holds the contents of a file as formulas. Variables are the states in their order, the input current, the
// part of a step, dt, and the parameters.
type definition struct {
	*formulas
	path   string
	faults fault.List

	name, title, source, method string
	dt                          float64

	parameters []parameter // without I
	current    parameter
	states     []state
	lets       []*let
	byName     map[string]*quantity
	letByName  map[string]*let

	slopes []*graph.Node // dy/dt
	// excess is the distance of a state beyond the threshold. resets is empty for a crossing, hold nil if nothing is held.
	excess, rearm, hold *graph.Node
	reset               []*graph.Node
	when, rearmText     string
	resets              []string // as they were written
	presets             []model.Preset
	removed             int // singularities
	compiling           sync.Mutex
}

type parameter struct {
	model.Param
	dim  expression.Dimension
	node *graph.Node
	from *tomltree.Entry
}

type state struct {
	model.State
	start    *graph.Node // of parameters alone
	dim      expression.Dimension
	node     *graph.Node
	from     *tomltree.Entry
	equation string
}

// let is a named formula. It is read when it is first needed.
type let struct {
	from  *tomltree.Entry
	value *quantity
	begun bool
}

// Numbers of the variables after the states.
func (d *definition) currentVar() int { return len(d.states) }
func (d *definition) partVar() int    { return len(d.states) + 1 }
func (d *definition) dtVar() int      { return len(d.states) + 2 }
func (d *definition) paramVar(j int) int {
	return len(d.states) + 3 + j
}

func newDefinition(path string) *definition {
	d := &definition{path: path, dt: math.NaN(), byName: map[string]*quantity{}, letByName: map[string]*let{}}
	d.formulas = &formulas{Graph: graph.New(), lookup: d.find, known: d.names}
	return d
}

// stateMask has the bits of the states, dynamic also those of the current and of the part of a step.
func (d *definition) stateMask() uint64 { return 1<<len(d.states) - 1 }
func (d *definition) dynamic() uint64   { return 1<<(len(d.states)+2) - 1 }

// unused reports parameters that nothing depends on, and formulas that are too long.
func (d *definition) unused() {
	seen := map[int]bool{}
	roots := append(slices.Clone(d.slopes), d.excess)
	for _, s := range d.states {
		roots = append(roots, s.start)
	}
	for _, n := range append(slices.Clone(d.reset), d.rearm, d.hold) {
		if n != nil {
			roots = append(roots, n)
		}
	}
	count := 0
	graph.Each(func(n *graph.Node) {
		count++
		if n.Kind == graph.Var {
			seen[n.Index] = true
		}
	}, roots...)
	for j, p := range d.parameters {
		if !seen[d.paramVar(j)] {
			d.fault(p.from.Place, "%s is not used by anything", p.Name)
		}
	}
	if !seen[d.currentVar()] {
		d.fault(d.current.from.Place,
			"I is not used by any equation; the input current belongs into one, such as V = \"... + I\"")
	}
	if limit := min(mostNodes, maxNodes/(1+len(d.states))); count > limit {
		d.fault(
			d.path+":1:1",
			"equations of %d operations; with %d states at most %d are possible",
			count,
			len(d.states),
			limit,
		)
	}
}
