// Command popsim is the command line of popsim: it parses the arguments or an experiment file, calls the library
// packages and writes their results. Data go to standard output or to files, messages to standard error. The exit code
// is 0 when everything is done, 1 when the work failed, 2 when it was refused before it began, and 130 when it was
// interrupted.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/signals"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitMisused     = 2
	exitInterrupted = 130
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs popsim with the given arguments and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	signal.Ignore(syscall.SIGPIPE) // a reader that goes away is then an error of Write, after which files are tidied up
	ctx, stop := signals.Context(context.Background())
	defer stop()
	return runContext(ctx, args, stdout, stderr)
}

// runContext is run under a context that may end the work early.
func runContext(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == "--version" {
		args = []string{"version"}
	}
	v := &call{verb.Call{Stdout: stdout, Stderr: stderr, Started: time.Now(), Args: args, Version: version()}}
	err := v.execute(ctx)
	v.ReportError(err)
	var m verb.Misuse
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &m):
		return exitMisused
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// execute runs the experiment file or the verb that the arguments name. Errors in the file come before those found by
// the verb.
func (v *call) execute(ctx context.Context) error {
	isExperiment := false
	if len(v.Args) > 0 && experiment.IsFile(v.Args[0]) {
		kind, err := verb.KindOfFile(v.Args[0])
		switch {
		case err != nil:
			return verb.Misused(err)
		case kind == experiment.NetworkFile, kind == experiment.NeuronFile:
			v.Args = append([]string{"run"}, v.Args...)
		default:
			isExperiment = true
		}
	}
	root := v.root()
	out := &errorWriter{Writer: v.Stdout}
	root.SetOut(out)
	root.SetErr(v.Stderr)
	var err error
	if isExperiment {
		err = v.RunFile(ctx, root, v.Args)
	} else {
		root.SetArgs(v.Args)
		completion.AddVerb(root, v.Args, verb.Misused)
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		err = out.err
	}
	if len(v.InFile) > 0 {
		if errors.Is(err, verb.ErrNotBegun) {
			err = nil
		}
		err = verb.Misused(errors.Join(errors.Join(v.InFile...), err))
	}
	return err
}

// errorWriter keeps the first error of a writer, for cobra, which ignores errors when it writes help and lists.
type errorWriter struct {
	io.Writer
	err error
}

func (w *errorWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}
