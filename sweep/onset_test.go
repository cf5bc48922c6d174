package sweep

import (
	"context"
	"errors"
	"math"
	"testing"

	"popsim/model"
)

// The onset is that of closed forms, for the usual parameters and far from them, and of continuation (hh, fold of cycles).
func TestOnsets(t *testing.T) {
	lif := model.LIFModel.Defaults()
	far := append([]float64(nil), lif...)
	far[model.LIFModel.Index("R")] = 1e-3 // rheobase 20 nA
	for _, c := range []struct {
		name string
		m    *model.Model
		p    []float64
		want float64
	}{
		{"lif", model.LIFModel, lif, 20},
		{"lif, R = 1 MOhm", model.LIFModel, far, 20000},
		{"hh, at its fold of cycles by continuation", model.HHModel, nil, 6.260321},
	} {
		found, err := Onsets(context.Background(), Spec{Model: c.m, P: c.p}, Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		last := found[len(found)-1]
		if d := math.Abs(last.At() - c.want); last.Above != "firing" || d > last.Uncertainty()+1e-4*c.want {
			t.Errorf("%s: %v, want %v", c.name, last, c.want)
		}
	}
	silent := append([]float64(nil), lif...)
	silent[model.LIFModel.Index("V_th")] = 1e9
	if _, err := Onsets(context.Background(), Spec{Model: model.LIFModel, P: silent}, Config{Workers: 1}); !errors.Is(err, ErrNeverFires) {
		t.Errorf("a neuron that cannot fire: %v", err)
	}
}
