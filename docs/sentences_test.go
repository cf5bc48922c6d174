package docs_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"popsim/dynamics"
	"popsim/equations"
	"popsim/model"
	"popsim/network"
	"popsim/network/description"
)

// sentences make those sentences of a page whose numbers are in files that its commands write; dir holds these.
var sentences = map[string]func(t *testing.T, dir string) []string{
	"tutorial.md": tutorialSentences, "tutorial-decision.md": decisionSentences,
	"networks/decision.md": coherenceSentences, "noise.md": noiseSentences,
}

// file reads a table that the commands of a page have written.
func file(t *testing.T, dir, name string) *result {
	t.Helper()
	return readResult(t, filepath.Join(dir, name))
}

// column are all values of a column, NaN where one is missing.
func (r *result) column(t *testing.T, name string) (values []float64) {
	t.Helper()
	j := slices.Index(r.columns, name)
	if j < 0 {
		t.Fatalf("%s has no column %s", r.name, name)
	}
	for _, row := range r.rows {
		x, err := strconv.ParseFloat(row[j], 64)
		if err != nil {
			x = math.NaN()
		}
		values = append(values, x)
	}
	return values
}

func tutorialSentences(t *testing.T, dir string) []string {
	rounding := slices.Max(file(t, dir, "lif-fi.csv").column(t, "rate_error_Hz"))
	eif := file(t, dir, "eif-fi.csv")
	errors := eif.column(t, "rate_error_Hz")
	worst := slices.Max(errors)
	at := eif.column(t, "rate_Hz")[slices.Index(errors, worst)]

	both := file(t, dir, "hh-both.csv")
	branch := slices.Index(both.columns, "branch")
	fires := map[string][]float64{} // currents, by branch
	current, rate := both.column(t, "I"), both.column(t, "rate_Hz")
	for i, row := range both.rows {
		if rate[i] > 0 {
			fires[row[branch]] = append(fires[row[branch]], current[i])
		}
	}
	down := fires["down"]
	last := down[slices.Index(down, fires["up"][0])-1]

	folds := file(t, dir, "rhh-points.csv").column(t, "I")

	trains := file(t, dir, "map.csv")
	reset, period := trains.column(t, "V_reset"), trains.column(t, "period")
	first := func(n float64) float64 { return reset[slices.Index(period, n)] } // fails where there is none
	for _, n := range []float64{5, 6, 7} {
		first(n)
	}
	before := reset[slices.Index(period, 3)-1]
	return []string{
		fmt.Sprintf("For `lif` it is rounding, below 1e%.0f Hz", math.Ceil(math.Log10(rounding))),
		fmt.Sprintf("for `eif` at most %.2g Hz, at %.0f Hz", worst, at),
		fmt.Sprintf("From %g to %g µA/cm² the branches `up` and `down` differ", down[0], last),
		fmt.Sprintf("an isola between I = %.4f and %.4f", slices.Min(folds), slices.Max(folds)),
		fmt.Sprintf("**%g to %g mV**: further doublings", first(4), before),
		fmt.Sprintf("**from %g mV on**: windows of order in which bursts have 3, 4, 5, 6, 7 spikes", first(3)),
	}
}

func decisionSentences(t *testing.T, dir string) []string {
	rates := file(t, dir, "rest.csv").column(t, "rate_Hz")[:2] // A, B
	for _, x := range rates {
		if math.Round(x) != 2 {
			t.Errorf("without a stimulus A and B fire at %v spikes/s; want about 2", rates)
		}
	}
	points := file(t, dir, "stimulus-points.csv").column(t, "I")
	return []string{
		"at about 2 spikes/s",
		fmt.Sprintf("loses its stability at %.2f Hz, and has it again from %.2f Hz on", slices.Min(points),
			slices.Max(points)),
	}
}

