package description

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"popsim/expression"
	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/network"
	"popsim/rng"
	"popsim/stimulus"
)

// resolver converts a description to a Spec, and collects faults.
type resolver struct {
	d           *Description
	o           Options
	out         *Result
	faults      fault.List
	dims        map[string]expression.Dimension
	values      map[string]float64 // in base units
	units       map[string]string  // of parameters: that in which bare numbers are understood
	populations map[string]int
	neuronCount int          // of the populations read so far
	used        map[int]bool // settings
	files       map[string]*columns
	models      map[string]string // SHA-256 of files of models, by path
	broken      map[string]bool   // parameters with faults: expressions that use them are not checked
	below       map[string]bool   // the current parameter and those after it
}

func (r *resolver) fault(e *entry, format string, args ...any) {
	r.faults.Add(at(e.place, fmt.Errorf(e.key+": "+format, args...)))
}

// at puts an error at its place, if it has one.
func at(place string, err error) error {
	if place == "" {
		return err
	}
	return fault.At(place, err)
}

// setting returns the last NAME=VALUE of a name as an entry.
func (r *resolver) setting(name string) *entry {
	var found *entry
	for i, s := range r.o.Settings {
		if s.Name == name {
			r.used[i] = true
			found = &entry{key: name, place: s.Place, kind: scalarText, text: s.Text}
		}
	}
	return found
}

// parameters evaluates [parameters] in order, with the preset's values and NAME=VALUE instead of those of the file.
func (r *resolver) parameters() {
	var preset *entry
	if r.o.Preset != "" {
		if preset = r.d.root.get("preset").get(r.o.Preset); preset == nil {
			r.faults.Add(fmt.Errorf("no preset %q%s", r.o.Preset, expression.Nearest(r.o.Preset, r.d.Presets())))
		}
	}
	section := r.d.root.get("parameters")
	if section == nil {
		section = &entry{}
	}
	known := []string{"title", "source", "note"}
	for _, e := range section.items {
		known = append(known, e.key)
	}
	if all := r.d.root.get("preset"); all != nil {
		for _, p := range all.items {
			unknown(&r.faults, p, "preset "+p.key, known)
		}
	}
	for k, e := range section.items {
		r.below = map[string]bool{}
		for _, later := range section.items[k:] {
			r.below[later.key] = true
		}
		if !r.parameter(e, preset) {
			r.broken[e.key] = true
		}
	}
	r.below = nil
}

// parameter evaluates an entry of [parameters]; it is false after a fault.
func (r *resolver) parameter(e, preset *entry) bool {
	switch {
	case expression.Reserved(e.key) || slices.Contains([]string{"i", "n", "n_pre", "n_post"}, e.key):
		r.fault(e, "the name is reserved")
		return false
	case !goodName(e.key, false):
		r.fault(e, "names of parameters consist of letters, digits and _")
		return false
	}
	unit := "1"
	if x, err := expression.Parse(e.text); err == nil {
		if d, err := x.Check(r.dims); err == nil {
			unit = written(x, d)
		}
	}
	given := e
	if p := preset.get(e.key); p != nil {
		given = p
	}
	if s := r.setting(e.key); s != nil {
		given = s
	}
	x := r.parse(given, given.text)
	if x == nil {
		return false
	}
	if at := slices.IndexFunc(x.Names(), func(name string) bool { return r.below[name] }); at >= 0 {
		r.fault(given, "%q: %s is given below; an entry uses those above it", given.text, x.Names()[at])
		return false
	}
	u, err := expression.UnitOf(unit)
	if err != nil {
		r.fault(given, "%w", err)
		return false
	}
	v, err := x.In(u, r.dims, r.value)
	if err != nil {
		r.fault(given, "%q: %w", given.text, err)
		return false
	}
	r.dims[e.key], r.values[e.key] = u.Dim, u.Base(v)
	r.out.Parameters = append(r.out.Parameters, Parameter{e.key, given.text, v, unit})
	return true
}

// goodName reports whether a name consists of letters, digits, _ and, if dashes is true, -.
func goodName(name string, dashes bool) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) && !(dashes && c == '-')
	})
}

