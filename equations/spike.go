package equations

import (
	"popsim/equations/graph"
	"popsim/expression"
	"popsim/tomltree"
)

func (d *definition) readSpike(e *tomltree.Entry) {
	if e == nil {
		return
	}
	d.keys(e, "[spike]", "when", "reset", "rearm", "hold")
	when, at := d.text(e, "when")
	if at == nil {
		d.fault(e.Place, `no when; write when = "V >= V_peak"`)
		return
	}
	d.when = when
	parsed, err := expression.Parse(when)
	var a, b quantity
	if err == nil {
		a, b, err = d.comparison(parsed.Root)
	}
	if err != nil {
		d.formulaFault(at, "when", err)
		return
	}
	d.excess = d.Sub(b.node, a.node) // a < b
	both, _ := d.alike(1, "", nil, a, b)
	if d.excess.Among(d.dynamic()&^d.stateMask()) || !d.excess.Among(d.stateMask()) {
		d.fault(at.At(1), "when: a spike is found from states and parameters, such as V >= V_peak")
	}
	reset, rearm := e.Get("reset"), e.Get("rearm")
	switch {
	case (reset == nil) == (rearm == nil):
		d.fault(e.Place, `a spike needs one of reset = { V = "..." } and, where nothing jumps, `+
			`rearm = "20 mV": how far V must sink below before the next`)
	case reset != nil && reset.Kind != tomltree.Table:
		d.fault(reset.Place, `reset is a table, written { V = "c", u = "u + d" }`)
	case reset != nil:
		d.readReset(reset)
	default:
		q, ok := d.formula(rearm, "rearm")
		if ok && !q.fits(both.dim) && !both.loose {
			d.fault(rearm.At(1), "rearm is in %s; it should be in %s", dimName(q.dim), dimName(both.dim))
		}
		if ok && q.node.Among(d.dynamic()) {
			d.fault(rearm.At(1), "rearm: only parameters are allowed here")
		}
		d.rearm, d.rearmText = q.node, rearm.Text
	}
	if hold := e.Get("hold"); hold != nil {
		d.readHold(hold, reset != nil)
	}
}

func (d *definition) readReset(e *tomltree.Entry) {
	d.reset = make([]*graph.Node, len(d.states))
	d.resets = make([]string, len(d.states))
	var names []string
	for i, s := range d.states {
		names = append(names, s.Name)
		d.reset[i] = s.node
		c := e.Get(s.Name)
		if c == nil {
			continue
		}
		q, ok := d.formula(c, "reset of "+s.Name)
		if !ok {
			continue
		}
		if !q.fits(s.dim) {
			d.fault(c.At(1), "reset of %s is in %s; it should be in %s", s.Name, dimName(q.dim), dimName(s.dim))
		}
		if q.node.Among(d.dynamic() &^ d.stateMask()) {
			d.fault(c.At(1), "reset of %s: a reset depends on states and parameters, not on I", s.Name)
		}
		d.reset[i], d.resets[i] = q.node, c.Text
	}
	d.keys(e, "reset", names...)
}

func (d *definition) readHold(e *tomltree.Entry, resets bool) {
	q, ok := d.formula(e, "hold")
	switch ms := expression.UnitDimension("ms"); {
	case !ok:
	case !resets:
		d.fault(e.Place, "hold: without a reset nothing is held")
	case !q.fits(ms):
		d.fault(e.At(1), "hold is in %s; it should be in ms", dimName(q.dim))
	case q.node.Among(d.dynamic()):
		d.fault(e.At(1), "hold: only parameters are allowed here")
	case q.node.Kind == graph.Const && !(q.node.Value >= 0):
		d.fault(e.At(1), "hold is %v ms; it must not be negative", q.node.Value)
	case !q.node.Is(0):
		d.hold = q.node
	}
}
