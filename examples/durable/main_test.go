package main

import (
	"flag"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

var long = flag.Bool("long", false, "the counts of make long")

// TestMain makes the test binary the process that is killed, too.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-worker") {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestKilledProcessLosesNothing(t *testing.T) {
	p := plan{dir: t.TempDir(), rounds: 60, callers: 16, seed: 1, longest: 150 * time.Millisecond}
	switch {
	case *long:
		p.rounds = 500
	case !scaletest.Full():
		p.rounds = 10
	}
	if err := run(t.Context(), p, 0, t.Output()); err != nil {
		t.Error(err)
	}
}

// The comparison itself is tried on a process that acknowledges what it has not
// done. On a busy machine one may be killed before it has acknowledged anything, so
// there are more of them until it is found.
func TestLieIsFound(t *testing.T) {
	for seed := range uint64(20) {
		p := plan{dir: t.TempDir(), rounds: 12, callers: 4, seed: 2 + seed, longest: 400 * time.Millisecond, lie: true}
		if err := run(t.Context(), p, 0, io.Discard); err != nil {
			return
		}
	}
	t.Error("orders that were acknowledged and never placed were not missed")
}
