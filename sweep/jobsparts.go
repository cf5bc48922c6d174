package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// JobsParts are the finished parts of a sweep of jobs, all of them.
type JobsParts struct {
	Result  *JobsResult
	Count   int
	Seconds float64 // that all of them cost
	Records []json.RawMessage
}

// HoldsJobs reports whether parts are kept for path and are those of Jobs.
func HoldsJobs(path string) bool {
	files, err := wholeParts(path)
	if err != nil {
		return false
	}
	for _, name := range files {
		if q, err := openCheckpoint(name); err == nil {
			return q.Jobs != nil
		}
	}
	return false
}

// wholeParts are the files of finished parts that are kept for path.
func wholeParts(path string) ([]string, error) {
	found, err := beside(path, partMark)
	return slices.DeleteFunc(found, func(name string) bool {
		_, rest, ok := partNamed(filepath.Base(name), filepath.Base(path))
		return !ok || rest != ""
	}), err
}

// OpenJobsParts reads the parts that are kept for path. The error names parts that are missing, overlapping, damaged or
// of other jobs.
func OpenJobsParts(path string) (*JobsParts, error) {
	files, err := wholeParts(path)
	if err != nil {
		return nil, err
	}
	var faults []error
	var parts []checkpointFile
	for _, name := range files {
		q, err := openCheckpoint(name)
		if err == nil && q.Jobs == nil {
			err = fmt.Errorf("sweep: %s is of another kind of sweep", name)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		parts = append(parts, q)
	}
	if len(parts) == 0 {
		return nil, errors.Join(append(faults, fmt.Errorf("sweep: no parts are kept for %s; they are named %s", path,
			PartPath(path, Part{1, 1})))...)
	}
	slices.SortStableFunc(parts, func(a, b checkpointFile) int { return a.First - b.First })
	jobs, err := parts[0].Jobs.jobs()
	if err != nil {
		return nil, fmt.Errorf("sweep: %s: %w", parts[0].path, err)
	}
	m := &JobsParts{Count: len(parts)}
	faults = append(faults, jobs.checkParts(parts, len(faults) == 0)...)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	m.Result = &JobsResult{Jobs: jobs, values: make([][]float64, jobs.Rows())}
	for _, q := range parts {
		if err := m.Result.load(q); err != nil {
			return nil, err
		}
		m.Seconds += q.Work.Seconds
		if q.Record != nil {
			m.Records = append(m.Records, q.Record)
		}
	}
	return m, nil
}

// checkParts lists the faults of parts, which are in the order of their rows: parts of other jobs, gaps, overlaps and,
// if all could be read, fewer values than their headers announce.
func (j *Jobs) checkParts(parts []checkpointFile, all bool) (faults []error) {
	held, next := int64(0), 0
	for _, q := range parts {
		switch {
		case !bytes.Equal(q.identity(), parts[0].identity()):
			faults = append(faults, fmt.Errorf("sweep: %s and %s belong to different experiments", parts[0].path, q.path))
			continue
		case q.End > j.Rows():
			faults = append(faults, torn(q.path))
		case q.First > next:
			faults = append(faults, fmt.Errorf("sweep: a part is missing before %s: runs %d to %d of %d", q.path, next,
				q.First-1, j.Rows()))
		case q.First < next:
			faults = append(faults, fmt.Errorf("sweep: %s overlaps another part in runs %d to %d", q.path, q.First,
				min(next, q.End)-1))
		}
		next = max(next, q.End)
		held += q.end - q.start
	}
	if next < j.Rows() {
		faults = append(faults, fmt.Errorf("sweep: a part is missing: runs %d to %d of %d", next, j.Rows()-1, j.Rows()))
	}
	short := len(j.Columns) == 0 || held != int64(8*len(j.Columns))*int64(j.Rows())
	if short && all && len(faults) == 0 {
		faults = append(faults, torn(parts[len(parts)-1].path)) // a header alone may promise anything
	}
	return faults
}
