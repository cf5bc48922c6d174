package batch

import (
	"fmt"
	"testing"
)

// TestMaxArrayOf: the largest array is one less than MaxArraySize, or the default where scontrol reports none.
func TestMaxArrayOf(t *testing.T) {
	for text, want := range map[string]int{
		"MaxArraySize = 1001\n":                  1000,
		"x\nMaxArraySize            = 4000001\n": 4000000, "": defaultMaxArray, "MaxArraySize=x\n": defaultMaxArray,
	} {
		if got := maxArrayOf(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestParsePart: the number of the part comes from the batch system.
func TestParsePart(t *testing.T) {
	for _, c := range []struct {
		text string
		env  map[string]string
		want string
	}{
		{"2/5", nil, "{2 5}"},
		{"auto", map[string]string{
			"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_MIN": "2",
			"SLURM_ARRAY_TASK_COUNT": "3",
		}, "{3 3}"},
		{"auto", map[string]string{"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "8"}, "{1 8}"},
		{"auto/4", map[string]string{"JOB_COMPLETION_INDEX": "1"}, "{2 4}"},
		{"auto", map[string]string{"JOB_COMPLETION_INDEX": "1"}, ""},
		{"auto/9", map[string]string{"PBS_ARRAY_INDEX": "9"}, "{9 9}"},
		{"auto/9", map[string]string{"PBS_ARRAYID": "3"}, "{3 9}"},
		{"auto/9", map[string]string{"PBS_ARRAY_INDEX": "0"}, ""},
		{"auto", map[string]string{
			"SGE_TASK_ID": "7", "SGE_TASK_FIRST": "3", "SGE_TASK_LAST": "10",
			"SGE_TASK_STEPSIZE": "2",
		}, "{3 4}"},
		{"auto", map[string]string{"SGE_TASK_ID": "undefined", "SGE_TASK_FIRST": "undefined"}, ""},
		{"auto", map[string]string{"LSB_JOBINDEX": "2", "LSB_JOBINDEX_END": "5"}, "{2 5}"},
		{"auto", map[string]string{"LSB_JOBINDEX": "0", "LSB_JOBINDEX_END": "0"}, ""},
		{"auto", nil, ""},
		{"6/5", nil, ""},
	} {
		for _, a := range arrays {
			for _, name := range []string{a.id, a.first, a.step, a.count, a.last} {
				if name != "" {
					t.Setenv(name, c.env[name])
				}
			}
		}
		part, err := ParsePart(c.text)
		if got := fmt.Sprint(part); err == nil && got != c.want || err != nil && c.want != "" {
			t.Errorf("--part %s with %v: %s (%v), want %s", c.text, c.env, got, err, c.want)
		}
	}
}
