package main

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

	"popsim/fault"
	"popsim/table/file"
)

// manualVerb writes the manual pages, for those who pack popsim up: popsim(1), and one for each verb and topic. It is
// hidden, since a user reads the same by --help. The date of the pages is SOURCE_DATE_EPOCH, or else that of the commit.
func (v *call) manualVerb() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Manual pages",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(fmt.Errorf("man takes one directory, but got %d", len(args)))
			}
			if info, err := os.Stat(args[0]); err != nil {
				return misused(fault.Hint(fmt.Errorf("man: there is no directory %s", args[0]), "mkdir -p %s makes it", args[0]))
			} else if !info.IsDir() {
				return misused(fmt.Errorf("man: %s is not a directory", args[0]))
			}
			date, err := commitDate()
			if err != nil {
				return misused(err)
			}
			for _, c := range append(cmd.Root().Commands(), cmd.Root()) {
				if c.Hidden || c.Name() == "help" {
					continue
				}
				name := filepath.Join(args[0], pageName(c)+".1")
				if err := file.Write(name, manualPage(c, date), true); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// commitDate is the date of what is built, empty where nothing tells it.
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

// pageName is the name of the page of a verb.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manualEnd is what the page of popsim itself tells of all verbs.
const manualEnd = `.SH ENVIRONMENT
.TP
.B POPSIM_ISA
the instruction set to use: auto, avx512, avx2 or go; --isa overrides it
.TP
.B GOMEMLIMIT
memory that popsim should stay below, as 4GiB; a population that needs more is refused
.SH FILES
A file takes its name when it is whole. Beside each
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

// manualPage is the page of one verb, topic, or of popsim itself, in the language of man(7).
func manualPage(c *cobra.Command, date string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s 1 %q %q %q\n", strings.ToUpper(pageName(c)), date, "popsim "+version(), "popsim")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", pageName(c), roff(strings.ToLower(c.Short[:1])+c.Short[1:]))
	if c.Runnable() {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.UseLine()))
	}
	b.WriteString(".SH DESCRIPTION\n")
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	manualText(&b, text)
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
		c.Flags().VisitAll(func(f *pflag.Flag) { manualFlag(&b, f) })
	}
	if c.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		manualText(&b, c.Example)
	}
	if !c.HasParent() {
		b.WriteString(manualEnd)
	}
	b.WriteString(".SH SEE ALSO\n")
	var others []string
	for _, s := range c.Root().Commands() {
		if s != c && s.Name() != "help" && !s.Hidden {
			others = append(others, fmt.Sprintf(".BR %s (1)", roff(pageName(s))))
		}
	}
	if c.HasParent() {
		others = slices.Insert(others, 0, fmt.Sprintf(".BR %s (1)", pageName(c.Root())))
	}
	b.WriteString(strings.Join(others, " ,\n") + "\n")
	return b.Bytes()
}

// manualFlag is the entry of one flag.
func manualFlag(b *bytes.Buffer, f *pflag.Flag) {
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

// manualText turns help, whose indented lines are to stay as they are, into paragraphs.
func manualText(b *bytes.Buffer, text string) {
	kept, begin := false, false // in a block of indented lines; at the beginning of a paragraph that is not the first
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

// roff escapes a line of text.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`).Replace(line)
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}
