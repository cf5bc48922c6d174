package docs_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"popsim/network/description"
	"popsim/network/statistics"
)

// Results are tables with trials that commands under the comment "results" write: networks/results/NAME.csv is what
// popsim map ... -o NAME.csv has written once. Tables and sentences of the pages are made from them.
const results = "networks/results/"

// A result is one of these tables.
type result struct {
	name    string
	columns []string
	rows    [][]string
}

func readResult(t *testing.T, path string) *result {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return &result{strings.TrimSuffix(filepath.Base(path), ".csv"), rows[0], rows[1:]}
}

// points are the rows of each point: those between two rows whose trial is 0.
func (r *result) points() (points [][][]string) {
	trial := slices.Index(r.columns, "trial")
	for _, row := range r.rows {
		if trial < 0 || row[trial] == "0" {
			points = append(points, nil)
		}
		points[len(points)-1] = append(points[len(points)-1], row)
	}
	return points
}

// values are those of a column at a point, without missing ones.
func (r *result) values(t *testing.T, column string, point int) (values []float64) {
	t.Helper()
	j := slices.Index(r.columns, column)
	if j < 0 {
		t.Fatalf("%s has no column %s", r.name, column)
	}
	for _, row := range r.points()[point] {
		if x, err := strconv.ParseFloat(row[j], 64); err == nil {
			values = append(values, x)
		}
	}
	return values
}

// mean is the mean of a column over the trials of a point, with its standard error.
func (r *result) mean(t *testing.T, column string, point int) (mean, se float64) {
	t.Helper()
	values := r.values(t, column, point)
	mean, sd := stat.MeanStdDev(values, nil)
	if len(values) < 2 || sd == 0 {
		return mean, 0
	}
	return mean, stat.StdErr(sd, float64(len(values)))
}

// cell is a mean with its standard error to two digits, or the word of all trials.
func (r *result) cell(t *testing.T, column string, point int) string {
	if len(r.values(t, column, point)) == 0 {
		j := slices.Index(r.columns, column)
		words := map[string]bool{}
		for _, row := range r.points()[point] {
			words[row[j]] = true
		}
		var list []string
		for w := range words {
			list = append(list, w)
		}
		slices.Sort(list)
		return strings.Join(list, ", ")
	}
	return plusMinus(r.mean(t, column, point))
}

// plusMinus writes a mean with its standard error to two digits.
func plusMinus(mean, se float64) string {
	if se == 0 {
		return strconv.FormatFloat(mean, 'g', 4, 64)
	}
	digits := max(0, 1-int(math.Floor(math.Log10(se))))
	return fmt.Sprintf("%.*f ± %.*f", digits, mean, digits, se)
}

// meansTable has a row for each point: "means NAME COLUMN ...".
func meansTable(t *testing.T, argument string) string {
	words := strings.Fields(argument)
	r := readResult(t, results+words[0]+".csv")
	var head []string
	for _, c := range words[1:] {
		head = append(head, code(c))
	}
	b := rowsOf(head...)
	for point := range r.points() {
		var cells []string
		for _, c := range words[1:] {
			cells = append(cells, r.cell(t, c, point))
		}
		writeRow(b, cells...)
	}
	return b.String()
}

// populationsTable has a row for each population of results with one point: "populations NAME,... MEASURE ...".
func populationsTable(t *testing.T, argument string) string {
	words := strings.Fields(argument)
	b := rowsOf(append([]string{"network", "population"}, words[1:]...)...)
	for name := range strings.SplitSeq(words[0], ",") {
		r := readResult(t, results+name+".csv")
		for _, c := range r.columns {
			p, ok := strings.CutPrefix(c, "rate_")
			if p = strings.TrimSuffix(p, "_Hz"); !ok || p == "Hz" {
				continue
			}
			cells := []string{code(strings.Replace(name, "-", ":", 1)), p}
			for _, m := range words[1:] {
				column := m + "_" + p
				if m, ok := strings.CutSuffix(m, "_Hz"); ok {
					column = m + "_" + p + "_Hz"
				}
				cells = append(cells, r.cell(t, column, 0))
			}
			writeRow(b, cells...)
		}
	}
	return b.String()
}

