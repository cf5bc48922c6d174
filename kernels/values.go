package kernels

// Uniform is parameters, or a state, that all neurons share: a Values of one number for each element of p.
func Uniform(p []float64) []Values {
	all := make([]Values, len(p))
	for j, x := range p {
		all[j] = Values{x}
	}
	return all
}
