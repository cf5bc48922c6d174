package description

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"popsim/network"
	data "popsim/table"
	"popsim/table/file"
)

// fromFiles names three files, with placeholders for their extensions.
const fromFiles = `
[population.E]
model = "lif"
n = 3
tau = "@cells.END:tau"
values = "@cells.END"
[population.S]
model = "spikes"
n = 2
times = "@times.END"
[synapse.exc]
kind = "exp-current"
tau = "5ms"
[projection.P]
from = "S"
to = "E"
synapse = "exc"
rule = "@edges.END"
[input.wave]
to = "E"
current = "@wave.END:0.5ms"
`

// TestFormats: files of all formats give the same network.
func TestFormats(t *testing.T) {
	dir := t.TempDir()
	tables := map[string]*data.Table{
		"cells": data.NewTable(data.Col("tau", []float64{10, 11.5, 12}),
			data.Col("R", []float64{0.1, 0.2, 0.30000000000000004})),
		"times": data.NewTable(data.Col("neuron", []int64{1, 0, 1}), data.Col("time_ms", []float64{2.5, 1, 0.5})),
		"edges": data.NewTable(
			data.Col("pre", []int64{0, 1}),
			data.Col("post", []int64{2, 0}),
			data.Col("weight", []float64{1.5, 0.1}),
			data.Col("delay_ms", []float64{1, 2.25}),
			data.Col("projection", []string{"P", "P"}),
		),
		"wave": data.NewTable(data.Col("pA", []float64{1, 2, 3})),
	}
	var want *network.Spec
	for _, ending := range []string{"csv", "npz", "parquet", "npy"} {
		for name, content := range tables {
			out, err := file.Create(filepath.Join(dir, name+"."+ending), true)
			if err != nil {
				t.Fatal(err)
			}
			if err := out.WriteTable(content); err != nil {
				t.Fatal(err)
			}
			if err := out.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		d, err := Parse(filepath.Join(dir, "net.toml"), []byte(strings.ReplaceAll(fromFiles, "END", ending)))
		if err != nil {
			t.Fatal(err)
		}
		res, err := d.Resolve(Options{})
		if err != nil {
			t.Fatalf("%s: %s", ending, text(err))
		}
		if len(res.Files) != 4 || len(res.Files[0].SHA256) != 64 {
			t.Errorf("%s: files %v", ending, res.Files)
		}
		for k, x := range []float64{1, 1, 1, 1, 1, 2} {
			if got := res.Spec.Inputs[0].Current(int64(k)); got != x {
				t.Errorf("%s: current in step %d: %v, want %v", ending, k, got, x)
			}
		}
		res.Spec.Inputs[0].Current = nil // functions are never equal
		if want == nil {
			want = res.Spec
		} else if !reflect.DeepEqual(res.Spec, want) {
			t.Errorf("%s: %+v\nwant %+v", ending, res.Spec, want)
		}
	}
}

// TestFileFaults: a fault of a file is reported in one line, at the key that names it.
func TestFileFaults(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"empty.csv": "", "two.csv": "a,b\n1,2\n1,2\n1,2\n", "short.csv": "x\n1\n2\n", "words.csv": "x\none\ntwo\nthree\n",
		"bad.npz": "no archive",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"@missing.csv": "missing.csv: no such file", "@empty.csv": "the file is empty", "@two.csv": "two.csv has 2 columns",
		"@two.csv:c": `has no column "c"`,
		"@short.csv": "has 2 rows; the population has 3 neurons", "@words.csv": `no column "x" of numbers`,
		"@bad.npz":  "bad.npz",
		"@some.txt": "unsupported format", "@": "",
	} {
		d, err := Parse(filepath.Join(dir, "net.toml"),
			[]byte("[population.E]\nmodel = \"lif\"\nn = 3\ntau = \""+name+"\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if name == "@some.txt" {
			if err := os.WriteFile(filepath.Join(dir, "some.txt"), []byte("1\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		_, err = d.Resolve(Options{})
		got := text(err)
		if !strings.Contains(got, want) || !strings.Contains(got, "net.toml:4:1: ") || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
}

// TestPlaces: faults found when the whole network is resolved are reported at the keys that cause them.
func TestPlaces(t *testing.T) {
	const base = "[population.E]\nmodel = \"lif\"\nn = 4\n[synapse.exc]\nkind = \"exp-current\"\ntau = \"5ms\"\n"
	const projection = "[projection.X]\nfrom = \"E\"\nto = \"E\"\nsynapse = \"exc\"\nweight = 1\n" // lines 7 to 11
	for content, want := range map[string]string{
		projection + "rule = \"in-degree:2\"\ndelay = \"0.05ms\"\n": "x.toml:13:1: projection " +
			"X: delay",
		projection + "rule = \"in-degree:-2\"\ndelay = \"1ms\"\n": "x.toml:12:1: projection " +
			"X: in-degree",
		projection + "rule = \"in-degree:20\"\nmultapses = false\ndelay = \"1ms\"\n": "x.toml:12:1: projection " +
			"X: in-degree",
		"[input.Y]\nto = \"E\"\npoisson = \"-5Hz\"\nsynapse = \"exc\"\nweight = 1\n": "x.toml:7:2: input Y",
		"[population.F]\nlike = \"G\"\n[population.G]\nlike = \"F\"\n": "x.toml:8:1: like: likes " +
			"lead in a circle",
		"[parameters]\na = \"b\"\nb = 3\n":     `x.toml:8:1: a: "b": b is given below`,
		"[parameters]\na = \"a + 1\"\n":        `x.toml:8:1: a: "a + 1": a is given below`,
		"[population.\"a.b\"]\nlike = \"E\"\n": `x.toml:7:2: "a.b" is no name`,
		"[input.Y]\nto = \"E\"\n": "x.toml:7:2: Y: one of " +
			"poisson, spikes, current and noise is needed; 0",
		"[input.Y]\nto = \"E\"\nnoise = \"pink:1mV\"\n":          `x.toml:9:1: noise: "pink:1mV": noise is written`,
		"[input.Y]\nto = \"E\"\nnoise = \"white:1pA\"\n":         `x.toml:9:1: noise: "1pA": `,
		"[input.Y]\nto = \"E\"\nnoise = \"ou:1pA:0ms\"\n":        `x.toml:9:1: noise: a correlation time of 0 ms`,
		"[input.Y]\nto = \"E\"\nnoise = \"ou:1pA:2\"\ndelay=1\n": `x.toml:10:1: delay: noise has none`,
		"[input.Y]\nto = \"E\"\ncurrent = \"sin:1Hz:2\"\n":       `x.toml:9:1: current: unknown shape "sin"`,
		"[measure.m]\nkind = \"first-above\"\npopulations = \"E\"\nevery = 3\nlevel = \"9Hz\"": "x.toml:7:2: m: window is " +
			"missing",
	} {
		d, err := Parse("x.toml", []byte(base+content))
		if err != nil {
			t.Fatal(text(err))
		}
		if _, err = d.Resolve(Options{}); !strings.Contains(text(err), want) {
			t.Errorf("%s: %s\nwant %s", content, text(err), want)
		}
	}
}

// TestModelFiles: a model from a file is listed among the files of a network, with its checksum.
func TestModelFiles(t *testing.T) {
	dir := t.TempDir()
	const model = "[neuron]\nname = \"decay\"\nunits = \"loose\"\n[parameters]\nI = 0\ntau = 10\n[states]\nV = " +
		"0\n[equations]\n" +
		"V = \"(I - V)/tau\"\n[spike]\nwhen = \"V >= 1\"\nreset = { V = \"0\" }\n"
	if err := os.WriteFile(filepath.Join(dir, "decay.toml"), []byte(model), 0o666); err != nil {
		t.Fatal(err)
	}
	d, err := Parse(filepath.Join(dir, "net.toml"), []byte("[population.E]\nmodel = \"./decay.toml\"\nn = 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := d.Resolve(Options{})
	if err != nil {
		t.Fatal(text(err))
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(model)))
	if len(res.Files) != 1 || filepath.Base(res.Files[0].Path) != "decay.toml" || res.Files[0].SHA256 != sum {
		t.Errorf("files %v, want decay.toml with %s", res.Files, sum)
	}
}
