package verify_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"popsim/verify"
)

// A check that fails makes the verb fail, and the other checks run all the same.
func TestVerifyCounts(t *testing.T) {
	var stdout bytes.Buffer
	err := verify.Report(context.Background(), []verify.Check{
		{Name: "one", Prove: func(context.Context) (string, bool, error) { return "found 3 (3)", true, nil }},
		{Name: "two", Prove: func(context.Context) (string, bool, error) { return "found 4 (3)", false, nil }},
		{Name: "three", Prove: func(context.Context) (string, bool, error) { return "", true, errors.New("broken") }},
		{Name: "four", Prove: func(context.Context) (string, bool, error) { return "found 3 (3)", true, nil }},
	}, &stdout)
	want := "ok    one: found 3 (3)\nFAIL  two: found 4 (3)\nFAIL  three: broken\nok    four: found 3 (3)\n2 " +
		"passed, 2 failed\n"
	if err == nil || stdout.String() != want {
		t.Errorf("error %v, said\n%swant an error, and\n%s", err, stdout.String(), want)
	}
}

// What verify says of this machine is true of the machine that runs the tests. All of it takes seconds, so without
// POPSIM_LONG only the checks of sweeps and networks are made, which no other test of this package makes.
func TestVerify(t *testing.T) {
	list := verify.Checks()
	if len(list) < 20 {
		t.Errorf("%d checks, want 20 or more", len(list))
	}
	if os.Getenv("POPSIM_LONG") == "" {
		short := list[:0]
		for _, c := range list {
			if strings.HasPrefix(c.Name, "sweep") || strings.HasPrefix(c.Name, "network") {
				short = append(short, c)
			}
		}
		list = short
	}
	var stdout bytes.Buffer
	if err := verify.Report(context.Background(), list, &stdout); err != nil {
		t.Errorf("%v\n%s", err, stdout.String())
	}
}
