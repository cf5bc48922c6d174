//go:build linux && amd64 && !purego

package code

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"popsim/kernels/vec"
)

// Machine code shares threads with the garbage collector, signals of preemption and of a profile, and growing stacks:
// it is run from six goroutines while all of these come as often as they can.
func TestStress(t *testing.T) {
	all := targets(t)
	duration := time.Second
	if os.Getenv("POPSIM_LONG") != "" {
		duration = 30 * time.Second
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	p := randomProgram(7, 150)
	plain := frame(1, 64, 50)
	for y := p.Compile().Executor(); ; {
		if y.Run(plain); plain.Fired == 0 {
			break
		}
	}
	c, err := Compile(p, all[len(all)-1], 2, vec.Tuning{})
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(io.Discard); err == nil { // else the test itself is profiled
		defer pprof.StopCPUProfile()
	}
	stop := make(chan struct{})
	var runs, signals sync.WaitGroup
	signals.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = syscall.Kill(os.Getpid(), syscall.SIGURG)
				runtime.GC()
			}
		}
	})
	for range 6 {
		runs.Go(func() {
			for end := time.Now().Add(duration); time.Now().Before(end); {
				deep(100, func() {
					f := frame(1, 64, 50)
					for x := c.Executor(); ; {
						if x.Run(f); f.Fired == 0 {
							break
						}
					}
					for i := range f.Before {
						if !same(f.Before[i], plain.Before[i]) {
							t.Errorf("value %d: %x, want %x", i, f.Before[i], plain.Before[i])
							return
						}
					}
				})
			}
		})
	}
	runs.Wait()
	close(stop)
	signals.Wait()
}

// deep calls f with a deep stack.
func deep(n int, f func()) {
	var pad [256]byte
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
	runtime.KeepAlive(&pad)
}

// Where the system refuses executable memory, Available returns an error, and no machine code runs.
func TestRefused(t *testing.T) {
	const setMDWE, refuseExecGain = 65, 1 // prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN)
	if os.Getenv("POPSIM_TEST_MDWE") != "" {
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setMDWE, refuseExecGain, 0, 0, 0, 0); errno != 0 {
			t.Skip("this kernel has no MDWE: ", errno)
		}
		if err := Available(); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("Available: %v", err)
		}
		if _, err := Compile(randomProgram(1, 5), vec.AVX2, 1, vec.Tuning{}); err == nil {
			t.Error("machine code was made")
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRefused$", "-test.v")
	cmd.Env = append(os.Environ(), "POPSIM_TEST_MDWE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else if strings.Contains(string(out), "SKIP") {
		t.Skip("this kernel cannot refuse")
	}
}
