// Command replay routes a week of real orders over real stores and five
// warehouses, holds the goods of each order at the nearest location that has
// all of them, and shows what came of it on one screen and on a map. Then the
// same orders come again, to a chain with opening hours and lead times: some are
// collected, some brought to a chosen store, the rest shipped, split where no
// location has all; and what the engine makes of them stands beside what two
// simpler ways of sourcing make of the same orders and stock.
//
//	go run ./examples/replay
//	go run ./examples/replay -orders mine.csv -stores shops.csv -map mine.svg
//
// The data it uses without flags is described in data/NOTICE. Own files are
// CSV with a header row; gzip is undone for names that end in .gz:
//
//	-orders  invoice, sku, qty; optional time, country, lat, lon (of the customer)
//	-stores  id, lat, lon; optional city, region, tz (IANA; else by longitude)
//	-places  name, lat, lon, population; optional region
//
// A bad row is reported with its file and line, counted, and left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"syscall"
	_ "time/tzdata" // the zones of the stores, where the system has none

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// settings is what the flags say.
type settings struct {
	orders, stores, places string // files; "" = the embedded ones
	goods                  *regexp.Regexp
	level                  float64
	reach                  geo.Meters // 0 = the whole globe
	parcels                int        // the most locations of a shipped order
	goroutines, weeks      int
	seed                   uint64
	mapFile                string // "" = no map
}

const (
	defaultReachKm = 1500
	defaultParcels = 4
	maxParcels     = 64
	maxLevel       = 1000
	maxGoroutines  = 4096
	badRowsShown   = 10
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr, newProgress(os.Stderr)))
}

// command runs the program and returns its exit code: 0, 1 after an error,
// 2 for flags that make no sense, 130 after an interrupt.
func command(ctx context.Context, args []string, out, errs io.Writer, p *progress) int {
	s, err := parse(args, errs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(errs, "replay:", err)
		return 2
	}
	err = replay(ctx, s, out, errs, p)
	p.clear()
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintln(errs, "replay: interrupted; nothing was left behind")
		return 130
	case err != nil:
		fmt.Fprintln(errs, "replay:", err)
		return 1
	}
	return 0
}

func parse(args []string, errs io.Writer) (settings, error) {
	var s settings
	var goods string
	var km float64
	f := flag.NewFlagSet("replay", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&s.orders, "orders", "", "CSV `file` with order lines: invoice, sku, qty (default: the embedded week)")
	f.StringVar(&s.stores, "stores", "", "CSV `file` with stores: id, lat, lon (default: the embedded stores)")
	f.StringVar(&s.places, "places", "", "CSV `file` with towns customers live in: name, lat, lon, population (default: the embedded towns)")
	f.StringVar(&goods, "goods", "", "`pattern` of the SKUs that are goods; other lines are left out\n(default: ^[0-9] for the embedded week, everything for an own file)")
	f.Float64Var(&s.level, "stock", 1, "stock `level`: 0.5 is half of everything on every shelf, 2 is double")
	f.Float64Var(&km, "reach", defaultReachKm, "how far a location may be from the customer, in `km`; 0 = any distance")
	f.IntVar(&s.parcels, "parcels", defaultParcels, "how many `locations` an order of the second act may be split over")
	f.IntVar(&s.goroutines, "goroutines", runtime.GOMAXPROCS(0), "goroutines that allocate at once while the speed is measured")
	f.Uint64Var(&s.seed, "seed", 1, "seed of where customers live and of what the stores stock")
	f.IntVar(&s.weeks, "weeks", 0, "how often to repeat the week to measure the speed; 0 = for about one second")
	f.StringVar(&s.mapFile, "map", "replay.svg", "`file` to write the map to; - for none")
	if err := f.Parse(args); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			err = errors.New("the flags cannot be understood; -h lists them")
		}
		return s, err
	}
	if goods == "" && s.orders == "" {
		goods = "^[0-9]"
	}
	if s.mapFile == "-" {
		s.mapFile = ""
	}
	s.reach = geo.Meters(km * 1000)
	var err error
	if goods != "" {
		s.goods, err = regexp.Compile(goods)
	}
	switch {
	case err != nil:
		return s, fmt.Errorf("-goods: %w", err)
	case f.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case !(s.level >= 0 && s.level <= maxLevel):
		return s, fmt.Errorf("-stock %v: must be between 0 and %d", s.level, maxLevel)
	case !(km >= 0) || math.IsInf(km, 0):
		return s, fmt.Errorf("-reach %v: must be 0 or more kilometres", km)
	case s.parcels < 1 || s.parcels > maxParcels:
		return s, fmt.Errorf("-parcels %d: must be between 1 and %d", s.parcels, maxParcels)
	case s.goroutines < 1 || s.goroutines > maxGoroutines:
		return s, fmt.Errorf("-goroutines %d: must be between 1 and %d", s.goroutines, maxGoroutines)
	case s.weeks < 0:
		return s, fmt.Errorf("-weeks %d: must be 0 or more", s.weeks)
	}
	return s, nil
}

