package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"popsim/sched"
	"popsim/table"
)

// Jobs is a sweep in which every trial of a point is a separate run, such as that of a network. Its rows are in the
// order of the grid, the trials of a point one after the other.
type Jobs struct {
	Grid    Grid
	Trials  int // of each point; 0 is one, and no column trial
	Columns []JobColumn

	// Identity describes in JSON all that the results depend on besides grid, trials and columns. Checkpoints and parts of
	// jobs with another identity are refused.
	Identity string

	// Alone is whether jobs run one at a time, each with all workers; else several run at once, each with one worker.
	Alone bool

	// Run computes the values of the columns of one trial of a point, both from 0 on. It is called from several goroutines
	// at once. An error ends the sweep.
	Run func(ctx context.Context, point, trial, workers int) ([]float64, error)

	// RunRows computes the values of the columns of rows first to end-1, no more than Together, where that is not 0: Run
	// is then not called. The values of a row do not depend on the others.
	Together int
	RunRows  func(ctx context.Context, first, end, workers int) ([][]float64, error)
}

// runRows computes consecutive rows.
func (j *Jobs) runRows(ctx context.Context, rows span, workers int) (values [][]float64, err error) {
	if j.Together > 0 {
		return j.RunRows(ctx, rows.first, rows.end, workers)
	}
	one, err := j.Run(ctx, rows.first/j.trials(), rows.first%j.trials(), workers)
	return [][]float64{one}, err
}

// blocks cuts rows, which ascend, into consecutive ones that are computed together.
func (j *Jobs) blocks(rows []int) (blocks []span) {
	for i, row := range rows {
		if last := len(blocks) - 1; i > 0 && row == rows[i-1]+1 && row-blocks[last].first < j.Together {
			blocks[last].end++
			continue
		}
		blocks = append(blocks, span{row, row + 1})
	}
	return blocks
}

// JobColumn is a column of results of jobs: numbers, counts, or words.
type JobColumn struct {
	Name  string
	Count bool     `json:",omitempty"` // a whole number
	Words []string `json:",omitempty"` // what the values 0, 1, 2 ... mean; NaN is no word
	At    float64  `json:",omitempty"` // ms, a time that the values belong to, or count from
}

// trials is the number of rows of a point.
func (j *Jobs) trials() int { return max(1, j.Trials) }

// Rows is the number of rows.
func (j *Jobs) Rows() int { return int(j.Grid.Points()) * j.trials() }

// Check reports what is wrong with the sweep.
func (j *Jobs) Check() error {
	if err := j.Grid.Check(); err != nil {
		return err
	}
	if j.Trials < 0 || j.Grid.Points()*float64(j.trials()) >= mostJobs {
		return fmt.Errorf("sweep: %.3g points of %d trials; up to %g runs are possible", j.Grid.Points(), j.Trials,
			float64(mostJobs))
	}
	return nil
}

// mostJobs is the largest number of runs of a sweep.
const mostJobs = 1e9

// JobsResult holds the results of jobs.
type JobsResult struct {
	Jobs    *Jobs
	Elapsed time.Duration
	Kept    int     // rows that were put on disk in checkpoints, those resumed from not counted
	Resumed float64 // seconds that the checkpoints had cost from which the run went on
	Workers int
	Sched   sched.Stats

	first  int         // the first row that may be here
	values [][]float64 // by row from first on; nil for those that were not finished
}

// RunJobs runs jobs, or a part of them, with cfg as Run; cfg.Record, cfg.ISA and cfg.Batch are of no meaning. record
// returns the record of a part, which is stored in its file as JSON; it may be nil.
func RunJobs(ctx context.Context, j *Jobs, cfg Config, record func(*JobsResult) any) (*JobsResult, error) {
	if err := j.Check(); err != nil {
		return nil, err
	}
	first, end := cfg.Part.chains(j.Rows())
	switch {
	case first >= end:
		return nil, fmt.Errorf("%w: there are more parts (%d) than runs (%d)", ErrEmptyPart, cfg.Part.Of, j.Rows())
	case cfg.Part.Of > 0 && cfg.Keep == "":
		return nil, errors.New("sweep: a part needs a place to be kept")
	}
	if cfg.Workers == 0 {
		cfg.Workers = sched.Allowed()
	}
	begin := time.Now()
	r := &JobsResult{Jobs: j, Workers: cfg.Workers, first: first, values: make([][]float64, end-first)}
	var err error
	if cfg.Keep == "" {
		err = r.run(ctx, cfg, r.open(), func(int) {})
	} else {
		err = r.runKept(ctx, cfg, record, begin)
	}
	r.Elapsed = time.Since(begin)
	return r, err
}

// open lists the rows that are not finished yet.
func (r *JobsResult) open() (rows []int) {
	for k, v := range r.values {
		if v == nil {
			rows = append(rows, r.first+k)
		}
	}
	return rows
}

