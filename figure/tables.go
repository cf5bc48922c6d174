package figure

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"popsim/sweep"
	"popsim/table"
	"popsim/table/file"
)

// Named is a table with the name that its curves have in a legend. Units holds the units of columns whose names do not
// contain them: parameters and the current.
type Named struct {
	Name  string
	Table *table.Table
	Units map[string]string
}

// Tables draws columns of tables that popsim wrote over another column, all in one panel: a curve for each table, each
// column in ys, and each combination of the columns that stand before the first measure, such as the other quantities
// of a grid. x and ys may be without their unit; where x is "" it is the column that the kind of table has as its axis,
// and where ys is empty it is what that table is about. Spikes become a raster, a panel for each table. The error names
// a column that is missing, and those that are there.
func Tables(title string, tables []Named, x string, ys []string) (*Figure, error) {
	if len(tables) == 0 {
		return nil, errors.New("there is no table to draw")
	}
	if first := tables[0].Table; x == "" && len(ys) == 0 && holds(first, "neuron", "time_ms") && len(first.Columns) == 2 {
		return rasters(title, tables)
	}
	var series []Series
	xlabel, ylabel, measure := "", "", ""
	for _, t := range tables {
		xc, err := axisColumn(t, x)
		if err != nil {
			return nil, err
		}
		ycs, err := valueColumns(t, xc.Name, ys)
		if err != nil {
			return nil, err
		}
		for _, yc := range ycs {
			name := ""
			if len(tables) > 1 {
				name = t.Name
			}
			if len(ycs) > 1 {
				short, _ := splitUnit(yc.Name)
				name = join(name, short)
			}
			series = append(series, groups(t, name, xc, yc)...)
		}
		xlabel = cmp.Or(xlabel, t.label(xc.Name))
		ylabel = cmp.Or(ylabel, t.common(ycs))
		measure = ycs[0].Name
	}
	if len(series) > 1 {
		for i := range series {
			series[i].Points = series[i].Points && len(series) <= 4
		}
	}
	f := Curves(title, xlabel, ylabel, series...)
	flat(f, measure)
	return f, nil
}

func holds(t *table.Table, names ...string) bool {
	for _, name := range names {
		if _, ok := t.Column(name); !ok {
			return false
		}
	}
	return true
}

// numeric is a column as numbers; ok is false where it holds text.
func numeric(c table.Column) (values []float64, ok bool) {
	switch v := c.Values.(type) {
	case []float64:
		return v, true
	case []int64:
		values = make([]float64, len(v))
		for i, n := range v {
			values[i] = float64(n)
		}
		return values, true
	}
	return nil, false
}

// find is the column of a name, which may lack its unit.
func find(t Named, name string) (table.Column, error) {
	var names []string
	for _, c := range t.Table.Columns {
		short, _ := splitUnit(c.Name)
		if c.Name == name || short == name {
			if _, ok := numeric(c); !ok {
				return c, fmt.Errorf("column %s of %s holds text; a picture needs numbers", c.Name, t.Name)
			}
			return c, nil
		}
		names = append(names, c.Name)
	}
	return table.Column{}, fmt.Errorf("%s has no column %q; it has %s", t.Name, name, strings.Join(names, ", "))
}

// axisColumn is the column of the horizontal axis: the one named, or time, or the current, or the last quantity of a
// grid.
func axisColumn(t Named, name string) (table.Column, error) {
	if name != "" {
		return find(t, name)
	}
	for _, usual := range []string{"time_ms", "I"} {
		if c, ok := t.Table.Column(usual); ok && !constant(c) {
			return c, nil
		}
	}
	var last table.Column
	for _, c := range grid(t.Table) {
		if _, ok := numeric(c); ok && !constant(c) {
			last = c
		}
	}
	if last.Name == "" {
		return find(t, t.Table.Columns[0].Name)
	}
	return last, nil
}