// written is the unit in which a parameter is given: that after its number, else one of its dimension.
func written(x *expression.Expr, d expression.Dimension) string {
	text := strings.TrimSpace(x.Text)
	if cut := strings.LastIndexAny(text, "0123456789. "); cut >= 0 {
		if name := text[cut+1:]; expression.IsUnit(name) && len(x.Names()) == 0 {
			if u, err := expression.UnitOf(name); err == nil && u.Dim == d {
				return name
			}
		}
	}
	return unitText(d)
}

// unitText is the unit of a dimension as an expression.
func unitText(d expression.Dimension) string {
	for _, name := range []string{"uA/cm2", "mS/cm2", "uF/cm2", "1/ms"} {
		if u, err := expression.UnitOf(name); err == nil && u.Dim == d {
			return name
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(d.String(), " ", "*"), "area", "(cm2/1000000)")
}

func (r *resolver) value(name string) float64 { return r.values[name] }

// parse reads an expression of a scalar.
func (r *resolver) parse(e *entry, text string) *expression.Expr {
	if e.kind != scalarText && e.kind != scalarNumber {
		r.fault(e, "a number, or a text with a number and its unit or an expression, is needed")
		return nil
	}
	x, err := expression.Parse(text)
	if err != nil {
		r.fault(e, "%q: %w", text, err)
		return nil
	}
	if slices.ContainsFunc(x.Names(), func(name string) bool { return r.broken[name] }) {
		return nil // that is reported already
	}
	return x
}

// number evaluates text in a unit; ok is false after a fault.
func (r *resolver) number(e *entry, text, unit string) (v float64, ok bool) {
	x := r.parse(e, text)
	if x == nil {
		return 0, false
	}
	u, err := expression.UnitOf(unit)
	if err == nil {
		v, err = x.In(u, r.dims, r.value)
	}
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("the value is %g", v)
	}
	if err != nil {
		r.fault(e, "%q: %w", text, err)
		return 0, false
	}
	return v, true
}

func (r *resolver) optional(from *entry, key, unit string, otherwise float64) float64 {
	if e := from.get(key); e != nil {
		if v, ok := r.number(e, e.text, unit); ok {
			return v
		}
	}
	return otherwise
}

// whole evaluates a count.
func (r *resolver) whole(e *entry, text string) (int, bool) {
	v, ok := r.number(e, text, "1")
	if ok && (v != math.Round(v) || math.Abs(v) > 1<<53) {
		r.fault(e, "%q is %g; a whole number is needed", text, v)
		return 0, false
	}
	return int(v), ok
}

func (r *resolver) flag(from *entry, key string, otherwise bool) bool {
	e := from.get(key)
	if e == nil {
		return otherwise
	}
	if e.kind != scalarBool {
		r.fault(e, "true or false is needed")
	}
	return e.text == "true"
}

// word returns a text of a table.
func (r *resolver) word(from *entry, key string) string {
	e := from.get(key)
	if e == nil {
		return ""
	}
	if e.kind != scalarText {
		r.fault(e, "a text is needed")
		return ""
	}
	return e.text
}

func (r *resolver) synapse(e *entry) {
	unknown(&r.faults, e, "synapse "+e.key, synapseKeys)
	s := network.Synapse{Name: e.key}
	name := r.word(e, "kind")
	k := slices.Index(network.Kinds(), name)
	if k < 0 {
		r.fault(e, "unknown kind %q%s; kinds are %s", name, expression.Nearest(name, network.Kinds()),
			strings.Join(network.Kinds(), ", "))
	}
	s.Kind = network.Kind(k)
	single := []network.Kind{network.ExpCurrent, network.AlphaCurrent, network.ExpConductance, network.AlphaConductance}
	reversal := []network.Kind{network.ExpConductance, network.AlphaConductance, network.BiexpConductance, network.NMDA}
	for _, c := range []struct {
		key, unit string
		to        *float64
		kinds     []network.Kind
	}{
		{"tau", "ms", &s.Tau, single},
		{"tau_rise", "ms", &s.Rise, []network.Kind{network.BiexpConductance, network.NMDA}},
		{"tau_decay", "ms", &s.Decay, []network.Kind{network.BiexpConductance, network.NMDA}},
		{"E", "mV", &s.E, reversal},
		{"alpha", "1/ms", &s.Alpha, []network.Kind{network.NMDA}},
		{"Mg", "mM", &s.Mg, []network.Kind{network.NMDA}},
	} {
		has, needs := e.get(c.key), slices.Contains(c.kinds, s.Kind)
		switch {
		case has != nil && k >= 0 && !needs:
			r.fault(has, "synapses of kind %s have none", name)
		case has != nil:
			*c.to, _ = r.number(has, has.text, c.unit)
		case needs && k >= 0:
			r.fault(e, "%s is missing", c.key)
		}
	}
	if a := e.get("approximate"); a != nil && k >= 0 && s.Kind != network.NMDA {
		r.fault(a, "synapses of kind %s have none", name)
	} else {
		s.Approximate = r.flag(e, "approximate", false)
	}
	r.out.Spec.Synapses = append(r.out.Spec.Synapses, s)
}