// run runs rows in their order. finished is called with each row when it is done, by any worker.
func (r *JobsResult) run(ctx context.Context, cfg Config, rows []int, finished func(row int)) error {
	blocks := r.Jobs.blocks(rows)
	workers, each := min(cfg.Workers, len(blocks)), 1
	if r.Jobs.Alone {
		workers, each = 1, cfg.Workers
	}
	if len(rows) == 0 {
		return nil
	}
	var next, done atomic.Int64
	had := int64(len(r.values) - len(rows))
	stats, err := sched.Run(ctx, sched.Plan{
		Workers: workers,
		Shards:  len(blocks),
		Advance: func(int, int, int) error {
			select {
			case <-cfg.Stop:
				return ErrStopped
			default:
			}
			block := blocks[next.Add(1)-1]
			values, err := r.Jobs.runRows(ctx, block, each)
			if err != nil {
				return err
			}
			for i, v := range values {
				if len(v) != len(r.Jobs.Columns) {
					return fmt.Errorf("bug: sweep: a job gave %d values for %d columns", len(v), len(r.Jobs.Columns))
				}
				r.values[block.first+i-r.first] = v
				finished(block.first + i)
			}
			if cfg.Tick != nil {
				cfg.Tick(had+done.Add(int64(len(values))), int64(len(r.values)))
			}
			return nil
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	r.Sched = stats
	return err
}

// Finished is the number of rows that are finished.
func (r *JobsResult) Finished() (n int) {
	for _, v := range r.values {
		if v != nil {
			n++
		}
	}
	return n
}

// column is the place of a column, or -1.
func (r *JobsResult) column(name string) int {
	return slices.IndexFunc(r.Jobs.Columns, func(c JobColumn) bool { return c.Name == name })
}

// Count is the number of finished rows in which a column of words holds a word.
func (r *JobsResult) Count(name, word string) (n int) {
	j := r.column(name)
	for _, v := range r.values {
		if j >= 0 && v != nil && v[j] == float64(slices.Index(r.Jobs.Columns[j].Words, word)) {
			n++
		}
	}
	return n
}

// Values are those of a column at the finished trials of a point, without missing ones.
func (r *JobsResult) Values(name string, point int) (values []float64) {
	j, n := r.column(name), r.Jobs.trials()
	for row := point * n; row < (point+1)*n; row++ {
		if at := row - r.first; at >= 0 && at < len(r.values) && r.values[at] != nil && !math.IsNaN(r.values[at][j]) {
			values = append(values, r.values[at][j])
		}
	}
	return values
}

// Complete are the values of columns, by column, at the finished trials of a point in which none of them is missing.
func (r *JobsResult) Complete(names []string, point int) [][]float64 {
	values, n := make([][]float64, len(names)), r.Jobs.trials()
	missing := func(row int) bool {
		return slices.ContainsFunc(names, func(name string) bool { return math.IsNaN(r.values[row][r.column(name)]) })
	}
	for row := point*n - r.first; row < (point+1)*n-r.first; row++ {
		if row < 0 || row >= len(r.values) || r.values[row] == nil || missing(row) {
			continue
		}
		for k, name := range names {
			values[k] = append(values[k], r.values[row][r.column(name)])
		}
	}
	return values
}

// Table is a row for each finished run: the axes, trial where there are trials, and the columns.
func (r *JobsResult) Table() *table.Table {
	var rows []int
	for k, v := range r.values {
		if v != nil {
			rows = append(rows, k)
		}
	}
	trials := r.Jobs.trials()
	t := new(table.Table)
	for j, a := range r.Jobs.Grid.Axes {
		t.Columns = append(t.Columns,
			table.Col(a.Name, gather(rows, func(k int) float64 { return r.Jobs.Grid.At((r.first+k)/trials, j) })))
	}
	if r.Jobs.Trials > 0 {
		t.Columns = append(t.Columns,
			table.Col("trial", gather(rows, func(k int) int64 { return int64((r.first + k) % trials) })))
	}
	for j, c := range r.Jobs.Columns {
		t.Columns = append(t.Columns, r.columnOf(c, rows, func(k int) float64 { return r.values[k][j] }))
	}
	return t
}

// columnOf lays out a column.
func (r *JobsResult) columnOf(c JobColumn, rows []int, value func(k int) float64) table.Column {
	switch {
	case c.Words != nil:
		out := table.Col(c.Name, gather(rows, func(k int) string {
			if x := value(k); x >= 0 && int(x) < len(c.Words) {
				return c.Words[int(x)]
			}
			return ""
		}))
		for _, w := range c.Words {
			out.Width = max(out.Width, len([]rune(w)))
		}
		return out
	case c.Count:
		return table.Col(c.Name, gather(rows, func(k int) int64 { return int64(value(k)) }))
	}
	return table.Col(c.Name, gather(rows, value))
}
