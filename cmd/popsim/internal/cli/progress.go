// Package cli shows the progress of work, formats numbers for messages, and recognises terminals.
package cli

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	redrawEvery = 100 * time.Millisecond // on a terminal
	lineEvery   = 30 * time.Second       // elsewhere, where lines stay
)

// Progress shows the progress of a piece of work: per cent, time elapsed and remaining, rate. On a terminal the line is
// redrawn in place; elsewhere a plain line appears every 30 s. It is used by one goroutine. A nil *Progress is quiet.
type Progress struct {
	w        io.Writer
	unit     string
	total    float64
	terminal bool
	now      func() time.Time
	start    time.Time
	last     time.Time // of the last line
	drawn    bool      // an unfinished line stands on the terminal
}

// NewProgress starts the measurement of a piece of work of the given total, counted in unit ("neuron-steps"), and shows
// it on w. With a nil w it returns nil.
func NewProgress(w io.Writer, total float64, unit string) *Progress {
	if w == nil {
		return nil
	}
	p := &Progress{w: w, unit: unit, total: total, terminal: IsTerminal(w), now: time.Now}
	p.start = p.now()
	p.last = p.start
	return p
}

// Update sets the amount of work that is done. It is cheap enough to be called every few microseconds.
func (p *Progress) Update(done float64) {
	if p == nil {
		return
	}
	now := p.now()
	every := lineEvery
	if p.terminal {
		every = redrawEvery
	}
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	if p.terminal {
		fmt.Fprintf(p.w, "\r%s\x1b[K", p.line(done, now))
		p.drawn = true
	} else {
		fmt.Fprintln(p.w, p.line(done, now))
	}
}

// Clear wipes the line off a terminal, so that something else may be written there. The next Update draws it again.
func (p *Progress) Clear() {
	if p != nil && p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *Progress) line(done float64, now time.Time) string {
	elapsed := now.Sub(p.start)
	rate := done / elapsed.Seconds()
	share := min(1, done/p.total)
	s := fmt.Sprintf("%3.0f %%  %s elapsed", math.Floor(100*share), clock(elapsed))
	if rate > 0 && share < 1 {
		s += fmt.Sprintf(", %s remaining", clock(time.Duration((p.total-done)/rate*float64(time.Second))))
	}
	if rate > 0 && !math.IsInf(rate, 0) {
		s += fmt.Sprintf(", %s %s/s", shortExponent.Replace(strconv.FormatFloat(rate, 'g', 3, 64)), p.unit)
	}
	return s
}

// shortExponent writes 2.35e+08 as 2.35e8.
var shortExponent = strings.NewReplacer("e+0", "e", "e+", "e")

// clock is a duration as 7 s, 1:05 min or 2:03:04 h.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d min", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d h", s/3600, s/60%60, s%60)
}

// IsTerminal reports whether w is a character device, such as a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Width returns the number of columns of the terminal to draw in: COLUMNS from 40 to 200, else 80.
func Width() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= 40 {
		return min(n, 200)
	}
	return 80
}

// Shared returns a function that any goroutine may call with the amount done and the total, in unit, and that never
// blocks; the line appears on w. stop ends the display; after it the function must not be called.
func Shared(w io.Writer, unit string) (update func(done, total int64), stop func()) {
	type state struct{ done, total int64 }
	updates := make(chan state, 1)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		var line *Progress
		for s := range updates {
			if line == nil {
				line = NewProgress(w, float64(s.total), unit)
			}
			line.Update(float64(s.done))
		}
		line.Clear()
	}()
	update = func(done, total int64) {
		select {
		case updates <- state{done, total}:
		default: // the last one has not been shown yet
		}
	}
	return update, func() {
		close(updates)
		<-finished
	}
}
