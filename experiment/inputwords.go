package experiment

import (
	"regexp"
	"strings"
)

// inputNames are the words for kinds of noise and shapes of waveforms in titles.
var inputNames = map[string]string{
	"white": "white noise", "ou": "Ornstein-Uhlenbeck current", "poisson": "Poisson trains", "steps": "steps",
	"pulse": "pulse", "ramp": "ramp", "sine": "sine", "chirp": "chirp",
}

// unitBehind is a number with its unit right behind it, but for an exponent.
var unitBehind = regexp.MustCompile(`(\d)([A-DF-Za-df-zµ])`)

// InputWords are the kinds of noise and the shapes of waveforms as they stand in the title of a picture: each by name,
// with its values as they were given. It begins with a comma, and is empty without inputs.
func InputWords(noises, waveforms []string) string {
	words := ""
	for _, list := range [][]string{noises, waveforms} {
		for _, text := range list {
			kind, values, _ := strings.Cut(text, ":")
			name, ok := inputNames[kind]
			if !ok { // the samples of a file
				words += ", current of " + strings.TrimPrefix(kind, "@")
				continue
			}
			values = strings.ReplaceAll(strings.ReplaceAll(values, ",", ", "), ":", ", ")
			words += ", " + name + " (" + unitBehind.ReplaceAllString(values, "$1 $2") + ")"
		}
	}
	return words
}
