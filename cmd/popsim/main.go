// Command popsim is the voice of the house: it reads what is asked on the command line, lets the other rooms answer,
// and hands the answer on. Data go to standard output or to files, talk to standard error. It exits with 0 when all
// is done, 1 when the work failed, 2 when it refused to begin, and 130 when it was interrupted.
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

// run is popsim, callable: arguments in, data and talk out, and the exit code back.
func run(args []string, stdout, stderr io.Writer) int {
	signal.Ignore(syscall.SIGPIPE) // a reader that goes away is an error of Write, after which files are tidied up
	ctx, end := signals.Context(context.Background())
	defer end()
	return speak(ctx, args, stdout, stderr)
}

// speak is run under a context that may end the work early.
func speak(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	v := &call{stdout: stdout, stderr: stderr, started: time.Now()}
	if len(args) > 0 && experiment.IsFile(args[0]) {
		var err error
		if args, err = v.expand(args); err != nil {
			v.complain(err)
			return exitMisused
		}
	}
	if len(args) == 1 && args[0] == "--version" {
		args = []string{"version"}
	}
	v.args = args
	root := v.root()
	root.SetArgs(args)
	told := &watched{Writer: stdout}
	root.SetOut(told)
	completion.AddVerb(root, args, misused)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = told.err
	}
	if len(v.inFile) > 0 {
		if errors.Is(err, errNotBegun) {
			err = nil
		}
		err = misused(errors.Join(errors.Join(v.inFile...), err))
	}
	v.complain(err)
	var m misuse
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

// watched keeps the first failure of a writer, for those who do not look at what they write: help, lists.
type watched struct {
	io.Writer
	err error
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}
