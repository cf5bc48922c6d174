package main

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth is how wide help is, in columns.
const helpWidth = 80

// narrow makes help fit helpWidth: paragraphs and flags are wrapped between words; indented lines stay as they are.
func narrow(root *cobra.Command) {
	usage := strings.NewReplacer(
		".LocalFlags.FlagUsages", ".LocalFlags.FlagUsagesWrapped 80",
		".InheritedFlags.FlagUsages", ".InheritedFlags.FlagUsagesWrapped 80",
	)
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		long, example := c.Long, c.Example
		c.Long, c.Example = wrapped(long), wrapped(example)
		help(c, args)
		c.Long, c.Example = long, example
	})
}

var twoColumns = regexp.MustCompile(`^( +\S.*\s{2,})(\S.*)$`)

// hanging wraps an indented line that is too long: its last column is indented below itself; a
// command which is continued with a backslash.
func hanging(line string) []string {
	head, rest, mark := "", line, ""
	if m := twoColumns.FindStringSubmatch(line); m != nil {
		head, rest = m[1], m[2]
	} else if strings.HasPrefix(line, "  popsim ") {
		head, rest, mark = "  ", line[2:], ` \`
	} else {
		rest = strings.TrimLeft(line, " ")
		head = line[:len(line)-len(rest)]
	}
	if len([]rune(line)) <= helpWidth || head == "" {
		return []string{line}
	}
	indent := strings.Repeat(" ", len([]rune(head)))
	if mark != "" {
		indent += "    "
	}
	var out []string
	current := head
	for w := range strings.FieldsSeq(rest) {
		if len([]rune(current))+1+len([]rune(w))+len(mark) > helpWidth {
			out = append(out, strings.TrimRight(current, " ")+mark)
			current = indent
		}
		if !strings.HasSuffix(current, " ") {
			current += " "
		}
		current += w
	}
	return append(out, current)
}

// wrapped is text with its paragraphs wrapped.
func wrapped(text string) string {
	var out, words []string
	end := func() {
		line := ""
		for _, w := range words {
			if line != "" && len([]rune(line))+1+len([]rune(w)) > helpWidth {
				out = append(out, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += w
		}
		if line != "" {
			out = append(out, line)
		}
		words = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || strings.HasPrefix(line, " ") {
			end()
			out = append(out, hanging(line)...)
			continue
		}
		words = append(words, strings.Fields(line)...)
	}
	end()
	return strings.Join(out, "\n")
}
