package dynamics

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"popsim/model"
)

// Rates are those of tables computed with 30 digits (lif) and by extrapolated panels (eif, 1e-11), where they are above
// 1e-3 Hz.
func TestWhiteNoiseRate(t *testing.T) {
	read := func(name string) (rows []map[string]float64) {
		f, err := os.Open("../pop/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines[1:] {
			row := map[string]float64{}
			for j, cell := range line {
				if row[lines[0][j]], err = strconv.ParseFloat(cell, 64); err != nil {
					t.Fatal(err)
				}
			}
			rows = append(rows, row)
		}
		return rows
	}
	with := func(m *model.Model, set map[string]float64) []float64 {
		p := m.Defaults()
		for name, v := range set {
			p[m.Index(name)] = v
		}
		return p
	}
	worst := 0.0
	for _, q := range read("lif_white.csv") {
		p := with(model.LIFModel, map[string]float64{
			"tau": q["tau_ms"], "V_rest": 0, "V_th": q["V_th_mV"], "V_reset": q["V_reset_mV"], "t_ref": q["t_ref_ms"], "R": 1,
		})
		got, want := WhiteNoiseRate(model.LIFModel, p, q["mu_mV"], q["sigma_mV"]), q["rate_Hz"]
		worst = max(worst, math.Abs(got/want-1))
		if math.Abs(got/want-1) > 1e-10 {
			t.Errorf("lif, mu %v, sigma %v: %v Hz, want %v", q["mu_mV"], q["sigma_mV"], got, want)
		}
	}
	t.Logf("lif: %.2g", worst)
	worst = 0
	for _, q := range read("eif_white.csv") {
		p := with(model.EIFModel, map[string]float64{
			"tau": q["tau_ms"], "V_rest": q["V_rest_mV"], "V_T": q["V_T_mV"], "delta_T": q["delta_T_mV"], "V_th": q["V_th_mV"],
			"V_reset": q["V_reset_mV"], "t_ref": q["t_ref_ms"], "R": 1,
		})
		got, want := WhiteNoiseRate(model.EIFModel, p, q["mu_mV"], q["sigma_mV"]), q["rate_Hz"]
		worst = max(worst, math.Abs(got/want-1))
		if math.Abs(got/want-1) > 1e-8 {
			t.Errorf("eif, mu %v, sigma %v: %v Hz, want %v", q["mu_mV"], q["sigma_mV"], got, want)
		}
	}
	t.Logf("eif: %.2g", worst)
	if !math.IsNaN(WhiteNoiseRate(model.AdExModel, model.AdExModel.Defaults(), 1, 1)) {
		t.Error("adex has a theory")
	}
}
