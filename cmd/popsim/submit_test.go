//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// submitting runs submit in a new directory with an sbatch and an scontrol that record their arguments, and returns the
// output and the record.
func submitting(t *testing.T, args ...string) (dir, stdout, stderr, told string, code int) {
	t.Helper()
	dir = t.TempDir()
	bin := t.TempDir()
	for name, text := range map[string]string{
		"sbatch":   "#!/bin/sh\nfor x; do printf '[%s]' \"$x\"; done >>told\necho >>told\nwc -l <told\n",
		"scontrol": "#!/bin/sh\nprintf 'Other = 1\\nMaxArraySize            = 5\\n'\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(dir)
	var out, messages bytes.Buffer
	code = run(append([]string{"submit"}, args...), &out, &messages)
	text, _ := os.ReadFile("told")
	return dir, out.String(), messages.String(), string(text), code
}

func TestSubmit(t *testing.T) {
	name := "it's a $(map).csv"
	_, _, messages, told, code := submitting(t, "map", "lif", "I=20:30/3", "tau=5,10", "-m", "rate", "-o", name,
		"--parts=6", "--engine", "slurm", "--", "--partition=a b")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, messages)
	}
	log := "[--output=" + name + ".log/"
	want := "[--parsable][--job-name=popsim-map]" + log +
		"%A_%a.log][--requeue][--open-mode=append][--signal=B:USR1@90][--partition=a b][--array=1-4][" + name +
		".slurm.sh][0]\n" +
		"[--parsable][--job-name=popsim-map]" + log +
		"%A_%a.log][--requeue][--open-mode=append][--signal=B:USR1@90][--partition=a b][--array=1-2][" + name +
		".slurm.sh][4]\n" +
		"[--parsable][--job-name=popsim-map-merge]" + log +
		"merge-%j.log][--partition=a b][--dependency=afterok:1:2][--kill-on-invalid-dep=yes][" + name + ".merge.sh]\n"
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("arguments of sbatch (-want +got):\n%s", diff)
	}
	// The scripts run: each task its part, then the merge.
	t.Setenv(asProgram, "1")
	for task := range 6 {
		c := exec.Command("./"+name+".slurm.sh", []string{"0", "4"}[task/4])
		c.Env = append(os.Environ(), "SLURM_ARRAY_TASK_ID="+string(rune('1'+task%4)), "SLURM_ARRAY_TASK_MIN=1",
			"SLURM_ARRAY_TASK_COUNT=4")
		if text, err := c.CombinedOutput(); err != nil {
			t.Fatalf("task %d: %v\n%s", task, err, text)
		}
	}
	if text, err := exec.Command("./" + name + ".merge.sh").CombinedOutput(); err != nil {
		t.Fatalf("merge: %v\n%s", err, text)
	}
	t.Setenv(asProgram, "")
	var out, whole bytes.Buffer
	if code := run(strings.Fields("map lif I=20:30/3 tau=5,10 -m rate --quiet"), &whole, &out); code != exitDone {
		t.Fatal(out.String())
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole.String(), string(got)); diff != "" {
		t.Errorf("merged (-whole +merged):\n%s", diff)
	}
}

