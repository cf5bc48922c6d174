package experiment

import "testing"

func TestInputWords(t *testing.T) {
	got := InputWords([]string{"white:5mV"}, []string{"sine:10Hz:5", "steps:0ms=2.5,100ms=7", "@in.npy:0.1ms"})
	if want := ", white noise (5 mV), sine (10 Hz, 5), steps (0 ms=2.5, 100 ms=7), current of in.npy"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := InputWords(nil, nil); got != "" {
		t.Errorf("%q without inputs", got)
	}
}
