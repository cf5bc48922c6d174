package experiment

import (
	"slices"
	"strings"
	"testing"

	"popsim/fault"
)

// testVerbs are verbs with a flag of each kind.
func testVerbs() []Verb {
	return []Verb{
		{Name: "run", Subject: OfModel, Flags: []Flag{
			{Name: "dt", Value: &Quantity{Unit: "ms"}},
			{Name: "neurons", Value: &Count{}},
			{Name: "seed", Value: &Seed{}},
			{Name: "measures", Value: &Words{}},
			{Name: "start", Value: &Texts{}},
			{Name: "full", Value: new(Switch)},
			{Name: "of", Value: &Word{Form: "NEURONS", Number: true, List: true}},
			{Name: "out", Value: &Word{Form: "FILE"}},
			{Name: "save", Once: true, Value: &Word{Form: "FILE"}},
		}},
		{Name: "merge", Subject: OfFile},
	}
}

// TestRead: a file gives the same as its command line, and arguments beside it replace those in it.
func TestRead(t *testing.T) {
	const text = `verb = "run"
model = "lif:slide"
dt = 0.1
neurons = 10
measures = ["rate", "cv"]
start = ["1,2", "3,4"]
of = [1, 5]
full = true
[values]
I = [20, "0.03nA"]
tau = 1_0.0
`
	x, bad := Read("a.toml", []byte(text), testVerbs())
	if err := bad.Err(); err != nil {
		t.Fatal(err)
	}
	want := strings.Fields("run lif:slide I=20,0.03nA tau=10.0 --dt=0.1 --neurons=10 --measures=rate,cv --start=1,2 " +
		"--start=3,4 --of=1,5 --full=true")
	if got := x.Args(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if places := x.Places(); places["tau"] != "a.toml:11:1" || places["--start"] != "a.toml:6:1" ||
		places[AboutModel] != "a.toml:2:1" {
		t.Errorf("places %v", places)
	}
	x.Override([]string{"I=5", "R=2"}, []Entry{{Name: "start", Texts: []string{"7,8"}}})
	want = strings.Fields("run lif:slide I=5 tau=10.0 R=2 --dt=0.1 --neurons=10 --measures=rate,cv --of=1,5 --full=true " +
		"--start=7,8")
	if got := x.Args(); !slices.Equal(got, want) {
		t.Errorf("with other values %q, want %q", got, want)
	}
}

// TestReadFaults: what does not fit is reported with its place, all of it at once.
func TestReadFaults(t *testing.T) {
	const text = `verb = "run"
full = 1
measures = 3
dt = [1, 2]
out = 3
neuron = 3
file = "x"
tau = 3
[values]
I = [20, "0,5nA"]
R = nan
[other]
`
	_, bad := Read("a.toml", []byte(text), testVerbs())
	got := fault.Lines(bad.Err(), nil)
	want := []string{
		"a.toml:2:1: full: true or false is needed", "a.toml:3:1: measures: 3 is a number where a text is needed",
		"a.toml:4:1: dt: one value is needed", "a.toml:5:1: out: 3 is a number", "a.toml:6:1: run has no key neuron",
		"a.toml:7:1: run takes no file", "a.toml:8:1: run has no key tau",
		"a.toml:10:1: I: \"0,5nA\" in a list holds a comma",
		"a.toml:11:1: R: nan is not a finite number", "a.toml:12:2: there is no table other",
	}
	if len(got) != len(want) {
		t.Fatalf("%d faults, want %d: %q", len(got), len(want), got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i].Text, want[i]) {
			t.Errorf("%q, want %q", got[i].Text, want[i])
		}
	}
}

// FuzzRead: any file becomes a command line or is refused with a reason; the place of an error is inside the file; and
// a command line has a verb.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"verb = 'run'\nmodel = 'lif'\n[values]\nI = 21\n",
		"verb = \"run\"\nvalues = {I = [1, '2pA'], \"tau\" = 1e1}\nfull = true",
		"verb = 'run'\nvalues.I = 0x10\ndt = 10:00:00\n", "[values]\n[values]\n", "verb = 3\n[[values]]\nI=inf",
		"verb='merge'\nfile='x'\n",
		"\"a\\u0000\" = ''\n", "verb = 'run'\nstart = [[1], {a = 1}]\n",
		"verb='run'\nstart=['1,2', \"3,4\"]\nmodel='adex'", "a.b.c = [\n1,\n]",
		"verb = 'run'\nmeasures = ['kernel']\nfull = true\nout = '('",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, bad := Read("x.toml", []byte(text), testVerbs())
		if x == nil {
			if len(bad) == 0 {
				t.Fatal("neither verb nor fault")
			}
			return
		}
		if line := x.Args(); line[0] != x.Verb {
			t.Errorf("%q begins the command line of %s", line, x.Verb)
		}
		for what, place := range x.Places() {
			if !strings.HasPrefix(place, "x.toml:") {
				t.Errorf("%s is at %q", what, place)
			}
		}
	})
}
