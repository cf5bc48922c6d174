package main

import (
	"strings"
	"testing"
)

// FuzzGrammar: whatever stands on the command line is understood or refused, never a panic; and what is refused has a
// reason.
func FuzzGrammar(f *testing.F) {
	for _, line := range []string{
		"lif I=21", "adex:naud-tonic I=0:20:0.5 V0=-50", "hh I=log:1:100/50 m0=2", "lif I=normal:21:2 tau=uniform:5mV:10",
		"rhh I=-5:20 n_plus_h=0.8", "lif I=", "eif =3", "adex I=1,,2", "lif I=0:1e300:1e-300", "lif:slide:x gain=1e999",
		"lif I=@missing.npy", "hh I=1:2:3:4", "lif I=0:1/99999999999999999999", "lif tau=10µs R=1GΩ",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "@") {
			t.Skip("files are the business of report")
		}
		q, err := ask(strings.Fields(line), "gain")
		if (q.model == nil) && err == nil {
			t.Fatalf("%q: neither model nor fault", line)
		}
		for _, s := range q.settings {
			r, err := s.source()
			if err == nil {
				for _, x := range r.values(3, 1) {
					if x-x != 0 {
						t.Errorf("%s=%s gave %v", s.name, s.text, x)
					}
				}
			}
			_, _ = s.single("phase")
		}
	})
}
