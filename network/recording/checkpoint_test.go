package recording_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"popsim/network/recording"
)

// kept is a run of 30 ms that writes checkpoints beside path and stops after the steps of saves, and its results if
// there are none.
func kept(
	t *testing.T,
	path string,
	workers int,
	identity string,
	resume bool,
	saves ...int64,
) (out string, err error) {
	t.Helper()
	var s, q, tr strings.Builder
	n, spec := small(t, workers)
	c := recording.NewCheckpoint(path, identity)
	defer c.Close()
	sinks := map[string]recording.Sink{"spikes": text(&s), "rates": text(&q), "trace": text(&tr)}
	to := map[string]recording.Sink{}
	for name := range sinks {
		if to[name], err = c.Sink(name); err != nil {
			t.Fatal(err)
		}
	}
	r := recording.New(n, spec, recording.Config{
		From: 5, To: 30, Bin: 1, Spikes: to["spikes"], Rates: to["rates"], Sample: 100,
		Trace: recording.Trace{Of: []int{0, 321}, Every: 7, Sink: to["trace"]},
	})
	if resume {
		if seconds, err := c.Restore(r); err != nil || seconds != 2.5 {
			return "", fmt.Errorf("%g s: %w", seconds, err)
		}
	} else if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for _, k := range saves {
		if err := r.Advance(context.Background(), k); err != nil {
			t.Fatal(err)
		}
		if err := c.Save(r, 2.5); err != nil {
			t.Fatal(err)
		}
	}
	to30 := int64(300)
	if saves != nil {
		to30 = saves[len(saves)-1] + 40 // a killed run has advanced beyond its checkpoint
	}
	if err := r.Advance(context.Background(), to30); err != nil {
		t.Fatal(err)
	}
	if saves != nil {
		return "", nil
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	for name, sink := range sinks {
		if err := c.Replay(name, sink); err != nil {
			t.Fatal(err)
		}
	}
	var neurons strings.Builder
	if err := r.NeuronTable(text(&neurons)); err != nil {
		t.Fatal(err)
	}
	out = fmt.Sprint(s.String(), q.String(), tr.String(), neurons.String(), r.Measures(), r.Samples(), r.Spikes())
	return out, c.Remove()
}

// TestCheckpoint: a run that is killed and resumed, with other workers, gives what a run in one go gives, to the last
// bit.
func TestCheckpoint(t *testing.T) {
	dir := t.TempDir()
	whole, err := kept(t, filepath.Join(dir, "whole"), 1, "a", false)
	if err != nil || len(whole) < 1000 {
		t.Fatal(err, len(whole))
	}
	path := filepath.Join(dir, "killed")
	if _, err := kept(t, path, 1, "a", false, 13, 137); err != nil {
		t.Fatal(err)
	}
	if _, err := kept(t, path, 2, "a", true, 200); err != nil {
		t.Fatal(err)
	}
	if _, err := kept(t, path, 1, "b", true); err == nil || !strings.Contains(err.Error(), "belongs to another run") {
		t.Errorf("a checkpoint of another run: %v", err)
	}
	resumed, err := kept(t, path, 3, "a", true)
	if err != nil {
		t.Fatal(err)
	}
	if resumed != whole {
		t.Errorf("%d and %d bytes, which differ", len(resumed), len(whole))
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) != 0 {
		t.Errorf("files left: %v, %v", found, err)
	}
}

// TestTornCheckpoint: whatever byte of a checkpoint is changed, and wherever it is cut, it is refused.
func TestTornCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	if _, err := kept(t, path, 1, "a", false, 50); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path + ".checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	for k := 0; k < len(data); k += 1 + len(data)/50 {
		changed := append([]byte(nil), data...)
		changed[k]++
		for _, bad := range [][]byte{changed, data[:k]} {
			if err := os.WriteFile(path+".checkpoint", bad, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := kept(t, path, 1, "a", true); err == nil {
				t.Errorf("a checkpoint torn at byte %d is taken", k)
			}
		}
	}
}
