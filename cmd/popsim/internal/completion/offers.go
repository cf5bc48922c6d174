package completion

import (
	"popsim/bench"
	"popsim/cmd/popsim/internal/profile"
	"popsim/kernels"
	"popsim/model"
	"popsim/stimulus"
	"popsim/sweep"
)

// The functions below are the Offers of flags: they return the values a flag may take, given the model that the command
// line names, nil if none.

// Methods offers integration methods, those of m if it is not nil.
func Methods(m *model.Model) (found []string) {
	for _, one := range model.All {
		for _, q := range one.Methods {
			if m == nil || m == one {
				found = append(found, q.Name+"\t"+q.Doc)
			}
		}
	}
	return found
}

// ISAs offers the instruction sets of this machine.
func ISAs(*model.Model) []string {
	found := []string{"auto"}
	for _, a := range kernels.Available() {
		found = append(found, a.String())
	}
	return found
}

// Measures offers the columns of sweeps.
func Measures(*model.Model) (found []string) {
	for _, name := range sweep.MeasureNames() {
		found = append(found, name+"\t"+sweep.MeasureDoc(name))
	}
	return append(found, "isi\ta row for each distinct late interval", "w_reset\ta row for each distinct w after reset")
}

// Shapes offers the beginnings of waveforms.
func Shapes(*model.Model) (found []string) {
	for _, kind := range stimulus.Kinds {
		found = append(found, kind+":")
	}
	return append(found, "@")
}

// Profiles offers the modes of profiles.
func Profiles(*model.Model) []string { return profile.Modes() }

// Starts offers where the points of an f-I curve may start.
func Starts(*model.Model) []string { return []string{"rest", "up", "down", "all"} }

// BenchKinds offers the kinds of rows of bench.
func BenchKinds(*model.Model) []string { return bench.Kinds }

// Parts offers the part that a batch system names.
func Parts(*model.Model) []string { return []string{"auto"} }
