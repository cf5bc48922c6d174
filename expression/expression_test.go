package expression

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
)

var (
	voltage, _ = UnitOf("mV")
	duration   = Dimension{0, whole}
	dims       = map[string]Dimension{
		"g":     None,
		"J":     voltage.Dim,
		"theta": voltage.Dim,
		"tau":   duration,
		"N_E":   None,
		"V":     voltage.Dim,
	}
	values = map[string]float64{"g": 5, "J": 0.1, "theta": 20, "tau": 20, "N_E": 10000, "V": -65}
)

func TestEval(t *testing.T) {
	for text, want := range map[string]float64{
		"1 + 2*3": 7, "-2^2": -4, "2^3^2": 512, "2^-1": 0.5, "(1+2)*3": 9, "8/4/2": 1, "7-4-2": 1, "-2*3": -6, "2*-3": -6,
		"1e3": 1000, "2.5E-1": 0.25, ".5": 0.5, "+3": 3,
		"20mV": 20, "20 mV": 20, "0.02 V": 20, "3us": 3.0 / 1000, "1.5ms": 1.5, "1s": 1000, "8 Hz": 8.0 / 1000,
		"1/20 ms": 0.05,
		"3 mV^2":  9 * voltage.num / 3, "0.8nA": 800, "10 nS": 10, "2 uA/cm2": 2, "20 uF/cm2": 20, "3 mS/cm2": 3,
		"250 pF": 250, "0.1 GOhm": 0.1, "100 MOhm": 0.1,
		"2µA/cm²": 2, "1 kΩ": 1e-6,
		"-g*J": -0.5, "N_E/4": 2500, "2*theta/(J*tau)": 20, "sqrt(16)": 4, "exp(0)": 1, "log(1)": 0, "abs(-J)": 0.1,
		"min(3,1,2)": 1, "max(J, theta)": 20,
		"floor(2.7)": 2, "ceil(2.2)": 3, "round(2.5)": 3, "sin(0)": 0, "cos(0)": 1, "tanh(0)": 0, "exprel(0)": 1,
		"where(V < 0 mV, 1, 2)": 1, "where(V > 0 mV, 1, 2)": 2,
		"where(1 <= 1, 3, 4)": 3, "pi": math.Pi, "4^0.5": 2, "m2/cm2": 10000,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if _, err := e.Check(dims); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := e.Eval(func(name string) float64 { return values[name] }); got != want {
			t.Errorf("%q = %v, want %v", text, got, want)
		}
	}
}

// TestFunctions: functions are within 4 ulp of the standard library's, or 4e-16 where they pass through 0.
func TestFunctions(t *testing.T) {
	std := map[string]func(float64) float64{
		"exp": math.Exp, "log": math.Log, "sin": math.Sin, "cos": math.Cos, "tanh": math.Tanh, "cosh": math.Cosh,
		"sinh":   math.Sinh,
		"exprel": func(x float64) float64 { return x / math.Expm1(x) },
	}
	for name, f := range std {
		for i := range 2000 {
			x := 0.01 * (float64(i) + 0.37)
			if name != "log" {
				x -= 10
			}
			got, want := functions[name].value([]float64{x}), f(x)
			if math.Abs(got-want) > 4e-16*max(math.Abs(want)*2, 1) {
				t.Fatalf("%s(%v) = %v, want %v", name, x, got, want)
			}
		}
	}
	for _, c := range [][2]float64{{1.7, 2.3}, {0.01, -1.5}, {100, 0.3333}, {2, 65}, {3, -64}} {
		if got, want := power(c[0], c[1]), math.Pow(c[0], c[1]); math.Abs(got/want-1) > 3e-14 {
			t.Errorf("%v^%v = %v, want %v", c[0], c[1], got, want)
		}
	}
}

