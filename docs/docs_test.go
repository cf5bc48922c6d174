// Package docs_test tests the documents: every command that they show runs, and their tables agree with the code.
package docs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pages lists the documents.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "models/*.md", "networks/*.md"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, list...)
	}
	return found
}

// block is one fenced block of a page: its language, the lines in it, and the HTML comment above it.
type block struct {
	language, comment string
	first             int // number of the first line
	lines             []string
}

// blocks reads the fenced blocks of a page. A comment on the line above a fence belongs to it.
func blocks(text string) []block {
	var found []block
	var b *block
	comment := ""
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case b != nil && isFence:
			found = append(found, *b)
			b, comment = nil, ""
		case b != nil:
			b.lines = append(b.lines, line)
		case isFence:
			b = &block{language: fence, comment: comment, first: i + 2}
		default:
			comment = ""
			if inner, ok := strings.CutPrefix(strings.TrimSpace(line), "<!--"); ok {
				comment = strings.TrimSpace(strings.TrimSuffix(inner, "-->"))
			}
		}
	}
	return found
}

// timeout is the time limit for one line of a block, on a busy machine; timeoutOfResults that of long results.
const (
	timeout          = 3 * time.Minute
	timeoutOfResults = time.Hour
)

// Every line of every block marked sh runs, in order, in a directory of the page's own, with the new popsim in the
// path. The line must end with code 0, or with the code in a comment at its end, as in "# exit 2". Lines under a
// comment "long" run only without -short, those under "shown" not at all, those under "results" in TestResults. Blocks
// marked python run, in the same directory, where there is a Python with numpy, pandas and h5py. A block under the
// comment "output" is part of the output of the commands above it. A block marked toml under the name of a file shows
// lines of that file, as the commands above it have written it; under "file NAME" it is that file, as a reader would
// type it.
func TestCommands(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell")
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "popsim/cmd/popsim")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	python := pythonWithPandas()
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if python == "" && strings.Contains(string(text), "```python") {
				t.Run("python", func(t *testing.T) {
					t.Skip("no Python with numpy, pandas and h5py here: blocks that need it are not tried")
				})
			}
			output, earlier := "", "" // of the commands; blocks of Python, which continue those before
			for _, b := range blocks(string(text)) {
				switch {
				case b.comment == "output":
					if want := strings.Join(b.lines, "\n"); !strings.Contains(output, want) {
						t.Errorf("line %d: the commands above do not print\n%s\nbut\n%s", b.first, want, output)
					}
				case b.comment == "shown", strings.HasPrefix(b.comment, "results"): // TestResults runs these
				case b.comment == "long" && testing.Short():
				case b.comment == "python" && python == "":
				case needs.MatchString(b.comment) && b.comment != "long" && b.comment != "python" && !installed(b.comment):
				case b.language == "sh":
					output = runLines(t, b, dir, bin)
				case b.language == "toml" && strings.HasPrefix(b.comment, "file "):
					path := filepath.Join(dir, strings.TrimPrefix(b.comment, "file "))
					if err := os.WriteFile(path, []byte(strings.Join(b.lines, "\n")+"\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				case b.language == "toml" && strings.HasSuffix(b.comment, ".toml"):
					showsFile(t, b, dir)
				case b.language == "python" && python != "":
					earlier += strings.Join(b.lines, "\n") + "\n"
					cmd := exec.Command(python, "-c", earlier)
					cmd.Dir = dir
					cmd.Env = withModule(bin)
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("line %d: %v\n%s", b.first, err, out)
					}
				}
			}
			if of := sentences[page]; of != nil && !t.Failed() {
				for _, sentence := range of(t, dir) {
					says(t, page, sentence)
				}
			}
			if *update {
				keepPictures(t, page, string(text), dir)
			}
		})
	}
}

var picture = regexp.MustCompile(`!\[[^\]]*\]\(([^)]*gallery/([^)]+))\)`)