// spreadsTable has a row for each point: the diffusion of a column over trials of T ms, half its variance by T, beside
// that of a column of theory: "spreads NAME T AXIS COLUMN THEORY".
func spreadsTable(t *testing.T, argument string) string {
	words := strings.Fields(argument)
	r := readResult(t, results+words[0]+".csv")
	time, err := strconv.ParseFloat(words[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	b := rowsOf(code(words[2]), "trials", "D", "D, theory")
	for point := range r.points() {
		values := r.values(t, words[3], point)
		n := float64(len(values))
		d, theory := stat.Variance(values, nil)/2/time, stat.Mean(r.values(t, words[4], point), nil)
		writeRow(b, r.cell(t, words[2], point), number(n), scientific(d, d*math.Sqrt(2/(n-1))), number(theory))
	}
	return b.String()
}

// movedOf matches the columns of movements of a bump up to a time (ms).
var movedOf = regexp.MustCompile(`^bump_moved_(\d+)_deg$`)

// persists is the least length of the population vector of a bump that is still there at the end, as in popsim map.
const persists = 0.4

// movements are those of the trials of a point whose bump persists (deg), by time (s, of the run) and trial.
func (r *result) movements(t *testing.T, point int) (times []float64, moved [][]float64) {
	t.Helper()
	lengths := r.values(t, "bump_length", point)
	for _, c := range r.columns {
		m := movedOf.FindStringSubmatch(c)
		if m == nil {
			continue
		}
		var kept []float64
		for i, x := range r.values(t, c, point) {
			if lengths[i] >= persists {
				kept = append(kept, x)
			}
		}
		ms, _ := strconv.ParseFloat(m[1], 64)
		times, moved = append(times, ms/1000), append(moved, kept)
	}
	return times, moved
}

// diffusion is B of variance = v0 + 2 B t of the movements of a point (deg²/s), with its standard error by a jackknife.
func (r *result) diffusion(t *testing.T, point int) (b, se float64) {
	t.Helper()
	times, moved := r.movements(t, point)
	slope := func(left int) float64 {
		var v []float64
		for _, m := range moved {
			kept := slices.Clone(m)
			if left >= 0 {
				kept = slices.Delete(kept, left, left+1)
			}
			v = append(v, stat.Variance(kept, nil))
		}
		_, b := stat.LinearRegression(times, v, nil, false)
		return b / 2
	}
	n := len(moved[0])
	var left []float64
	for i := range n {
		left = append(left, slope(i))
	}
	return slope(-1), math.Sqrt(stat.Variance(left, nil)) * float64(n-1) / math.Sqrt(float64(n))
}

// diffusionTable has a row for each point of results: trials, those whose bump is lost, diffusion and drift of the
// others: "diffusion NAME AXIS".
func diffusionTable(t *testing.T, argument string) string {
	words := strings.Fields(argument)
	axis := words[1]
	b := rowsOf(code(axis), "trials", "lost", "B (deg²/s)", "B "+axis+"/1000", "drift (deg/s)")
	r := readResult(t, results+words[0]+".csv")
	for point := range r.points() {
		x := r.values(t, axis, point)[0]
		times, moved := r.movements(t, point)
		d, se := r.diffusion(t, point)
		trials := len(r.values(t, "bump_length", point))
		last, begun := moved[len(moved)-1], times[0]-(times[1]-times[0])
		seconds := times[len(times)-1] - begun
		mean, sd := stat.MeanStdDev(last, nil)
		writeRow(b, number(x), strconv.Itoa(trials), strconv.Itoa(trials-len(last)), plusMinus(d, se),
			plusMinus(d*x/1000, se*x/1000), plusMinus(mean/seconds, stat.StdErr(sd, float64(len(last)))/seconds))
	}
	return b.String()
}

// shares are those of choices of a population at the points of results, and the times of all choices (ms, of the run).
func (r *result) shares(t *testing.T, axis, of string) (x []float64, shares []statistics.Share, times [][]float64) {
	t.Helper()
	choice := slices.Index(r.columns, "choice")
	for point, rows := range r.points() {
		var s statistics.Share
		for _, row := range rows {
			if row[choice] != "" {
				s.N++
			}
			if row[choice] == of {
				s.Of++
			}
		}
		x = append(x, r.values(t, axis, point)[0])
		shares, times = append(shares, s), append(times, r.values(t, "choice_time_ms", point))
	}
	return x, shares, times
}

// choicesTable has a row for each point: trials with a choice, share of a population with Wilson's 95 % interval, time
// of choice since an onset (ms): "choices NAME AXIS POPULATION ONSET".
func choicesTable(t *testing.T, argument string) string {
	words := strings.Fields(argument)
	onset, err := strconv.ParseFloat(words[3], 64)
	if err != nil {
		t.Fatal(err)
	}
	b := rowsOf(code(words[1]), "choices", "share of "+words[2], "time of choice (ms)")
	x, shares, times := readResult(t, results+words[0]+".csv").shares(t, words[1], words[2])
	for point, s := range shares {
		low, high := s.Interval()
		mean, sd := stat.MeanStdDev(times[point], nil)
		writeRow(b, number(x[point]), strconv.Itoa(s.N), fmt.Sprintf("%.3f (%.3f to %.3f)", s.P(), low, high),
			plusMinus(mean-onset, stat.StdErr(sd, float64(s.N))))
	}
	return b.String()
}

// TestPsychometric: the page of decision gives the fit to its trials, and that agrees with the 9 % and 1.5 of Wang
// (2002), within 15 %, as no errors of these are known.
func TestPsychometric(t *testing.T) {
	const alpha, beta, errors = 9.0, 1.5, 0.15 // of the paper; relative
	r := readResult(t, results+"decision.csv")
	x, shares, _ := r.shares(t, "coherence", "A")
	f, err := statistics.FitWeibull(x, shares)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(f.Alpha/alpha-1) > errors || math.Abs(f.Beta/beta-1) > errors {
		t.Errorf("alpha is %.3g, beta %.3g; Wang (2002) has %g and %g", f.Alpha, f.Beta, alpha, beta)
	}
	right := slices.IndexFunc(shares, func(s statistics.Share) bool { return s.Of == s.N })
	says(t, "networks/decision.md", fmt.Sprintf("goes wrong in none of its trials from %g %% on", x[right]))
	says(t, "networks/decision.md", fmt.Sprintf("alpha = %.3g %% (%.3g to %.3g), beta = %.3g (%.3g to %.3g)", f.Alpha,
		f.AlphaInterval[0], f.AlphaInterval[1], f.Beta, f.BetaInterval[0], f.BetaInterval[1]))
}

// cueAt and distractorAt are the places of the cues of memory, deg.
const cueAt, distractorAt = 180.0, 270.0

// distractedTable has a row for each strength of a distractor: trials, those whose bump is lost, those whose bump ends
// nearer to the distractor than to the cue, where the others end, and the shift when the distractor ends (both deg):
// "distracted NAME AXIS END", END the time of the latter (ms).
func distractedTable(t *testing.T, argument string) string {
	words := strings.Fields(argument)
	r := readResult(t, results+words[0]+".csv")
	b := rowsOf(code(words[1]), "trials", "lost", "at the distractor", "where the others end (deg)",
		"shift at "+words[2]+" ms (deg)")
	for point := range r.points() {
		ends, lengths := r.values(t, "bump_deg", point), r.values(t, "bump_length", point)
		lost, away := 0, 0
		var stay []float64
		for i, deg := range ends {
			switch {
			case lengths[i] < persists:
				lost++
			case math.Abs(math.Remainder(deg-distractorAt, 360)) < math.Abs(math.Remainder(deg-cueAt, 360)):
				away++
			default:
				stay = append(stay, cueAt+math.Remainder(deg-cueAt, 360))
			}
		}
		mean, sd := stat.MeanStdDev(stay, nil)
		writeRow(b, r.cell(t, words[1], point), strconv.Itoa(len(ends)), strconv.Itoa(lost), strconv.Itoa(away),
			plusMinus(mean, stat.StdErr(sd, float64(len(stay)))), r.cell(t, "bump_moved_"+words[2]+"_deg", point))
	}
	return b.String()
}

// TestDiffusionLaw: the diffusion of the bump of memory falls as 1/N. Its exponent, by least squares of logarithms
// weighted by their errors, is that which the page gives, and 1 within 2.6 standard errors (99 %).
func TestDiffusionLaw(t *testing.T) {
	const errors = 2.6
	var x, y, weights []float64
	r := readResult(t, results+"memory-diffusion.csv")
	for point := range r.points() {
		d, se := r.diffusion(t, point)
		x, y = append(x, math.Log(r.values(t, "N_E", point)[0])), append(y, math.Log(d))
		weights = append(weights, d*d/se/se)
	}
	_, slope := stat.LinearRegression(x, y, weights, false)
	_, variance := stat.MeanVariance(x, weights)
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	se := 1 / math.Sqrt(variance*(sum-1))
	if math.Abs(-slope-1) > errors*se {
		t.Errorf("the diffusion falls with N to the power %.2f ± %.2f; want 1", -slope, se)
	}
	says(t, "networks/memory.md", fmt.Sprintf("with N to the power %.2f ± %.2f", -slope, se))
}

// says fails where a page does not hold a sentence.
func says(t *testing.T, page, sentence string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), sentence) {
		t.Errorf("%s does not say %q", page, sentence)
	}
}

