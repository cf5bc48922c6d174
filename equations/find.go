package equations

import (
	"os"
	"strings"

	"popsim/model"
	"popsim/tomltree"
)

// Ending is that of files of equations.
const Ending = ".toml"

// IsPath tells whether the name of a model is that of a file.
func IsPath(name string) bool {
	return strings.HasSuffix(name, Ending) || strings.ContainsAny(name, `/\`)
}

// Describes tells whether the text of a TOML file is that of a model: it has a table [neuron].
func Describes(data []byte) bool {
	root, _ := tomltree.Read("", data) // faults of its syntax are told when it is read as what it is
	return root.Get("neuron") != nil
}

// IsModel tells whether a file can be read and is that of a model.
func IsModel(path string) bool {
	data, err := os.ReadFile(path)
	return err == nil && Describes(data)
}

// Lookup finds a model by its name on the command line: a built-in one, or a file.
func Lookup(name string) (*model.Model, error) {
	if IsPath(name) {
		return Load(name)
	}
	return model.Lookup(name)
}
