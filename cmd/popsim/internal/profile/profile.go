// Package profile writes profiles of the process, in files that go tool pprof and go tool trace read.
package profile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/pkg/profile"

	"popsim/fault"
	"popsim/model"
)

// modes are the kinds of profiles and the files they are written to.
var modes = []struct {
	name, file string
	option     func(*profile.Profile)
}{
	{"cpu", "cpu.pprof", profile.CPUProfile},
	{"mem", "mem.pprof", profile.MemProfile},
	{"allocs", "mem.pprof", profile.MemProfileAllocs},
	{"heap", "mem.pprof", profile.MemProfileHeap},
	{"block", "block.pprof", profile.BlockProfile},
	{"mutex", "mutex.pprof", profile.MutexProfile},
	{"goroutine", "goroutine.pprof", profile.GoroutineProfile},
	{"thread", "threadcreation.pprof", profile.ThreadcreationProfile},
	{"trace", "trace.out", profile.TraceProfile},
	{"clock", "clock.pprof", profile.ClockProfile},
}

// Modes lists the modes.
func Modes() (names []string) {
	for _, m := range modes {
		names = append(names, m.name)
	}
	return names
}

// FileOf returns the name of the file that a mode writes.
func FileOf(mode string) string { return modes[slices.Index(Modes(), mode)].file }

// CheckMode returns an error for an unknown mode.
func CheckMode(mode string) error {
	if slices.Contains(Modes(), mode) {
		return nil
	}
	err := fmt.Errorf("there is no profile mode %q", mode)
	if near := model.Nearest(mode, Modes()); near != "" {
		return fault.Hint(err, "did you mean --profile %s?", near)
	}
	return fault.Hint(err, "the modes are %s", strings.Join(Modes(), ", "))
}

// Labelled calls work under a context with which the samples of a profile are labelled: verb and model.
func Labelled(ctx context.Context, verb, model string, work func(ctx context.Context) error) (err error) {
	pprof.Do(ctx, pprof.Labels("verb", verb, "model", model), func(ctx context.Context) { err = work(ctx) })
	return err
}

// Start starts a profile of a mode that CheckMode accepts, in dir, which is made if it does not exist. stop ends it and
// returns a sentence that says where it is and how to read it.
func Start(mode, dir string) (stop func() string, err error) {
	m := modes[slices.Index(Modes(), mode)]
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("--profile-dir: %w", err)
	}
	path := filepath.Join(dir, m.file)
	if err := writable(path); err != nil {
		return nil, fmt.Errorf("--profile-dir: %w", err)
	}
	running := profile.Start(m.option, profile.ProfilePath(dir), profile.NoShutdownHook, profile.Quiet)
	reader := "pprof"
	if mode == "trace" {
		reader = "trace"
	}
	return func() string {
		running.Stop()
		return fmt.Sprintf("%s profile in %s; go tool %s %[2]s shows it", mode, path, reader)
	}, nil
}

// writable creates a file, because the profiling package ends the process where it cannot.
func writable(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return f.Close()
}
