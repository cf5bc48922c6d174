package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"popsim/fault"
	"popsim/model"
)

// Ending is the ending of the names of experiment files.
const Ending = ".toml"

// The keys of an experiment file that are not flags.
const (
	VerbKey   = "verb"
	ModelKey  = "model"
	FileKey   = "file" // of merge and status
	ValuesKey = "values"
)

// Subject is the kind of the first argument of a verb.
type Subject int

// The subjects.
const (
	NoSubject Subject = iota
	OfModel           // MODEL[:PRESET] [NAME=VALUE ...]
	OfFile            // FILE
)

func (s Subject) key() string { return [...]string{"", ModelKey, FileKey}[s] }

// Verb describes a verb that an experiment file may name.
type Verb struct {
	Name    string
	Subject Subject
	Flags   []Flag
}

// flag returns the flag of a key; --save is not a key.
func (v Verb) flag(name string) (Flag, bool) {
	i := slices.IndexFunc(v.Flags, func(f Flag) bool { return f.Name == name && f.Name != "save" })
	if i < 0 {
		return Flag{}, false
	}
	return v.Flags[i], true
}

// Experiment is a verb, its first argument, NAME=VALUE in their order, and flags. A file and a command line are two
// ways to write it.
type Experiment struct {
	Verb    string
	Subject string // MODEL[:PRESET] or FILE; "" for none
	About   Entry  // the entry that gave Subject, if a file did
	Values  []Entry
	Flags   []Entry
}

// Entry is a name and the texts given for it.
type Entry struct {
	Name  string
	Texts []string // as on the command line; several of a list
	Place string   // FILE:LINE:COLUMN; "" from a command line
	form  form
	list  bool
}

// form is the type of a scalar in a file.
type form int

const (
	text form = iota
	number
	logical
)

// Text returns the value as one word of a command line.
func (e Entry) Text() string { return strings.Join(e.Texts, ",") }

// one checks that the entry is one text, or one number where numbers are allowed.
func (e Entry) one(numbers bool) error {
	switch {
	case e.form == logical:
		return fmt.Errorf("%s is neither a number nor a text", e.Text())
	case e.form == number && !e.list && !numbers:
		return fmt.Errorf("%s is a number where a text is needed", e.Text())
	case e.list:
		return errors.New("one value is needed, not a list")
	}
	return nil
}

// Words returns the words after the verb: MODEL[:PRESET] or FILE, then NAME=VALUE.
func (x *Experiment) Words() (words []string) {
	if x.Subject != "" {
		words = append(words, x.Subject)
	}
	for _, e := range x.Values {
		words = append(words, e.Name+"="+e.Text())
	}
	return words
}

// Args returns the command line of the same experiment.
func (x *Experiment) Args() []string {
	args := append([]string{x.Verb}, x.Words()...)
	for _, e := range x.Flags {
		for _, t := range e.Texts {
			args = append(args, "--"+e.Name+"="+t)
		}
	}
	return args
}

// Places returns the places of all entries in the file, by the subjects of errors (see fault.About).
func (x *Experiment) Places() map[string]string {
	places := map[string]string{}
	if x.About.Place != "" {
		places[AboutModel] = x.About.Place
	}
	for _, e := range x.Values {
		places[e.Name] = e.Place
	}
	for _, e := range x.Flags {
		places["--"+e.Name] = e.Place
	}
	return places
}

// Override replaces entries by those of words (NAME=VALUE) and flags. Replaced values keep their place in the order;
// new ones come last.
func (x *Experiment) Override(words []string, flags []Entry) {
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		e := Entry{Name: name, Texts: []string{value}}
		if i := slices.IndexFunc(x.Values, func(o Entry) bool { return ok && o.Name == name && o.Place != "" }); i >= 0 {
			x.Values[i] = e
		} else {
			x.Values = append(x.Values, e)
		}
	}
	x.Flags = slices.DeleteFunc(x.Flags, func(o Entry) bool {
		return slices.ContainsFunc(flags, func(e Entry) bool { return e.Name == o.Name })
	})
	x.Flags = append(x.Flags, flags...)
}

// reader is an experiment file being read.
type reader struct {
	path   string
	keys   []Entry // above [values]
	values []Entry
	faults fault.List
	broken bool // it is not TOML, and was read only up to its first error
}

