package experiment

import (
	"fmt"
	"math"

	"popsim/fault"
)

// ParseNeurons parses the numbers of some of n neurons, as 0:9 or 1,5,7; a range includes its end. flag is the flag
// that gives them.
func ParseNeurons(flag, text string, n int) (numbers []int64, err error) {
	v, err := ParseValue(flag, text, "1")
	if err == nil && v.Kind == Interval {
		v, err = ParseValue(flag, text+":1", "1")
	}
	if err == nil && v.Kind == Drawn {
		err = fmt.Errorf("%s %s draws numbers", flag, text)
	}
	if err != nil {
		return nil, fault.Hint(err, "neurons are given as 0:9 or 1,5,7")
	}
	seen := map[int64]bool{}
	for j := range v.Len() {
		x := v.At(j)
		switch i := int64(x); {
		case x != math.Trunc(x):
			return nil, fmt.Errorf("%s %s: %v is not a neuron number", flag, text, x)
		case x < 0 || x >= float64(n):
			return nil, fmt.Errorf("%s %s: there is no neuron %v; they go from 0 to %d", flag, text, x, n-1)
		case seen[i]:
			return nil, fmt.Errorf("%s %s: neuron %d is named twice", flag, text, i)
		default:
			seen[i] = true
			numbers = append(numbers, i)
		}
	}
	return numbers, nil
}
