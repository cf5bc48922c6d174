package network

import "testing"

// TestShrunkParts requires that the parts of a smaller network have no more neurons than those it is made from, since
// the lists of an input have an element for each.
func TestShrunkParts(t *testing.T) {
	s := &Spec{
		Populations: []Population{{Name: "A", N: 65}, {Name: "B", N: 3}},
		Inputs:      []Input{{Name: "i", To: []Part{{0, 10, 21}, {0, 4, 30}, {1, 1, 2}}}},
	}
	for i, p := range s.shrunk(0.5).Inputs[0].To {
		if given := s.Inputs[0].To[i]; p.N > given.N || p.N < 1 {
			t.Errorf("part %+v of %+v", p, given)
		}
	}
}