// Read reads an experiment file with the content data. verbs are the verbs it may name; their flags are not set. If the
// file names no verb or is not TOML, the experiment is nil. All errors have their places.
func Read(path string, data []byte, verbs []Verb) (*Experiment, fault.List) {
	r := reader{path: path}
	r.parse(data)
	if r.broken {
		return nil, r.faults
	}
	verb, ok := r.verb(verbs)
	if !ok {
		return nil, r.faults
	}
	x := &Experiment{Verb: verb.Name}
	for _, subject := range []Subject{OfModel, OfFile} {
		e, ok := r.take(subject.key())
		switch {
		case e.Place != "" && verb.Subject != subject:
			r.fault(e.Place, fmt.Errorf("%s takes no %s", verb.Name, subject.key()))
		case ok:
			x.Subject, x.About = e.Text(), e
		}
	}
	for _, e := range r.values {
		if e.Texts != nil {
			x.Values = append(x.Values, e)
		}
	}
	for _, e := range r.keys {
		f, known := verb.flag(e.Name)
		if !known {
			r.fault(e.Place, unknownKey(verb, e.Name))
			continue
		}
		if e.Texts == nil {
			continue
		}
		if err := f.Value.takes(e); err != nil {
			r.fault(e.Place, fmt.Errorf("%s: %w", e.Name, err))
			continue
		}
		if _, repeated := f.Value.(*Texts); !repeated {
			e.Texts = []string{e.Text()}
		}
		x.Flags = append(x.Flags, e)
	}
	return x, r.faults
}

// unknownKey returns the error about a key that the verb does not have.
func unknownKey(verb Verb, name string) error {
	err := fmt.Errorf("%s has no key %s", verb.Name, name)
	if NamesQuantity(name) {
		return fault.Hint(err, "values of the model are given below [%s]", ValuesKey)
	}
	known := []string{VerbKey, ModelKey, ValuesKey}
	for _, f := range verb.Flags {
		known = append(known, f.Name)
	}
	if near := model.Nearest(name, known); near != "" {
		return fault.Hint(err, "did you mean %s?", near)
	}
	return fault.Hint(err, "a key is %s, %s, [%s], or a flag: popsim %s --help lists them", VerbKey, ModelKey,
		ValuesKey, verb.Name)
}

// NamesQuantity reports whether some model has a parameter or state of that name.
func NamesQuantity(name string) bool {
	return name == "I" || slices.ContainsFunc(model.All, func(m *model.Model) bool {
		return m.Index(name) >= 0 || m.StateIndex(strings.TrimSuffix(name, "0")) >= 0
	})
}

// verb returns the verb that the file names.
func (r *reader) verb(verbs []Verb) (Verb, bool) {
	var names []string
	for _, v := range verbs {
		names = append(names, v.Name)
	}
	e, ok := r.take(VerbKey)
	i := slices.Index(names, e.Text())
	switch {
	case !ok && e.Place == "":
		r.fault(r.path, fault.Hint(fmt.Errorf("no %s is given", VerbKey),
			`begin the file with %s = "run"; the verbs are %s`, VerbKey, strings.Join(names, ", ")))
	case ok && i < 0:
		err := fmt.Errorf("there is no %s %q", VerbKey, e.Text())
		if near := model.Nearest(e.Text(), names); near != "" {
			err = fault.Hint(err, "did you mean %q?", near)
		}
		r.fault(e.Place, err)
	case ok:
		return verbs[i], true
	}
	return Verb{}, false
}

// take removes a key that is not a flag and returns its entry; ok is false if it is missing or not a text.
func (r *reader) take(name string) (e Entry, ok bool) {
	i := slices.IndexFunc(r.keys, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	e = r.keys[i]
	r.keys = slices.Delete(r.keys, i, i+1)
	if e.Texts != nil && (e.form != text || e.list) {
		r.fault(e.Place, fmt.Errorf("%s is not a text", name))
		e.Texts = nil
	}
	return e, e.Texts != nil
}

func (r *reader) fault(place string, err error) { r.faults.Add(fault.At(place, err)) }

// parse splits the file into keys and values. An error of TOML is reported once.
func (r *reader) parse(data []byte) {
	var whole map[string]any
	var wrong *toml.DecodeError
	if err := toml.Unmarshal(data, &whole); errors.As(err, &wrong) {
		line, column := wrong.Position()
		r.fault(fmt.Sprintf("%s:%d:%d", r.path, line, column), errors.New(strings.TrimPrefix(wrong.Error(), "toml: ")))
	} else if err != nil {
		r.fault(r.path, err)
	}
	p := new(unstable.Parser)
	p.Reset(data)
	table := []string(nil)
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			var place string
			table, place = r.key(p, e)
			if len(table) > 2 || table[0] != ValuesKey || e.Kind == unstable.ArrayTable {
				r.fault(place, fault.Hint(fmt.Errorf("there is no table %s", strings.Join(table, ".")),
					"the only table is [%s]; flags stand above it", ValuesKey))
			}
		case unstable.KeyValue:
			r.keyValue(p, e, table)
		}
	}
	r.broken = p.Error() != nil
}

