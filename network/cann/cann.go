// Package cann is a continuous attractor neural network of rate units on a ring: Wu, Hamaguchi & Amari, Neural Comput.
// 20:994 (2008), in the form of Fung, Wong & Wu, Neural Comput. 22:752 (2010),
//
//	tau du/dt = -u + sum_j J(x - x_j) r_j + I + sigma sqrt(tau) xi,   r = u²/(1 + k sum_j u_j²),
//	J = J0/(sqrt(2 pi) a) exp(-d²/2a²),   I = A exp(-(x-z)²/4a²),
//
// for u ≥ 0, and r = 0 where u < 0; xi is white noise of each unit's own; d is the distance on the ring, x_j = -pi +
// 2 pi j/N. The sums are over units, as in BrainPy, without their distance. A bump at any position persists without a
// stimulus if k is below KCritical.
package cann

import (
	"fmt"
	"math"
	"strconv"

	"popsim/circulant"
	"popsim/fault"
	"popsim/kernels"
	"popsim/rng"
)

// Title, Source and Equations describe cann.
const (
	Title  = "Continuous attractor of rate units on a ring"
	Source = "Wu, Hamaguchi & Amari, Neural Comput. 20:994 (2008); Fung, Wong & Wu, Neural Comput. 22:752 (2010)"
)

// Equations are the equations of the network, with sums over units.
var Equations = []string{
	"tau du/dt = -u + sum_j J(x - x_j) r_j + I + sigma sqrt(tau) xi",
	"r = u^2/(1 + k sum_j u_j^2)",
	"J(d) = J0/(sqrt(2 pi) a) exp(-d^2/2a^2)",
	"I = A exp(-(x - z)^2/4a^2), z = z0 + v (t - on), from on to off",
}

// A Parameter is a number of the network, its start, or its stimulus.
type Parameter struct {
	Name    string
	Default float64
	Unit    string
	Doc     string
}

// The places of the parameters in Values.
const (
	N = iota
	Width
	J0
	K
	Tau
	U0
	X0
	Amplitude
	Z0
	Speed
	On
	Off
	Sigma
)

// Parameters are those of the network in the order of Values.
var Parameters = []Parameter{
	N:         {"N", 512, "1", "units"},
	Width:     {"a", 0.5, "1", "width of the connections, rad"},
	J0:        {"J0", 4, "1", "their strength"},
	K:         {"k", 8.1, "1", "divisive inhibition"},
	Tau:       {"tau", 1, "ms", "time constant"},
	U0:        {"u0", 0, "1", "height of the bump at the start"},
	X0:        {"x0", 0, "1", "its position, rad"},
	Amplitude: {"A", 0.1, "1", "height of the stimulus"},
	Z0:        {"z0", 0, "1", "its position when it comes on, rad"},
	Speed:     {"v", 0, "1/ms", "its speed, rad/ms"},
	On:        {"on", 0, "ms", "when the stimulus comes on"},
	Off:       {"off", 10, "ms", "when it goes off"},
	Sigma:     {"sigma", 0, "1", "white noise on u of each unit; 0 is none"},
}

// A Preset is a name for values that differ from the defaults.
type Preset struct {
	Name   string
	Doc    string
	Values map[int]float64
}

// Presets are those of the network.
var Presets = []Preset{
	{"coding", "weak inhibition, as in BrainPy's demonstration of coding", map[int]float64{K: 0.1, U0: 20}},
	{
		"tracking", "a bump that follows a weak stimulus",
		map[int]float64{Amplitude: 0.05, U0: 0.26, Speed: 0.05, Off: 1000},
	},
	{"diffusing", "a bump that noise moves, without a stimulus", map[int]float64{Amplitude: 0, U0: 0.2742, Sigma: 0.01}},
}

// WithPreset returns the default values with those of a preset.
func WithPreset(name string) (Values, bool) {
	v := Defaults()
	for _, p := range Presets {
		if p.Name == name {
			for i, x := range p.Values {
				v[i] = x
			}
			return v, true
		}
	}
	return v, false
}

// Values are the values of Parameters.
type Values []float64

// Defaults are the default values.
func Defaults() Values {
	var v Values
	for _, p := range Parameters {
		v = append(v, p.Default)
	}
	return v
}

// Step is the default step, ms: with it the heights and positions of TestTracking are right to 1e-7.
const Step = 0.01

// mostUnits is the largest number of units.
const mostUnits = 1 << 20

