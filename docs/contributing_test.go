package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mostFiles is the largest number of files that a new model may touch.
const mostFiles = 8

// TestFilesOfAModel: a model without the kernels of networks takes at most mostFiles files, the ones that
// contributing.md lists. hhtm is the example.
func TestFilesOfAModel(t *testing.T) {
	page, err := os.ReadFile("contributing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Files of a model")
	section, _, _ = strings.Cut(section, "## Glossary")
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(section, -1) {
		listed = append(listed, row[1])
	}
	if len(listed) == 0 || len(listed) > mostFiles {
		t.Errorf("%d files are listed; at most %d are wanted", len(listed), mostFiles)
	}
	named := regexp.MustCompile(`(?i)hhtm`)
	generated := regexp.MustCompile(`(?m)^// Code generated`)
	var found []string
	for _, dir := range []string{"model", "kernels", "kernels/asm", "kernels/asm/_gen"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(file)
			ofNetworks := slices.ContainsFunc([]string{"coupled", "network", "rows"}, func(stem string) bool {
				return strings.HasPrefix(name, stem)
			})
			if named.Match(text) && !strings.HasSuffix(name, "_test.go") && !generated.Match(text) && !ofNetworks {
				found = append(found, dir+"/"+name)
			}
		}
	}
	slices.Sort(found)
	slices.Sort(listed)
	if !slices.Equal(found, listed) {
		t.Errorf("hhtm is in\n%s\nlisted are\n%s", strings.Join(found, "\n"), strings.Join(listed, "\n"))
	}
}