// inherited returns the entry of a key of a population: from a setting, its own table, or the population it is like.
func (r *resolver) inherited(e *entry, key string) *entry {
	if s := r.setting(e.key + "." + key); s != nil {
		return s
	}
	seen := 0
	for at := e; at != nil && seen < 100; seen++ {
		if c := at.get(key); c != nil {
			return c
		}
		like := at.get("like")
		if like == nil {
			return nil
		}
		at = r.d.root.get("population").get(like.text)
	}
	return nil
}

// tooLarge reports whether the neurons of the populations read so far need more memory than there is, before anything
// is drawn for each of them.
func (r *resolver) tooLarge() bool {
	return r.o.Memory > 0 && float64(r.neuronCount)*network.LeastNeuronBytes > r.o.Memory
}

// circular reports whether the chain of like entries from a population is circular.
func (r *resolver) circular(e *entry) bool {
	all := r.d.root.get("population")
	at := e
	for range len(all.items) + 1 {
		like := at.get("like")
		if like == nil {
			return false
		}
		if at = all.get(like.text); at == nil {
			return false
		}
	}
	return true
}

func (r *resolver) population(e *entry) {
	p := network.Population{Name: e.key, N: 1}
	r.populations[e.key] = len(r.out.Spec.Populations)
	defer func() { r.out.Spec.Populations = append(r.out.Spec.Populations, p) }()
	if like := e.get("like"); like != nil {
		if r.d.root.get("population").get(like.text) == nil || like.text == e.key {
			r.fault(like, "there is no other population %q", like.text)
		} else if r.circular(e) {
			r.fault(like, "likes lead in a circle")
			return
		}
	}
	if n := r.inherited(e, "n"); n == nil {
		r.fault(e, "n is missing")
	} else if k, ok := r.whole(n, n.text); !ok {
		p.N = 1
	} else if p.N = k; p.N < 1 {
		p.N = 1
		r.fault(n, "a population has at least 1 neuron")
	} else if p.N > math.MaxInt32 {
		r.fault(n, "%d neurons; at most %d are possible", p.N, math.MaxInt32)
		p.N = 1
	} else if r.neuronCount += p.N; r.tooLarge() {
		r.fault(n, "%d neurons need %.3g GB without their synapses; %.3g GB are available", r.neuronCount,
			float64(r.neuronCount)*network.LeastNeuronBytes/1e9, r.o.Memory/1e9)
		p.N = 1
	}
	kind := r.inherited(e, "model")
	if kind == nil {
		r.fault(e, "model is missing")
		return
	}
	switch kind.text {
	case "poisson":
		unknown(&r.faults, e, "a population of Poisson trains", []string{"model", "n", "like", "rate"})
		p.Source = &network.Source{}
		if rate := r.inherited(e, "rate"); rate != nil {
			p.Source.Rate = r.perNeuron(rate, "Hz", p.Name+".rate", p.N)
		}
		return
	case "spikes":
		unknown(&r.faults, e, "a population of spike trains", []string{"model", "n", "like", "times"})
		p.Source = &network.Source{}
		if times := r.inherited(e, "times"); times != nil {
			p.Source.Times = r.spikeTimes(times, p.N)
		} else {
			r.fault(e, "times is missing")
		}
		return
	}
	r.neurons(e, kind, &p)
}

