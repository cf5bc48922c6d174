package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"popsim/dynamics"
	"popsim/table/file"
)

// foldTol is what folds of cycles are promised to, hopfTol Hopf points.
const foldTol, hopfTol = 1e-7, 1e-10

// mustColumn reads one column of a table.
func mustColumn(t *testing.T, path, name string) (values []string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for j, head := range rows[0] {
		if head == name {
			for _, row := range rows[1:] {
				values = append(values, row[j])
			}
			return values
		}
	}
	t.Fatalf("%s has no column %s, but %v", path, name, rows[0])
	return nil
}

// mustNumber reads a cell; an empty one is NaN.
func mustNumber(t *testing.T, text string) float64 {
	t.Helper()
	if text == "" {
		return math.NaN()
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestSpecialPoints(t *testing.T) {
	for _, c := range []struct {
		args  []string
		label string
		want  []float64
		tol   float64
	}{
		{[]string{"rhh", "I=-5:20"}, dynamics.CycleFold, []float64{11.19988696, -1.57652305}, foldTol},
		{[]string{"hh", "I=-10:180"}, dynamics.Hopf, []float64{9.77543799539313, 154.522433665808}, hopfTol},
		{[]string{"eif", "I=-5:20"}, dynamics.Fold, []float64{1.62}, hopfTol},
		{[]string{"lif", "I=0:30"}, "onset", []float64{20}, 1e-4},
	} {
		t.Run(c.args[0], func(t *testing.T) {
			if testing.Short() && c.args[0] == "hh" {
				t.Skip("four variables take a second")
			}
			path := filepath.Join(t.TempDir(), "points.csv")
			popsim(t, exitDone, append([]string{"bifurcation", "--quiet", "--points", path}, c.args...)...)
			var found []float64
			for k, label := range mustColumn(t, path, "label") {
				if label == c.label {
					found = append(found, mustNumber(t, mustColumn(t, path, "I")[k]))
				}
			}
			if len(found) != len(c.want) {
				t.Fatalf("%s at %v, want %v", c.label, found, c.want)
			}
			for k, want := range c.want {
				if math.Abs(found[k]-want) > c.tol*max(1, math.Abs(want)) {
					t.Errorf("%s at %.15g, want %.15g", c.label, found[k], want)
				}
			}
		})
	}
}

// The firing branch of LIF has its closed form, at its rows and, as promised, to 1e-3 on straight lines between them.
func TestFiringBranch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "branches.csv")
	popsim(t, exitDone, "bifurcation", "lif", "I=15:30", "--quiet", "-o", path)
	i, period, kind := mustColumn(t, path, "I"), mustColumn(t, path, "period_ms"), mustColumn(t, path, "kind")
	closed := func(i float64) float64 { return 1 + 10*math.Log(i/(i-20)) } // t_ref + tau ln(R I/(R I - V_th))
	firing := 0
	for k := range kind {
		if kind[k] != "cycle" {
			continue
		}
		firing++
		x, got := mustNumber(t, i[k]), mustNumber(t, period[k])
		// Close to threshold I - 20 keeps few digits: a rounding of I moves the period by tau/(I-20) of itself.
		if want := closed(x); math.Abs(got-want) > 1e-8*want+1e-13/(x-20) {
			t.Errorf("I = %v: period %v, want %v", x, got, want)
		}
		if kind[k-1] != "cycle" {
			continue
		}
		before, was := mustNumber(t, i[k-1]), mustNumber(t, period[k-1])
		if want := closed((x + before) / 2); math.Abs((got+was)/2-want) > 1e-3*want {
			t.Errorf("between I = %v and %v the line gives %v, want %v", before, x, (got+was)/2, want)
		}
	}
	if firing < 100 {
		t.Errorf("%d rows of firing", firing)
	}
	if _, err := os.Stat(path + file.RecordEnding); err != nil {
		t.Error(err)
	}
}

func TestPlaneHasItsPublicForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plane.json")
	popsim(t, exitDone, "phase", "rhh", "I=-1.55", "--quiet", "-o", path) // close to a fold of cycles
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var plane struct {
		FixedPoints []struct {
			State       []float64
			Eigenvalues [][2]float64
			Type        string
		} `json:"fixed_points"`
		Nullclines map[string][][][2]float64
		Cycles     []struct {
			Period     float64 `json:"period_ms"`
			VMin       float64 `json:"V_min_mV"`
			VMax       float64 `json:"V_max_mV"`
			Stable     bool
			Multiplier float64
		}
		Trajectories []any
	}
	if err := json.Unmarshal(text, &plane); err != nil {
		t.Fatal(err)
	}
	switch {
	case len(plane.FixedPoints) != 1 || plane.FixedPoints[0].Type != "stable focus" ||
		len(plane.FixedPoints[0].Eigenvalues) != 2:
		t.Errorf("fixed points %+v, want one stable focus", plane.FixedPoints)
	case len(plane.Cycles) != 2 || plane.Cycles[0].Stable || !plane.Cycles[1].Stable:
		t.Errorf("cycles %+v, want an unstable and a stable one", plane.Cycles)
	case len(plane.Nullclines["V"]) == 0 || len(plane.Nullclines["h"]) != 1:
		t.Error("the nullclines of V and h are missing or broken")
	case len(plane.Trajectories) != 1:
		t.Errorf("%d trajectories, want that from rest", len(plane.Trajectories))
	}
}

// Pictures of all kinds are drawn.
func TestDiagramsAreDrawn(t *testing.T) {
	for name, args := range map[string][]string{
		"rest.svg":  {"bifurcation", "adex", "I=-5:20"},
		"reset.png": {"bifurcation", "adex:tb08", "V_reset=-49:-48.9", "I=800", "--simulated"},
		"plane.pdf": {"phase", "adex", "I=7.4", "V0=-60", "--start", "-50,10"},
		"lif.svg":   {"phase", "lif", "I=21"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && args[0] == "bifurcation" {
				t.Skip("takes a whole diagram")
			}
			path := filepath.Join(t.TempDir(), name)
			popsim(t, exitDone, append(args, "--quiet", "--plot", path)...)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := checkPicture(filepath.Ext(path), data); err != nil {
				t.Error(err)
			}
		})
	}
}
