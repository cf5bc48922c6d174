package experiment

import (
	"errors"
	"fmt"
	"strings"

	"popsim/fault"
	"popsim/model"
	"popsim/pop"
)

// NoiseForms shows each kind of noise as it is written.
const NoiseForms = "white:5mV (hh, hhtm, rhh: white:2, in uA/cm2 sqrt(ms))  ou:3pA:5ms  " +
	"poisson:1kHz:0.5mV  poisson:1kHz:20pA:exp-current:2ms"

// ParseNoise reads the kinds of noise on a neuron of m; white and ou come once at most, trains of spikes may be
// several. Sigma of white noise is in mV for models that reset, else in CurrentUnit times sqrt(ms), without a unit.
func ParseNoise(list []string, m *model.Model, seed uint64) (n pop.Noise, err error) {
	n.Seed = seed
	var bad fault.List
	for _, text := range list {
		if err := addNoise(&n, text, m); err != nil {
			bad.Add(fmt.Errorf("--noise %s: %w", text, err))
		}
	}
	return n, bad.Err()
}

// addNoise adds one kind of noise.
func addNoise(n *pop.Noise, text string, m *model.Model) (err error) {
	parts := strings.Split(text, ":")
	switch {
	case parts[0] == "white" && len(parts) == 2 && n.White == 0:
		unit := "mV"
		if m.Fires != model.Reset {
			unit = "1"
		}
		n.White, err = positiveQuantity(parts[1], unit)
	case parts[0] == "ou" && len(parts) == 3 && n.OU == 0:
		if n.OU, err = positiveQuantity(parts[1], m.CurrentUnit); err == nil {
			n.Tau, err = positiveQuantity(parts[2], "ms")
		}
	case parts[0] == "white" && n.White != 0, parts[0] == "ou" && n.OU != 0:
		err = errors.New("noise of this kind is given already")
	case parts[0] == "poisson" && (len(parts) == 3 || len(parts) == 5):
		err = addPoisson(n, parts, m)
	default:
		err = fault.Hint(fmt.Errorf("%q is no noise", text), "there are %s", NoiseForms)
	}
	return err
}

// addPoisson adds poisson:RATE:WEIGHT or poisson:RATE:WEIGHT:exp-current:TAU.
func addPoisson(n *pop.Noise, parts []string, m *model.Model) (err error) {
	var q pop.Poisson
	if q.Rate, err = positiveQuantity(parts[1], "Hz"); err != nil {
		return err
	}
	unit := "mV"
	if len(parts) == 5 {
		unit = m.CurrentUnit
		switch {
		case parts[3] == "delta":
			return errors.New("jumps of V take no time constant")
		case parts[3] != "exp-current":
			return fault.Hint(fmt.Errorf("trains through %q are not available on single neurons", parts[3]),
				"a network takes every kind of synapse: [input.NAME] with poisson, synapse and weight")
		}
		if q.Tau, err = positiveQuantity(parts[4], "ms"); err != nil {
			return err
		}
	}
	q.Weight, err = model.ParseQuantity(parts[2], unit)
	n.Poisson = append(n.Poisson, q)
	return err
}

// positiveQuantity reads a number above 0 with a unit that fits.
func positiveQuantity(text, unit string) (float64, error) {
	x, err := model.ParseQuantity(text, unit)
	if err == nil && !(x > 0) {
		err = fmt.Errorf("%s must be greater than 0", text)
	}
	return x, err
}