// scientific is plusMinus for small numbers.
func scientific(mean, se float64) string {
	exponent := math.Floor(math.Log10(mean))
	scale := math.Pow(10, -exponent)
	return fmt.Sprintf("(%s) 10^%g", plusMinus(mean*scale, se*scale), exponent)
}

// entriesTable has the [parameters] of a network of the library.
func entriesTable(t *testing.T, name string) string {
	d, err := description.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Resolve(description.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := rowsOf("parameter", "default", "value", "unit")
	for _, p := range r.Parameters {
		unit := p.Unit
		if unit == "1" {
			unit = ""
		}
		writeRow(b, code(p.Name), code(p.Text), number(p.Value), unit)
	}
	return b.String()
}

var (
	outFile  = regexp.MustCompile(` -o (\S+)\.csv`)
	trialsOf = regexp.MustCompile(`--trials \d+`)
)

// TestResults runs the commands under the comment "results" anew. Their means agree with those of the stored results
// within the errors of both, by Student's distribution: other roundings give other spikes, but the same means. Without
// POPSIM_LONG one trial of each point is run, and commands under "results long" are not; -run TestResults/NAME runs the
// one that wrote NAME.csv.
func TestResults(t *testing.T) {
	const probability = 0.9999 // that a right mean is accepted; there are some hundred
	long := os.Getenv("POPSIM_LONG") != ""
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "popsim/cmd/popsim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(text)) {
			if b.comment != "results" && (b.comment != "results long" || !long) {
				continue
			}
			for i, line := range b.lines {
				m := outFile.FindStringSubmatch(line)
				if m == nil {
					t.Errorf("%s, line %d: no -o NAME.csv", page, b.first+i)
					continue
				}
				t.Run(m[1], func(t *testing.T) {
					dir := t.TempDir()
					if !long {
						line = trialsOf.ReplaceAllString(line, "--trials 1")
					}
					runLines(t, block{comment: b.comment, first: b.first + i, lines: []string{line}}, dir, bin)
					if !t.Failed() {
						sameMeans(t, readResult(t, filepath.Join(dir, m[1]+".csv")), readResult(t, results+m[1]+".csv"), probability)
					}
				})
			}
		}
	}
}

