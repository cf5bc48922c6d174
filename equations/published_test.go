package equations

import (
	"math"
	"slices"
	"testing"
)

// train is what a published figure shows of one neuron.
type train []float64

func (s train) between(from, to float64) (n int) {
	for _, x := range s {
		if x >= from && x < to {
			n++
		}
	}
	return n
}

// intervals are those that begin at from ms or later.
func (s train) intervals(from float64) (all []float64) {
	for k := 1; k < len(s); k++ {
		if s[k-1] >= from {
			all = append(all, s[k]-s[k-1])
		}
	}
	return all
}

// bursts are the numbers of spikes between pauses longer than pause ms; the last burst may be incomplete and is left
// out.
func (s train) bursts(pause float64) (sizes []int) {
	n := 1
	for _, x := range s.intervals(0) {
		if x > pause {
			sizes, n = append(sizes, n), 0
		}
		n++
	}
	return sizes
}

// rate is that of the last interval, spikes/s.
func (s train) rate() float64 {
	if len(s) < 2 {
		return 0
	}
	return 1000 / (s[len(s)-1] - s[len(s)-2])
}

func rises(x []float64) bool { return slices.IsSorted(x) && len(x) > 2 && x[len(x)-1] > 1.05*x[0] }

func regular(x []float64) bool {
	return len(x) > 2 && slices.Max(x) < 1.01*slices.Min(x)
}

