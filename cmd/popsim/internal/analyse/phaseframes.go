package analyse

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/sched"
	"popsim/table/file"
)

// movingSetting is the place of the setting that has several values, for a series of frames; -1 where none has.
func movingSetting(q experiment.Neuron) (at int, err error) {
	at = -1
	for i, s := range q.Settings {
		if s.Value.Kind&(experiment.List|experiment.Range|experiment.File) == 0 || s.Value.Len() < 2 {
			continue
		}
		if at >= 0 {
			return -1, fmt.Errorf("%s and %s have several values; phase draws frames over one", q.Settings[at].Name, s.Name)
		}
		at = i
	}
	return at, nil
}

// fixed is the neuron with value k of the setting in place at.
func fixed(q experiment.Neuron, at, k int) (experiment.Neuron, error) {
	s := q.Settings[at]
	v, err := experiment.ParseValue(s.Name, strconv.FormatFloat(s.Value.At(k), 'g', -1, 64), s.Unit)
	q.Settings = slices.Clone(q.Settings)
	q.Settings[at].Value = v
	return q, err
}

// framePath is the file of frame k, from 1 on, of n: plane-007.png.
func framePath(path string, k, n int) string {
	ending := filepath.Ext(path)
	return fmt.Sprintf("%s-%0*d%s", strings.TrimSuffix(path, ending), max(3, len(strconv.Itoa(n))), k, ending)
}

// runFrames draws the planes over several values of one quantity, a numbered picture each, all in the same window.
func (s *phaseCommand) runFrames(ctx context.Context, at int) error {
	moving := s.neuron.Settings[at]
	n := moving.Value.Len()
	switch {
	case s.Plot.Value == "":
		return verb.Misused(fault.Hint(fmt.Errorf("%s has %d values: a series of pictures, but there is no --plot",
			moving.Name, n), "--plot plane.png draws plane-001.png and so on"))
	case s.Out.Value != "":
		return verb.Misused(fault.Hint(errors.New("-o holds one plane, and there are several"), "leave it out"))
	}
	if err := s.CheckPicture(s.Force); err != nil {
		return err
	}
	frames := make([]phaseCommand, n)
	for k := range frames {
		frames[k] = *s
		q, err := fixed(s.neuron, at, k)
		if err != nil {
			return verb.Misused(err)
		}
		if err := verb.Misused(frames[k].frame(q)); err != nil {
			return err
		}
		if err := verb.Misused(file.Check(framePath(s.Plot.Value, k+1, n), s.Force)); err != nil {
			return err
		}
	}
	s.Phase("read")
	planes := make([]*dynamics.Plane, n)
	err := s.Compute(ctx, &s.Flags, "phase", s.neuron.Model.Name, func(ctx context.Context) error {
		return s.planes(ctx, frames, planes)
	})
	s.Phase("phase")
	if err != nil {
		return err
	}
	for _, p := range planes {
		s.WarnAll(p.Warnings)
	}
	err = sideBySide(n, func(k int) error {
		picture := figure.Phase(frames[k].neuron.Title(), planes[k])
		return s.DrawAt(&s.Flags, framePath(s.Plot.Value, k+1, n), picture, s.Force)
	})
	if err != nil {
		return err
	}
	s.Infof("%s of %s from %g to %g, in one window: %s to %s", cli.Count(n, "picture"), moving.Name, moving.Value.At(0),
		moving.Value.At(n-1),
		framePath(s.Plot.Value, 1, n), framePath(s.Plot.Value, n, n))
	return nil
}

// planes computes the planes of all frames in the window that holds those of the first and the last, side by side.
func (s *phaseCommand) planes(ctx context.Context, frames []phaseCommand, planes []*dynamics.Plane) error {
	one := func(ctx context.Context, k int) (err error) {
		f := &frames[k]
		planes[k], err = dynamics.PhasePlane(ctx, f.neuron.Model, f.at.Params, f.at.Current, f.options)
		return err
	}
	last := len(frames) - 1
	for _, k := range []int{0, last} {
		if err := one(ctx, k); err != nil {
			return err
		}
	}
	a, b := planes[0].Window, planes[last].Window
	for k := range frames {
		o := &frames[k].options
		if s.over.Value == "" {
			o.VLo, o.VHi = min(a[0], b[0]), max(a[1], b[1])
		}
		if s.upTo.Value == "" {
			o.YLo, o.YHi = min(a[2], b[2]), max(a[3], b[3])
		}
	}
	return sideBySide(len(frames), func(k int) error {
		o := frames[k].options
		if p := planes[k]; p != nil && p.Window == [4]float64{o.VLo, o.VHi, o.YLo, o.YHi} {
			return nil // the first or the last, in the window of all
		}
		return one(ctx, k)
	})
}

// sideBySide calls work for 0 to n-1, some of them at the same time, and returns all errors.
func sideBySide(n int, work func(k int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(sched.Allowed(), n) {
		workers.Go(func() {
			for k := range next {
				errs[k] = work(k)
			}
		})
	}
	for k := range n {
		next <- k
	}
	close(next)
	workers.Wait()
	return errors.Join(errs...)
}