// sameMeans compares all columns of numbers.
func sameMeans(t *testing.T, got, want *result, probability float64) {
	t.Helper()
	if !slices.Equal(got.columns, want.columns) || len(got.points()) != len(want.points()) {
		t.Errorf("%s has the columns %v and %d points; stored are %v and %d", want.name, got.columns, len(got.points()),
			want.columns, len(want.points()))
		return
	}
	for point := range want.points() {
		if slices.Equal(got.points()[point][0], want.points()[point][0]) {
			continue // the same bits: so are the other trials
		}
		for _, c := range want.columns {
			a, b := got.values(t, c, point), want.values(t, c, point)
			if c == "trial" || len(a) == 0 || len(b) < 2 || b[0] == b[len(b)-1] && a[0] == b[0] {
				continue
			}
			m, sd := stat.MeanStdDev(b, nil)
			n1, n2 := float64(len(a)), float64(len(b))
			quantile := distuv.StudentsT{Sigma: 1, Nu: n2 - 1}.Quantile(0.5 + probability/2)
			if d := stat.Mean(a, nil) - m; math.Abs(d) > quantile*sd*math.Sqrt(1/n1+1/n2) {
				t.Errorf("%s, point %d: %s is %.5g; stored is %s", want.name, point, c, stat.Mean(a, nil),
					plusMinus(m, sd/math.Sqrt(n2)))
			}
		}
	}
}
