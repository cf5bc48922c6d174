package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// numbered are the pages on which every number in prose has a known origin.
var numbered = []string{"networks/*.md", "noise.md", "tutorial.md", "tutorial-decision.md"}

// origins says for each page where the numbers of its prose come from that no sentence of a test holds: a line
// "## PAGE", then lines "ORIGIN | TEXT", TEXT as it stands on the page. Origins are
//
//	command              the numbers stand in a command or in code of the page
//	library NAME         they stand in the description of that network, or are values of its parameters
//	file PATH            they stand in that file, rounded as on the page; PATH is relative to the module
//	test PATH NAME       they stand in that test, or in constants of its file; it holds the program to them
//	equation WHERE       they are constants of an equation of that paper
//	other WHERE          another program or paper has them
//	measured WHERE       times or memory, measured there
//	words                names, orders, and numbers that follow from others in the same sentence
const origins = "testdata/numbers.txt"

// origin is one line of that file.
type origin struct{ kind, of, text string }

func readOrigins(t *testing.T) map[string][]origin {
	t.Helper()
	text, err := os.ReadFile(origins)
	if err != nil {
		t.Fatal(err)
	}
	all, page := map[string][]origin{}, ""
	for i, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			page = name
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		from, said, ok := strings.Cut(line, " | ")
		if !ok {
			t.Fatalf("%s, line %d: no \" | \"", origins, i+1)
		}
		kind, of, _ := strings.Cut(from, " ")
		all[page] = append(all[page], origin{kind, of, said})
	}
	return all
}

// TestNumbers: every number in the prose of the pages is one of a sentence that a test makes, of a citation that
// references.md has, or has an origin, which holds it where a program can. Numbers in blocks and in tables made by
// tests are left to these.
func TestNumbers(t *testing.T) {
	all, made := readOrigins(t), madeSentences(t)
	for _, pattern := range numbered {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range list {
			p := readProse(t, path)
			for _, expr := range append(made, cited(t)...) {
				p.cover(expr)
			}
			for _, o := range all[path] {
				if !p.cover(regexp.MustCompile(regexp.QuoteMeta(o.text))) {
					t.Errorf("%s: the page does not say %q", path, o.text)
				} else if err := o.check(t, p); err != nil {
					t.Errorf("%s: %q: %v", path, o.text, err)
				}
			}
			for _, s := range p.uncovered() {
				t.Errorf("%s: where does this number come from? %s (see %s)", path, s, origins)
			}
			delete(all, path)
		}
	}
	for page := range all {
		t.Errorf("%s: there is no page %s", origins, page)
	}
}

// TestNumbersAreFound: a number that is not listed is found, and one that its origin does not have is refused.
func TestNumbersAreFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page := "Of 4,000 neurons S1 and `17`\n\n```sh\npopsim run lif I=21\n```\n\nfire at 5.5 spikes/s.\n"
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	p := readProse(t, path)
	if got := p.uncovered(); len(got) != 2 {
		t.Errorf("found are %v; want 4,000 and 5.5", got)
	}
	for text, known := range map[string]bool{"I is 21": true, "I is 22": false, "0.021 of it": true} {
		if err := within(text, p.code); (err == nil) != known {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestNamedTests: every test that a page names is there.
func TestNamedTests(t *testing.T) {
	named := regexp.MustCompile("`(Test[A-Za-z]+)`")
	var sources strings.Builder
	for _, pattern := range []string{"*", "*/*", "*/*/*", "*/*/*/*", "*/*/*/*/*"} {
		list, err := filepath.Glob("../" + pattern + "_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range list {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(text)
		}
	}
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(sources.String(), "func "+m[1]+"(") {
				t.Errorf("%s: there is no %s", page, m[1])
			}
		}
	}
}

// prose is a page in one line.
type prose struct {
	text  string
	code  string // commands, and code between backquotes
	apart []bool // by byte: not prose, or covered
}

