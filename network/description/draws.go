package description

import (
	"maps"
	"math"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/kernels"
	"popsim/network"
	"popsim/rng"
)

// redraws is the number of times that a number is drawn again before it is clipped to its bounds.
const redraws = 1000

// perNeuron evaluates a value of n neurons: a number, a draw, a file, or an expression, in i and n too.
func (r *resolver) perNeuron(e *entry, unit, name string, n int) kernels.Values {
	text := strings.TrimSpace(e.text)
	if strings.HasPrefix(text, "@") {
		path, column, _ := strings.Cut(text, ":")
		f := r.file(e, path, n)
		if f == nil {
			return nil
		}
		if column == "" {
			if len(f.names) != 1 {
				r.fault(e, "%s has %d columns; name one, %[1]s:COLUMN", path, len(f.names))
				return nil
			}
			column = f.names[0]
		}
		if f.numbers[column] == nil {
			r.fault(e, "%s has no column %q of numbers%s", path, column, expression.Nearest(column, f.names))
		}
		return f.numbers[column]
	}
	if law, ok := r.draw(e, text, unit); ok {
		if law == nil {
			return nil
		}
		return drawn(*law, r.o.Seed, name, n)
	}
	x := r.parse(e, text)
	if x == nil {
		return nil
	}
	names := x.Names()
	if !slices.Contains(names, "i") && !slices.Contains(names, "n") {
		if v, ok := r.number(e, text, unit); ok {
			return kernels.Values{v}
		}
		return nil
	}
	u, err := expression.UnitOf(unit)
	if err != nil {
		r.fault(e, "%w", err)
		return nil
	}
	dims := maps.Clone(r.dims)
	dims["i"], dims["n"] = expression.None, expression.None
	v := make(kernels.Values, n)
	for i := range v {
		v[i], err = x.In(u, dims, func(name string) float64 {
			switch name {
			case "i":
				return float64(i)
			case "n":
				return float64(n)
			}
			return r.values[name]
		})
		if err != nil {
			r.fault(e, "%q: %w", text, err)
			return nil
		}
	}
	return v
}

// draw reads KIND:A:B with bounds; ok is whether text begins like a draw, a nil law that it has faults.
func (r *resolver) draw(e *entry, text, unit string) (law *network.Draw, ok bool) {
	parts := split(text, ':')
	if len(parts) == 0 {
		return nil, false
	}
	k := slices.Index([]string{"normal", "lognormal", "uniform"}, parts[0])
	if k < 0 {
		return nil, false
	}
	if len(parts) < 3 {
		r.fault(e, "%q: draws are written normal:M:SD, lognormal:M:SD, uniform:LO:HI", text)
		return nil, true
	}
	d := network.Draw{Kind: network.DrawKind(k)}
	var good, fine bool
	d.A, good = r.number(e, parts[1], unit)
	d.B, fine = r.number(e, parts[2], unit)
	good = good && fine
	for _, part := range parts[3:] {
		name, bounds, _ := strings.Cut(part, "=")
		switch name {
		case "redraw", "clip":
			lo, hi, two := strings.Cut(bounds, "..")
			if !two {
				r.fault(e, "%q: bounds are written %s=LO..HI", part, name)
				return nil, true
			}
			b := &[2]float64{math.Inf(-1), math.Inf(1)}
			for j, end := range []string{lo, hi} {
				if end != "" {
					b[j], fine = r.number(e, end, unit)
					good = good && fine
				}
			}
			if name == "redraw" {
				d.Redraw = b
			} else {
				d.Clip = b
			}
		case "round":
			d.Round, fine = r.number(e, bounds, unit)
			good = good && fine
		default:
			r.fault(e, "%q: a draw takes redraw=LO..HI, clip=LO..HI and round=X behind its two values", part)
			return nil, true
		}
	}
	if !good {
		return nil, true
	}
	if d.Kind == network.Uniform && d.A > d.B || d.Kind != network.Uniform && d.B < 0 ||
		d.Kind == network.Lognormal && d.A <= 0 {
		r.fault(e, "%q: the interval is empty, the standard deviation negative, or the mean of a lognormal not above 0", text)
		return nil, true
	}
	for name, b := range map[string]*[2]float64{"clip": d.Clip, "redraw": d.Redraw} {
		if d.Kind == network.Normal && b != nil && (d.A < b[0] || d.A > b[1]) {
			r.fault(e, "%q: the mean, %g %s, lies outside the bounds of %s", text, d.A, unit, name)
		}
	}
	return &d, true
}

// drawn draws a number for each of n neurons, which depends only on seed, name and the neuron's number.
func drawn(d network.Draw, seed uint64, name string, n int) kernels.Values {
	s := rng.NewStream(seed, name)
	mu, sigma := 0.0, 0.0
	if d.Kind == network.Lognormal {
		mu, sigma = rng.LogNormalOf(d.A, d.B)
	}
	v := make(kernels.Values, n)
	for i := range v {
		for again := range uint32(redraws) {
			switch d.Kind {
			case network.Uniform:
				v[i] = math.FMA(s.Uniform(uint32(i), again), d.B-d.A, d.A)
			case network.Normal:
				v[i] = math.FMA(rng.Normal32(s.At(uint32(i), again)[0]), d.B, d.A)
			case network.Lognormal:
				v[i] = rng.LogNormal32(s.At(uint32(i), again)[0], mu, sigma)
			}
			if d.Redraw == nil || v[i] >= d.Redraw[0] && v[i] <= d.Redraw[1] {
				break
			}
		}
		for _, b := range []*[2]float64{d.Redraw, d.Clip} {
			if b != nil {
				v[i] = min(max(v[i], b[0]), b[1])
			}
		}
		if d.Round > 0 {
			v[i] = math.Round(v[i]/d.Round) * d.Round
		}
	}
	return v
}

// law reads a number or a draw for each edge.
func (r *resolver) law(e *entry, unit string) network.Law {
	if d, ok := r.draw(e, e.text, unit); ok {
		if d == nil {
			return nil
		}
		return *d
	}
	if v, ok := r.number(e, e.text, unit); ok {
		return network.Constant(v)
	}
	return nil
}
