// Package manual writes manual pages in the language of man(7), one for each command and topic, from the texts and
// flags of the commands themselves.
package manual

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/table/file"
)

// Write writes the pages of root and of its commands and topics, except hidden ones, into dir. version is the one that
// the pages show. Their date is SOURCE_DATE_EPOCH, else that of the commit.
func Write(dir string, root *cobra.Command, version string) error {
	date, err := commitDate()
	if err != nil {
		return err
	}
	for _, c := range append(root.Commands(), root) {
		if !hasPage(c) {
			continue
		}
		if err := file.Write(filepath.Join(dir, pageName(c)+".1"), page(c, date, version), true); err != nil {
			return err
		}
	}
	return nil
}

// hasPage reports whether a command has a page of its own.
func hasPage(c *cobra.Command) bool { return !c.Hidden && c.Name() != "help" }

// commitDate returns the date of the program, empty where it is not known.
func commitDate() (string, error) {
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", fmt.Errorf("SOURCE_DATE_EPOCH is %q; it must be seconds since 1970", text)
		}
		return time.Unix(seconds, 0).UTC().Format(time.DateOnly), nil
	}
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
			return t.UTC().Format(time.DateOnly), nil
		}
	}
	return "", nil
}

// pageName returns the name of the page of a command, without its section.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// commonEnd is the part of the page of popsim itself that concerns all verbs.
const commonEnd = `.SH ENVIRONMENT
.TP
.B POPSIM_ISA
the instruction set to use: auto, avx512, avx2 or go; --isa overrides it
.TP
.B GOMEMLIMIT
memory that popsim should stay below, as 4GiB; a population that needs more is refused
.SH FILES
A file has its name once it is complete. Beside each
.I FILE
that is written with \-o lies
.IR FILE .run.json ,
which says how it was made.
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
failed, or some points of a sweep did; they are marked in the table
.TP
.B 2
misused, and refused before any work
.TP
.B 130
interrupted; what was finished is kept in FILE.partial.ENDING, or beside FILE for --resume
`

// page returns the page of one command, topic, or of popsim itself.
func page(c *cobra.Command, date, version string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s 1 %q %q %q\n", strings.ToUpper(pageName(c)), date, "popsim "+version, "popsim")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", pageName(c), roff(strings.ToLower(c.Short[:1])+c.Short[1:]))
	if c.Runnable() {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.UseLine()))
	}
	b.WriteString(".SH DESCRIPTION\n")
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	writeText(&b, text)
	if c.HasAvailableSubCommands() {
		b.WriteString(".SH VERBS\n")
		for _, s := range c.Commands() {
			if s.IsAvailableCommand() && s.Name() != "help" {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(s.Name()), roff(s.Short))
			}
		}
	}
	if c.Runnable() {
		c.InitDefaultHelpFlag()
		b.WriteString(".SH OPTIONS\n")
		c.Flags().VisitAll(func(f *pflag.Flag) { writeFlag(&b, f) })
	}
	if c.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		writeText(&b, c.Example)
	}
	if !c.HasParent() {
		b.WriteString(commonEnd)
	}
	b.WriteString(".SH SEE ALSO\n" + strings.Join(seeAlso(c), " ,\n") + "\n")
	return b.Bytes()
}

// seeAlso lists the other pages, popsim itself first.
func seeAlso(c *cobra.Command) (others []string) {
	for _, s := range c.Root().Commands() {
		if s != c && hasPage(s) {
			others = append(others, fmt.Sprintf(".BR %s (1)", roff(pageName(s))))
		}
	}
	if c.HasParent() {
		others = slices.Insert(others, 0, fmt.Sprintf(".BR %s (1)", pageName(c.Root())))
	}
	return others
}

// writeFlag writes the entry of one flag.
func writeFlag(b *bytes.Buffer, f *pflag.Flag) {
	kind, usage := pflag.UnquoteUsage(f)
	b.WriteString(".TP\n")
	name := roff("--" + f.Name)
	if f.Shorthand != "" {
		name = roff("-"+f.Shorthand) + `\fR, \fB` + name
	}
	fmt.Fprintf(b, "\\fB%s\\fR", name)
	if kind != "" {
		fmt.Fprintf(b, " \\fI%s\\fR", roff(kind))
	}
	fmt.Fprintf(b, "\n%s", roff(usage))
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && !strings.Contains(usage, "(default") {
		fmt.Fprintf(b, " (default %s)", roff(f.DefValue))
	}
	b.WriteString("\n")
}

// writeText writes a help text: paragraphs, and blocks of indented lines, which stay as they are.
func writeText(b *bytes.Buffer, text string) {
	kept, begin := false, false // within a block of indented lines; at the beginning of a paragraph that is not the first
	for i, line := range strings.Split(text, "\n") {
		indented, isIndented := strings.CutPrefix(line, "  ")
		switch {
		case strings.TrimSpace(line) == "":
			begin = true
			continue
		case isIndented && i == 0:
			b.WriteString(".RS 2\n.nf\n")
		case isIndented && !kept:
			b.WriteString(".PP\n.RS 2\n.nf\n")
		case kept && !isIndented:
			b.WriteString(".fi\n.RE\n.PP\n")
		case begin && kept:
			b.WriteString("\n")
		case begin:
			b.WriteString(".PP\n")
		}
		kept, begin = isIndented, false
		b.WriteString(roff(indented) + "\n")
	}
	if kept {
		b.WriteString(".fi\n.RE\n")
	}
}

// roff returns a line of text with the characters escaped that man(7) would interpret.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`).Replace(line)
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}
