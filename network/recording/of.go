package recording

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"popsim/expression"
	"popsim/network"
)

// ParseOf reads a list of neurons: names of populations, parts of them, whose ends are included, and numbers in the
// network, as in E:0:3,I:5 or 0:9.
func ParseOf(spec *network.Spec, text string) (neurons []int, err error) {
	for item := range strings.SplitSeq(text, ",") {
		words := strings.Split(strings.TrimSpace(item), ":")
		first, n, what := 0, 0, "the network"
		for _, p := range spec.Populations {
			n += p.N
		}
		if _, err := strconv.Atoi(words[0]); err != nil {
			j := slices.IndexFunc(spec.Populations, func(p network.Population) bool { return p.Name == words[0] })
			if j < 0 {
				var names []string
				for _, p := range spec.Populations {
					names = append(names, p.Name)
				}
				return nil, fmt.Errorf("no population %q%s", words[0], expression.Nearest(words[0], names))
			}
			first, n, what = firstOf(spec, j), spec.Populations[j].N, words[0]
			words = words[1:]
		}
		from, to, err := ends(words, n, what)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", item, err)
		}
		for i := first + from; i <= first+to; i++ {
			if slices.Contains(neurons, i) {
				return nil, fmt.Errorf("neuron %d is named twice", i)
			}
			neurons = append(neurons, i)
		}
	}
	return neurons, nil
}

// mostTraced is the largest number of traced neurons: the rows of more would fill a disk.
const mostTraced = 100_000

// ends reads a number, or the first and last of several, of n.
func ends(words []string, n int, what string) (from, to int, err error) {
	at := make([]int, len(words))
	for k, w := range words {
		if at[k], err = strconv.Atoi(w); err != nil {
			return 0, 0, fmt.Errorf("%q is no number of a neuron; neurons are given as E:0:3 or E:5", w)
		}
	}
	switch len(at) {
	case 0:
		to = n - 1
	case 1:
		from, to = at[0], at[0]
	case 2:
		from, to = at[0], at[1]
	default:
		return 0, 0, fmt.Errorf("neurons are given as E:0:3 or E:5")
	}
	switch {
	case from < 0 || to < from || to >= n:
		return 0, 0, fmt.Errorf("%s has neurons 0 to %d", what, n-1)
	case to-from >= mostTraced:
		return 0, 0, fmt.Errorf("%d neurons are too many to trace; up to %d are possible", to-from+1, mostTraced)
	}
	return from, to, nil
}

func firstOf(spec *network.Spec, population int) (first int) {
	for _, p := range spec.Populations[:population] {
		first += p.N
	}
	return first
}

// FirstOf are the first neurons of each population, up to n of them; sources of spikes have none to trace.
func FirstOf(spec *network.Spec, n int) (neurons []int) {
	for j, p := range spec.Populations {
		for i := range min(p.N, n) {
			if p.Model != nil {
				neurons = append(neurons, firstOf(spec, j)+i)
			}
		}
	}
	return neurons
}
