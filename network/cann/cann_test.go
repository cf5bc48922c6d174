package cann

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
)

// truth is testdata/cann_bump.json: bumps by Newton's method, to 1e-14.
type truth struct {
	N, A, J0, K, Tau float64
	KC               float64 `json:"k_c"`
	Stable           float64 `json:"line_u0_stable"`
	Unstable         float64 `json:"line_u0_unstable"`
	Ring             float64 `json:"ring_u_max"`
	SumR             float64 `json:"ring_sum_r_dx"`
}

func bumps(t *testing.T) (all []truth) {
	t.Helper()
	data, err := os.ReadFile("testdata/cann_bump.json")
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (b truth) values() Values {
	v := Defaults()
	v[N], v[Width], v[J0], v[K], v[Tau], v[Amplitude] = b.N, b.A, b.J0, b.K, b.Tau, 0
	return v
}

// TestBump: a bump left to itself takes the height of the closed form to 1e-6, and that of the ring to 1e-9; the closed
// forms are those of the reference.
func TestBump(t *testing.T) {
	const closed, exact = 1e-6, 1e-9 // relative; the ring's correction is 3e-8, the rest of the relaxation exp(-17)
	for _, b := range bumps(t) {
		v := b.values()
		stable, unstable := v.Line()
		for _, c := range [][3]float64{
			{stable, b.Stable, 1e-13}, {unstable, b.Unstable, 1e-11}, {v.KCritical(), b.KC, 1e-13},
		} {
			if math.Abs(c[0]/c[1]-1) > c[2] {
				t.Errorf("N %g: closed form %.17g, want %.17g", b.N, c[0], c[1])
			}
		}
		v[U0] = 0.7 * stable
		w := New(v, 0.05)
		for range 700 {
			w.Step()
		}
		s := w.Measure()
		if math.Abs(s.UMax/stable-1) > closed || math.Abs(s.UMax/b.Ring-1) > exact {
			t.Errorf("N %g: height %.12g; closed form %.12g, on the ring %.12g", b.N, s.UMax, stable, b.Ring)
		}
		if sum := s.SumR * 2 * math.Pi / b.N; math.Abs(sum/b.SumR-1) > exact {
			t.Errorf("N %g: sum of r %.12g, want %.12g", b.N, sum, b.SumR)
		}
		v[U0] = 0.9 * unstable
		w = New(v, 0.05)
		for range 700 {
			w.Step()
		}
		if s := w.Measure(); s.UMax > 0.01*unstable {
			t.Errorf("N %g: a bump below the unstable one stays at %g", b.N, s.UMax)
		}
	}
}

// TestTracking follows the stimuli of testdata/cann_tracking.csv, made by DOP853 and LSODA, at the default step.
func TestTracking(t *testing.T) {
	const tolerance, dt = 1e-7, Step // relative; the error of order 4, largest while the bump grows
	f, err := os.Open("testdata/cann_tracking.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var w *Network
	var b truth
	which, steps := -1, 0
	for _, row := range rows[1:] {
		var x [6]float64
		for j := range x {
			if x[j], err = strconv.ParseFloat(row[j], 64); err != nil {
				t.Fatal(err)
			}
		}
		if int(x[0]) != which {
			which, steps = int(x[0]), 0
			b = bumps(t)[which]
			v := b.values()
			v[U0] = 0.1 * b.Stable
			w = New(v, dt)
			w.Stimulus = func(t float64) (float64, float64) {
				switch {
				case t < 10:
					return 0.5 * b.Stable, 0.5
				case t < 20:
					return 0.5 * b.Stable, 1.3
				}
				return 0, 0
			}
		}
		for ; float64(steps)*dt < x[1]-1e-9; steps++ {
			w.Step()
		}
		s := w.Measure()
		for _, c := range [][2]float64{{s.Center, x[2]}, {s.UMax, x[3]}, {s.SumR * 2 * math.Pi / b.N, x[5]}} {
			if math.Abs(c[0]/c[1]-1) > tolerance {
				t.Errorf("case %d at %g: %.12g, want %.12g", which, x[1], c[0], c[1])
			}
		}
	}
}

// TestMoving: the bump follows a moving stimulus with the lag of the theory for kept shapes while that is small, and
// loses it beyond a critical speed.
func TestMoving(t *testing.T) {
	v := Defaults()
	v[U0], v[Amplitude], v[Off] = 0.2742, 0.05, 1e9
	run := func(speed float64) (s State, most float64) {
		v[Speed] = speed
		w := New(v, 0.05)
		for k := range 1600 {
			w.Step()
			if k > 800 {
				most = max(most, math.Abs(w.Measure().Lag))
			}
		}
		return w.Measure(), most
	}
	const kept = 0.05 // relative: the shape changes a little
	for _, speed := range []float64{0.01, 0.03} {
		s, _ := run(speed)
		if want := v.Lag(s.UMax); math.Abs(s.Lag/want-1) > kept {
			t.Errorf("speed %g: lag %g, in theory %g", speed, s.Lag, want)
		}
	}
	if _, most := run(0.08); most > 1 {
		t.Errorf("speed 0.08: lag up to %g; the stimulus is lost", most)
	}
	if _, most := run(0.3); most < 3 {
		t.Errorf("speed 0.3: lag up to %g; the stimulus is not lost", most)
	}
}

// TestDiffusion: noise moves a bump; the variance of its position over trials grows as in theory, and falls as 1/N.
func TestDiffusion(t *testing.T) {
	const trials, dt, end = 300, 0.2, 60.0
	// The variance of normal numbers has a relative standard error of sqrt(2/trials), 8 %; 4 of them. The theory is
	// that of small noise.
	tolerance := 4 * math.Sqrt(2.0/trials)
	for _, n := range []float64{64, 256} {
		v, _ := WithPreset("diffusing")
		v[N], v[K] = n, 8.1*512/n // k rho and J0 rho as with 512 units
		v[J0] = 4 * 512 / n
		h, _ := v.Line()
		v[U0] = h
		var sum, square float64
		for trial := range trials {
			w := New(v, dt)
			w.Noise = NoiseOf(1, trial)
			for w.Time() < end-dt/2 {
				w.Step()
			}
			x := w.Measure().Center
			sum, square = sum+x/trials, square+x*x/trials
		}
		got, want := square-sum*sum, 2*v.Diffusion(h)*end
		t.Logf("N %g: variance %.4g rad², in theory %.4g", n, got, want)
		if math.Abs(got/want-1) > tolerance {
			t.Errorf("N %g: variance %g rad², in theory %g", n, got, want)
		}
	}
}

// TestPresets: every preset has values that are allowed, and a bump.
func TestPresets(t *testing.T) {
	for _, p := range Presets {
		v, ok := WithPreset(p.Name)
		if h, _ := v.Line(); !ok || v.Check() != nil || !(h > 0) {
			t.Errorf("%s: %v, height %g", p.Name, v.Check(), h)
		}
	}
}