// noiseSentences: how a neuron follows a sine, over its mean current and over the frequency.
func noiseSentences(t *testing.T, dir string) []string {
	const period = 10.0               // Hz, of the first of them
	const spike = 1/(10.0-0.5) + 1e-9 // Hz, of one spike more in the time of both, 10 s without 0.5 s
	locked := map[float64]int{}
	for _, x := range file(t, dir, "locking.csv").column(t, "rate_Hz") {
		locked[x/period]++
	}
	for _, each := range []float64{1, 2, 3} {
		if locked[each] < 2 {
			t.Errorf("%g spikes a period at %d currents; want a step", each, locked[each])
		}
	}
	resonance := file(t, dir, "resonance.csv")
	frequency, rate := resonance.column(t, "frequency"), resonance.column(t, "rate_Hz")
	var once []float64
	last := 0.0
	for i, f := range frequency {
		if math.Abs(rate[i]-f) <= spike {
			once = append(once, f)
		}
		if rate[i] > 0 {
			last = f
		}
	}
	if n := len(once); math.Abs(once[n-1]-once[0]-float64(n-1)*(frequency[1]-frequency[0])) > 1e-6 {
		t.Errorf("one spike a cycle at %v: not between two frequencies", once)
	}
	steps := file(t, dir, "noise-steps.csv")
	dt, rates, errors, theory := steps.column(t, "dt_ms"), steps.column(t, "rate_Hz"), steps.column(t, "rate_se_Hz"),
		steps.column(t, "theory_Hz")
	exact := 0.0 // the largest step with no more error than chance
	for i, row := range steps.rows {
		if row[0] == "inside" && math.Abs(rates[i]-theory[i]) < errors[i] {
			exact = max(exact, dt[i])
		}
	}
	const up, slope = 4000.0, 12 / 4000.0 // ms, and uA/cm2 per ms
	spikes := file(t, dir, "ramp.csv").column(t, "time_ms")
	return []string{
		fmt.Sprintf("At %g ms and below, the points of popsim are standard errors", exact),
		fmt.Sprintf("begins to fire at %.2f µA/cm² on the way up and ceases at %.2f on the way down", slope*spikes[0],
			slope*(2*up-spikes[len(spikes)-1])),
		"steps of the rate at 1, 2, 3 ... spikes a period",
		fmt.Sprintf("from %.2g to %.2g Hz exactly once, then in every second cycle, and no more above %.3g Hz", once[0],
			once[len(once)-1], last),
	}
}

func coherenceSentences(t *testing.T, dir string) []string {
	if testing.Short() {
		return nil // the command is a long one
	}
	return []string{fmt.Sprintf("ends in a fold at %.2f %%", slices.Max(file(t, dir, "folds.csv").column(t, "c")))}
}

// TestSilentStarts: the page of coba gives how many starts of coba:nest fall silent, and the rate of the others.
func TestSilentStarts(t *testing.T) {
	rates := readResult(t, results+"coba-nest.csv").column(t, "rate_Hz")
	lasting := slices.DeleteFunc(slices.Clone(rates), func(x float64) bool { return x == 0 })
	words := []string{"none", "one", "two", "three", "four", "five"}
	says(t, "networks/coba.md", fmt.Sprintf("of the %s starts of `coba:nest` %s are silent", words[len(rates)],
		words[len(rates)-len(lasting)]))
	says(t, "networks/coba.md", fmt.Sprintf("where activity lasts the rate is %.1f spikes/s", stat.Mean(lasting, nil)))
}

