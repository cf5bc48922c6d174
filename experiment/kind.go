package experiment

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"popsim/equations"
)

// FileKind is the kind of thing that a TOML file describes.
type FileKind int

// The kinds of TOML files, distinguished by their keys and tables.
const (
	ExperimentFile FileKind = iota // a key verb
	NetworkFile                    // tables [population.NAME]
	NeuronFile                     // a table [neuron], or presets of models alone
	UnmarkedFile                   // none of these, or no TOML
)

// IsFile reports whether a word names a TOML file, FILE.toml or FILE.toml:PRESET.
func IsFile(word string) bool {
	return strings.HasSuffix(word, Ending) || strings.Contains(word, Ending+":")
}

// KindOf returns the kind of a TOML file. It is an error if the file has the marks of two kinds; the error names them.
func KindOf(path string, data []byte) (FileKind, error) {
	var marks [3]bool
	p := new(unstable.Parser)
	p.Reset(data)
	top := true
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.Table && e.Kind != unstable.ArrayTable && e.Kind != unstable.KeyValue {
			continue
		}
		k := e.Key()
		if !k.Next() {
			continue
		}
		name := string(k.Node().Data)
		if e.Kind != unstable.KeyValue {
			top = false
		} else if !top {
			continue
		}
		marks[ExperimentFile] = marks[ExperimentFile] || top && name == VerbKey
		marks[NetworkFile] = marks[NetworkFile] || name == "population"
		marks[NeuronFile] = marks[NeuronFile] || name == "neuron"
	}
	names := []string{"a key verb (an experiment)", "[population.NAME] (a network)", "[neuron] (a model)"}
	found := -1
	for kind, holds := range marks {
		switch {
		case holds && found >= 0:
			return 0, fmt.Errorf("%s holds both %s and %s; a file describes one thing", path, names[found], names[kind])
		case holds:
			found = kind
		}
	}
	switch {
	case found < 0 && equations.HoldsPresets(data):
		return NeuronFile, nil
	case found < 0:
		return UnmarkedFile, nil
	}
	return FileKind(found), nil
}