func perVolt(current string) string {
	switch current {
	case "pA":
		return "nS"
	case "uA/cm2":
		return "mS/cm2"
	}
	return current + "/mV"
}

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

// redraws is the number of times that a number is drawn again before it is clipped to its bounds.
const redraws = 1000

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

// pool reads a population, a part "E:0:239", or a list of them.
func (r *resolver) pool(from *entry, key string) (parts []network.Part) {
	for _, e := range r.members(from, key) {
		p, ok := r.part(e)
		if !ok {
			continue
		}
		for _, o := range parts {
			first, last := max(o.First, p.First), min(o.First+o.N, p.First+p.N)-1
			if o.Population == p.Population && first <= last {
				r.fault(e, "neurons %d to %d of %s are there twice", first, last, r.out.Spec.Populations[p.Population].Name)
			}
		}
		parts = append(parts, p)
	}
	return parts
}

func (r *resolver) members(from *entry, key string) []*entry {
	e := from.get(key)
	switch {
	case e == nil:
		r.fault(from, "%s is missing", key)
		return nil
	case e.kind == list:
		if len(e.items) == 0 {
			r.fault(e, "the list is empty; a population or a part of it is needed")
		}
		for _, item := range e.items {
			item.key = key
		}
		return e.items
	}
	return []*entry{e}
}

func (r *resolver) part(e *entry) (network.Part, bool) {
	words := split(e.text, ':')
	if e.kind != scalarText || len(words) != 1 && len(words) != 3 {
		r.fault(e, "%q: a population or a part of it, such as \"E\" or \"E:0:239\", is needed", e.text)
		return network.Part{}, false
	}
	j, ok := r.populations[words[0]]
	if !ok {
		r.fault(e, "no population %q%s", words[0], expression.Nearest(words[0], slices.Sorted(maps.Keys(r.populations))))
		return network.Part{}, false
	}
	part := network.Part{Population: j, N: r.out.Spec.Populations[j].N}
	if len(words) == 3 {
		first, ok := r.whole(e, words[1])
		last, fine := r.whole(e, words[2])
		if !ok || !fine {
			return part, false
		}
		if first < 0 || last < first || last >= part.N {
			r.fault(e, "%q: %s has neurons 0 to %d", e.text, words[0], part.N-1)
			return part, false
		}
		part.First, part.N = first, last-first+1
	}
	return part, true
}