// Check reports all values that the network cannot have.
func (v Values) Check() error {
	var bad fault.List
	for i, p := range Parameters {
		if x := v[i]; math.IsNaN(x) || math.IsInf(x, 0) {
			bad.Addf("%s is %g; it must be finite", p.Name, x)
		}
	}
	if n := v[N]; !(n >= 8 && n <= mostUnits) || n != math.Trunc(n) {
		bad.Addf("N is %g; it must be a whole number from 8 to %d", n, mostUnits)
	}
	for _, i := range []int{Width, Tau} {
		if !(v[i] > 0) {
			bad.Addf("%s is %g; it must be greater than 0", Parameters[i].Name, v[i])
		}
	}
	for _, i := range []int{K, Sigma} {
		if v[i] < 0 {
			bad.Addf("%s is %g; it must be 0 or more", Parameters[i].Name, v[i])
		}
	}
	return bad.Err()
}

// KCritical is the k above which no bump persists on the infinite line, rho J0²/(8 sqrt(2 pi) a) with rho =
// N/2pi.
func (v Values) KCritical() float64 {
	return v[N] / (2 * math.Pi) * v[J0] * v[J0] / (8 * math.Sqrt(2*math.Pi) * v[Width])
}

// Line is the height of the bump that persists on the infinite line, u = height exp(-x²/4a²), and that of the
// unstable one beside it: the solutions of 1 - B h + C h² = 0, B = rho J0/sqrt 2, C = k rho sqrt(2 pi) a; NaN above
// KCritical. The ring adds less than exp(-pi²/4a²) of it.
func (v Values) Line() (stable, unstable float64) {
	rho := v[N] / (2 * math.Pi)
	b, c := rho*v[J0]/math.Sqrt2, float64(v[K]*rho*math.Sqrt(2*math.Pi)*v[Width])
	root := math.Sqrt(float64(b*b) - float64(4*c))
	stable = (b + root) / float64(2*c)
	return stable, 1 / float64(c*stable)
}

// Stimulus is the height of the stimulus at t ms, and its position, not wrapped.
func (v Values) Stimulus(t float64) (height, z float64) {
	if t < v[On] || t >= v[Off] {
		return 0, v[Z0] + float64(v[Speed]*(t-v[On]))
	}
	return v[Amplitude], v[Z0] + float64(v[Speed]*(t-v[On]))
}

// Lag is how far the bump of height h stays behind a stimulus that moves with the speed v, where shapes are kept: the
// smaller solution s of v tau = A/h s exp(-s²/8a²) (Fung, Wong & Wu). It is NaN beyond the critical speed, at s = 2a.
func (v Values) Lag(h float64) float64 {
	a := v[Width]
	pull := func(s float64) float64 { return v[Amplitude] / h * s * math.Exp(-s*s/(8*a*a)) }
	speed := math.Abs(v[Speed]) * v[Tau]
	lo, hi := 0.0, 2*a
	if !(pull(hi) >= speed) {
		return math.NaN()
	}
	for hi-lo > 1e-14*a {
		if m := (lo + hi) / 2; pull(m) < speed {
			lo = m
		} else {
			hi = m
		}
	}
	return math.Copysign((lo+hi)/2, v[Speed])
}

// Diffusion is that of a bump of height h without a stimulus, rad²/ms: the variance of its position grows by 2 D t.
// Noise moves the bump by its projection on u(x) u'(x), the left eigenvector of translations; for u = h exp(-x²/4a²)
// on the line that gives D = 27 a sigma²/(16 sqrt(pi) rho h² tau), which falls as 1/N.
func (v Values) Diffusion(h float64) float64 {
	rho := v[N] / (2 * math.Pi)
	return 27 * v[Width] * v[Sigma] * v[Sigma] / (16 * math.Sqrt(math.Pi) * rho * h * h * v[Tau])
}

// Network is the network at a time.
type Network struct {
	Stimulus func(t float64) (height, z float64) // at t ms; Values.Stimulus unless changed
	Noise    rng.Stream                          // decides the noise; the id is the step

	v       Values
	dt      float64
	steps   int64
	n       int
	x, u, r []float64
	weights *circulant.Matrix
	z       []complex128
	slopes  [4][]float64
	stage   []float64
	words   []uint32
	normals []float64
}

// NoiseOf is the stream of the noise of a trial.
func NoiseOf(seed uint64, trial int) rng.Stream {
	return rng.NewStream(seed, "cann, trial "+strconv.Itoa(trial))
}

// New returns the network at its start, a bump of height u0 at x0, with steps of dt ms and the noise of seed 0, trial
// 0. The values must satisfy Check.
func New(v Values, dt float64) *Network {
	n := int(v[N])
	w := &Network{Stimulus: v.Stimulus, Noise: NoiseOf(0, 0), v: v, dt: dt, n: n}
	column := func() []float64 { return make([]float64, n) }
	w.x, w.u, w.r, w.stage = column(), column(), column(), column()
	w.words, w.normals = make([]uint32, n), column()
	for i := range w.slopes {
		w.slopes[i] = column()
	}
	a := v[Width]
	weights := column()
	for i := range n {
		w.x[i] = 2*math.Pi*float64(i)/float64(n) - math.Pi
		d := 2 * math.Pi * float64(min(i, n-i)) / float64(n)
		weights[i] = v[J0] / (math.Sqrt(2*math.Pi) * a) * kernels.Exp(-d*d/(2*a*a))
	}
	w.weights = circulant.New(weights)
	w.z = w.weights.Scratch()
	for i := range n {
		w.u[i] = v[U0] * w.gauss(i, v[X0])
	}
	return w
}