var (
	space       = regexp.MustCompile(`\s+`)
	plainNumber = regexp.MustCompile(`(\d{1,3}(,\d{3})+|\d+)(\.\d+)?(e[-+]?\d+)?`)
	notProse    = []*regexp.Regexp{ // none of these goes beyond another
		regexp.MustCompile("(?ms)^```.*?^```$"), regexp.MustCompile(`(?s)<!-- table .*?<!-- end -->`),
		regexp.MustCompile(`<!--[^>]*-->`), regexp.MustCompile("`[^`\n]*`"), regexp.MustCompile(`\]\([^)]*\)`),
		regexp.MustCompile(`(?m)^#+ \d+\.`),
	}
)

func readProse(t *testing.T, path string) *prose {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw := string(b)
	apart := make([]bool, len(raw))
	p := &prose{}
	for i, expr := range notProse {
		for _, m := range expr.FindAllStringIndex(raw, -1) {
			if apart[m[0]] {
				continue // between backquotes inside a block
			}
			for k := m[0]; k < m[1]; k++ {
				apart[k] = true
			}
			if i == 0 || i == 3 {
				p.code += " " + raw[m[0]:m[1]]
			}
		}
	}
	last := 0
	for _, m := range append(space.FindAllStringIndex(raw, -1), []int{len(raw), len(raw)}) {
		p.text += raw[last:m[0]] + " "
		p.apart = append(append(p.apart, apart[last:m[0]]...), true)
		last = m[1]
	}
	return p
}

// cover marks what matches as covered, and reports whether anything does.
func (p *prose) cover(expr *regexp.Regexp) bool {
	found := expr.FindAllStringIndex(p.text, -1)
	for _, m := range found {
		for k := m[0]; k < m[1]; k++ {
			p.apart[k] = true
		}
	}
	return len(found) > 0
}

// uncovered lists the numbers that are left, with the words about them.
func (p *prose) uncovered() (list []string) {
	for _, m := range plainNumber.FindAllStringIndex(p.text, -1) {
		if p.apart[m[0]] || m[0] > 0 && strings.ContainsAny(p.text[m[0]-1:m[0]], letters) {
			continue
		}
		list = append(list, strconv.Quote("..."+p.text[max(0, m[0]-40):min(len(p.text), m[1]+30)]+"..."))
	}
	return list
}

// letters before a number make it a part of a name, as in S1.
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_."

// check holds the numbers of a text to its origin.
func (o origin) check(t *testing.T, p *prose) error {
	t.Helper()
	switch o.kind {
	case "command":
		return within(o.text, p.code)
	case "library":
		text, err := os.ReadFile("../network/description/library/" + o.of + ".toml")
		if err != nil {
			return err
		}
		return within(o.text, string(text)+entriesTable(t, strings.ReplaceAll(o.of, ".", ":")))
	case "file":
		text, err := os.ReadFile("../" + o.of)
		if err != nil {
			return err
		}
		return within(o.text, string(text))
	case "test":
		path, name, _ := strings.Cut(o.of, " ")
		text, err := testSource("../"+path, name)
		if err != nil {
			return err
		}
		return within(o.text, text)
	case "equation", "other", "measured":
		if o.of == "" {
			return fmt.Errorf("%s of what?", o.kind)
		}
	case "words":
	default:
		return fmt.Errorf("there is no origin %q", o.kind)
	}
	return nil
}

// factors between a number in a test and on a page: per cent, and units a thousand times as large.
var factors = []float64{1, 100, 1000, 0.001, 0.01}

