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
// POPSIM_LONG one trial of each point is run, and commands under "results long" are not.
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
				dir := t.TempDir()
				if !long {
					line = trialsOf.ReplaceAllString(line, "--trials 1")
				}
				runLines(t, block{first: b.first + i, lines: []string{line}}, dir, bin)
				if t.Failed() {
					continue
				}
				sameMeans(t, readResult(t, filepath.Join(dir, m[1]+".csv")), readResult(t, results+m[1]+".csv"), probability)
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
			if c == "trial" || len(a) == 0 || len(b) < 2 {
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