// gauss is exp(-d²/4a²) at the distance d of unit i from x.
func (w *Network) gauss(i int, x float64) float64 {
	d := wrap(w.x[i] - x)
	return kernels.Exp(-float64(d*d) / (4 * w.v[Width] * w.v[Width]))
}

// wrap takes an angle to [-pi, pi).
func wrap(x float64) float64 {
	return x - float64(2*math.Pi*math.Floor((x+math.Pi)/(2*math.Pi)))
}

// rates sets r to the rates at u.
func (w *Network) rates(u []float64) {
	sum := 0.0
	for i, x := range u {
		x = max(0, x)
		w.r[i] = float64(x * x)
		sum += w.r[i]
	}
	scale := 1 / (1 + float64(w.v[K]*sum))
	for i := range w.r {
		w.r[i] *= scale
	}
}

// slope sets d to du/dt at u and t.
func (w *Network) slope(t float64, u, d []float64) {
	w.rates(u)
	for i, r := range w.r {
		w.z[i] = complex(r, 0)
	}
	w.weights.Multiply(w.z)
	height, z := w.Stimulus(t)
	for i := range d {
		drive := real(w.z[i]) - u[i]
		if height != 0 {
			drive += float64(height * w.gauss(i, z))
		}
		d[i] = drive / w.v[Tau]
	}
}

// Time is the time of the network, ms.
func (w *Network) Time() float64 { return float64(float64(w.steps) * w.dt) }

// Step advances the network by a step of the classical method of Runge and Kutta, of order 4, and adds the noise of the
// step at its end. A stimulus that jumps should do so between steps: the last stage takes it just before the end.
func (w *Network) Step() {
	const before = 1 - 1e-9
	dt, t := w.dt, w.Time()
	at := [4]float64{0, 0.5, 0.5, 1}
	for k := range w.slopes {
		if k == 0 {
			copy(w.stage, w.u)
		} else {
			for i := range w.stage {
				w.stage[i] = w.u[i] + float64(float64(at[k]*dt)*w.slopes[k-1][i])
			}
		}
		w.slope(t+float64(min(at[k], before)*dt), w.stage, w.slopes[k])
	}
	for i := range w.u {
		sum := w.slopes[0][i] + float64(2*w.slopes[1][i]) + float64(2*w.slopes[2][i]) + w.slopes[3][i]
		w.u[i] += float64(dt / 6 * sum)
	}
	if w.v[Sigma] > 0 {
		w.addNoise()
	}
	w.steps++
}

// addNoise adds the noise of a step to u.
func (w *Network) addNoise() {
	sd := w.v[Sigma] * math.Sqrt(w.dt/w.v[Tau])
	w.Noise.Words(w.words, uint32(w.steps), 0)
	rng.Normals(w.normals, w.words)
	for i, x := range w.normals {
		w.u[i] += float64(sd * x)
	}
}

// State holds the measures of a network at a time.
type State struct {
	Time   float64 // ms
	UMax   float64 // the largest u
	Center float64 // rad, the direction of the mean of r exp(ix)
	SumR   float64
	Lag    float64 // rad, how far the bump is behind the stimulus, in [-pi, pi); also when that is off
}

// Measure measures the network.
func (w *Network) Measure() State {
	w.rates(w.u)
	s := State{Time: w.Time(), UMax: math.Inf(-1)}
	x, y := 0.0, 0.0
	for i, r := range w.r {
		s.UMax, s.SumR = max(s.UMax, w.u[i]), s.SumR+r
		sin, cos := math.Sincos(w.x[i])
		x, y = x+float64(r*cos), y+float64(r*sin)
	}
	s.Center = math.NaN()
	if s.SumR > 0 {
		s.Center = math.Atan2(y, x)
	}
	_, z := w.Stimulus(w.Time())
	s.Lag = wrap(z - s.Center)
	return s
}

// X are the positions of the units, rad; U and R their states, which the next step changes.
func (w *Network) X() []float64 { return w.x }

// U is the input of the units.
func (w *Network) U() []float64 { return w.u }

// R are the rates of the units.
func (w *Network) R() []float64 {
	w.rates(w.u)
	return w.r
}

// String lists the values that differ from the defaults.
func (v Values) String() string {
	text := ""
	for i, p := range Parameters {
		if v[i] != p.Default {
			text += fmt.Sprintf("  %s = %g", p.Name, v[i])
		}
	}
	return text
}
