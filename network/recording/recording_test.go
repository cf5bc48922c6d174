package recording_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
	"popsim/table"
)

// small is a network by name that runs in milliseconds.
func small(t *testing.T, workers int) (*network.Network, *network.Spec) {
	t.Helper()
	d, err := description.Lookup("cuba")
	if err != nil {
		t.Fatal(err)
	}
	res, err := d.Resolve(
		description.Options{
			Settings: []description.Setting{{Name: "N_E", Text: "320"}, {Name: "C_E", Text: "8"}, {Name: "C_I", Text: "2"}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.Build(context.Background(), res.Spec, network.Config{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return n, res.Spec
}

// text keeps what a sink takes as text.
func text(b *strings.Builder) recording.Sink {
	return func(t *table.Table) error {
		for i := range t.Rows() {
			for _, c := range t.Columns {
				switch v := c.Values.(type) {
				case []float64:
					fmt.Fprint(b, v[i], " ")
				case []int64:
					fmt.Fprint(b, v[i], " ")
				}
			}
			b.WriteByte('\n')
		}
		return nil
	}
}

// recorded runs the network for 30 ms, cut at some steps, and returns spikes, rates and, if requested, a trace.
func recorded(
	t *testing.T,
	workers int,
	traced bool,
	cuts ...int64,
) (spikes, rates, trace string, r *recording.Recording) {
	t.Helper()
	var s, q, tr strings.Builder
	n, spec := small(t, workers)
	cfg := recording.Config{From: 5, To: 30, Bin: 1, Spikes: text(&s), Rates: text(&q)}
	if traced {
		cfg.Trace = recording.Trace{Of: []int{0, 321}, Every: 7, Sink: text(&tr)}
	}
	r = recording.New(n, spec, cfg)
	for _, to := range append(cuts, 300) {
		if err := r.Advance(context.Background(), to); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	return s.String(), q.String(), tr.String(), r
}

// TestCuts: neither a trace nor the number of workers nor the steps at which a run pauses change the records.
func TestCuts(t *testing.T) {
	s1, q1, t1, r := recorded(t, 1, true)
	s2, q2, _, _ := recorded(t, 2, false, 13, 100)
	_, _, t3, _ := recorded(t, 1, true, 14, 15, 299)
	if s1 != s2 || q1 != q2 || t1 != t3 {
		t.Error("what is recorded depends on how a run is cut, on workers, or on the trace")
	}
	if got := int64(strings.Count(s1, "\n")); got != r.Spikes() || got < 10 {
		t.Errorf("%d rows of spikes, %d spikes", got, r.Spikes())
	}
	if rows := strings.Count(t1, "\n"); rows != 2*(300/7+1) {
		t.Errorf("%d rows of the trace", rows)
	}
	if rows := strings.Count(q1, "\n"); rows != 30 {
		t.Errorf("%d rows of rates", rows)
	}
}

// TestVariables: columns of a trace are the states, then what synapses change, with units.
func TestVariables(t *testing.T) {
	_, spec := small(t, 1)
	if got, want := recording.Variables(spec, []int{0}), []string{"V_mV", "I_exc_pA", "I_inh_pA"}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestParseOf(t *testing.T) {
	_, spec := small(t, 1)
	for _, c := range []struct {
		text string
		want []int
		err  string
	}{
		{"E:0:2,I:5", []int{0, 1, 2, 325}, ""},
		{"319:321", []int{319, 320, 321}, ""},
		{"7", []int{7}, ""},
		{"I:80", nil, "I has neurons 0 to 79"},
		{"400", nil, "the network has neurons 0 to 399"},
		{"E:2:1", nil, "E has neurons 0 to 319"},
		{"X", nil, `no population "X"`},
		{"E:a", nil, `"a" is no number`},
		{"E:1:2:3", nil, "neurons are given as E:0:3 or E:5"},
		{"E:3,E:1:4", nil, "neuron 3 is named twice"},
		{"", nil, `no population ""`},
	} {
		got, err := recording.ParseOf(spec, c.text)
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") ||
			err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %v, %v; want %v, %s", c.text, got, err, c.want, c.err)
		}
	}
}