// key returns the parts of the dotted key of a node, and its place.
func (r *reader) key(p *unstable.Parser, e *unstable.Node) (parts []string, place string) {
	for k := e.Key(); k.Next(); {
		n := k.Node()
		if place == "" {
			start := p.Shape(n.Raw).Start
			place = fmt.Sprintf("%s:%d:%d", r.path, start.Line, start.Column)
		}
		parts = append(parts, string(n.Data))
	}
	return parts, place
}

// keyValue reads one line KEY = VALUE, or one pair of an inline table.
func (r *reader) keyValue(p *unstable.Parser, n *unstable.Node, table []string) {
	key, place := r.key(p, n)
	path := append(slices.Clone(table), key...)
	value := n.Value()
	if value.Kind == unstable.InlineTable && len(path) <= 2 && path[0] == ValuesKey {
		for pairs := value.Children(); pairs.Next(); {
			r.keyValue(p, pairs.Node(), path)
		}
		return
	}
	e := Entry{Name: path[len(path)-1], Place: place, form: formOf(value.Kind)}
	var err error
	if value.Kind == unstable.Array {
		e.list = true
		err = e.items(value)
	} else {
		var t string
		t, err = scalar(value)
		e.Texts = []string{t}
	}
	to := &r.keys
	switch {
	case len(path) == 2 && path[0] == ValuesKey:
		to = &r.values
	case len(path) == 3 && path[0] == ValuesKey: // POPULATION.NAME of a network
		to, e.Name = &r.values, path[1]+"."+path[2]
	case len(path) > 1 && len(table) == 0:
		err = fmt.Errorf("there is no %s", strings.Join(path, "."))
	case len(path) > 1:
		return // the table is no table of ours, which is a fault already
	}
	if err != nil {
		r.fault(place, fmt.Errorf("%s: %w", strings.Join(key, "."), err))
		e.Texts = nil
	}
	if !slices.ContainsFunc(*to, func(o Entry) bool { return o.Name == e.Name }) { // a second is a fault of TOML
		*to = append(*to, e)
	}
}

// items reads a list. Its items must be single values; a text with a comma would be several.
func (e *Entry) items(array *unstable.Node) error {
	for items := array.Children(); items.Next(); {
		item, err := scalar(items.Node())
		if err != nil {
			return err
		}
		if strings.Contains(item, ",") && NamesQuantity(e.Name) {
			return fmt.Errorf("%q in a list holds a comma; write each value as an item of its own, decimals with a point", item)
		}
		e.Texts = append(e.Texts, item)
	}
	if len(e.Texts) == 0 {
		return errors.New("the list is empty")
	}
	return nil
}

func formOf(k unstable.Kind) form {
	switch k {
	case unstable.Integer, unstable.Float:
		return number
	case unstable.Bool:
		return logical
	}
	return text
}

// scalar returns a single value as it is written on the command line.
func scalar(n *unstable.Node) (string, error) {
	switch n.Kind {
	case unstable.String, unstable.Bool:
		return string(n.Data), nil
	case unstable.Integer:
		t := strings.ReplaceAll(strings.TrimPrefix(string(n.Data), "+"), "_", "")
		if i, err := strconv.ParseInt(t, 0, 64); err == nil {
			t = strconv.FormatInt(i, 10)
		}
		return t, nil
	case unstable.Float:
		t := strings.ReplaceAll(string(n.Data), "_", "")
		if strings.ContainsAny(t, "in") {
			return "", fmt.Errorf("%s is not a finite number", t)
		}
		return t, nil
	}
	return "", fmt.Errorf("a %s cannot be used here; use a number, a text such as \"10ms\", true or false, or a list",
		strings.ToLower(n.Kind.String()))
}
