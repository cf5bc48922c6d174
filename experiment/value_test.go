package experiment

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"popsim/model"
)

func ExampleParseValue() {
	v, err := ParseValue("I", "0:1nA:0.25nA", "pA")
	fmt.Println(v, v.Axis().All(), err)
	// Output: 0pA:1000pA:250pA [0 250 500 750 1000] <nil>
}

func TestParseValue(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(file, []byte("I\n3\n1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		kind Kind
		want []float64
	}{
		{"21", Number, []float64{21}},
		{"5,6,7", List, []float64{5, 6, 7}},
		{"0:1:0.25", Range, []float64{0, 0.25, 0.5, 0.75, 1}},
		{"0:0.5:0.1", Range, []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5}},
		{"0:1:0.3", Range, []float64{0, 0.3, 0.6, 0.9}},
		{"3:1:-1", Range, []float64{3, 2, 1}},
		{"2:2:1", Number, []float64{2}},
		{"-0.3:0.3:0.1", Range, []float64{-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3}},
		{"0:1/5", Range, []float64{0, 0.25, 0.5, 0.75, 1}},
		{"0:0.7/8", Range, []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7}},
		{"1:0/3", Range, []float64{1, 0.5, 0}},
		{"log:1:100/3", Range, []float64{1, 10, 100}},
		{"0:0.2nA:50pA", Range, []float64{0, 50, 100, 150, 200}},
		{"1nA, 2 pA", List, []float64{1000, 2}},
		{"@" + file, File, []float64{3, 1, 2}},
		{"1e-3:3e-3/3", Range, []float64{1e-3, 2e-3, 3e-3}},
		{"0:1/2", Range, []float64{0, 1}},
		{"-5:0.02nA", Interval, nil},
		{"normal:21:2", Drawn, nil},
	} {
		v, err := ParseValue("I", c.text, "pA")
		if err != nil || v.Kind != c.kind {
			t.Errorf("%s: kind %v, %v", c.text, v.Kind, err)
			continue
		}
		got := v.Axis().All()
		if v.Log {
			for i := range got {
				got[i] = math.Round(got[i]*1e12) / 1e12
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.text, got, c.want)
		}
	}
	if v, err := ParseValue("I", "-5:0.02nA", "pA"); err != nil || !slices.Equal(v.Numbers, []float64{-5, 20}) {
		t.Errorf("interval: %v %v", v.Numbers, err)
	}
}

func TestParseValueRefuses(t *testing.T) {
	for text, word := range map[string]string{
		"":                          "no value",
		"x":                         "not a finite number",
		"5mV":                       "wrong unit",
		"0:20:-1":                   "never leads",
		"3:9:0":                     "goes nowhere",
		"20:-5":                     "upwards",
		"0:1:2:3":                   "too many colons",
		"0:1/1":                     "both ends",
		"0:1/x":                     "whole number",
		"log:0:1/5":                 "above 0",
		"log:1:100":                 "start:stop/n",
		"1,2:3:1":                   "single numbers",
		"normal:21":                 "two values",
		"normal:21:-2":              "negative",
		"uniform:3:2":               "empty",
		"lognormal:-3:2":            "greater than 0",
		"0:1e300:1e-300":            "too many",
		"@nowhere.csv":              "cannot be read",
		"0:1/999999999999999999999": "whole number",
		"1,,2":                      "not a finite number",
		"2,5nA":                     "with and without units",
		"1_0":                       "wrong unit",
	} {
		if _, err := ParseValue("I", text, "pA"); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", text, err, word)
		}
	}
}

// TestMixedScales: a bare number beside one in a unit of another scale is noted, 0 and the quantity's own unit are not.
func TestMixedScales(t *testing.T) {
	for text, noted := range map[string]bool{
		"0.1:0.8nA:0.1nA": true, "100:0.8nA/8": true, "log:1:1nA/4": true, "-5:0.02nA": true, "normal:21:2nA": true,
		"0:0.8nA:0.1nA": false, "20:30:5pA": false, "20:30/3": false, "0.02nA:30pA/3": false, "21": false, "0.8nA": false,
	} {
		v, err := ParseValue("I", text, "pA")
		if err != nil || len(v.Notes) > 0 != noted {
			t.Errorf("%s: %v, %v; noted should be %t", text, v.Notes, err, noted)
		}
	}
}

