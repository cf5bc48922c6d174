package equations

import (
	"popsim/expression"
	"popsim/tomltree"
)

func (d *definition) readStates(e *tomltree.Entry) {
	if e == nil {
		return
	}
	for i, c := range e.Items {
		s := &d.states[i]
		s.from, s.Name, s.node = c, c.Key, d.Var(i)
		ok := d.mayName(c, false)
		q, good := d.formula(c, c.Key)
		if good && q.node.Among(d.dynamic()) {
			d.fault(c.At(1), "%s: a start depends on parameters alone", c.Key)
			good = false
		}
		if !good {
			q = quantity{node: d.Const(0), loose: true}
		}
		s.start, s.dim, s.Unit = q.node, q.dim, unitName(c.Text, q.dim)
		if ok {
			d.byName[s.Name] = &quantity{s.node, s.dim, q.loose}
		}
	}
	for _, s := range d.states {
		if d.byName[s.Name+"0"] != nil {
			d.fault(s.from.Place, "%s: its start is set as %s0, which is the name of something else", s.Name, s.Name)
		}
	}
}

func (d *definition) readLets(e *tomltree.Entry) {
	if e == nil {
		return
	}
	for _, c := range e.Items {
		if !d.mayName(c, false) {
			continue
		}
		if c.Kind != tomltree.Text {
			d.fault(c.Place, "%s is a formula in quotes", c.Key)
			d.byName[c.Key] = &quantity{node: d.Const(0), loose: true}
			continue
		}
		l := &let{from: c}
		d.lets, d.letByName[c.Key] = append(d.lets, l), l
	}
	for _, l := range d.lets {
		_, _ = d.find(l.from.Key)
	}
}

func (d *definition) readEquations(e *tomltree.Entry) {
	if e == nil {
		return
	}
	var names []string
	for i := range d.states {
		names = append(names, d.states[i].Name)
	}
	d.keys(e, "[equations]", names...)
	for i := range d.states {
		s := &d.states[i]
		c := e.Get(s.Name)
		if c == nil {
			d.fault(e.Place, "no equation of %s", s.Name)
			continue
		}
		q, ok := d.formula(c, s.Name)
		want := s.dim.Per(expression.UnitDimension("ms"))
		if ok && !q.fits(want) && !(d.loose && q.dim == s.dim) {
			d.fault(c.At(1), "%s: d%[1]s/dt is in %s; it should be in %s", s.Name, dimName(q.dim), dimName(want))
		}
		s.equation = c.Text
		d.slopes = append(d.slopes, q.node)
	}
}