// published are figures and numbers of papers, by model and preset: the time simulated, and the results required.
var published = []struct {
	name, what string
	duration   float64 // ms
	seen       func(s train) bool
}{
	// Izhikevich (2004), figure 1, A to T
	{"izhikevich:tonic-spiking", "A", 300, func(s train) bool { return regular(s.intervals(100)) }},
	{"izhikevich:phasic-spiking", "B", 200, func(s train) bool { return len(s) == 1 }},
	{"izhikevich:tonic-bursting", "C", 220, func(s train) bool {
		return slices.Equal(s.bursts(20)[1:4], []int{6, 6, 6})
	}},
	{"izhikevich:phasic-bursting", "D", 200, func(s train) bool { return len(s) > 2 && s.between(60, 200) == 0 }},
	{"izhikevich:mixed-mode", "E", 160, func(s train) bool {
		return s.between(0, 20) == 3 && regular(s.intervals(40))
	}},
	{"izhikevich:frequency-adaptation", "F", 85, func(s train) bool { return rises(s.intervals(0)) }},
	{"izhikevich:class-1", "G", 300, func(s train) bool {
		i := s.intervals(0)
		return len(i) > 5 && i[0] > 35 && i[0] > 2*i[5]
	}},
	{"izhikevich:class-2", "H", 300, func(s train) bool { i := s.intervals(0); return len(i) > 5 && i[0] < 25 }},
	{"izhikevich:spike-latency", "I", 100, func(s train) bool { return len(s) == 1 && s[0] > 13+3 }},
	{"izhikevich:subthreshold-oscillations", "J", 200, func(s train) bool { return len(s) == 1 }},
	{"izhikevich:resonator", "K", 800, func(s train) bool { return len(s) == 1 && s[0] > 320 }},
	{"izhikevich:integrator", "L", 100, func(s train) bool { return len(s) == 1 && s[0] < 30 }},
	{"izhikevich:rebound-spike", "M", 200, func(s train) bool { return len(s) == 1 && s[0] > 25 }},
	{"izhikevich:rebound-burst", "N", 200, func(s train) bool {
		return len(s) > 5 && s[0] > 25 && s.between(120, 200) == 0
	}},
	{"izhikevich:threshold-variability", "O", 100, func(s train) bool { return len(s) == 1 && s[0] > 80 }},
	{"izhikevich:bistability", "P", 300, func(s train) bool {
		return s.between(0, 37) == 0 && s.between(42, 208) == 5 && s.between(208, 300) == 0
	}},
	{"izhikevich:depolarising-after-potential", "Q", 50, func(s train) bool { return len(s) == 1 }},
	{"izhikevich-accommodation:figure", "R", 400, func(s train) bool { return len(s) == 1 && s[0] > 300 }},
	{"izhikevich:inhibition-induced-spiking", "S", 350, func(s train) bool {
		return s.between(0, 50) == 0 && s.between(50, 250) >= 3 && s.between(260, 350) == 0
	}},
	{"izhikevich:inhibition-induced-bursting", "T", 350, func(s train) bool {
		return s.between(0, 50) == 0 && s.between(50, 150) > 5 && s.between(150, 250) > 5 && s.between(250, 350) == 0
	}},
	// Izhikevich (2003), figure 2
	{"izhikevich:regular-spiking", "figure 2", 400, func(s train) bool { return regular(s.intervals(200)) }},
	{"izhikevich:chattering", "figure 2", 300, func(s train) bool { return slices.Min(s.bursts(15)) >= 3 }},
	{"izhikevich:fast-spiking", "figure 2", 200, func(s train) bool {
		return s.rate() > 60 && regular(s.intervals(100))
	}},
	// Mihalas & Niebur (2009), figure 1, A to T
	{"mihalas-niebur:tonic-spiking", "A", 200, func(s train) bool { return regular(s.intervals(0)) }},
	{"mihalas-niebur:class-1", "B", 500, func(s train) bool { return len(s) == 1 || s.rate() < 10 }},
	{"mihalas-niebur:frequency-adaptation", "C", 200, func(s train) bool { return rises(s.intervals(0)) }},
	{"mihalas-niebur:phasic-spiking", "D", 500, func(s train) bool { return len(s) > 0 && s.between(200, 500) == 0 }},
	{"mihalas-niebur:accommodation", "E", 1000, func(s train) bool {
		return s.between(0, 100) > 0 && s.between(100, 1000) == 0
	}},
	{"mihalas-niebur:threshold-variability", "F", 400, func(s train) bool {
		return s.between(0, 200) == 0 && len(s) == 1
	}},
	{"mihalas-niebur:rebound-spike", "G", 1000, func(s train) bool { return len(s) == 1 && s[0] > 806 }},
	{"mihalas-niebur:class-2", "H", 300, func(s train) bool {
		i := s.intervals(0)
		return len(i) > 0 && slices.Max(i) < 100
	}},
	{"mihalas-niebur:integrator", "I", 400, func(s train) bool { return len(s) == 1 && s[0] < 60 }},
	{"mihalas-niebur:hyperpolarisation-induced-spiking", "K", 800, func(s train) bool {
		return regular(s.intervals(100))
	}},
	{"mihalas-niebur:hyperpolarisation-induced-bursting", "L", 400, func(s train) bool {
		return slices.Min(s.bursts(20)) > 1
	}},
	{"mihalas-niebur:tonic-bursting", "M", 500, func(s train) bool {
		b := s.bursts(20)
		return len(b) > 2 && slices.Min(b) > 1
	}},
	{"mihalas-niebur:phasic-bursting", "N", 500, func(s train) bool {
		return len(s) > 1 && s.between(100, 500) == 0
	}},
	{"mihalas-niebur:rebound-burst", "O", 1000, func(s train) bool { return len(s) > 1 && s[0] > 600 }},
	{"mihalas-niebur:mixed-mode", "P", 500, func(s train) bool {
		return s.bursts(20)[0] > 1 && len(s.intervals(100)) > 1
	}},
	{"mihalas-niebur:after-potentials", "Q", 200, func(s train) bool { return len(s) == 1 }},
	{"mihalas-niebur:basal-bistability", "R", 200, func(s train) bool {
		return s.between(20, 100) > 2 && s.between(120, 200) == 0
	}},
	{"mihalas-niebur:preferred-frequency", "S", 800, func(s train) bool { return len(s) > 0 }},
	{"mihalas-niebur:spike-latency", "T", 50, func(s train) bool { return len(s) == 1 && s[0] > 10 }},
	// Golomb et al. (2007), figures 2 and 3: delayed tonic firing, stuttering; low rates at 1.25, doublets at 1.27 uA/cm2
	{"golomb", "delay", 1000, func(s train) bool { return s.between(100, 300) == 0 && regular(s.intervals(800)) }},
	{"golomb:stuttering", "figure 2", 2000, func(s train) bool {
		return len(s.bursts(100)) > 2 && s.between(0, 300) == 0
	}},
	{"golomb:window", "figure 3B", 2000, func(s train) bool { return regular(s.intervals(600)) && s.rate() < 5 }},
	{"golomb:doublets", "figure 3B", 2000, func(s train) bool {
		i := s.intervals(600)
		return len(i) > 5 && math.Abs(i[0]/i[1]-1) > 0.4 && math.Abs(i[0]-i[2]) < 1
	}},
	// Teeter et al. (2018), figure 1: after-spike currents adapt, level 1 and 2 do so little
	{"glif", "level 5", 1000, func(s train) bool { return rises(s.intervals(0)) }},
	{"glif:level-3", "level 3", 1000, func(s train) bool { return rises(s.intervals(0)) && s.rate() < 40 }},
	{"glif:level-2", "level 2", 1000, func(s train) bool { return s.rate() > 100 }},
	// Gorski et al. (2021), figure 9
	{"cadex:adapting", "figure 9", 700, func(s train) bool { return rises(s.intervals(0)) }},
	{"cadex:bursting", "figure 9", 1500, func(s train) bool {
		return slices.Equal(s.bursts(100)[1:4], []int{9, 9, 9})
	}},
	{"cadex:chaotic", "figure 9", 1500, func(s train) bool {
		i := s.intervals(500)
		return slices.Max(i) > 2*slices.Min(i)
	}},
	// Wilson (1999), figures: adaptation of regular spiking, none of fast spiking, bursts of two
	{"wilson", "adapts", 400, func(s train) bool { i := s.intervals(0); return i[1] > 1.5*i[0] && regular(i[4:]) }},
	{"wilson:fast-spiking", "fast", 200, func(s train) bool { return s.rate() > 250 }},
	{"wilson:bursting", "bursts", 600, func(s train) bool {
		return slices.Equal(s.bursts(30)[:4], []int{2, 2, 2, 2})
	}},
	// Prinz, Bucher & Marder (2004): pacemakers burst every 1 to 2 s
	{"stomatogastric", "period", 5000, func(s train) bool {
		i := s.intervals(0)
		longest := slices.Max(i) // between bursts
		return len(s.bursts(500)) >= 2 && longest > 700 && longest < 1500
	}},
	// Hindmarsh & Rose (1984): bursts at I = 2
	{"hindmarsh-rose", "bursts", 3000, func(s train) bool {
		return slices.Equal(s.bursts(150)[1:4], []int{9, 9, 9})
	}},
	// Wang & Buzsaki (1996), figure 1C: a frequency of 60 Hz at 1 uA/cm2
	{"wang-buzsaki", "60 Hz", 500, func(s train) bool { return math.Abs(s.rate()-60) < 2 }},
}

