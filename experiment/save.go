package experiment

import (
	"fmt"
	"strings"
)

// Saved is an experiment to be written: flags, those given and those in Resolved, then values.
type Saved struct {
	Comment string // the first line
	Verb    string
	Model   string // MODEL[:PRESET], "" for none
	Flags   []Flag
	Given   func(name string) bool

	// Resolved holds values of flags that were not given, or whose value is to be replaced; an empty text means the
	// value that the flag holds. Flags that belong to one call are left out.
	Resolved map[string]string
	Values   [][2]string // NAME and VALUE
}

// Save returns the experiment file of a verb: all parameters of the neuron with their units, and flags as in Saved.
func Save(comment string, verb string, n Neuron, flags []Flag, given func(name string) bool,
	resolved map[string]string,
) []byte {
	x := Saved{Comment: comment, Verb: verb, Flags: flags, Given: given, Resolved: resolved}
	if n.Model != nil {
		x.Model = n.Name()
		for _, s := range n.Complete() {
			x.Values = append(x.Values, [2]string{s.Name, s.Value.String()})
		}
	}
	return x.Text()
}

// Text returns the experiment file.
func (x Saved) Text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", x.Comment)
	fmt.Fprintf(&b, "%s = %s\n", VerbKey, Quote(x.Verb))
	if x.Model != "" {
		fmt.Fprintf(&b, "%s = %s\n", ModelKey, Quote(x.Model))
	}
	for _, f := range x.Flags {
		text, known := x.Resolved[f.Name]
		if f.Once || !known && !x.Given(f.Name) {
			continue
		}
		if text != "" {
			text = quoteLines(text)
		} else {
			text = f.Value.TOML()
		}
		fmt.Fprintf(&b, "%s = %s\n", f.Name, text)
	}
	if x.Model == "" {
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "\n[%s]\n", ValuesKey)
	for _, v := range x.Values {
		name := v[0]
		if strings.Contains(name, ".") {
			name = Quote(name)
		}
		fmt.Fprintf(&b, "%s = %s\n", name, Quote(v[1]))
	}
	return []byte(b.String())
}

// quoteLines is like Quote, but returns a multi-line literal string for a text of several lines, if such a string can
// hold it.
func quoteLines(text string) string {
	control := strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f })
	if !strings.Contains(text, "\n") || strings.Contains(text, "'''") || control {
		return Quote(text)
	}
	return "'''\n" + text + "'''"
}

// Quote returns text as a basic string of TOML.
func Quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteList(texts []string) string {
	var items []string
	for _, t := range texts {
		items = append(items, Quote(t))
	}
	return "[" + strings.Join(items, ", ") + "]"
}
