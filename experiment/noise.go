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
const NoiseForms = "white:5mV (hh, hhtm, rhh: white:2, in uA/cm2 sqrt(ms))  ou:3pA:5ms"

// ParseNoise reads the kinds of noise on a neuron of m; each kind comes once at most. Sigma of white noise is in mV for
// models that reset, else in CurrentUnit times sqrt(ms), without a unit.
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
	case parts[0] == "poisson":
		err = fault.Hint(errors.New("trains of Poisson onto single neurons go through a network"),
			"[input.NAME] with poisson = \"RATE\", synapse and weight; popsim models brunel --toml shows one")
	default:
		err = fault.Hint(fmt.Errorf("%q is no noise", text), "there are %s", NoiseForms)
	}
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
