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

	"popsim/network"
	"popsim/network/description"
)

// sentences make those sentences of a page whose numbers are in files that its commands write; dir holds these.
var sentences = map[string]func(t *testing.T, dir string) []string{
	"tutorial.md": tutorialSentences, "tutorial-decision.md": decisionSentences,
	"networks/decision.md": coherenceSentences,
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

// readTruth reads what an independent program has measured.
func readTruth(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("../network/measure/testdata/" + name)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
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
