package figure

import (
	"math"
	"strings"
	"testing"

	"popsim/table"
)

func TestTables(t *testing.T) {
	fi := func(rates ...float64) *table.Table {
		return table.NewTable(
			table.Col("b", []float64{0, 0, 0, 60, 60, 60}), table.Col("I", []float64{5, 6, 7, 5, 6, 7}),
			table.Col("rate_Hz", rates), table.Col("status", []string{"ok", "ok", "ok", "ok", "ok", "ok"}))
	}
	units := map[string]string{"I": "pA", "b": "pA"}
	one := Named{"adex", fi(0, 20, 21, 0, 1, 2), units}
	two := Named{"eif", fi(1, 2, 3, 4, 5, 6), units}
	f, err := Tables("", []Named{one, two}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := f.Panels[0]
	if p.XLabel != "I (pA)" || p.YLabel != "firing rate (Hz)" {
		t.Errorf("axes are %q and %q", p.XLabel, p.YLabel)
	}
	var names []string
	for _, l := range p.Lines {
		names = append(names, l.Name)
	}
	want := "adex, b = 0 pA; adex, b = 60 pA; eif, b = 0 pA; eif, b = 60 pA"
	if got := strings.Join(names, "; "); got != want {
		t.Errorf("curves are %s, want %s", got, want)
	}
	if y := p.Lines[0].Y; len(y) != 4 || !math.IsNaN(y[1]) { // a jump from 0 to 20
		t.Errorf("the jump at the onset is drawn: %v", y)
	}
	if y := p.Lines[1].Y; len(y) != 3 {
		t.Errorf("a continuous onset is broken: %v", y)
	}

	rates := Named{
		"net",
		table.NewTable(table.Col("time_ms", []float64{0, 1}), table.Col("E_Hz", []float64{5, 6}),
			table.Col("I_Hz", []float64{7, 8})),
		nil,
	}
	f, err = Tables("", []Named{rates}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if p = f.Panels[0]; len(p.Lines) != 2 || p.Lines[1].Name != "I" || p.YLabel != "rate (Hz)" {
		t.Errorf("rates of populations: %d lines, y label %q", len(p.Lines), p.YLabel)
	}

	spikes := Named{"s", table.NewTable(table.Col("neuron", []int64{0, 1}), table.Col("time_ms", []float64{1, 2})), nil}
	f, err = Tables("", []Named{spikes, spikes}, "", nil)
	if err != nil || len(f.Panels) != 2 || f.Panels[1].Points[0].Y[1] != 1 {
		t.Errorf("rasters: %v", err)
	}

	for _, c := range []struct {
		x, y, want string
	}{{"J", "", `no column "J"; it has b, I`}, {"", "status", "holds text"}, {"", "isi", `no column "isi"`}} {
		ys := []string{c.y}
		if c.y == "" {
			ys = nil
		}
		if _, err := Tables("", []Named{one}, c.x, ys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("x %q, y %q: %v, want %q", c.x, c.y, err, c.want)
		}
	}
}