// synapseOf returns the synapse that a projection or input names, and the unit of its weights.
func (r *resolver) synapseOf(from *entry, to []network.Part) (index int, unit string) {
	if from.get("synapse") == nil {
		r.fault(from, "synapse is missing")
		return 0, ""
	}
	name := r.word(from, "synapse")
	names := make([]string, len(r.out.Spec.Synapses))
	for i, s := range r.out.Spec.Synapses {
		names[i] = s.Name
	}
	index = slices.Index(names, name)
	if index < 0 {
		r.fault(from, "no synapse %q%s", name, expression.Nearest(name, names))
		return 0, ""
	}
	for _, p := range to {
		m := r.out.Spec.Populations[p.Population].Model
		if m == nil {
			continue
		}
		u := m.CurrentUnit
		switch k := r.out.Spec.Synapses[index].Kind; {
		case k == network.Delta:
			u = "mV"
		case k >= network.ExpConductance:
			u = perVolt(u)
		}
		if unit != "" && u != unit {
			r.fault(from, "the weight is in %s for some targets and in %s for others; use two of these tables", unit, u)
		}
		unit = u
	}
	return index, unit
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

func (r *resolver) projection(e *entry) {
	unknown(&r.faults, e, "projection "+e.key, projectionKeys)
	before := len(r.faults)
	pairs := r.flag(e, "pairs", false)
	from, to := r.pool(e, "from"), r.pool(e, "to")
	r.receivers(e, to)
	synapse, unit := r.synapseOf(e, to)
	p := network.Projection{
		Name: e.key, Synapse: synapse,
		NoAutapses: !r.flag(e, "autapses", true), NoMultapses: !r.flag(e, "multapses", true),
	}
	if e.get("rule") == nil {
		r.fault(e, "rule is missing")
	}
	if len(r.faults) > before || unit == "" {
		r.otherFaults(e)
		return
	}
	if !pairs {
		p.From, p.To = from, to
		r.connect(p, e, unit, func(key string) *entry { return e.get(key) })
		return
	}
	sources, targets := r.members(e, "from"), r.members(e, "to")
	for i, target := range to {
		for j, source := range from {
			q := p
			q.Name = fmt.Sprintf("%s.%s.%s", e.key, sources[j].text, targets[i].text)
			q.From, q.To = []network.Part{source}, []network.Part{target}
			r.connect(q, e, unit, func(key string) *entry { return r.cell(e, key, i, j, len(to), len(from)) })
		}
	}
}

// otherFaults reads the other entries of a projection with faults, to find more.
func (r *resolver) otherFaults(e *entry) {
	r.broken["n_pre"], r.broken["n_post"] = true, true
	defer func() { delete(r.broken, "n_pre"); delete(r.broken, "n_post") }()
	if rule := e.get("rule"); rule != nil && rule.kind == scalarText && !strings.HasPrefix(rule.text, "@") {
		r.rule(rule)
	}
	if delay := e.get("delay"); delay != nil && delay.kind != list {
		r.law(delay, "ms")
	}
}

// isMatrix reports whether a list has the rows and columns of a matrix.
func (e *entry) isMatrix(rows, columns int) bool {
	return len(e.items) == rows && !slices.ContainsFunc(e.items, func(row *entry) bool {
		return row.kind != list || len(row.items) != columns
	})
}

// cell returns the entry of a matrix for a pair, or that of all pairs; nil, too, of a list that is no such matrix,
// which is reported once.
func (r *resolver) cell(e *entry, key string, i, j, rows, columns int) *entry {
	m := e.get(key)
	if m == nil || m.kind != list {
		return m
	}
	if !m.isMatrix(rows, columns) {
		if i == 0 && j == 0 {
			r.fault(m, "a matrix of %d rows (targets) and %d columns (sources) is needed", rows, columns)
		}
		return nil
	}
	c := m.items[i].items[j]
	c.key = fmt.Sprintf("%s, row %d, column %d", key, i+1, j+1)
	return c
}

// connect reads rule, weight and delay of a projection, and appends it.
func (r *resolver) connect(p network.Projection, e *entry, unit string, of func(key string) *entry) {
	size := func(pool []network.Part) (n int) {
		for _, part := range pool {
			n += part.N
		}
		return n
	}
	for name, pool := range map[string][]network.Part{"n_pre": p.From, "n_post": p.To} {
		r.dims[name], r.values[name] = expression.None, float64(size(pool))
		defer func() { delete(r.dims, name); delete(r.values, name) }()
	}
	rule := of("rule")
	if rule == nil || rule.text == "0" {
		return
	}
	weight, delay := of("weight"), of("delay")
	if weight != nil && weight.kind == scalarNumber && weight.text == "0" && e.get("pairs") != nil {
		return
	}
	before := len(r.faults)
	if strings.HasPrefix(rule.text, "@") {
		p.Rule = r.edges(rule, p.Name, weight == nil, delay == nil, size(p.From), size(p.To))
	} else {
		p.Rule = r.rule(rule)
		if weight == nil && e.get("weight") == nil {
			r.fault(e, "weight is missing")
		}
		if delay == nil && e.get("delay") == nil {
			r.fault(e, "delay is missing")
		}
	}
	if weight != nil {
		p.Weight = r.law(weight, unit)
	}
	if delay != nil {
		p.Delay = r.law(delay, "ms")
	}
	if len(r.faults) == before {
		r.out.Spec.Projections = append(r.out.Spec.Projections, p)
	}
}

var ruleForms = "in-degree:K, out-degree:K, probability:P, total:N, all-to-all, one-to-one, ring:J_PLUS:SIGMA_DEG, " +
	"@edges.csv"

func (r *resolver) rule(e *entry) network.Rule {
	parts := split(e.text, ':')
	if len(parts) == 0 {
		r.fault(e, "the rule is empty; rules are %s", ruleForms)
		return nil
	}
	args := map[string]int{
		"in-degree":   1,
		"out-degree":  1,
		"probability": 1,
		"total":       1,
		"all-to-all":  0,
		"one-to-one":  0,
		"ring":        2,
	}
	n, known := args[parts[0]]
	if name, ok := foreign[parts[0]]; ok && !known {
		r.fault(e, "unknown rule %q; here it is %s", parts[0], name)
		return nil
	}
	if known && len(parts) != n+1 {
		r.fault(e, "%q: rules are %s", e.text, ruleForms)
		return nil
	}
	if !known {
		r.fault(e, "unknown rule %q%s; rules are %s", e.text, expression.Nearest(parts[0], slices.Sorted(maps.Keys(args))),
			ruleForms)
		return nil
	}
	switch parts[0] {
	case "in-degree":
		k, _ := r.whole(e, parts[1])
		return network.InDegree{K: k}
	case "out-degree":
		k, _ := r.whole(e, parts[1])
		return network.OutDegree{K: k}
	case "probability":
		p, ok := r.number(e, parts[1], "1")
		if ok && !(p >= 0 && p <= 1) {
			r.fault(e, "a probability of %g; it lies between 0 and 1", p)
		}
		return network.Probability{P: p}
	case "total":
		k, _ := r.whole(e, parts[1])
		return network.Total{N: int64(k)}
	case "all-to-all":
		return network.AllToAll{}
	case "one-to-one":
		return network.OneToOne{}
	}
	plus, _ := r.number(e, parts[1], "1")
	sigma, _ := r.number(e, parts[2], "1")
	return network.Ring{JPlus: plus, Sigma: sigma}
}

func (r *resolver) input(e *entry) {
	unknown(&r.faults, e, "input "+e.key, inputKeys)
	in := network.Input{Name: e.key, To: r.pool(e, "to")}
	n := 0
	for _, p := range in.To {
		n += p.N
	}
	if n == 0 || !r.receivers(e, in.To) {
		return
	}
	given := 0
	for _, key := range []string{"poisson", "spikes", "current", "noise"} {
		if e.get(key) != nil {
			given++
		}
	}
	if given != 1 {
		r.fault(e, "one of poisson, spikes, current and noise is needed; %d are given", given)
		return
	}
	in.Start, in.Stop = r.optional(e, "start", "ms", 0), r.optional(e, "stop", "ms", 0)
	if g := e.get("gain"); g != nil {
		in.Gain = r.perNeuron(g, "1", e.key+".gain", n)
	}
	poisson, spikes, current := e.get("poisson"), e.get("spikes"), e.get("current")
	if current != nil {
		r.without(e, "current", "synapse", "weight", "delay", "redraw")
		in.Current = r.shape(current, r.unitOf(current, in.To, func(m *model.Model) string { return m.CurrentUnit }))
	} else if noise := e.get("noise"); noise != nil {
		in.Noise = r.noise(e, noise, in.To)
	} else {
		var unit string
		in.Synapse, unit = r.synapseOf(e, in.To)
		if w := e.get("weight"); w == nil {
			r.fault(e, "weight is missing")
		} else if unit != "" {
			in.Weight = r.law(w, unit)
		}
		in.Delay = r.optional(e, "delay", "ms", 0)
	}
	if spikes != nil {
		r.without(e, "spikes", "redraw")
		in.Spikes = r.spikeTimes(spikes, n)
	}
	if poisson != nil {
		in.Poisson = &network.Poisson{Redraw: r.optional(e, "redraw", "ms", 0)}
		kind, _, _ := strings.Cut(poisson.text, ":")
		if d, ok := r.draw(poisson, poisson.text, "Hz"); ok {
			in.Poisson.Law = d
			r.out.Spec.Inputs = append(r.out.Spec.Inputs, in)
			return
		}
		r.without(e, "a rate that is not drawn", "redraw")
		if slices.Contains(stimulus.Kinds, kind) || strings.HasPrefix(kind, "@") {
			in.Poisson.Shape = r.shape(poisson, "Hz")
			r.noNegative(poisson, in.Poisson.Shape)
		} else {
			in.Poisson.Rate, _ = r.number(poisson, poisson.text, "Hz")
		}
	}
	r.out.Spec.Inputs = append(r.out.Spec.Inputs, in)
}

// noNegative reports a rate over time that falls below 0 in the time of the description.
func (r *resolver) noNegative(e *entry, rate func(step int64) float64) {
	const most = 1_000_000 // steps that are looked at
	dt := r.out.Spec.Dt
	for k := int64(0); rate != nil && k < most && float64(k)*dt < r.out.Time; k++ {
		if x := rate(k); x < 0 {
			r.fault(e, "a rate of %g Hz at %g ms; it must be 0 or more", x, float64(k)*dt)
			return
		}
	}
}

// receivers reports a pool that holds sources only, which receive nothing.
func (r *resolver) receivers(e *entry, to []network.Part) bool {
	for _, p := range to {
		// a population with faults of its own has neither a model nor a source
		if r.out.Spec.Populations[p.Population].Source == nil {
			return true
		}
	}
	if len(to) > 0 {
		r.fault(e.get("to"), "%s only sends spikes; a population of a model is needed",
			r.out.Spec.Populations[to[0].Population].Name)
	}
	return len(to) == 0
}

// without reports keys that have no effect on what an input is.
func (r *resolver) without(input *entry, what string, keys ...string) {
	for _, key := range keys {
		if e := input.get(key); e != nil {
			r.fault(e, "%s has none", what)
		}
	}
}

// unitOf is the unit of an entry by the models of a pool; it is a fault if they differ.
func (r *resolver) unitOf(e *entry, to []network.Part, unit func(m *model.Model) string) (name string) {
	for _, p := range to {
		m := r.out.Spec.Populations[p.Population].Model
		if m == nil {
			continue
		}
		u := unit(m)
		if name != "" && u != name {
			r.fault(e, "its unit is %s for some populations and %s for others; two inputs are needed", name, u)
			return u
		}
		name = u
	}
	return name
}

// noise reads white:SIGMA or ou:SD:TAU.
func (r *resolver) noise(input, e *entry, to []network.Part) *network.Noise {
	for _, key := range []string{"synapse", "weight", "delay", "redraw"} {
		if other := input.get(key); other != nil {
			r.fault(other, "noise has none; it acts on V or is a current")
		}
	}
	n := &network.Noise{}
	switch parts := split(e.text, ':'); {
	case len(parts) == 2 && parts[0] == "white":
		n.SD, _ = r.number(e, parts[1], r.unitOf(e, to, func(m *model.Model) string {
			if m.Fires == model.Reset {
				return "mV"
			}
			return "1" // the unit of the current times sqrt(ms)
		}))
	case len(parts) == 3 && parts[0] == "ou":
		n.SD, _ = r.number(e, parts[1], r.unitOf(e, to, func(m *model.Model) string { return m.CurrentUnit }))
		var ok bool
		if n.Tau, ok = r.number(e, parts[2], "ms"); ok && !(n.Tau > 0) {
			r.fault(e, "a correlation time of %g ms; it must be above 0", n.Tau)
		}
	default:
		r.fault(e, "%q: noise is written white:SIGMA or ou:SD:TAU", e.text)
	}
	return n
}

// shape reads a waveform; its numbers may be expressions. A single number is constant.
func (r *resolver) shape(e *entry, unit string) func(step int64) float64 {
	kind, _, _ := strings.Cut(e.text, ":")
	if !slices.Contains(stimulus.Kinds, kind) && !strings.HasPrefix(kind, "@") && !strings.Contains(e.text, ":") {
		v, _ := r.number(e, e.text, unit)
		return func(int64) float64 { return v }
	}
	failed := errors.New("reported already")
	s := stimulus.Syntax{
		Number: func(text, unit string) (float64, error) {
			v, ok := r.number(e, text, unit)
			if !ok {
				return 0, failed
			}
			return v, nil
		},
		Column: func(path string) ([]float64, error) {
			f := r.file(e, "@"+path, -1)
			if f == nil {
				return nil, failed
			}
			if len(f.names) != 1 || f.numbers[f.names[0]] == nil {
				return nil, fmt.Errorf("%s: one column of numbers is needed", path)
			}
			return f.numbers[f.names[0]], nil
		},
	}
	shape, err := s.Parse(e.text, unit)
	if err != nil {
		if !errors.Is(err, failed) {
			r.fault(e, "%w", err)
		}
		return nil
	}
	return stimulus.Sum{shape}.Waveform(r.out.Spec.Dt).Mean
}
