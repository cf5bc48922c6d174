package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		var b bytes.Buffer
		p := NewProgress(&b, 1000, "points")
		clock := p.start
		p.terminal, p.now = terminal, func() time.Time { return clock }
		for done := range 101 {
			clock = p.start.Add(time.Duration(done) * time.Second)
			p.Update(float64(done))
			p.Update(float64(done))
		}
		p.Clear()
		want := "  3 %  30 s elapsed, 16:10 min remaining, 1 points/s\n" +
			"  6 %  1:00 min elapsed, 15:40 min remaining, 1 points/s\n" +
			"  9 %  1:30 min elapsed, 15:10 min remaining, 1 points/s\n"
		got := b.String()
		if !terminal && got != want {
			t.Errorf("elsewhere:\n%s want\n%s", got, want)
		}
		if lines := bytes.Count(b.Bytes(), []byte("\r")); terminal && (lines != 101 || !strings.HasSuffix(got, "\r\x1b[K")) {
			t.Errorf("on a terminal: %d lines, want 100 and a clear one:\n%q", lines, got)
		}
	}
	var quiet *Progress
	quiet.Update(1)
	quiet.Clear()
	if NewProgress(nil, 1, "") != nil {
		t.Error("progress on nothing is not quiet")
	}
}
