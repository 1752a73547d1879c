package scaletest

import (
	"context"
	"flag"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Caught builds a package with a deliberate bug and runs the test that is there for
// it, which must fail, and say what it found: says is a regular expression. flags are
// those of go test, such as -tags, and behind them the package if it is not the one
// in whose folder the caller runs.
func Caught(t *testing.T, test, says string, flags ...string) {
	t.Helper()
	if fault := uncaught(t.Context(), test, says, flags...); fault != "" {
		t.Fatal(fault)
	}
}

// uncaught says why a bug was not caught, if it was not. A build that fails has no
// failed test in it.
func uncaught(ctx context.Context, test, says string, flags ...string) string {
	tool, err := exec.LookPath("go")
	if err != nil {
		return "no go command to build the bug with: " + err.Error()
	}
	args := slices.Concat([]string{"test", "-count=1", "-vet=off", "-run", "^" + test + "$"}, drawn(flags), flags)
	out, err := exec.CommandContext(ctx, tool, args...).CombinedOutput()
	switch text := string(out); {
	case err == nil:
		return fmt.Sprintf("%v passes %s:\n%s", flags, test, text)
	case !strings.Contains(text, "--- FAIL: "+test):
		return fmt.Sprintf("%v: %s did not fail:\n%s", flags, test, text)
	case !regexp.MustCompile(says).MatchString(text):
		return fmt.Sprintf("%v: %s failed without saying %q:\n%s", flags, test, says, text)
	}
	return ""
}

// drawn are the flags of a build of this package that draws its inputs: it has to fail,
// not to find the shortest input that does, and it leaves no file behind from which the
// test of another bug would draw first.
func drawn(flags []string) []string {
	another := slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, ".") })
	if flag.Lookup("rapid.nofailfile") == nil || another {
		return nil
	}
	return []string{"-rapid.nofailfile", "-rapid.shrinktime=0s"}
}
