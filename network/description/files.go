package description

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"popsim/expression"
	"popsim/network"
	"popsim/table/file"
)

// File is an @file, or the file of a model, that a description names.
type File struct {
	Path   string // from where the program runs
	SHA256 string // of its bytes, in hexadecimal digits
}

// columns is a CSV table: a column is of numbers, or else of texts.
type columns struct {
	names   []string
	numbers map[string][]float64
	texts   map[string][]string
	rows    int
	sum     string // SHA-256 of the file
}

// file reads @path, relative to the description, and checks its number of rows unless n < 0.
func (r *resolver) file(e *entry, text string, n int) *columns {
	name, ok := strings.CutPrefix(text, "@")
	if !ok {
		r.fault(e, "%q: files are written @neurons.csv", text)
		return nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.d.Path), path)
	}
	c := r.files[path]
	if c == nil {
		data, err := os.ReadFile(path)
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		if err == nil {
			c, err = readAny(path, data)
		}
		if err != nil {
			r.fault(e, "%s: %w", name, err)
			return nil
		}
		c.sum = fmt.Sprintf("%x", sha256.Sum256(data))
		r.files[path] = c
	}
	if n >= 0 && c.rows != n {
		r.fault(e, "%s has %d rows; the population has %d neurons", name, c.rows, n)
		return nil
	}
	return c
}

// readAny reads the bytes of a table by the ending of its path.
func readAny(path string, data []byte) (*columns, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return readColumns(data)
	case ".npy", ".npz", ".parquet":
	default:
		return nil, errors.New("unsupported format; files of networks are .csv, .npy, .npz or .parquet")
	}
	t, err := file.ReadTable(path)
	if err != nil {
		return nil, err
	}
	c := &columns{numbers: map[string][]float64{}, texts: map[string][]string{}, rows: t.Rows()}
	for _, column := range t.Columns {
		c.names = append(c.names, column.Name)
		switch v := column.Values.(type) {
		case []float64:
			c.numbers[column.Name] = v
		case []int64:
			numbers := make([]float64, len(v))
			for i, x := range v {
				numbers[i] = float64(x)
			}
			c.numbers[column.Name] = numbers
		case []string:
			c.texts[column.Name] = v
		}
	}
	return c, nil
}

// readColumns reads CSV with a header line; a single column of numbers needs none. Empty fields are NaN.
func readColumns(data []byte) (*columns, error) {
	in := csv.NewReader(bytes.NewReader(data))
	in.Comment = '#'
	in.TrimLeadingSpace = true
	records, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("the file is empty")
	}
	c := &columns{numbers: map[string][]float64{}, texts: map[string][]string{}}
	c.names = records[0]
	if _, err := strconv.ParseFloat(strings.TrimSpace(c.names[0]), 64); err == nil {
		if len(c.names) > 1 {
			return nil, fmt.Errorf("the first line must name the columns")
		}
		c.names = []string{"value"}
	} else {
		records = records[1:]
	}
	c.rows = len(records)
	for j, name := range c.names {
		name = strings.TrimSpace(name)
		c.names[j] = name
		if slices.Contains(c.names[:j], name) {
			return nil, fmt.Errorf("column %q is given twice", name)
		}
		numbers, texts := make([]float64, c.rows), make([]string, c.rows)
		all := true
		for i, record := range records {
			texts[i] = strings.TrimSpace(record[j])
			if numbers[i] = math.NaN(); texts[i] != "" {
				var err error
				numbers[i], err = strconv.ParseFloat(texts[i], 64)
				all = all && err == nil
			}
		}
		if all {
			c.numbers[name] = numbers
		} else {
			c.texts[name] = texts
		}
	}
	return c, nil
}

// number returns row i of a column as a whole number of 0 to limit-1.
func (c *columns) number(name string, i, limit int) (int, error) {
	x := c.numbers[name][i]
	if !(x >= 0 && x < float64(limit)) || x != math.Floor(x) {
		return 0, fmt.Errorf("row %d: %s %v; it lies between 0 and %d", i+1, name, x, limit-1)
	}
	return int(x), nil
}

// spikeTimes reads @times.csv with the columns neuron and time_ms.
func (r *resolver) spikeTimes(e *entry, n int) [][]float64 {
	c := r.file(e, e.text, -1)
	if c == nil {
		return nil
	}
	if c.numbers["neuron"] == nil || c.numbers["time_ms"] == nil || len(c.names) != 2 {
		r.fault(e, "%s: the columns must be neuron and time_ms", e.text)
		return nil
	}
	times := make([][]float64, n)
	for i := range c.rows {
		k, err := c.number("neuron", i, n)
		if err != nil {
			r.fault(e, "%s: %w", e.text, err)
			return nil
		}
		times[k] = append(times[k], c.numbers["time_ms"][i])
	}
	for _, list := range times {
		slices.Sort(list)
	}
	return times
}

// sonata maps SONATA's names of columns to those used here.
var sonata = map[string]string{
	"source_node_id": "pre",
	"target_node_id": "post",
	"syn_weight":     "weight",
	"delay":          "delay_ms",
}

// edges reads @edges.csv. Weights and delays are taken from it where the projection gives none.
func (r *resolver) edges(e *entry, projection string, weights, delays bool, from, to int) network.Rule {
	c := r.file(e, e.text, -1)
	if c == nil {
		return nil
	}
	known := []string{"pre", "post", "weight", "delay_ms", "projection"}
	of := map[string]string{} // ours -> the file's
	for _, name := range c.names {
		ours := name
		if s, ok := sonata[name]; ok {
			ours = s
		}
		if !slices.Contains(known, ours) {
			r.fault(e, "%s: column %q is not known%s", e.text, name, expression.Nearest(name, known))
			return nil
		}
		of[ours] = name
	}
	for _, need := range []struct {
		name   string
		needed bool
	}{{"pre", true}, {"post", true}, {"weight", weights}, {"delay_ms", delays}} {
		if need.needed && c.rows > 0 && c.numbers[of[need.name]] == nil {
			r.fault(e, "%s: a column %s of numbers is needed", e.text, need.name)
			return nil
		}
	}
	var out network.Edges
	out.Pre, out.Post = []int32{}, []int32{}
	if weights {
		out.Weight = []float64{}
	}
	if delays {
		out.Delay = []float64{}
	}
	for i := range c.rows {
		if name, ok := of["projection"]; ok && c.texts[name] != nil && c.texts[name][i] != projection {
			continue
		}
		pre, err := c.number(of["pre"], i, from)
		post, err2 := c.number(of["post"], i, to)
		if err == nil {
			err = err2
		}
		if err != nil {
			r.fault(e, "%s: %w", e.text, err)
			return nil
		}
		out.Pre, out.Post = append(out.Pre, int32(pre)), append(out.Post, int32(post))
		if weights {
			out.Weight = append(out.Weight, c.numbers[of["weight"]][i])
		}
		if delays {
			out.Delay = append(out.Delay, c.numbers[of["delay_ms"]][i])
		}
	}
	return out
}