// TestSizes: numbers of neurons and synapses on the pages of large networks are those of their descriptions.
func TestSizes(t *testing.T) {
	for name, sentence := range map[string]func(f network.Forecast) string{
		"hpc": func(f network.Forecast) string {
			return fmt.Sprintf("%.1f million synapses at `scale=1`", float64(f.Edges)/1e6)
		},
		"microcircuit": func(f network.Forecast) string {
			says(t, "networks/microcircuit.md", fmt.Sprintf("The whole of it takes %.0f GB", float64(f.Bytes)/1e9))
			return fmt.Sprintf("%d,%03d LIF neurons in eight populations, excitatory and inhibitory in layers 2/3, 4, 5 and 6, "+
				"with the connections found in experiments: %.0f million synapses", f.Neurons/1000, f.Neurons%1000,
				float64(f.Edges)/1e6)
		},
	} {
		d, err := description.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Resolve(description.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.Spec.Forecast()
		if err != nil {
			t.Fatal(err)
		}
		says(t, "networks/"+name+".md", sentence(f))
	}
}

// TestCriticalInhibition: k_c of the page of cann by its formula, at the defaults, and the k of BrainPy's class.
func TestCriticalInhibition(t *testing.T) {
	const n, j0, a, brainpy = 512, 4.0, 0.5, 8.1
	critical := n / (2 * math.Pi) * j0 * j0 / (8 * math.Sqrt(2*math.Pi) * a)
	says(t, "networks/cann.md", fmt.Sprintf("the bump vanishes at k_c = %.0f", critical))
	says(t, "networks/cann.md", fmt.Sprintf("the former is %.0f %% of k_c", 100*brainpy/critical))
}

// TestRing: how much the ring changes the height of a bump, by the closed forms of the truth.
func TestRing(t *testing.T) {
	var bumps []struct {
		N, A float64
		Line float64 `json:"line_u0_stable"`
		Ring float64 `json:"ring_u_max"`
	}
	readJSON(t, "../network/cann/testdata/cann_bump.json", &bumps)
	b := bumps[0] // the defaults
	says(t, "networks/cann.md", fmt.Sprintf("The ring changes u0 by less than 1e%.0f at a = %g",
		math.Ceil(math.Log10(math.Abs(b.Line-b.Ring))), b.A))
}

// meanField is the rate (Hz) of Brunel's network at which Siegert's formula gives back the rate of the neurons' input.
func meanField(g, eta, reset float64) float64 {
	const tau, jump, excitatory, inhibitory, outside = 20, 0.1, 1000.0, 250.0, 10.0 // ms, mV, synapses, Hz of eta = 1
	m := model.LIFModel
	p := m.Defaults()
	for name, x := range map[string]float64{
		"tau": tau, "V_rest": 0, "V_th": 20, "V_reset": reset, "t_ref": 2, "R": 1,
	} {
		p[m.Index(name)] = x
	}
	excess := func(rate float64) float64 {
		mean := tau * jump * (excitatory*(eta*outside+rate) - g*inhibitory*rate) / 1000
		variance := tau * jump * jump * (excitatory*(eta*outside+rate) + g*g*inhibitory*rate) / 1000
		return dynamics.WhiteNoiseRate(m, p, mean, math.Sqrt(variance)) - rate
	}
	low, high := 0.0, 1000.0
	for high-low > 1e-9 {
		if middle := (low + high) / 2; excess(middle) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// TestMeanField: the page of brunel gives the rates of the mean field.
func TestMeanField(t *testing.T) {
	says(t, "networks/brunel.md", fmt.Sprintf("the mean field, by Siegert's formula, %.2f, %.2f and %.2f spikes/s",
		meanField(6, 4, 10), meanField(5, 2, 10), meanField(4.5, 0.9, 10)))
	says(t, "networks/brunel.md", fmt.Sprintf("V_reset = 0 (`brunel:nest`): %.2f spikes/s in the mean field where the "+
		"paper's 10 mV give %.2f", meanField(5, 2, 0), meanField(5, 2, 10)))
}

// TestPeakOfHPC: the current J of hpc makes a potential that peaks where the page says.
func TestPeakOfHPC(t *testing.T) {
	const capacity, tau, rise, current = 250.0, 10.0, 0.3258272240372284, 45.60960032 // pF, ms, ms, pA
	peak := 0.0
	for k := range 5000 {
		time := float64(k) / 1000
		a := 1/rise - 1/tau // V = e J/(C tau_syn) (t exp(-t/tau_syn) ... ), by variation of constants
		v := math.E * current / (capacity * rise) * (math.Exp(-time/tau) - (1+a*time)*math.Exp(-time/rise)) / (a * a)
		peak = max(peak, v)
	}
	says(t, "networks/hpc.md", fmt.Sprintf("the peak current whose potential peaks at %.2f mV", peak))
}

// TestRestOfDecision: rates before the stimulus, at the default step and at 0.1 ms, and those of an independent
// program over all its trials; they agree within the errors of both.
func TestRestOfDecision(t *testing.T) {
	const errors = 3.29 // standard errors, 99.9 %
	var truth struct {
		Sets map[string]struct {
			Trials float64
			Before struct {
				A, N, I float64
				SE      [4]float64 // A, B, N, I
			} `json:"before_stimulus_Hz"`
		}
	}
	readTruth(t, "wang.json", &truth)
	var all, trials [3]float64
	var square [3]float64
	for _, name := range []string{"wang_0", "wang_0.064", "wang_0.128", "wang_0.512"} {
		s := truth.Sets[name]
		for k, x := range [3]float64{s.Before.A, s.Before.N, s.Before.I} {
			all[k], trials[k] = all[k]+s.Trials*x, trials[k]+s.Trials
			se := s.Trials * s.Before.SE[[3]int{0, 2, 3}[k]]
			square[k] += se * se
		}
	}
	var said []any
	n := 0
	for _, name := range []string{"decision-rest", "decision-rest-fine"} {
		r := readResult(t, results+name+".csv")
		n = len(r.rows)
		for k, population := range []string{"A", "N", "I"} {
			mean, se := r.mean(t, "rate_"+population+"_Hz", 0)
			if d := mean - all[k]/trials[k]; math.Abs(d) > errors*math.Hypot(se, math.Sqrt(square[k])/trials[k]) {
				t.Errorf("%s: %s fires at %.3f ± %.3f spikes/s; want %.3f", name, population, mean, se, all[k]/trials[k])
			}
			said = append(said, mean)
		}
	}
	said = append(said, all[0]/trials[0], all[1]/trials[1], all[2]/trials[2], n)
	says(t, "networks/decision.md", fmt.Sprintf("rates before the stimulus are then %.2[1]f (A), %.2[2]f (N) and "+
		"%.2[3]f (I) spikes/s over %[10]d trials, at 0.1 ms %.2[4]f, %.2[5]f and %.2[6]f, "+
		"in the reference %.2[7]f, %.2[8]f and %.2[9]f",
		said...))
}

// TestSetsOfNoise: the numbers of sets of parameters whose rates are held to theory.
func TestSetsOfNoise(t *testing.T) {
	count := func(name string, least float64) (held int) {
		for _, rate := range readResult(t, "../pop/testdata/"+name).column(t, "rate_Hz") {
			if rate >= least {
				held++
			}
		}
		return held
	}
	says(t, "noise.md", fmt.Sprintf("wherever it is above 2 Hz: a test, on %d and %d sets", count("lif_white.csv", 2),
		count("eif_white.csv", 2)))
	says(t, "noise.md", fmt.Sprintf("of the backward equation (a test, on %d sets)", count("lif_shot.csv", 0)))
}

// TestStatesOfWongWang: the states of the reduced model that the tutorial names.
func TestStatesOfWongWang(t *testing.T) {
	m, err := equations.Lookup("wong-wang")
	if err != nil {
		t.Fatal(err)
	}
	var said []any                                              // S1 and S2 of each
	states := func(stimulus float64, stable bool, number int) { // of two mirror images one
		found := 0
		for _, q := range dynamics.FixedPoints(m, m.Defaults(), stimulus) {
			if q.Stable == stable && q.State[0] >= q.State[1]-1e-9 {
				found++
				said = append(said, q.State[0], q.State[1])
			}
		}
		if found != number {
			t.Fatalf("%d states at %g Hz, stable %t; want %d", found, stimulus, stable, number)
		}
	}
	states(0, true, 2)
	states(30, true, 1)
	states(30, false, 1)
	says(t, "tutorial-decision.md", fmt.Sprintf("three states are stable: both low, (%.3f, %.3f), or one of the two "+
		"high, (%.3f, %.3f) and its mirror image", said[:4]...))
	says(t, "tutorial-decision.md", fmt.Sprintf("with one of 30 Hz the low state is gone, and a saddle at (%.3f, %.3f)",
		said[6:]...))
}

// TestNeuronOfDecision: threshold and rheobase of the neuron of the tutorial are those of the network.
func TestNeuronOfDecision(t *testing.T) {
	d, err := description.Lookup("decision")
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Resolve(description.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, m := r.Spec.Populations[0].P, model.LIFModel
	value := func(name string) float64 { return p[m.Index(name)][0] }
	above := value("V_th") - value("V_rest")
	says(t, "tutorial-decision.md", fmt.Sprintf("%g ms, a threshold %g mV above rest. Without noise it fires only above "+
		"the rheobase, %g pA", value("tau"), above, math.Round(above/value("R"))))
}

// TestBumpOfCompte: how many bumps of the published weights are lost, by the size of the network.
func TestBumpOfCompte(t *testing.T) {
	r := readResult(t, results+"memory-compte.csv")
	var said []any
	for point := range r.points() {
		lengths, lost := r.values(t, "bump_length", point), 0
		for _, x := range lengths {
			if x < persists {
				lost++
			}
		}
		said = append(said, r.values(t, "N_E", point)[0], lost, len(lengths))
	}
	says(t, "networks/memory.md", fmt.Sprintf("with %[1]g neurons %[2]d of %[3]d are lost, with %[4]g %[5]d, "+
		"with %[7]g %[8]d", said...))
}

// TestEarlyRateOfCobahh: the rate over the stretch of time for which that of Brian2 is given.
func TestEarlyRateOfCobahh(t *testing.T) {
	r := readResult(t, results+"cobahh-early.csv")
	mean, se := r.mean(t, "rate_Hz", 0)
	says(t, "networks/cobahh.md", fmt.Sprintf("and this program %.2f ± %.2f (six)", mean, se))
}

// readJSON reads a file of the truth.
func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readTruth reads what an independent program has measured.
func readTruth(t *testing.T, name string, into any) {
	t.Helper()
	readJSON(t, "../network/measure/testdata/"+name, into)
}

// TestTruthOfMemory: the page of memory gives the rates and the movement that an independent program has.
func TestTruthOfMemory(t *testing.T) {
	type mean struct{ Mean float64 }
	var truth struct {
		Sets map[string]struct {
			Trials int
			E      mean               `json:"rate_E_Hz"`
			I      mean               `json:"rate_I_Hz"`
			Moved  map[string]float64 `json:"drift_over_1500_ms_deg"`
		}
	}
	readTruth(t, "compte.json", &truth)
	s := truth.Sets["reference_dt0.1"]
	sd := s.Moved["sd"]
	says(t, "networks/memory.md", fmt.Sprintf("a movement of %.1f ± %.1f degrees in 1.5 s over %d trials, B = %.0f deg²/s",
		sd, s.Moved["se_of_sd"], s.Trials, sd*sd/2/1.5))
	says(t, "networks/memory.md", fmt.Sprintf("E %.2f and I %.2f spikes/s over the last 2 s", s.E.Mean, s.I.Mean))
}

// TestTruthOfDecision: the page of decision gives the shares and times of choice that an independent program has, and
// those of the stored trials agree with them.
func TestTruthOfDecision(t *testing.T) {
	const errors = 3.29 // standard errors of both, 99.9 %
	const onset = 500.0 // ms
	var truth struct {
		Sets map[string]struct {
			Trials int
			Share  float64 `json:"fraction_A"`
			Time   float64 `json:"rt_mean_ms"`
			SE     float64 `json:"rt_se_ms"`
		}
	}
	readTruth(t, "wang.json", &truth)
	x, shares, times := readResult(t, results+"decision.csv").shares(t, "coherence", "A")
	var said []any
	for _, name := range []string{"wang_0", "wang_0.064", "wang_0.128", "wang_0.512"} {
		s := truth.Sets[name]
		coherence, _ := strconv.ParseFloat(strings.TrimPrefix(name, "wang_"), 64)
		point := slices.Index(x, math.Round(1000*coherence)/10)
		n, p := float64(shares[point].N), shares[point].P()
		both := (p*n + s.Share*float64(s.Trials)) / (n + float64(s.Trials))
		if se := math.Sqrt(both * (1 - both) * (1/n + 1/float64(s.Trials))); math.Abs(p-s.Share) > errors*se {
			t.Errorf("%s: the share of A is %.3f; an independent program has %.3f", name, p, s.Share)
		}
		mean, sd := stat.MeanStdDev(times[point], nil)
		if se := math.Hypot(s.SE, stat.StdErr(sd, n)); math.Abs(mean-onset-s.Time) > errors*se {
			t.Errorf("%s: choices take %.0f ms; in an independent program %.0f ± %.0f", name, mean-onset, s.Time, s.SE)
		}
		said = append(said, s.Share, s.Time, s.SE)
	}
	says(t, "networks/decision.md", fmt.Sprintf("%.3[1]f, %.3[4]f, %.3[7]f and %.3[10]f at 0, 6.4, 12.8 and 51.2 %%, "+
		"and %.0[2]f ± %.0[3]f, %.0[5]f ± %.0[6]f, %.0[8]f ± %.0[9]f and %.0[11]f ± %.0[12]f ms", said...))
}
