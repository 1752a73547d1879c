package scaletest

import (
	"os"
	"strings"
	"testing"
)

// TestBreaks fails when it is run for TestUncaughtIsSeen, which asks for that.
func TestBreaks(t *testing.T) {
	if os.Getenv("CLICKCOLLECT_BREAKS") != "" {
		t.Error("it broke")
	}
}

// TestUncaughtIsSeen is the canary of all canaries that build bugs: a bug that the
// test passes, that does not build, or that the test fails on for another reason, is
// not caught.
func TestUncaughtIsSeen(t *testing.T) {
	if !Full() {
		t.Skip("builds this package four times")
	}
	ctx := t.Context()
	if fault := uncaught(ctx, "TestBreaks", "it broke"); !strings.Contains(fault, "passes TestBreaks") {
		t.Errorf("a test that passes: %q", fault)
	}
	if fault := uncaught(ctx, "TestBreaks", "it broke", "./nowhere"); !strings.Contains(fault, "did not fail") {
		t.Errorf("a build that fails: %q", fault)
	}
	t.Setenv("CLICKCOLLECT_BREAKS", "1")
	if fault := uncaught(ctx, "TestBreaks", "something else"); !strings.Contains(fault, "without saying") {
		t.Errorf("another reason: %q", fault)
	}
	if fault := uncaught(ctx, "TestBreaks", "it broke"); fault != "" {
		t.Errorf("a bug that is caught: %s", fault)
	}
}
