package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// document is a JSON or TOML file on its way. It is opened before the work, under a temporary name, and takes its own name when
// it is whole. What is not a regular file is written directly.
type document struct {
	path  string
	force bool
	temp  *os.File  // nil where w is written directly
	w     io.Writer // standard output, a device or a pipe
}

// createDocument opens path for a JSON document.
func (v *voice) createDocument(path string, force bool) (*document, error) {
	d := &document{path: path, force: force}
	info, err := os.Stat(path)
	switch {
	case toStdout(path):
		d.w = v.stdout
		return d, nil
	case err == nil && info.IsDir():
		return nil, misused(fmt.Errorf("%s is a directory", path))
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		d.w = f
		return d, misused(err)
	case err == nil && !force:
		return nil, misused(hint(fmt.Errorf("%s exists", path), "--force overwrites it"))
	}
	d.temp, err = os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("%s cannot be written: %w", path, at.Err)
	}
	return d, misused(err)
}

// commit writes the document and gives it its name.
func (d *document) commit(content any) error {
	text, err := json.MarshalIndent(content, "", " ")
	if err != nil {
		return fmt.Errorf("%s: %w", d.path, err)
	}
	return d.write(append(text, '\n'))
}

// write is commit for a document that is text already.
func (d *document) write(text []byte) error {
	if d.temp == nil {
		_, err := d.w.Write(text)
		return err
	}
	_, err := d.temp.Write(text)
	if err == nil {
		err = d.temp.Chmod(0o644)
	}
	if err == nil {
		err = d.temp.Sync()
	}
	if e := d.temp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(d.temp.Name(), d.path)
	}
	if err != nil {
		os.Remove(d.temp.Name())
		return fmt.Errorf("writing %s: %w", d.path, err)
	}
	d.temp = nil
	return nil
}

// abort gives the document up, if it is not finished.
func (d *document) abort() {
	if d != nil && d.temp != nil {
		_ = d.temp.Close()
		os.Remove(d.temp.Name())
	}
}
