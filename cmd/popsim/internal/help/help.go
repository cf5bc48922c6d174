// Package help lays out help texts for a terminal of 80 columns.
package help

import (
	"io"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// Width is the number of columns that help fits into.
const Width = 80

// Fit makes the help of root and of all its commands fit Width: paragraphs and descriptions of flags are wrapped
// between words; indented lines stay as they are unless they are too long.
func Fit(root *cobra.Command) {
	usage := strings.NewReplacer(
		".LocalFlags.FlagUsages", ".LocalFlags.FlagUsagesWrapped 80",
		".InheritedFlags.FlagUsages", ".InheritedFlags.FlagUsagesWrapped 80",
	)
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
	print := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		long, example := c.Long, c.Example
		c.Long, c.Example = Wrap(long), Wrap(example)
		print(c, args)
		c.Long, c.Example = long, example
	})
}

// Wrap wraps the paragraphs of text, and its indented lines by WrapLine.
func Wrap(text string) string {
	var out, words []string
	endParagraph := func() {
		out = append(out, paragraph(words)...)
		words = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || strings.HasPrefix(line, " ") {
			endParagraph()
			out = append(out, WrapLine(line)...)
			continue
		}
		words = append(words, strings.Fields(line)...)
	}
	endParagraph()
	return strings.Join(out, "\n")
}

// paragraph sets words into lines.
func paragraph(words []string) (lines []string) {
	line := ""
	for _, w := range words {
		if line != "" && columnsOf(line)+1+columnsOf(w) > Width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func columnsOf(text string) int { return len([]rune(text)) }

// twoColumns matches an indented line of two columns.
var twoColumns = regexp.MustCompile(`^( +\S.*\s{2,})(\S.*)$`)

// WrapLine wraps an indented line that is too long. The second of two columns continues below itself, a popsim command
// after a backslash, further indented, other text at the indentation of the line.
func WrapLine(line string) []string {
	head, rest, mark := "", line, ""
	if m := twoColumns.FindStringSubmatch(line); m != nil {
		head, rest = m[1], m[2]
	} else if strings.HasPrefix(line, "  popsim ") {
		head, rest, mark = "  ", line[2:], ` \`
	} else {
		rest = strings.TrimLeft(line, " ")
		head = line[:len(line)-len(rest)]
	}
	if columnsOf(line) <= Width || head == "" {
		return []string{line}
	}
	indent := strings.Repeat(" ", columnsOf(head))
	if mark != "" {
		indent += "    "
	}
	var out []string
	current := head
	for w := range strings.FieldsSeq(rest) {
		if columnsOf(current)+1+columnsOf(w)+len(mark) > Width {
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

// Columns writes to w the lines that lines writes, with their cells, divided by tabs, aligned.
func Columns(w io.Writer, lines func(w io.Writer)) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines(t)
	_ = t.Flush()
}
