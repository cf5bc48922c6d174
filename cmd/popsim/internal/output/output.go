// Package output determines where results are written: to standard output or to files, no two of which may be the same.
package output

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"popsim/cmd/popsim/internal/cli"
	"popsim/fault"
	"popsim/table/file"
)

// ToStdout reports whether a path means standard output.
func ToStdout(path string) bool {
	return path == "-" || filepath.ToSlash(path) == "/dev/stdout"
}

// OnTerminal reports whether what is written to w appears on a terminal. A device that discards it, such as /dev/null,
// is none.
func OnTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || !cli.IsTerminal(f) {
		return false
	}
	this, err := f.Stat()
	for _, discards := range []string{os.DevNull, "/dev/full"} {
		if other, e := os.Stat(discards); err == nil && e == nil && os.SameFile(this, other) {
			return false
		}
	}
	return err == nil
}

// Abort removes what was written to tables that are not finished; nil ones were not opened.
func Abort(tables ...*file.Output) {
	for _, out := range tables {
		if out != nil {
			out.Abort()
		}
	}
}

// Named is a file and the flag that names it; an empty Path means that the flag is not given.
type Named struct{ Flag, Path string }

// Distinct returns an error if two results would be written to the same place. Beside each of tables lies its record.
func Distinct(tables []Named, others ...Named) error {
	var bad fault.List
	flagOf := map[string]string{} // by path
	check := func(what, path string) {
		if other := flagOf[path]; other != "" && path != os.DevNull {
			bad.Addf("%s and %s would both be written to %s", other, what, path)
		}
	}
	for _, f := range slices.Concat(tables, others) {
		if f.Path != "" {
			path := canonical(f.Path)
			check(f.Flag, path)
			flagOf[path] = f.Flag
		}
	}
	for _, f := range tables {
		if f.Path != "" && !ToStdout(f.Path) && file.Regular(f.Path) {
			check("the record of "+f.Flag, canonical(f.Path)+file.RecordEnding)
		}
	}
	return bad.Err()
}

// canonical returns the same text for all paths of a file: relative if it lies in the working directory, else absolute.
func canonical(path string) string {
	if ToStdout(path) {
		return "standard output"
	}
	real, err := file.Real(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if real, err = filepath.Abs(real); err != nil {
		return filepath.Clean(path)
	}
	if here, err := filepath.EvalSymlinks("."); err == nil {
		if here, err = filepath.Abs(here); err == nil {
			if short, err := filepath.Rel(here, real); err == nil && filepath.IsLocal(short) {
				return short
			}
		}
	}
	return real
}