func TestPublishedFigures(t *testing.T) {
	for _, c := range published {
		p := presetOfLibrary(t, c.name)
		if s := train(p.run(t, c.duration, 1)); !c.seen(s) {
			t.Errorf("%s: not what %s shows: %.5v", c.name, c.what, s)
		}
	}
}

// Onsets and rates that papers and textbooks give, by the fastest current without and the slowest with repetitive
// firing.
func TestPublishedOnsets(t *testing.T) {
	for _, c := range []struct {
		name, source  string
		below, above  float64 // currents
		rateAbove     float64 // at most, spikes/s
		strong, fires float64 // a current and its rate within 3 %; 0: none
	}{
		{
			"wang-buzsaki", "Wang & Buzsaki, figure 1C: low rates at the threshold near 0.16, 400 spikes/s at 20",
			0.155, 0.175, 6, 20, 400,
		},
		{"traub-miles", "Borgers (2017), chapter 5: saddle-node near 0.12", 0.11, 0.125, 6, 0, 0},
		{"golomb", "Golomb et al., figure 8: delays are longest near 3.08", 3.03, 3.12, 40, 0, 0},
		{
			"golomb:window", "Golomb et al., figure 3C: rates go to 0 at the threshold, just below 1.25",
			1.22, 1.25, 6, 0, 0,
		},
		{"connor-stevens", "Dayan & Abbott, figure 6.1: rates rise from 0 near 8", 8.0, 8.3, 8, 0, 0},
	} {
		p := presetOfLibrary(t, c.name)
		rate := func(i float64) float64 {
			s := train(p.with("I", i).run(t, 3000, 1))
			if s.between(2000, 3000) == 0 {
				return 0
			}
			return s.rate()
		}
		if r := rate(c.below); r != 0 {
			t.Errorf("%s at %v: %v spikes/s; %s", c.name, c.below, r, c.source)
		}
		if r := rate(c.above); !(r > 0 && r < c.rateAbove) {
			t.Errorf("%s at %v: %v spikes/s; %s", c.name, c.above, r, c.source)
		}
		if c.strong != 0 {
			if r := rate(c.strong); math.Abs(r/c.fires-1) > 0.03 {
				t.Errorf("%s at %v: %v spikes/s; %s", c.name, c.strong, r, c.source)
			}
		}
	}
	// without the A current rates jump to some hundred
	p := presetOfLibrary(t, "connor-stevens").with("g_A", 0)
	if s := train(p.with("I", 8).run(t, 300, 1)); s.rate() < 100 {
		t.Errorf("connor-stevens without the A current: %v spikes/s", s.rate())
	}
}
