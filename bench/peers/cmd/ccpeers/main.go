// Command ccpeers sends the same orders to the allocator with its journal on
// disk, to SQLite and to a strong engine with a plain journal, and prints what
// each did next to what the disk can do at best.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/bench"
	"github.com/clickcollect/clickcollect/bench/peers"
)

// seatFlag, as the only argument, makes the process a contestant's seat.
const seatFlag = "-seat"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ccpeers:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if slices.Equal(args, []string{seatFlag}) {
		return peers.ServeSeat(stdin, stdout)
	}
	c, out, err := parse(args, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, c)
	report := peers.NewReport("ccpeers "+strings.Join(args, " "), c)
	report.Rows, err = peers.Run(ctx, c)
	if len(report.Rows) > 0 {
		peers.WriteTable(stdout, report.Rows)
	}
	if err != nil || out == "" {
		return err
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}

// parse turns the command line into a comparison and the name of a file for
// the report.
func parse(args []string, stderr io.Writer) (c peers.Config, out string, err error) {
	f := flag.NewFlagSet("ccpeers", flag.ContinueOnError)
	f.SetOutput(stderr)
	name := f.String("case", "1k", "the case of ccbench whose world and orders are taken")
	engines := f.String("engines", "", "contestants, separated by commas, or all; default the durable ones")
	callers := f.String("callers", "", "callers at once, separated by commas; default 1,64,256,1024,10000")
	batches := f.String("batches", "", "records to a sync of the disk's limit; default 1,64,1024")
	f.IntVar(&c.Rounds, "rounds", 0, "interleaved rounds; default 3")
	f.DurationVar(&c.Length, "pass", 0, "length of a pass; default 1s")
	f.StringVar(&c.Dir, "dir", "", "where the files go, on the disk to measure; default the system's place for temporary files")
	f.StringVar(&out, "out", "", "also write the report, as JSON, to this file")
	quick := f.Bool("quick", false, "1 round of 200ms passes")
	inside := f.Bool("in-process", false, "keep all contestants in one process")
	if err := f.Parse(args); err != nil {
		return c, out, err
	}
	if f.NArg() > 0 {
		return c, out, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *quick {
		c.Rounds, c.Length = 1, 200*time.Millisecond
	}
	cases := bench.Cases()
	i := slices.IndexFunc(cases, func(c bench.Config) bool { return c.Name == *name })
	if i < 0 {
		return c, out, fmt.Errorf("no case is called %q; see ccbench list", *name)
	}
	c.Case = cases[i]
	switch *engines {
	case "":
	case "all":
		for _, contestant := range peers.Contestants() {
			c.Engines = append(c.Engines, contestant.Name)
		}
	default:
		c.Engines = strings.Split(*engines, ",")
	}
	for list, to := range map[*string]*[]int{callers: &c.Callers, batches: &c.Batches} {
		if *list == "" {
			continue
		}
		for word := range strings.SplitSeq(*list, ",") {
			n, err := strconv.Atoi(word)
			if err != nil {
				return c, out, fmt.Errorf("%q is no number", word)
			}
			*to = append(*to, n)
		}
	}
	if *inside {
		return c, out, nil
	}
	self, err := os.Executable()
	if err != nil {
		return c, out, fmt.Errorf("cannot find itself to start the contestants (try -in-process): %w", err)
	}
	c.Command = []string{self, seatFlag}
	return c, out, nil
}
