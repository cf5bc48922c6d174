package tomltree

import (
	"fmt"
	"strings"
	"testing"
)

func TestPlaces(t *testing.T) {
	root, err := Read("f.toml", []byte("a = 1\n[spike]\n  when = \"V > 3\"\nreset = { V = 'c', u = \"\"\"d\"\"\" }\n"))
	if err != nil {
		t.Fatal(err)
	}
	spike := root.Get("spike")
	for _, c := range []struct {
		e    *Entry
		at   int
		want string
	}{
		{root.Get("a"), 1, "f.toml:1:1"},
		{spike.Get("when"), 1, "f.toml:3:11"},
		{spike.Get("when"), 5, "f.toml:3:15"},
		{spike.Get("reset").Get("V"), 1, "f.toml:4:16"},
		{spike.Get("reset").Get("u"), 1, "f.toml:4:25"},
		{spike.Get("rearm").Get("u"), 0, ""},
	} {
		if c.e == nil {
			if c.want != "" {
				t.Errorf("no entry for %s", c.want)
			}
			continue
		}
		if got := c.e.At(c.at); got != c.want {
			t.Errorf("%s: character %d is at %s, want %s", c.e.Key, c.at, got, c.want)
		}
	}
}

// The place of every key is that of its line, also in a long file.
func TestPlacesOfManyLines(t *testing.T) {
	var text strings.Builder
	text.WriteString("[p]\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "\n  a%d = \"x\"\n", i)
	}
	root, err := Read("f", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range root.Get("p").Items {
		if want := fmt.Sprintf("f:%d:3", 2*i+3); e.Place != want {
			t.Fatalf("key %d is at %s, want %s", i, e.Place, want)
		}
	}
}
