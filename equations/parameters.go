package equations

import (
	"math"
	"slices"

	"popsim/equations/graph"
	"popsim/model"
	"popsim/tomltree"
)

// value is a number with its unit, as a text or a bare number.
func (d *definition) value(e *tomltree.Entry, what string) (quantity, bool) {
	if e.Kind != tomltree.Text && e.Kind != tomltree.Number {
		d.fault(e.Place, `%s is a number or a text such as "10 mV"`, what)
		return quantity{}, false
	}
	f := formulas{
		Graph: d.Graph, loose: d.loose, known: func() []string { return nil },
		lookup: func(string) (*quantity, error) { return nil, nil },
	}
	q, err := f.parse(e.Text)
	if err != nil {
		d.formulaFault(e, what, err)
		return q, false
	}
	if q.node.Kind != graph.Const || math.IsNaN(q.node.Value) || math.IsInf(q.node.Value, 0) {
		d.fault(e.Place, "%s: %q is not a finite number", what, e.Text)
		return q, false
	}
	return q, true
}

func (d *definition) readParameters(e *tomltree.Entry) {
	if e == nil {
		return
	}
	for _, c := range e.Items {
		if !d.mayName(c, true) {
			continue
		}
		p, value := parameter{from: c}, c
		p.Name = c.Key
		if c.Kind == tomltree.Table {
			d.keys(c, c.Key, "value", "domain", "doc")
			p.Doc, _ = d.text(c, "doc")
			p.Domain = d.domain(c)
			if value = c.Get("value"); value == nil {
				d.fault(c.Place, "%s has no value", c.Key)
				continue
			}
		}
		q, ok := d.value(value, c.Key)
		if !ok {
			q = quantity{node: d.Const(1), loose: true} // so that formulas with it are still checked
		}
		p.dim, p.Default = q.dim, q.node.Value
		p.Unit = unitName(value.Text, q.dim)
		if c.Key == "I" {
			p.node = d.Var(d.currentVar())
			d.current = p
		} else {
			p.node = d.Var(d.paramVar(len(d.parameters)))
			d.parameters = append(d.parameters, p)
		}
		d.byName[p.Name] = &quantity{p.node, p.dim, q.loose}
		if fault := d.outside(p); ok && fault != "" {
			d.fault(value.Place, "%s is %v %s; %s", p.Name, p.Default, p.Unit, fault)
		}
	}
	if d.current.from == nil {
		d.fault(e.Place, `no I: the input current, such as I = "0 pA", is needed too; `+
			`its unit is that of what is added to it`)
	}
}

func (d *definition) domain(e *tomltree.Entry) model.Domain {
	text, at := d.text(e, "domain")
	switch text {
	case "", "any":
		return model.Any
	case "positive":
		return model.Positive
	case "non-negative":
		return model.NonNegative
	}
	d.fault(at.Place, "domain is %q; it may be any, positive or non-negative", text)
	return model.Any
}

// outside returns what is wrong with a parameter's value; "" if it is valid.
func (d *definition) outside(p parameter) string {
	switch {
	case p.Domain == model.Positive && !(p.Default > 0):
		return "it must be greater than 0"
	case p.Domain == model.NonNegative && !(p.Default >= 0):
		return "it must not be negative"
	}
	return ""
}

func (d *definition) readPresets(e *tomltree.Entry) {
	base := model.Preset{I: d.current.Default, Source: d.source}
	for _, p := range d.parameters {
		base.Params = append(base.Params, p.Default)
	}
	d.presets = []model.Preset{base}
	if e == nil {
		return
	}
	for _, c := range e.Items {
		if c.Kind != tomltree.Table || !plainName(c.Key) {
			d.fault(c.Place, "a preset is a table [preset.NAME], its name of letters, digits, - and _")
			continue
		}
		s := model.Preset{Name: c.Key, I: base.I, Params: slices.Clone(base.Params), Source: d.source}
		known := []string{"source", "note", "I"}
		for j, p := range d.parameters {
			known = append(known, p.Name)
			d.presetValue(c.Get(p.Name), p, &s.Params[j])
		}
		d.presetValue(c.Get("I"), d.current, &s.I)
		d.keys(c, "preset "+c.Key, known...)
		if text, _ := d.text(c, "source"); text != "" {
			s.Source = text
		}
		s.Note, _ = d.text(c, "note")
		d.presets = append(d.presets, s)
	}
}

func (d *definition) presetValue(e *tomltree.Entry, p parameter, to *float64) {
	if e == nil {
		return
	}
	q, ok := d.value(e, p.Name)
	if !ok {
		return
	}
	if !q.fits(p.dim) {
		d.fault(e.At(1), "%s is in %s; it should be in %s", p.Name, dimName(q.dim), p.Unit)
	}
	*to, p.Default = q.node.Value, q.node.Value
	if fault := d.outside(p); fault != "" {
		d.fault(e.Place, "%s is %v %s; %s", p.Name, p.Default, p.Unit, fault)
	}
}
