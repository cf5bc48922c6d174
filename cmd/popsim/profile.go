package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/pkg/profile"
)

// profiles are the modes of --profile and the files they write.
var profiles = []struct {
	mode, file string
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

func profileModes() []string {
	var modes []string
	for _, p := range profiles {
		modes = append(modes, p.mode)
	}
	return modes
}

// compute does the work of a verb on a model. Under a profile, if one is asked for, all samples are labelled with both.
func (v *call) compute(ctx context.Context, f *flags, verb, model string, work func(ctx context.Context) error) error {
	if f.profile.Value == "" {
		return work(ctx)
	}
	stop, err := v.startProfile(f)
	if err != nil {
		return misused(err)
	}
	defer stop()
	pprof.Do(ctx, pprof.Labels("verb", verb, "model", model), func(ctx context.Context) { err = work(ctx) })
	return err
}

// startProfile begins the profile asked for, if any; what it returns ends and announces it.
func (v *call) startProfile(f *flags) (stop func(), err error) {
	for _, p := range profiles {
		if p.mode != f.profile.Value {
			continue
		}
		dir := f.profileDir.Value
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, fmt.Errorf("--profile-dir: %w", err)
		}
		// The package ends the process where it cannot write, so this is tried first.
		path := filepath.Join(dir, p.file)
		probe, err := os.Create(path)
		if err != nil {
			return nil, fmt.Errorf("--profile-dir: %w", err)
		}
		_ = probe.Close()
		running := profile.Start(p.option, profile.ProfilePath(dir), profile.NoShutdownHook, profile.Quiet)
		reader := "pprof"
		if p.mode == "trace" {
			reader = "trace"
		}
		return func() {
			running.Stop()
			v.say("%s profile in %s; go tool %s %[2]s shows it", p.mode, path, reader)
		}, nil
	}
	return func() {}, nil
}