// valueColumns are those that are drawn: the ones named, or what the table is about.
func valueColumns(t Named, x string, names []string) (columns []table.Column, err error) {
	if len(names) == 0 {
		for _, c := range t.Table.Columns {
			switch {
			case c.Name == "rate_Hz" || c.Name == "V_mV":
				return []table.Column{c}, nil
			case c.Name != x && strings.HasSuffix(c.Name, "_Hz") && x == "time_ms":
				columns = append(columns, c)
			}
		}
		if columns != nil {
			return columns, nil
		}
		for _, c := range t.Table.Columns[len(grid(t.Table)):] {
			if _, ok := numeric(c); ok && c.Name != x {
				return []table.Column{c}, nil
			}
		}
		return nil, fmt.Errorf("%s has no column that is drawn by default; name a column", t.Name)
	}
	for _, name := range names {
		c, e := find(t, name)
		if e != nil {
			return nil, e
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// grid are the columns before the first measure: of a sweep the quantities it ran over and where it started, of traces
// the neuron, of a diagram the branch.
func grid(t *table.Table) (columns []table.Column) {
	for _, c := range t.Columns {
		if sweep.MeasureDoc(c.Name) != "" || strings.HasSuffix(c.Name, "_mV") || strings.HasSuffix(c.Name, "_Hz") {
			break
		}
		columns = append(columns, c)
	}
	if len(columns) == len(t.Columns) {
		return columns[:1]
	}
	return columns
}

func constant(c table.Column) bool {
	v, ok := numeric(c)
	return ok && len(v) > 0 && slices.Max(v) == slices.Min(v)
}

// groups are the curves of y over x: one for each combination of what else stands before the measures.
func groups(t Named, name string, x, y table.Column) (series []Series) {
	xs, _ := numeric(x)
	ys, _ := numeric(y)
	var bars []float64 // standard errors of y, where the table has them
	if c, ok := t.Table.Column(y.Name + "_se"); ok {
		bars, _ = numeric(c)
	}
	var keys []table.Column
	for _, c := range grid(t.Table) {
		if c.Name != x.Name && c.Name != y.Name && !constant(c) {
			keys = append(keys, c)
		}
	}
	at := map[string]int{}
	for row := range t.Table.Rows() {
		key := ""
		for _, c := range keys {
			key = join(key, t.cell(c, row))
		}
		i, ok := at[key]
		if !ok {
			i = len(series)
			at[key] = i
			series = append(series, Series{Name: join(name, key)})
		}
		series[i].X, series[i].Y = append(series[i].X, xs[row]), append(series[i].Y, ys[row])
		if bars != nil {
			series[i].YErr = append(series[i].YErr, max(0, bars[row])) // NaN stays, which draws none
		}
	}
	for i := range series {
		s := &series[i]
		s.Points = len(s.X) <= 60
		if !s.Points || !slices.ContainsFunc(s.YErr, func(e float64) bool { return e > 0 }) {
			s.YErr = nil // too many for bars, or nothing to show
		}
		if y.Name == "rate_Hz" {
			s.breakJumps()
		}
	}
	return series
}

// cell is a value as a legend has it: "b = 60", "upwards".
func (t Named) cell(c table.Column, row int) string {
	switch v := c.Values.(type) {
	case []string:
		return v[row]
	case []int64:
		return fmt.Sprintf("%s %d", c.Name, v[row])
	case []float64:
		text := fmt.Sprintf("%s = %.6g", c.Name, v[row])
		if unit := t.Units[c.Name]; unit != "" && unit != "1" {
			text += " " + unit
		}
		return text
	}
	return ""
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// splitUnit parts V_min_mV into V_min and mV; a column that ends in no unit of popsim's has none.
func splitUnit(name string) (short, unit string) {
	for _, u := range []string{"per_ms", "GOhm", "mV", "ms", "Hz", "pA", "nS", "rad", "deg"} {
		if short, ok := strings.CutSuffix(name, "_"+u); ok {
			return short, strings.Replace(u, "per_ms", "1/ms", 1)
		}
	}
	return name, ""
}

// label is a column as an axis has it: "firing rate (Hz)", "V_min (mV)", "I (pA)".
func (t Named) label(name string) string {
	if label, ok := measureLabels[name]; ok {
		return label
	}
	short, unit := splitUnit(name)
	if unit == "" {
		unit = t.Units[name]
	}
	if unit == "" || unit == "1" {
		return name
	}
	return fmt.Sprintf("%s (%s)", short, unit)
}

// common is the label of an axis for several columns: what they share.
func (t Named) common(columns []table.Column) string {
	if len(columns) == 1 {
		return t.label(columns[0].Name)
	}
	_, unit := splitUnit(columns[0].Name)
	for _, c := range columns {
		if _, other := splitUnit(c.Name); other != unit {
			return ""
		}
	}
	if unit == "Hz" {
		return "rate (Hz)"
	}
	return unit
}

// rasters draws spikes, a panel for each table.
func rasters(title string, tables []Named) (*Figure, error) {
	f := &Figure{Title: title, ShareX: true}
	end := 0.0
	for _, t := range tables {
		if !holds(t.Table, "neuron", "time_ms") {
			return nil, fmt.Errorf("%s holds no spikes (neuron, time_ms), as the first table does", t.Name)
		}
		nc, _ := t.Table.Column("neuron")
		tc, _ := t.Table.Column("time_ms")
		neurons, ok1 := nc.Values.([]int64)
		times, ok2 := numeric(tc)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("%s: neurons must be whole numbers, and times numbers", t.Name)
		}
		for _, time := range times {
			end = math.Max(end, time)
		}
		p := Raster("", times, neurons).Panels[0]
		if len(tables) > 1 {
			p.YLabel = t.Name + "\n" + p.YLabel
		}
		f.Panels = append(f.Panels, p)
	}
	for i := range f.Panels {
		f.Panels[i].XRange = [2]float64{0, end}
	}
	return f, nil
}

// Stack puts tables of the same columns under each other, with their names in a first column. The error names columns
// that differ.
func Stack(column string, tables []Named) (*table.Table, error) {
	all := &table.Table{Columns: slices.Clone(tables[0].Table.Columns)}
	var names []string
	for i, t := range tables {
		if len(t.Table.Columns) != len(all.Columns) {
			return nil, fmt.Errorf("the tables of %s and %s have different columns; -m chooses those that both have",
				tables[0].Name, t.Name)
		}
		for range t.Table.Rows() {
			names = append(names, t.Name)
		}
		if i == 0 {
			continue
		}
		for j, c := range t.Table.Columns {
			if c.Name != all.Columns[j].Name {
				return nil, fmt.Errorf("the tables of %s and %s have different columns (%s, %s)", tables[0].Name, t.Name,
					all.Columns[j].Name, c.Name)
			}
			all.Columns[j] = appended(all.Columns[j], c)
		}
	}
	all.Columns = append([]table.Column{table.Col(column, names)}, all.Columns...)
	return all, nil
}

// appended is column a followed by column b of the same type.
func appended(a, b table.Column) table.Column {
	switch v := a.Values.(type) {
	case []float64:
		w, _ := b.Values.([]float64)
		return table.Col(a.Name, append(slices.Clone(v), w...))
	case []int64:
		w, _ := b.Values.([]int64)
		return table.Col(a.Name, append(slices.Clone(v), w...))
	case []string:
		w, _ := b.Values.([]string)
		return table.Col(a.Name, append(slices.Clone(v), w...))
	}
	return a
}

// ReadNamed reads tables from files. A table is named after the model and preset of its record, from which it also has
// its units; after its file if there is no record, or if another table has the same model and preset.
func ReadNamed(paths []string) ([]Named, error) {
	var tables []Named
	count := map[string]int{}
	for _, path := range paths {
		t, err := file.ReadTable(path)
		if err != nil {
			return nil, err
		}
		n := namedTable(path, t)
		count[n.Name]++
		tables = append(tables, n)
	}
	for i, path := range paths {
		if count[tables[i].Name] > 1 {
			tables[i].Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		}
	}
	return tables, nil
}

// namedTable returns the table of a file with its name and units.
func namedTable(path string, t *table.Table) Named {
	r, err := file.ReadRecord(path)
	if err != nil || r.Model == "" {
		return Named{Name: filepath.Base(path), Table: t}
	}
	n := Named{Name: r.Model, Table: t, Units: map[string]string{}}
	if r.Preset != "" {
		n.Name += ":" + r.Preset
	}
	for _, p := range r.Parameters {
		n.Units[p.Name] = p.Unit
	}
	return n
}