// replay does everything the command does.
func replay(ctx context.Context, s settings, out, errs io.Writer, p *progress) (err error) {
	chart, err := createChart(s.mapFile)
	if err != nil {
		return err
	}
	defer chart.discard()
	bad := &faults{w: errs, limit: badRowsShown}
	in, err := readInputs(s, bad)
	if err != nil {
		return err
	}
	hubs := placeHubs(in.places)
	if err := noClash(in.stores, hubs); err != nil {
		return err
	}
	placeCustomers(in.week.baskets, in.places, s.seed)
	items := catalogOf(&in.week)
	all := sites(&in, items, hubs, s.level, s.seed)

	rep := report{settings: s, in: &in, items: items, sites: all, badRows: bad.count}
	if err := rep.route(ctx, p); err != nil {
		return err
	}
	if rep.sourced, err = source(ctx, &in, items, all, s, p); err != nil {
		return fmt.Errorf("sourcing: %w", err)
	}
	if err := chart.write(&rep); err != nil {
		return err
	}
	p.clear()
	if err := rep.print(out); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return rep.proof()
}

// route plays the first act: each order whole at the nearest location.
func (r *report) route(ctx context.Context, p *progress) (err error) {
	week, s := &r.in.week, r.settings
	a, err := allocator.Open(ctx, engineOptions(week))
	if err != nil {
		return fmt.Errorf("opening the engine: %w", err)
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if r.cells, err = fill(ctx, a, r.sites, r.items, p); err != nil {
		return err
	}
	if r.played, err = playWeek(ctx, a, week, r.sites, s.reach, p); err != nil {
		return err
	}
	if r.once, err = audit(ctx, a, r.played.held(week), r.sites, r.items, p); err != nil {
		return err
	}
	if err := putAllBack(ctx, a, r.played.held(week)); err != nil {
		return err
	}
	if r.speed, err = measure(ctx, a, week, week.ordersOf(s.reach), s, p); err != nil {
		return err
	}
	r.often, err = audit(ctx, a, r.speed.heldIDs, r.sites, r.items, p)
	return err
}

// engineOptions fits the engine's limits to the orders.
func engineOptions(w *week) allocator.Options {
	o := allocator.Options{MaxLines: receiptLines, Remember: max(1<<14, 2*len(w.baskets))}
	for _, b := range w.baskets {
		o.MaxLines = max(o.MaxLines, len(b.lines))
	}
	return o
}

func noClash(stores []shop, hubs []hub) error {
	for _, s := range stores {
		for _, h := range hubs {
			if s.id == h.id {
				return fmt.Errorf("the store id %q is the name of one of the warehouses; rename the store", s.id)
			}
		}
	}
	return nil
}
