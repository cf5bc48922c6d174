// Package file writes tables to files and reads numbers back, and keeps the record of how a file was made. Every format
// carries the same values bit for bit:
//
//	.csv      text; floats with the fewest digits that read back to the same bits, missing values empty
//	.npy      one array: plain for a single column, structured (a["rate_Hz"]) for several
//	.npz      one array per column, stored without compression
//	.parquet  one typed column each; NaN stays NaN
//	.json     an array of row objects, {"name": value, ...}; missing and infinite values are null
//
// A file is opened before the work starts, so that a bad path fails in the first second, under a temporary name beside
// the final one. It takes the final name only when its last byte is on the disk: under that name a file is whole or
// absent. A path that is not a regular file (/dev/stdout, a pipe, /dev/full) is written directly, as CSV.
package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"popsim/table"
)

// encoder writes blocks of one table in one format. All blocks have the columns of the first, and the bytes do not
// depend on how the rows are cut into blocks.
type encoder interface {
	write(block *table.Table) error
	close() error // writes what must come last; called once, after at least one write
}

// bufSize is large enough for the cost of system calls to be negligible, and small enough for a dozen buffers.
const bufSize = 1 << 18

// openers make the encoder of a format. CSV and JSON need only w, which is flushed after close; all may use it.
var openers = []struct {
	ending string
	open   func(p *place, w *bufio.Writer) encoder
}{
	{".csv", func(_ *place, w *bufio.Writer) encoder { return &csvEncoder{w: w} }},
	{".npz", func(p *place, w *bufio.Writer) encoder { return &npzEncoder{w: w, dir: filepath.Dir(p.Name())} }},
	{".npy", func(p *place, w *bufio.Writer) encoder { return &npyEncoder{w: w, at: p} }},
	{".parquet", func(_ *place, w *bufio.Writer) encoder { return &parquetEncoder{w: w} }},
	{".json", func(_ *place, w *bufio.Writer) encoder { return &jsonEncoder{w: w} }},
}

// openerOf is the opener for path: by its ending, or CSV where path is not a regular file.
func openerOf(path string) (func(*place, *bufio.Writer) encoder, error) {
	if isDirect(path) {
		return openers[0].open, nil
	}
	var known []string
	for _, o := range openers {
		if o.ending == strings.ToLower(filepath.Ext(path)) {
			return o.open, nil
		}
		known = append(known, o.ending)
	}
	return nil, UnknownFormat(path, known)
}

// CheckFormat returns an error if the ending of path is not that of a format of tables.
func CheckFormat(path string) error {
	_, err := openerOf(path)
	return err
}

// UnknownFormat is the error for a path whose ending is not among those known, which it lists.
func UnknownFormat(path string, known []string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory; name a file in it", path)
	}
	list := known[len(known)-1]
	if len(known) > 1 {
		list = strings.Join(known[:len(known)-1], ", ") + " or " + list
	}
	if filepath.Ext(path) == "" {
		return fmt.Errorf("%s has no ending of a known format (use %s)", path, list)
	}
	return fmt.Errorf("%s: unsupported format %s (use %s)", path, filepath.Ext(path), list)
}

// Output writes a table. It is used by one goroutine. Memory does not grow with the number of rows.
type Output struct {
	at    *place // nil when writing to a caller's io.Writer
	w     *bufio.Writer
	enc   encoder
	head  *table.Table // the columns, after the first block
	whole bool         // WriteTable has been called
	done  bool
	err   error // the first failure; it stays
}

// Create opens path for one table, in the format of its ending, before the work that fills it starts. It is an error if
// the ending is unknown, if the directory cannot be written, or if the file exists and force is false. A path that is
// not a regular file is written directly, as CSV, whatever its ending, and needs no force.
func Create(path string, force bool) (*Output, error) {
	open, err := openerOf(path)
	if err != nil {
		return nil, err
	}
	p, err := newPlace(path, force)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(p, bufSize)
	return &Output{at: p, w: w, enc: open(p, w)}, nil
}

// NewCSV is an Output that writes CSV to w, for standard output, which its errors name. Commit flushes and does not
// close w.
//
// When the reader of a pipe has gone, the error satisfies errors.Is(err, syscall.EPIPE). On standard output the Go
// runtime ends the process before it gets there, unless the program has called signal.Ignore(syscall.SIGPIPE).
func NewCSV(w io.Writer) *Output {
	buf := bufio.NewWriterSize(w, bufSize)
	return &Output{w: buf, enc: &csvEncoder{w: buf}}
}

