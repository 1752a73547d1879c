// Command ccbench runs the workloads of package bench and prints, for each
// contestant, what it did and how it compares.
//
//	ccbench [run] [flags]   callers that wait for each answer; without flags the
//	                        canonical case, in under a minute
//	ccbench load [flags]    orders that are due at a rate, answered or not
//	ccbench doctor          engines that lie, and what the suite sees of them
//	ccbench list            the cases
//
// ccbench VERB -help says which flags there are.
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
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/bench"
)

// seatFlag, as the only argument, makes the process a contestant's seat.
const seatFlag = "-seat"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ccbench:", err)
		stop()
		os.Exit(1)
	}
}

// options is the command line.
type options struct {
	cases, engines            string
	rounds, goroutines, procs int
	orders, cancel            int
	pass                      time.Duration
	seed                      uint64
	quick, json, inside       bool
	out                       string
	scaling                   string
	length                    time.Duration
}

func parse(verb string, args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("ccbench "+verb, flag.ContinueOnError)
	f.SetOutput(stderr)
	if verb == "doctor" || verb == "list" {
		return o, o.finish(f, args)
	}
	if verb == "load" {
		f.DurationVar(&o.length, "length", 2*time.Second, "for how long orders are due at each rate")
	}
	f.StringVar(&o.cases, "case", "", "cases to run, separated by commas, or all; default the canonical one")
	f.StringVar(&o.engines, "engines", "", "contestants, separated by commas; default all")
	f.IntVar(&o.rounds, "rounds", 0, "interleaved rounds; default 5")
	f.IntVar(&o.goroutines, "goroutines", 0, "callers at once; default as the case says, mostly 2")
	f.IntVar(&o.procs, "procs", 0, "GOMAXPROCS of the passes; default unchanged")
	f.DurationVar(&o.pass, "pass", 0, "length of a pass; default 400ms")
	f.IntVar(&o.orders, "orders", 0, "end a pass after so many orders")
	f.IntVar(&o.cancel, "cancel", 0, "each caller cancels its order so many steps back")
	f.Uint64Var(&o.seed, "seed", 0, "seed of world and orders; default fixed")
	f.StringVar(&o.scaling, "scaling", "", "on or off: also compare one processor with two; default as the case says")
	f.BoolVar(&o.quick, "quick", false, "3 rounds of 100ms passes")
	f.BoolVar(&o.inside, "in-process", false, "keep all contestants in one process")
	f.BoolVar(&o.json, "json", false, "print JSON instead of tables")
	f.StringVar(&o.out, "out", "", "also write the JSON report to this file")
	return o, o.finish(f, args)
}

// finish reads the flags; nothing stands behind them.
func (o *options) finish(f *flag.FlagSet, args []string) error {
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; the verbs are run, load, doctor and list", f.Arg(0))
	}
	return nil
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if slices.Equal(args, []string{seatFlag}) {
		return bench.ServeSeat(stdin, stdout)
	}
	verb, flags := "run", args
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, flags = args[0], args[1:]
	}
	do, ok := map[string]func(o options, ctx context.Context, args []string, stdout, stderr io.Writer) error{
		"run": options.compete, "load": options.load, "doctor": options.doctor, "list": options.list,
	}[verb]
	if !ok {
		return fmt.Errorf("%q is no verb; there are run, load, doctor and list", verb)
	}
	o, err := parse(verb, flags, stderr)
	if err != nil {
		return err
	}
	return do(o, ctx, args, stdout, stderr)
}

// list prints the cases.
func (o options) list(_ context.Context, _ []string, stdout, _ io.Writer) error {
	for _, c := range bench.Cases() {
		fmt.Fprintln(stdout, c)
	}
	return nil
}

// doctor plugs in engines that lie.
func (o options) doctor(ctx context.Context, _ []string, stdout, _ io.Writer) error {
	findings, err := bench.Doctor(ctx)
	return errors.Join(bench.WriteFindings(stdout, findings), err)
}

// load sends orders when they are due.
func (o options) load(ctx context.Context, _ []string, stdout, _ io.Writer) error {
	cases, err := o.chosenCases()
	if err != nil {
		return err
	}
	contestants, err := o.chosenContestants()
	if err != nil {
		return err
	}
	for _, c := range cases {
		fmt.Fprintln(stdout, c)
		for _, contestant := range contestants {
			r, err := bench.Load(ctx, c, contestant, bench.Shares(), o.length)
			if err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
			bench.WriteLoad(stdout, r)
			fmt.Fprintln(stdout)
		}
	}
	return nil
}

// compete runs the cases in rounds.
func (o options) compete(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cases, err := o.chosenCases()
	if err != nil {
		return err
	}
	contestants, err := o.chosenContestants()
	if err != nil {
		return err
	}
	report := bench.NewReport("ccbench " + strings.Join(args, " "))
	var failures []error
	for _, c := range cases {
		if !o.json {
			fmt.Fprintln(stdout, c)
		}
		results, err := bench.Run(ctx, c, contestants...)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", c.Name, err))
			if ctx.Err() != nil {
				break
			}
			fmt.Fprintf(stderr, "ccbench: %s: %v\n", c.Name, err)
			continue
		}
		report.Cases = append(report.Cases, bench.CaseResults{Config: c, Results: results})
		if !o.json {
			bench.WriteTable(stdout, results)
			fmt.Fprintln(stdout)
		}
	}
	return errors.Join(append(failures, o.deliver(report, stdout))...)
}

// deliver prints and writes the report as the flags ask.
func (o options) deliver(report *bench.Report, stdout io.Writer) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if o.json {
		if _, err := stdout.Write(text); err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, text, 0o644)
}

// chosenCases returns the cases that the flags name, with the flags applied.
func (o options) chosenCases() ([]bench.Config, error) {
	all := bench.Cases()
	chosen := all
	if o.cases == "" {
		chosen = all[:1]
	} else if o.cases != "all" && o.cases != "" {
		chosen = nil
		for name := range strings.SplitSeq(o.cases, ",") {
			i := slices.IndexFunc(all, func(c bench.Config) bool { return c.Name == name })
			if i < 0 {
				return nil, fmt.Errorf("no case is called %q; see ccbench list", name)
			}
			chosen = append(chosen, all[i])
		}
	}
	for i := range chosen {
		if err := o.apply(&chosen[i]); err != nil {
			return nil, err
		}
	}
	return chosen, nil
}

func (o options) apply(c *bench.Config) error {
	if o.quick {
		c.Rounds, c.PassTime = 3, 100*time.Millisecond
	}
	for to, value := range map[*int]int{
		&c.Rounds: o.rounds, &c.Goroutines: o.goroutines, &c.Procs: o.procs,
		&c.OrdersPerPass: o.orders, &c.CancelAfter: o.cancel,
	} {
		if value != 0 {
			*to = value
		}
	}
	if o.pass != 0 {
		c.PassTime = o.pass
	}
	if o.seed != 0 {
		c.Seed = o.seed
	}
	switch o.scaling {
	case "":
	case "on", "off":
		c.Scaling = o.scaling == "on"
	default:
		return fmt.Errorf("-scaling is %q, want on or off", o.scaling)
	}
	if o.inside {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find itself to start the contestants (try -in-process): %w", err)
	}
	c.Command = []string{self, seatFlag}
	return nil
}

func (o options) chosenContestants() ([]bench.Contestant, error) {
	all := bench.Contestants()
	if o.engines == "" {
		return all, nil
	}
	var chosen []bench.Contestant
	for name := range strings.SplitSeq(o.engines, ",") {
		i := slices.IndexFunc(all, func(c bench.Contestant) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no contestant is called %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
