// Command durable reserves goods in a process of its own, kills that process
// at a random moment, opens what it left behind, and compares it with what the
// process had acknowledged. It goes on until told to stop:
//
//	go run ./examples/durable             until ctrl-C
//	go run ./examples/durable -rounds 60  that many kills
//
// It prints one line now and then, and at the end how many acknowledged changes
// were lost and how many units were oversold. Both are 0, or it fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	var p plan
	flag.StringVar(&p.dir, "dir", "", "directory of the journal; empty: a temporary one, removed at the end")
	flag.IntVar(&p.rounds, "rounds", 0, "how often to kill; 0: until interrupted")
	flag.IntVar(&p.callers, "callers", 16, "goroutines that reserve at the same time")
	flag.Uint64Var(&p.seed, "seed", 1, "of the moments at which it is killed")
	flag.DurationVar(&p.longest, "longest", 150*time.Millisecond, "the longest life of a process")
	flag.BoolVar(&p.lie, "lie", false, "acknowledge orders before they are placed, to see the comparison fail")
	worker := flag.Int("worker", 0, "run as the process that is killed, in that round; used by the command itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, p, *worker, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "durable:", err)
		os.Exit(1)
	}
}

// plan is what the flags say.
type plan struct {
	dir     string
	rounds  int
	callers int
	seed    uint64
	longest time.Duration
	lie     bool
}

func run(ctx context.Context, p plan, worker int, out io.Writer) error {
	if worker > 0 {
		return work(ctx, p, worker, out)
	}
	if p.dir == "" {
		dir, err := os.MkdirTemp("", "durable")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		p.dir = dir
	}
	j := newJudge(p)
	err := j.rounds(ctx, out)
	j.report(out)
	if err == nil && (j.lost > 0 || j.oversold > 0) {
		err = errors.New("what was acknowledged is not what was found")
	}
	return err
}