// within returns an error if a number of a text is none of those of another, rounded to the digits that it has.
func within(text, other string) error {
	var known []float64
	for _, m := range plainNumber.FindAllString(other, -1) {
		x, _ := strconv.ParseFloat(strings.ReplaceAll(m, ",", ""), 64)
		known = append(known, x)
	}
	for _, m := range plainNumber.FindAllStringIndex(text, -1) {
		if m[0] > 0 && strings.ContainsAny(text[m[0]-1:m[0]], letters) {
			continue
		}
		word := strings.ReplaceAll(text[m[0]:m[1]], ",", "")
		x, _ := strconv.ParseFloat(word, 64)
		digits, exponent, _ := strings.Cut(word, "e")
		_, decimals, _ := strings.Cut(digits, ".")
		power, _ := strconv.Atoi(exponent)
		half := 0.5000001 * math.Pow(10, float64(power-len(decimals)))
		if !slices.ContainsFunc(known, func(y float64) bool {
			return slices.ContainsFunc(factors, func(f float64) bool { return math.Abs(f*y-x) <= half && (x != 0) == (y != 0) })
		}) {
			return fmt.Errorf("%s is not there", word)
		}
	}
	return nil
}

// testSource is the text of a test, and of the constants and variables of its file.
func testSource(path, name string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return "", err
	}
	found, source := false, ""
	for _, d := range f.Decls {
		from := d.Pos()
		if fn, ok := d.(*ast.FuncDecl); ok {
			if fn.Name.Name != name {
				continue
			}
			if found = true; fn.Doc != nil {
				from = fn.Doc.Pos()
			}
		}
		source += string(text[set.Position(from).Offset:set.Position(d.End()).Offset]) + "\n"
	}
	if !found {
		return "", fmt.Errorf("%s has no %s", path, name)
	}
	return source, nil
}

// madeSentences are patterns of the sentences that tests of this package make: their formats, with anything but a space
// in place of what is formatted.
func madeSentences(t *testing.T) (list []*regexp.Regexp) {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !makesSentences(fn) {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				text, ok := constant(n)
				if ok && len(text) >= leastSentence {
					list = append(list, sentencePattern(text))
				}
				return !ok
			})
		}
	}
	return list
}

// leastSentence is the length of the shortest text that is taken for a sentence of a page.
const leastSentence = 15

// makesSentences reports whether a function calls says, or is one of the sentences.
func makesSentences(fn *ast.FuncDecl) (does bool) {
	if strings.HasSuffix(fn.Name.Name, "Sentences") && fn.Name.Name != "madeSentences" {
		return true
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok {
			id, ok := call.Fun.(*ast.Ident)
			does = does || ok && id.Name == "says"
		}
		return true
	})
	return does
}

// constant is the value of a text, or of a sum of texts.
func constant(n ast.Node) (string, bool) {
	switch x := n.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(x.Value)
		return text, x.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		a, ok := constant(x.X)
		b, too := constant(x.Y)
		return a + b, ok && too && x.Op == token.ADD
	}
	return "", false
}

var formatVerb = regexp.MustCompile(`%%|%[0-9.\[\]+]*[a-z]`)

func sentencePattern(format string) *regexp.Regexp {
	pattern, last := "", 0
	for _, m := range formatVerb.FindAllStringIndex(format, -1) {
		pattern += regexp.QuoteMeta(format[last:m[0]])
		if format[m[0]:m[1]] == "%%" {
			pattern += "%"
		} else {
			pattern += `[^ ]+`
		}
		last = m[1]
	}
	return regexp.MustCompile(pattern + regexp.QuoteMeta(format[last:]))
}

// A reference is a row of references.md: as the pages cite it, the title, and where it is to be found.
var reference = regexp.MustCompile(`(?m)^\| ([^|]*) (\d+):(e?\d+) \((\d{4})\) \|`)

// cited are patterns of the citations that references.md has: journal, volume and page, with the year in parentheses or
// after a comma.
func cited(t *testing.T) (list []*regexp.Regexp) {
	t.Helper()
	text, err := os.ReadFile("references.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
		names := strings.Split(m[1], ", ")
		journal := regexp.QuoteMeta(names[len(names)-1])
		list = append(list, regexp.MustCompile(journal+" "+m[2]+":"+m[3]+`,? \(?`+m[4]))
	}
	if len(list) == 0 {
		t.Fatal("references.md has no references")
	}
	return list
}
