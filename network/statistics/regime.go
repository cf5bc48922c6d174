package statistics

import "math"

// Regimes are the names of the states of a network, after Brunel, J. Comput. Neurosci. 8:183 (2000).
var Regimes = []string{"silent", "SR", "AR", "AI", "SI slow", "SI fast"}

// The places of Regimes.
const (
	Silent = iota
	SR     // synchronous, regular
	AR     // asynchronous, regular
	AI     // asynchronous, irregular
	SISlow // synchronous, irregular, a slow oscillation
	SIFast // synchronous, irregular, a fast oscillation
)

// The criteria of Regime. Between the regimes of a network of finite size there is no sharp line: these values part the
// four examples of Brunel's figure 8, whose CV and synchrony are 0.00 and 0.50 (A), 0.75 and 0.20 (B), 0.43 and 0.10
// (C), 0.54 and 0.14 (D).
const (
	silentRate  = 0.1  // spikes/s, below which a network is silent
	regularCV   = 0.3  // below which neurons are regular
	synchronous = 0.12 // synchrony beyond that of independent neurons, from which on a network is synchronous
	fastPeak    = 90.0 // Hz, from which on its oscillation is fast
)

// Regime is the state of a population of n neurons by its measures, a place in Regimes: regular where CV is below 0.3,
// synchronous where sqrt(synchrony² - 1/n), with counts in bins of 1 ms, is 0.12 or more, fast where the peak of the
// spectrum is at 90 Hz or above, silent below 0.1 spikes/s. Neurons that fire too seldom for a CV are irregular.
func Regime(p *Population, n int) int {
	excess := math.Sqrt(max(0, float64(p.Synchrony*p.Synchrony)-1/float64(n)))
	regular, together := p.CV < regularCV, excess >= synchronous
	switch {
	case !(p.Rate >= silentRate):
		return Silent
	case regular && together:
		return SR
	case regular:
		return AR
	case !together:
		return AI
	case p.Peak >= fastPeak:
		return SIFast
	}
	return SISlow
}