// keepPictures copies the pictures that a page shows and its commands have drawn to the gallery.
func keepPictures(t *testing.T, page, text, dir string) {
	t.Helper()
	for _, m := range picture.FindAllStringSubmatch(text, -1) {
		drawn, err := os.ReadFile(filepath.Join(dir, m[2]))
		if err != nil {
			continue // by another page
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(page), m[1]), drawn, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// Every picture that a page shows is drawn by a command on some page.
func TestPictures(t *testing.T) {
	drawn := ""
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(text)) {
			if b.language == "sh" {
				drawn += strings.Join(b.lines, "\n") + "\n"
			}
		}
	}
	for _, page := range pages(t) {
		text, _ := os.ReadFile(page)
		for _, m := range picture.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(drawn, " "+m[2]+"\n") && !strings.Contains(drawn, " "+m[2]+" ") {
				t.Errorf("%s: no command draws %s", page, m[2])
			}
		}
	}
}

var wanted = regexp.MustCompile(`# exit (\d+)$`)

// runLines runs the lines of a block, and returns their output.
func runLines(t *testing.T, b block, dir, bin string) (output string) {
	t.Helper()
	for i := 0; i < len(b.lines); i++ {
		at, line := b.first+i, b.lines[i]
		for strings.HasSuffix(line, "\\") && i+1 < len(b.lines) {
			i++
			line = strings.TrimSuffix(line, "\\") + b.lines[i]
		}
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		want := 0
		if m := wanted.FindStringSubmatch(line); m != nil {
			want, _ = strconv.Atoi(m[1])
		}
		limit := timeout
		if b.comment == "results long" {
			limit = timeoutOfResults
		}
		ctx, stop := context.WithTimeout(context.Background(), limit)
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		begin := time.Now()
		out, err := cmd.CombinedOutput()
		stop()
		output += string(out)
		if got := cmd.ProcessState.ExitCode(); got != want || err != nil && want == 0 {
			t.Errorf("line %d: %s\nended with %d after %v, want %d\n%s", at, line, got,
				time.Since(begin).Round(time.Millisecond), want, last(out))
		}
	}
	return output
}

// showsFile compares a block with the file that its comment names: the lines before a "# ..." in the block must be
// consecutive in the file, and so must those after it.
func showsFile(t *testing.T, b block, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, b.comment))
	if err != nil {
		t.Errorf("line %d: %v", b.first, err)
		return
	}
	for part := range strings.SplitSeq(strings.Join(b.lines, "\n"), "# ...") {
		if !strings.Contains(string(text), strings.TrimSpace(part)) {
			t.Errorf("line %d: %s does not hold\n%s\nbut\n%s", b.first, b.comment, part, text)
		}
	}
}

var needs = regexp.MustCompile(`^[a-z]+$`)

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// last is the end of a long output.
func last(out []byte) []byte {
	const most = 2000
	if len(out) > most {
		return append([]byte("..."), out[len(out)-most:]...)
	}
	return out
}

// pythonWithPandas is a Python interpreter that has numpy, pandas and h5py, or "".
func pythonWithPandas() string {
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import numpy, pandas, h5py").Run() == nil {
			return name
		}
	}
	return ""
}

// withModule is the environment in which Python finds popsim.py, and it the program in bin.
func withModule(bin string) []string {
	module, err := filepath.Abs("../python")
	if err != nil {
		panic(err)
	}
	return append(os.Environ(), "PYTHONPATH="+module, "PYTHONDONTWRITEBYTECODE=1",
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// Links between the documents, and from them to other files of the project, lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// table is the text between two HTML comments, the first of which names it: "table parameters adex".
type table struct {
	name       string
	text       string
	start, end int // of the text
}

var tableMark = regexp.MustCompile(`(?s)<!-- table ([^>]*?) -->\n(.*?)<!-- end -->`)

func tables(text string) []table {
	var found []table
	for _, m := range tableMark.FindAllStringSubmatchIndex(text, -1) {
		found = append(found, table{text[m[2]:m[3]], text[m[4]:m[5]], m[4], m[5]})
	}
	return found
}

// rowsOf lays rows out as a table.
func rowsOf(head ...string) *strings.Builder {
	b := new(strings.Builder)
	writeRow(b, head...)
	fmt.Fprintln(b, "|"+strings.Repeat(" --- |", len(head)))
	return b
}

func writeRow(b *strings.Builder, cells ...string) {
	fmt.Fprintln(b, "| "+strings.Join(cells, " | ")+" |")
}
