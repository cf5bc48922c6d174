package memory

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The memory that control groups leave is the least along the way from the group of the process to the root, in both
// versions; pages of files that may be dropped are free.
func TestGroupsLeave(t *testing.T) {
	for _, c := range []struct {
		name, list string
		files      map[string]string
		want       float64
	}{
		{"none", "0::/\n", nil, math.Inf(1)},
		{"no limit", "0::/a\n", map[string]string{"a/memory.max": "max\n", "a/memory.current": "5\n"}, math.Inf(1)},
		{"a job within a step", "0::/slurm/job/step\n", map[string]string{
			"slurm/job/memory.max": "1000\n", "slurm/job/memory.current": "400\n",
			"slurm/job/memory.stat":     "anon 100\ninactive_file 250\n",
			"slurm/job/step/memory.max": "max\n", "slurm/job/step/memory.current": "300\n",
		}, 850},
		{"the step has less", "0::/job/step\n", map[string]string{
			"job/memory.max": "1000\n", "job/memory.current": "400\n", "job/step/memory.max": "350\n",
			"job/step/memory.current": "300\n",
		}, 50},
		{"a container, whose path is that of its host", "0::/docker/0123\n", map[string]string{
			"memory.max": "700\n", "memory.current": "800\n",
		}, 0},
		{"version 1", "9:cpu:/x\n4:memory:/x\n0::/\n", map[string]string{
			"memory/x/memory.limit_in_bytes": "900\n", "memory/x/memory.usage_in_bytes": "100\n",
			"memory/x/memory.stat": "inactive_file 1\ntotal_inactive_file 30\n",
		}, 830},
	} {
		root := t.TempDir()
		put := func(name, text string) {
			t.Helper()
			if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		put("list", c.list)
		for name, text := range c.files {
			put("tree/"+name, text)
		}
		if got := groupsLeave(filepath.Join(root, "list"), filepath.Join(root, "tree")); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