// TestFiles: the unit of a header holds, a header of another quantity is refused, and what may be meant otherwise is
// noted.
func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ text, ref, want string }{
		{"I (nA)\n0.0105\n0.011\n", "", "[10.5 11]"},
		{"I_nA\n0.0105\n0.011\n", "", "[10.5 11]"},
		{"I [uA]\n1e-5\n", "", "[10]"},
		{"current\n10\n11\n", "", "[10 11]"},
		{"t_ms,I_nA\n0,0.01\n1,0.02\n", ":I", "[10 20]"},
		{"V_T\n10\n", "", "another quantity"},
		{"V_T (mV)\n10\n", "", "another quantity"},
		{"I (mV)\n10\n", "", "wrong unit"},
		{"tau_ms\n10\n", "", "another quantity"},
		{"0\n10\n11\n", "", "pandas"},
	} {
		if err := os.WriteFile("x.csv", []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		v, err := ParseValue("I", "@x.csv"+c.ref, "pA")
		got := fmt.Sprint(v.Axis().All(), v.Notes)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

// FuzzParseValue: parsed values are finite and monotonic; written with its units it reads back to the same bits, and to
// the same text.
func FuzzParseValue(f *testing.F) {
	for _, text := range []string{
		"21", "0:20:0.5", "0:20/201", "log:1:100/50", "5,6", "1e3:2e3:1e2", "0:1e18:1", "-1:1/3", "0:0.8nA:50pA",
		"normal:21:2", "uniform:1nA:2nA", "-5:20",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") {
			t.Skip("reads files")
		}
		v, err := ParseValue("I", text, "uA/cm2")
		if err != nil {
			return
		}
		if v.Kind&Several != 0 && v.Len() < 1 {
			t.Fatalf("%q: %d values", text, v.Len())
		}
		again, err := ParseValue("I", v.String(), "uA/cm2")
		if err != nil || again.Len() != v.Len() || again.String() != v.String() {
			t.Fatalf("%q is written as %q and read back as %q: %v", text, v, again, err)
		}
		if v.Len() == 0 {
			return
		}
		for _, i := range []int{0, v.Len() / 2, v.Len() - 1} {
			if x := v.At(i); math.IsNaN(x) || again.At(i) != x {
				t.Fatalf("%q: value %d is %v, read back %v", text, i, x, again.At(i))
			}
		}
		if v.Len() > 2 && v.Kind == Range {
			if up := v.At(v.Len()-1) > v.At(0); up != (v.At(1) >= v.At(0)) && v.At(1) != v.At(0) {
				t.Fatalf("%q turns back: %v %v %v", text, v.At(0), v.At(1), v.At(v.Len()-1))
			}
		}
	})
}

// FuzzParseNeuron: any command line is parsed or refused; values for neurons are finite.
func FuzzParseNeuron(f *testing.F) {
	for _, line := range []string{
		"lif I=21", "adex:naud-tonic I=0:20:0.5 V0=-50", "hh I=log:1:100/50 m0=2", "lif I=normal:21:2 tau=uniform:5mV:10",
		"rhh I=-5:20 n_plus_h=0.8", "lif I=", "eif =3", "adex I=1,,2", "lif I=0:1e300:1e-300", "lif:slide:x gain=1e999",
		"lif I=@missing.npy", "hh I=1:2:3:4", "lif I=0:1/99999999999999999999", "lif tau=10µs R=1GΩ",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "@") {
			t.Skip("files are the business of table/file")
		}
		n, err := ParseNeuron(strings.Fields(line), GainName)
		if n.Model == nil {
			if err == nil {
				t.Fatalf("%q: neither model nor fault", line)
			}
			return
		}
		for _, s := range n.Settings {
			if s.Check("run", Number|Drawn|File) != nil {
				continue
			}
			for _, x := range s.Value.Values(s.Name, 3, 1) {
				if x-x != 0 {
					t.Errorf("%s=%s gave %v", s.Name, s.Value, x)
				}
			}
		}
	})
}

// TestKinds: every kind that a verb does not accept is refused with a hint at the verb that does.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		text     string
		accepted Kind
		want     string
	}{
		{"1,2", Number | Drawn | File, "has 2 values; run takes one, a draw"},
		{"1:2", Number | Drawn | File, "is an interval; run takes one value"},
		{"1:2", Several, "is an interval; run takes single values"},
		{"normal:1:2", Several, "takes no draws"},
		{"1,2", Number | Interval, "follows an interval"},
		{"1,2", Number, "but run takes one"},
		{"2:2:1", Number, ""},
	} {
		n, err := ParseNeuron([]string{"lif", "I=" + c.text})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Check("run", c.accepted); (c.want == "") != (err == nil) || err != nil &&
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

// TestComplete: all parameters are listed, those that were set last and in the order given.
func TestComplete(t *testing.T) {
	n, err := ParseNeuron([]string{"lif:slide", "tau=5,6", "I=3"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range n.Complete() {
		names = append(names, s.Name+"="+s.Value.String())
	}
	if last := names[len(names)-2:]; !slices.Equal(last, []string{"tau=5ms,6ms", "I=3pA"}) ||
		len(names) != len(model.LIFModel.Params)+1 {
		t.Errorf("%q", names)
	}
}
