package recording

import (
	"context"
	"errors"
	"fmt"
	"time"

	"popsim/network"
)

// Session is a run of a network from its start, or from a checkpoint, to its end.
type Session struct {
	Config // its sinks get whole tables: at once, or where there is a checkpoint at the end of the run

	Checkpoint *Checkpoint     // nil: none is kept
	Every      time.Duration   // from one checkpoint to the next
	Resume     bool            // continue from the existing checkpoint
	Stop       <-chan struct{} // closed: save a checkpoint and end with ErrStopped

	Recording *Recording // once it has begun
	Seconds   float64    // that the run has taken, in earlier processes too

	replays []func() error
}

// Begin starts the recording of a network, or continues from the checkpoint.
func (s *Session) Begin(net *network.Network, spec *network.Spec) (err error) {
	cfg := s.Config
	if s.Checkpoint != nil {
		for name, sink := range map[string]*Sink{"spikes": &cfg.Spikes, "rates": &cfg.Rates, "trace": &cfg.Trace.Sink} {
			if *sink == nil {
				continue
			}
			to := *sink
			s.replays = append(s.replays, func() error { return s.Checkpoint.Replay(name, to) })
			if *sink, err = s.Checkpoint.Sink(name); err != nil {
				return err
			}
		}
	}
	s.Recording = New(net, spec, cfg)
	switch {
	case s.Checkpoint == nil:
	case s.Resume:
		s.Seconds, err = s.Checkpoint.Restore(s.Recording)
	default:
		err = s.Checkpoint.Start()
	}
	return err
}

// Run runs to the end, and gives the sinks the rest of their tables. Without a checkpoint they also get what a run has
// come to whose ctx is done, and the error is that of ctx.
func (s *Session) Run(ctx context.Context) (err error) {
	begin, end := time.Now(), Steps(s.To, s.Recording.spec.Dt)
	defer func() { s.Seconds += time.Since(begin).Seconds() }()
	if s.Checkpoint == nil {
		if err = s.Recording.Advance(ctx, end); err == nil || errors.Is(err, context.Canceled) {
			if e := s.Recording.Flush(); e != nil {
				return e
			}
		}
		return err
	}
	if err := s.Checkpoint.Advance(ctx, s.Recording, end, s.Every, s.Seconds, s.Stop); err != nil {
		return err
	}
	if err := s.Recording.Flush(); err != nil {
		return err
	}
	for _, replay := range s.replays {
		if err := replay(); err != nil {
			return err
		}
	}
	return nil
}

// Reached describes the time up to which the run has come.
func (s *Session) Reached() string { return fmt.Sprintf("%.6g ms of %.6g ms", s.Recording.End(), s.To) }