// A dry run prints everything and submits nothing; an experiment file may take the place of the sweep.
func TestSubmitDryRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(file, []byte("verb = 'fi'\nmodel = 'lif'\nout = 'a.csv'\n[values]\nI = '20:30/5'\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	dir, out, messages, told, code := submitting(t, file, "--time=300ms", "--parts", "5", "--dry-run", "--", "--time=1:00")
	if code != exitDone || told != "" {
		t.Fatalf("exit %d, arguments of sbatch %q\n%s", code, told, messages)
	}
	for _, want := range []string{
		"fi lif I=20:30/5 --out=a.csv --time=300ms --resume --quiet --part=\"auto+${1:-0}/5\"\n",
		"--time=1:00 --array=1-4 a.csv.slurm.sh 0)\n", "array2=$(sbatch ",
		"--dependency=afterok:$array1:$array2 --kill-on-invalid-dep=yes a.csv.merge.sh\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("a dry run has left %v", left)
	}
}

func TestSubmitRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"run lif":                                            "is not one",
		"fi lif I=1:2:0.5":                                   "-o FILE",
		"fi lif I=1:2:0.5 -o /dev/null":                      "-o FILE",
		"fi lif I=1:2:0.5 -o a.csv --engine lsf":             "slurm",
		"fi lif I=1:2:0.5 -o a.csv --parts 0":                "1 or more",
		"fi lif I=1:2:0.5 -o a.csv --parts 7":                "points or curves to share (3)",
		"fi lif I=1:2:0.5 -o a.csv --plot a.svg --part 1/2":  "--plot cannot be used",
		"fi lif I=1:2:0.5 -o a.csv --tme 3s":                 "--time",
		"map adex bb=3 I=1:2:1 -o a.csv --parts 2 --dry-run": `"bb"`,
		"nowhere.toml --parts 2":                             "cannot be read",
	} {
		_, _, messages, told, code := submitting(t, strings.Fields(line)...)
		if code != exitMisused || told != "" || !strings.Contains(messages, want) {
			t.Errorf("%s: exit %d, arguments %q, want %q in\n%s", line, code, told, want, messages)
		}
	}
}

// A part that receives SIGTERM or SIGUSR1 keeps its finished points, exits with 130, and continues from them; after
// SIGUSR1 in a task of Slurm it requeues itself.
func TestWarned(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "scontrol"), []byte("#!/bin/sh\necho \"$@\" >>told\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields("map hh I=0:40/60 g_L=0.05:0.5/40 --time 400ms --discard 100ms --full -o map.csv --part " +
		"auto/1 --resume --save-every 10ms")
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR1} {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		c := exec.CommandContext(ctx, self, args...)
		c.Dir = dir
		c.Env = append(os.Environ(), asProgram+"=1", "SLURM_JOB_ID=77", "SLURM_ARRAY_JOB_ID=70",
			"SLURM_ARRAY_TASK_ID=0", "SLURM_ARRAY_TASK_COUNT=1",
			"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		var messages bytes.Buffer
		c.Stderr = &messages
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		checkpoints := func() int {
			found, _ := filepath.Glob(filepath.Join(dir, "map.csv.part-1-of-1.checkpoint-*"))
			return len(found)
		}
		before := checkpoints()
		for begin := time.Now(); checkpoints() == before &&
			time.Since(begin) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		}
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		told, _ := os.ReadFile(filepath.Join(dir, "told"))
		if got := c.ProcessState.ExitCode(); got == exitDone {
			t.Skipf("the part was done before %v came", sig) // on a machine that is fast, or late
		} else if got != exitInterrupted || checkpoints() <= before {
			t.Fatalf("after %v: exit %d, %d checkpoints, %d before\n%s", sig, got, checkpoints(), before, messages.String())
		}
		if want := map[syscall.Signal]string{syscall.SIGUSR1: "requeue 70_0\n"}[sig]; string(told) != want {
			t.Errorf("after %v the arguments of scontrol are %q, want %q", sig, told, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "map.csv.part-1-of-1.running")); err == nil {
			t.Errorf("after %v the part is reported as running", sig)
		}
	}
}

// TestSubmitTooLate: what the merge would refuse when all parts are done is refused before any is.
func TestSubmitTooLate(t *testing.T) {
	_, _, messages, told, code := submitting(t, "fi", "lif", "I=20:30/3", "-o", "map.txt", "--parts=2")
	if code != exitMisused || told != "" || !strings.Contains(messages, "unsupported format") {
		t.Errorf("exit %d: %s%s", code, messages, told)
	}
	if err := os.WriteFile("map.csv", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[int][]string{exitMisused: nil, exitDone: {"--force"}} {
		if code := run(append(strings.Fields("submit fi lif I=20:30/3 -o map.csv --parts 2"), args...),
			new(bytes.Buffer), new(bytes.Buffer)); code != want {
			t.Errorf("over a file that exists, with %v: exit %d, want %d", args, code, want)
		}
	}
}
