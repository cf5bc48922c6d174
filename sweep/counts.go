package sweep

// StatusCounts is the number of rows by their status, those of status ok left out.
type StatusCounts map[string]int

// Add counts the rows that are present in r.
func (c StatusCounts) Add(r *Result) {
	for row, end := r.Present(); row < end; row++ {
		if w := r.Word("status", row); w != "" && w != "ok" {
			c[w]++
		}
	}
}