func TestDimensions(t *testing.T) {
	for text, want := range map[string]string{
		"J": "mV", "J/tau": "mV ms^-1", "J^2": "mV^2", "sqrt(J)": "mV^(6/12)", "sqrt(J*J)": "mV", "10 pA/J": "nS",
		"1 nS*J": "pA", "J/pA": "GOhm",
		"2*theta/(J*tau)": "ms^-1", "g": "1", "J/theta": "1", "uA/cm2": "pA area^-1", "uM": "uM", "exp(J/theta)": "1",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if d, err := e.Check(dims); err != nil || d.String() != want {
			t.Errorf("%q is in %v (%v), want %s", text, d, err, want)
		}
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "column 1: the end where a number",
		"1 +":               "column 4: the end where a number",
		"(1 + 2":            "column 7: the end where the parenthesis of column 1 should be closed",
		"1 2":               `column 3: "2" after the end`,
		"J $ 2":             `column 3: '$' is no part of an expression`,
		"thet*2":            `column 1: unknown name "thet"; did you mean theta?`,
		"20 mW":             `column 4: unknown unit "mW" behind a number; did you mean`,
		"2 * sqr(3)":        `column 5: unknown function "sqr"; did you mean sqrt?`,
		"J + tau":           "column 3: sum of mV and ms",
		"J - 1":             "column 3: difference of mV and 1",
		"exp(J)":            "column 1: exp of mV; it takes a pure number",
		"max(J, tau)":       "column 1: max of mV and ms",
		"sqrt(1,2)":         "column 1: sqrt of 2 arguments; it takes 1",
		"min(1)":            "column 1: min of 1 arguments; it takes at least 2",
		"J^g":               "column 2: mV to a power that is no plain number",
		"2^J":               "column 2: an exponent in mV",
		"J^(1/7)":           "column 2: mV to the power",
		"J < theta":         "column 3: a comparison where a number should be",
		"1 + (J < theta)":   "column 8: a comparison where a number should be",
		"where(1, 2, 3)":    "column 7: where takes a comparison first",
		"where(J < g, 1,2)": "column 9: comparison of mV and 1",
		"1e999":             "column 1: \"1e999\" is not a finite number",
		"1.2.3":             "column 1: \"1.2.3\" is not a finite number",
		"\xff":              "column 1: no valid UTF-8",
	} {
		e, err := Parse(text)
		if err == nil {
			_, err = e.Check(dims)
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
		if at := new(Error); !errors.As(err, &at) {
			t.Errorf("%q: %T has no column", text, err)
		}
	}
	if _, err := Parse(strings.Repeat("(", 1000)); err == nil ||
		!strings.Contains(err.Error(), "parentheses inside each other") {
		t.Errorf("1000 parentheses: %v", err)
	}
}

func TestIn(t *testing.T) {
	for _, c := range []struct{ text, unit, want string }{
		{"8 Hz", "Hz", "8"},
		{"8", "Hz", "8"},
		{"0.8nA", "pA", "800"},
		{"2*3", "mV", "6"},
		{"2*theta/(J*tau)", "Hz", "20000"},
		{"3us", "ms", "0.003"},
		{"-65mV", "mV", "-65"},
		{"2 uA/cm2", "uA/cm2", "2"},
		{"g", "1", "5"},
		{"1.7kHz", "Hz", "1700"},
		{"g", "mV", "column 1: g has no unit; it should be in mV"},
		{"theta", "ms", "column 1: theta is in mV; it should be in ms"},
	} {
		u, err := UnitOf(c.unit)
		if err != nil {
			t.Fatal(err)
		}
		e, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if x, err := e.In(u, dims, func(name string) float64 { return values[name] }); err != nil {
			got = err.Error()
		} else {
			got = formatted(x)
		}
		if got != c.want {
			t.Errorf("%q in %s: %s, want %s", c.text, c.unit, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	e, err := Parse("g*J + pi*max(J, theta)*1mV - g")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Names(), " "); got != "J g theta" {
		t.Errorf("names %s, want J g theta", got)
	}
	for text, want := range map[string]bool{"2*3": true, "2*pi": true, "2mV": false, "g": false} {
		if e, _ := Parse(text); e.Bare() != want {
			t.Errorf("%q: bare %v", text, e.Bare())
		}
	}
}

// FuzzParse: any text is refused with a column inside it, or evaluates without a panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"2*theta/(J*tau)", "where(V < 0 mV, exp(-V/mV), 1)", "-20 mV^2 / (3us)", "(((", "1e", "2µA/cm²", "max(1,2,", "^",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err == nil {
			_, err = e.Check(dims)
		}
		if err != nil {
			at := new(Error)
			if !errors.As(err, &at) || at.Column < 1 || at.Column > len(text)+1 {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		e.Eval(func(name string) float64 { return values[name] })
		e.Names()
	})
}

func formatted(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
