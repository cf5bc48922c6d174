package network

import (
	"runtime/pprof"
	"strings"
	"testing"
)

// TestPartsAreLabelled reads the labels of goroutines in an input and in a recorder, as a profile does.
func TestPartsAreLabelled(t *testing.T) {
	ctx := pprof.WithLabels(t.Context(), pprof.Labels("model", "balanced"))
	var within, after strings.Builder
	look := func(to *strings.Builder) {
		if to.Len() == 0 {
			if err := pprof.Lookup("goroutine").WriteTo(to, 1); err != nil {
				t.Error(err)
			}
		}
	}
	s := balanced(20, Delta, true)
	s.Inputs = append(s.Inputs, Input{Name: "look", To: []Part{{0, 0, 1}}, Current: func(int64) float64 {
		look(&within)
		return 0
	}})
	n, err := Build(t.Context(), s, Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Run(ctx, 20, Recorder{Spikes: func([]Spike) error { look(&after); return nil }}); err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string]string{
		`{"model":"balanced", "part":"input", "shard":"0"}`:     within.String(),
		`{"model":"balanced", "part":"recording", "shard":"0"}`: after.String(),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no goroutine is labelled %s in\n%s", want, got)
		}
	}
	if err := n.Run(t.Context(), 1, Recorder{}); err != nil || n.ranges[0].labels != nil {
		t.Errorf("labels without a profile (%v)", err)
	}
}
