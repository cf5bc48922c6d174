package main

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// mostColumns is the length of the longest line of Go, in characters; a tab counts as one.
const mostColumns = 120

// TestLinesFit: no line of Go is longer than mostColumns, except in generated files.
func TestLinesFit(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		switch {
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root:
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		checkLines(t, path, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheCommandIsThin: package main holds less than 4,000 lines without its tests; the rest is in packages of internal
// and in the library.
func TestTheCommandIsThin(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(text), "\n")
	}
	if lines >= 4000 {
		t.Errorf("package main has %d lines; less than 4,000 are meant", lines)
	}
}

// checkLines reports the long lines of a file that is not generated.
func checkLines(t *testing.T, path, name string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<22)
	for n := 1; lines.Scan(); n++ {
		if n == 1 && strings.HasPrefix(lines.Text(), "// Code generated") {
			return
		}
		if columns := utf8.RuneCountInString(lines.Text()); columns > mostColumns {
			t.Errorf("%s:%d has %d columns; %d are the most", name, n, columns, mostColumns)
		}
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
}
