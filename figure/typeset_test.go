package figure

import (
	"strings"
	"testing"
)

// show writes runs as text: *italic*, _{index}.
func show(runs []run) string {
	var b strings.Builder
	for _, r := range runs {
		switch {
		case r.italic:
			b.WriteString("*" + r.text + "*")
		case r.sub:
			b.WriteString("_{" + r.text + "}")
		default:
			b.WriteString(r.text)
		}
	}
	return b.String()
}

func TestTypeset(t *testing.T) {
	for line, want := range map[string]string{
		"I (uA/cm2)":                  "*I* (µA/cm²)",
		"V (mV)":                      "*V* (mV)",
		"V_reset = -46.5 mV, b = 60":  "*V*_{reset} = −46.5 mV, *b* = 60",
		"tau_w (ms)":                  "*τ*_{w} (ms)",
		"delta_T = 2 mV":              "*Δ*_{T} = 2 mV",
		"R (GOhm)":                    "*R* (GΩ)",
		"n_plus_h = 0.8":              "*n*_{plus_h} = 0.8",
		"isi_cv":                      "isi_cv",
		"adex:naud-reg-burst  I = -5": "adex:naud-reg-burst  *I* = −5",
		"firing rate (Hz)":            "firing rate (Hz)",
		"-60":                         "−60",
		"1e-5":                        "1e-5",
		"":                            "",
		"h, n":                        "*h*, *n*",
	} {
		if got := show(typeset(line)); got != want {
			t.Errorf("%q is set as %q, want %q", line, got, want)
		}
	}
}
