package file

import (
	"bytes"
	"encoding/json"
	"os"
	"time"
)

// Parameter is one named value with its unit ("" for none).
type Parameter struct {
	Name  string `json:"name"`
	Value any    `json:"value"` // a number, or the text of a range or distribution
	Unit  string `json:"unit,omitempty"`
}

// Phase is one part of a run and the time it took.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Record describes how a file was made. It is the file FILE.run.json beside FILE; running its command again gives the
// same bytes in FILE. Fields that a verb does not have, such as the time step of bifurcation, are 0 or empty.
type Record struct {
	Version     string         `json:"version"`
	Command     []string       `json:"command"` // the command line, one argument each
	Started     time.Time      `json:"started,omitzero"`
	Model       string         `json:"model"`
	Preset      string         `json:"preset"`
	Parameters  []Parameter    `json:"parameters"` // resolved, in the order of the model
	Dt          float64        `json:"dt_ms"`
	Method      string         `json:"method"`
	Seed        uint64         `json:"seed"`
	Kernel      string         `json:"kernel"`
	ISA         string         `json:"instruction_set"`
	Workers     int            `json:"workers"`
	Phases      []Phase        `json:"phases"`
	MemoryBytes uint64         `json:"memory_bytes"`
	Warnings    []string       `json:"warnings"`
	Extra       map[string]any `json:"extra,omitempty"` // written in the order of the keys
}

// RecordEnding follows the name of a file in the name of its record.
const RecordEnding = ".run.json"

// WriteRecord writes the record of path beside it, over an older one. Beside a path that is not a regular file it
// writes nothing.
func WriteRecord(path string, r Record) error {
	if isDirect(path) {
		return nil
	}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	if r.Parameters == nil {
		r.Parameters = []Parameter{}
	}
	if r.Phases == nil {
		r.Phases = []Phase{}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return err
	}
	return Write(path+RecordEnding, text.Bytes(), true)
}

// ReadRecord reads the record beside path.
func ReadRecord(path string) (r Record, err error) {
	text, err := os.ReadFile(path + RecordEnding)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}