// PartialName is the name of the unfinished file that an interrupted call leaves for path: rates.partial.csv for
// rates.csv. The path of anything but a regular file is returned unchanged.
func PartialName(path string) string {
	if path == "" || isDirect(path) {
		return path
	}
	ending := filepath.Ext(path)
	return strings.TrimSuffix(path, ending) + ".partial" + ending
}

// Partial gives the table the name of an unfinished one, see PartialName; an older file of that name is replaced. It is
// called before Commit.
func (o *Output) Partial() {
	if !o.Direct() {
		o.at.path, o.at.final, o.at.force = PartialName(o.at.path), PartialName(o.at.final), true
	}
}

// Name is the path of the table as the caller wrote it, or its PartialName; "" for a writer.
func (o *Output) Name() string {
	if o.at == nil {
		return ""
	}
	return o.at.path
}

// Direct reports whether rows are written directly to a device, a pipe or a writer, so that there is no file for a
// record to be beside.
func (o *Output) Direct() bool { return o.at == nil || o.at.direct }

// WriteTable writes the whole table; nothing may be written before or after it.
func (o *Output) WriteTable(t *table.Table) error {
	if o.head != nil {
		return errors.New("bug: WriteTable after rows were written")
	}
	err := o.Append(t)
	o.whole = true
	return err
}

// Append writes the rows of block, which may be none, after those before. All blocks have the same columns; the first
// call decides them. The block may be reused when Append returns. In .npy files, whose rows have a fixed width, no
// string may be longer than the longest of the first block.
//
// After a failure every further call returns the same error and only Abort is left to do.
func (o *Output) Append(block *table.Table) error {
	switch {
	case o.err != nil:
		return o.err
	case o.done:
		return errors.New("bug: Append after Commit or Abort")
	case o.whole:
		return errors.New("bug: Append after WriteTable")
	}
	if err := block.Check(); err != nil {
		return err
	}
	if o.head == nil {
		o.head = header(block)
	} else if err := fits(o.head, block); err != nil {
		return err
	}
	o.err = o.fault(o.enc.write(block))
	return o.err
}

// Commit writes the rest from memory, syncs the file to the disk and gives it its final name. If that or an Append has
// failed, the error says why and no file is left. An output to which no block was written is an error; a table without
// rows is an Append of columns without rows.
func (o *Output) Commit() error {
	if o.done {
		return o.err
	}
	if o.head == nil && o.err == nil {
		o.err = o.fault(errors.New("no table was written"))
	}
	if o.err == nil {
		o.err = o.fault(o.enc.close())
	}
	if o.err == nil {
		o.err = o.fault(o.w.Flush())
	}
	if o.err != nil {
		o.Abort()
		return o.err
	}
	o.done = true
	if o.at != nil {
		o.err = o.at.commit()
	}
	return o.err
}

// Abort discards the output and removes its temporary file. After Commit it does nothing, so it may be deferred.
func (o *Output) Abort() {
	if o.done {
		return
	}
	o.done = true
	if d, ok := o.enc.(interface{ discard() }); ok {
		d.discard()
	}
	if o.at != nil {
		o.at.abort()
	}
}

func (o *Output) fault(err error) error {
	if err == nil {
		return nil
	}
	if o.at != nil {
		return o.at.fault(err)
	}
	return fmt.Errorf("writing standard output: %w", cause(err))
}

// header is t without its rows: what all blocks of one output have in common.
func header(t *table.Table) *table.Table {
	h := &table.Table{Columns: make([]table.Column, len(t.Columns))}
	for i, c := range t.Columns {
		h.Columns[i] = c.Slice(0, 0)
	}
	return h
}

// fits returns an error if a block cannot follow others with the columns of head.
func fits(head, block *table.Table) error {
	if len(block.Columns) != len(head.Columns) {
		return fmt.Errorf("a block of %d columns after blocks of %d", len(block.Columns), len(head.Columns))
	}
	for i, c := range block.Columns {
		if want := head.Columns[i]; c.Name != want.Name || c.Kind() != want.Kind() {
			return fmt.Errorf("column %d of this block is %q (%s), of the blocks before %q (%s)",
				i+1, c.Name, c.Kind(), want.Name, want.Kind())
		}
	}
	return nil
}
