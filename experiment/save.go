package experiment

import (
	"fmt"
	"strings"
)

// Save is the experiment file of a verb: all parameters of the neuron with their units, and flags, those given and those
// in resolved. resolved has the values of flags that were not given, or not in full; an empty text stands for what the
// flag itself holds. Flags that belong to one call are left out. comment is the first line.
func Save(comment string, verb string, n Neuron, flags []Flag, given func(name string) bool, resolved map[string]string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", comment)
	fmt.Fprintf(&b, "%s = %s\n", VerbKey, Quote(verb))
	if n.Model != nil {
		fmt.Fprintf(&b, "%s = %s\n", ModelKey, Quote(n.Name()))
	}
	for _, f := range flags {
		text, known := resolved[f.Name]
		if f.Once || !known && !given(f.Name) {
			continue
		}
		if text != "" {
			text = Quote(text)
		} else {
			text = f.Value.TOML()
		}
		fmt.Fprintf(&b, "%s = %s\n", f.Name, text)
	}
	if n.Model == nil {
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "\n[%s]\n", ValuesKey)
	for _, s := range n.Complete() {
		fmt.Fprintf(&b, "%s = %s\n", s.Name, Quote(s.Value.String()))
	}
	return []byte(b.String())
}

// Quote is text as a basic string of TOML.
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
