package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"

	"popsim/table"
)

const (
	parquetBatch = 1 << 12 // values handed over at once
	parquetGroup = 1 << 20 // rows of a row group, which waits in memory until it is full
)

// parquetEncoder writes required columns DOUBLE, INT64 and STRING, the last with a dictionary, compressed by Snappy.
type parquetEncoder struct {
	w       *bufio.Writer
	out     *parquet.GenericWriter[any]
	batches [][]parquet.Value // one per column, of equal length
	rows    int
}

func (e *parquetEncoder) write(t *table.Table) error {
	if e.out == nil {
		e.out = parquet.NewGenericWriter[any](e.w, parquetSchema(t), parquet.Compression(&parquet.Snappy))
		e.batches = make([][]parquet.Value, len(t.Columns))
	}
	for lo, rows := 0, t.Rows(); lo < rows; {
		hi := min(rows, lo+parquetBatch-len(e.batches[0]))
		for j, c := range t.Columns {
			e.batches[j] = appendParquet(e.batches[j], c.Slice(lo, hi), j)
		}
		if len(e.batches[0]) == parquetBatch {
			if err := e.flush(); err != nil {
				return err
			}
		}
		lo = hi
	}
	return nil
}

func appendParquet(batch []parquet.Value, c table.Column, j int) []parquet.Value {
	switch v := c.Values.(type) {
	case []float64:
		for _, x := range v {
			batch = append(batch, parquet.DoubleValue(x).Level(0, 0, j))
		}
	case []int64:
		for _, x := range v {
			batch = append(batch, parquet.Int64Value(x).Level(0, 0, j))
		}
	case []string:
		for _, x := range v {
			batch = append(batch, parquet.ByteArrayValue([]byte(x)).Level(0, 0, j))
		}
	}
	return batch
}

// flush writes the batches to the columns, and every parquetGroup rows the columns to the file.
func (e *parquetEncoder) flush() error {
	if len(e.batches[0]) == 0 {
		return nil
	}
	for j, w := range e.out.ColumnWriters() {
		if _, err := w.WriteRowValues(e.batches[j]); err != nil {
			return err
		}
	}
	e.rows += len(e.batches[0])
	for j := range e.batches {
		e.batches[j] = e.batches[j][:0]
	}
	if e.rows%parquetGroup == 0 {
		return e.out.Flush()
	}
	return nil
}

func (e *parquetEncoder) close() error {
	if err := e.flush(); err != nil {
		return err
	}
	return e.out.Close()
}

// parquetSchema is the schema of t, columns in their order.
func parquetSchema(t *table.Table) *parquet.Schema {
	root := orderedGroup{Group: parquet.Group{}}
	for _, c := range t.Columns {
		var node parquet.Node
		switch c.Kind() {
		case "f8":
			node = parquet.Leaf(parquet.DoubleType)
		case "i8":
			node = parquet.Leaf(parquet.Int64Type)
		case "U":
			node = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
		}
		root.Group[c.Name] = node
		root.fields = append(root.fields, parquet.Group{c.Name: node}.Fields()...)
	}
	return parquet.NewSchema("table", root)
}

// orderedGroup is a parquet.Group whose fields are not sorted by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

// readParquetColumn is ReadNamed for Parquet files.
func readParquetColumn(f io.ReaderAt, size int64, path, column string) (Column, error) {
	file, err := parquet.OpenFile(f, size)
	if err != nil {
		return Column{}, fmt.Errorf("%s is not a Parquet file: %w", path, err)
	}
	var names []string
	for _, c := range file.Root().Columns() {
		names = append(names, c.Name())
	}
	i, err := chooseColumn(names, column, path)
	if err != nil {
		return Column{}, err
	}
	leaf, ok := file.Schema().Lookup(names[i])
	if !ok {
		return Column{}, fmt.Errorf("%s: the column %s holds no numbers", path, names[i])
	}
	out := Column{Name: names[i]}
	for _, group := range file.RowGroups() {
		if err := out.appendPages(group.ColumnChunks()[leaf.ColumnIndex].Pages(), path); err != nil {
			return Column{}, err
		}
	}
	if len(out.Values) == 0 {
		return Column{}, fmt.Errorf("%s: the column %s holds no numbers", path, out.Name)
	}
	return out, nil
}

// appendPages appends the numbers of a chunk.
func (c *Column) appendPages(pages parquet.Pages, path string) error {
	defer pages.Close()
	values := make([]parquet.Value, parquetBatch)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(values)
			for _, v := range values[:n] {
				x, ok := parquetNumber(v)
				if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
					return fmt.Errorf("%s: row %d of the column %s is %v; a finite number is needed", path, len(c.Values), c.Name, v)
				}
				c.Values = append(c.Values, x)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		parquet.Release(page)
	}
}

func parquetNumber(v parquet.Value) (float64, bool) {
	if v.IsNull() {
		return 0, false
	}
	switch v.Kind() {
	case parquet.Double:
		return v.Double(), true
	case parquet.Float:
		return float64(v.Float()), true
	case parquet.Int64:
		return float64(v.Int64()), true
	case parquet.Int32:
		return float64(v.Int32()), true
	}
	return 0, false
}
