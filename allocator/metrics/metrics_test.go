package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/metrics"
	"github.com/clickcollect/clickcollect/geo"
)

var update = flag.Bool("update", false, "write testdata/exposition.txt anew")

var everything = metrics.Options{Engine: "pl", Locations: true, Sizes: true}

// opened is an engine with stores L0, L1, … one kilometer apart, each with so many units
// of tea.
func opened(t testing.TB, locations int, units int64, o allocator.Options) *allocator.Allocator {
	t.Helper()
	a, err := allocator.Open(t.Context(), o)
	must(t, err)
	all := make([]allocator.Location, locations)
	goods := make([]allocator.Receipt, locations)
	for i := range all {
		all[i] = allocator.Location{ID: fmt.Sprint("L", i), Kind: allocator.Store, Point: place(i)}
		goods[i] = allocator.Receipt{ID: fmt.Sprint("GR-", i), Location: all[i].ID, Lines: []allocator.Line{{SKU: "tea", Quantity: units}}}
	}
	must(t, a.SetLocations(t.Context(), all...))
	if units > 0 {
		must(t, a.Receive(t.Context(), goods...))
	}
	return a
}

func place(i int) geo.Point {
	return geo.Point{Lat: 40 + float64(i/100)/100, Lon: 10 + float64(i%100)/100}
}

func order(id string, i int) allocator.Order {
	return allocator.Order{ID: id, Near: place(i), Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// registered is a registry with collectors.
func registered(t testing.TB, all ...prometheus.Collector) *prometheus.Registry {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	for _, c := range all {
		must(t, r.Register(c))
	}
	return r
}

// scraped is what a server gets of a registry.
func scraped(t testing.TB, r *prometheus.Registry) string {
	t.Helper()
	to := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(to, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if to.Code != http.StatusOK {
		t.Fatalf("status %d: %s", to.Code, to.Body)
	}
	return to.Body.String()
}

// varying are the values that depend on which processor ran what: how many orders were
// timed, and how many commits the records took.
var varying = regexp.MustCompile(`(?m)^(clickcollect_(?:(?:allocate|journal_commit)_duration_seconds_(?:bucket|count)|journal_commits_total)\{.*\}) [1-9][0-9]*$`)

// The whole exposition of an engine after a few orders, byte for byte but for what
// varies. The bubble's time stands still, so every order took no time.
func TestExposition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := opened(t, 2, 3, allocator.Options{FeedBytes: 1 << 20, HoldFor: time.Hour})
		for i := range 4 {
			_, err := a.Allocate(t.Context(), order(fmt.Sprint("SO-", i), 0))
			must(t, err)
		}
		_, err := a.Allocate(t.Context(), order("SO-3", 0))
		must(t, err, a.Collect(t.Context(), "SO-0"), a.Cancel(t.Context(), "SO-1"))
		_, err = a.Allocate(t.Context(), allocator.Order{ID: "SO-5", Near: place(0), Lines: []allocator.Line{{SKU: "tea", Quantity: 99}}})
		if !errors.Is(err, allocator.ErrNoLocation) {
			t.Fatal(err)
		}
		for range 2 {
			if _, err = a.Allocate(t.Context(), order("SO-3", 1)); !errors.Is(err, allocator.ErrConflict) {
				t.Fatal(err)
			}
		}
		must(t, a.Sell(t.Context(), allocator.Sale{ID: "S-1", Location: "L0", Lines: []allocator.Line{{SKU: "tea", Quantity: 2}}}))
		got := scraped(t, registered(t, metrics.New(a, metrics.Options{Engine: "pl", Locations: true})))
		got = varying.ReplaceAllString(got, "$1 N")
		must(t, a.Close())
		const golden = "testdata/exposition.txt"
		if *update {
			must(t, os.WriteFile(golden, []byte(got), 0o644))
		}
		want, err := os.ReadFile(golden)
		if must(t, err); !bytes.Equal([]byte(got), want) {
			t.Errorf("go test -update writes %s anew, after a look at the difference. Got\n%s", golden, got)
		}
	})
}

// The names, units and help are as Prometheus wants them.
func TestLint(t *testing.T) {
	a := opened(t, 2, 3, allocator.Options{})
	problems, err := testutil.CollectAndLint(metrics.New(a, everything))
	must(t, err, a.Close())
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	// The canary: a counter with two faults in its name is noticed.
	bad := prometheus.NewCounter(prometheus.CounterOpts{Name: "clickcollect_ordersMilliseconds"})
	if problems, err := testutil.CollectAndLint(bad); err != nil || len(problems) != 2 {
		t.Errorf("the canary lives: %v, %v", problems, err)
	}
}

// Two engines stand in one registry if each has a name, and only then.
func TestTwoEngines(t *testing.T) {
	a, b := opened(t, 1, 3, allocator.Options{}), opened(t, 2, 3, allocator.Options{})
	r := registered(t, metrics.New(a, metrics.Options{Engine: "pl"}), metrics.New(b, metrics.Options{Engine: "de"}))
	for _, o := range []metrics.Options{{Engine: "pl"}, {}, {Engine: "\xff"}, {Engine: "pl", Locations: true}} {
		if r.Register(metrics.New(a, o)) == nil {
			t.Errorf("%+v was registered besides", o)
		}
	}
	want := `
# HELP clickcollect_locations Locations there are.
# TYPE clickcollect_locations gauge
clickcollect_locations{engine="de"} 2
clickcollect_locations{engine="pl"} 1
`
	must(t, testutil.GatherAndCompare(r, strings.NewReader(want), "clickcollect_locations"), a.Close(), b.Close())
}

// A series for each location and the sizes are there for those who ask.
func TestOptIn(t *testing.T) {
	const locations = 5
	a := opened(t, locations, 3, allocator.Options{})
	for _, c := range []struct {
		o            metrics.Options
		loads, sizes int
	}{{metrics.Options{}, 0, 0}, {metrics.Options{Locations: true}, locations, 0}, {metrics.Options{Sizes: true}, 0, 4}} {
		text := scraped(t, registered(t, metrics.New(a, c.o)))
		sizes := 0
		for _, name := range []string{"skus", "cells", "stock_bytes", "reservation_bytes"} {
			sizes += strings.Count(text, "\nclickcollect_"+name+" ")
		}
		if loads := strings.Count(text, "\nclickcollect_location_reservations{"); loads != c.loads || sizes != c.sizes {
			t.Errorf("%+v: %d locations and %d sizes, want %d and %d", c.o, loads, sizes, c.loads, c.sizes)
		}
	}
	must(t, a.Close())
}

// The series of locations follow the locations: those that were added, removed, and
// added again, in whichever order.
func TestLocationsComeAndGo(t *testing.T) {
	a := opened(t, 3, 0, allocator.Options{})
	r := registered(t, metrics.New(a, metrics.Options{Locations: true}))
	check := func(ids ...string) {
		t.Helper()
		want := "# HELP clickcollect_location_reservations Reservations of a location that have not ended.\n" +
			"# TYPE clickcollect_location_reservations gauge\n"
		for _, id := range ids {
			want += fmt.Sprintf("clickcollect_location_reservations{location=%q} 0\n", id)
		}
		must(t, testutil.GatherAndCompare(r, strings.NewReader(want), "clickcollect_location_reservations"))
	}
	check("L0", "L1", "L2")
	must(t, a.RemoveLocation(t.Context(), "L1"))
	check("L0", "L2")
	must(t, a.SetLocations(t.Context(), allocator.Location{ID: "A", Kind: allocator.Store, Point: place(7)}))
	check("A", "L0", "L2")
	must(t, a.SetLocations(t.Context(), allocator.Location{ID: "L1", Kind: allocator.Store, Point: place(8)}))
	check("A", "L0", "L1", "L2")
	must(t, a.Close())
}

// No option makes a series for each SKU: a thousand more change the number of series
// not at all.
func TestNothingPerSKU(t *testing.T) {
	a := opened(t, 3, 3, allocator.Options{})
	r := registered(t, metrics.New(a, everything))
	before, err := testutil.GatherAndCount(r)
	must(t, err)
	many := make([]allocator.Line, 1000)
	for i := range many {
		many[i] = allocator.Line{SKU: fmt.Sprint("SKU-", i), Quantity: 1}
	}
	for at := 0; at < len(many); at += 100 {
		must(t, a.Receive(t.Context(), allocator.Receipt{ID: fmt.Sprint("many-", at), Location: "L0", Lines: many[at : at+100]}))
	}
	after, err := testutil.GatherAndCount(r)
	if must(t, err, a.Close()); before != after {
		t.Errorf("%d series before, %d after", before, after)
	}
}

// Scrapes run while orders come and go, and after the end; what they count never gets
// less.
func TestScrapesWhileOrdersCome(t *testing.T) {
	a := opened(t, 20, 1000, allocator.Options{FeedBytes: 1 << 20})
	r := registered(t, metrics.New(a, everything))
	var all sync.WaitGroup
	for w := range 2 {
		all.Go(func() {
			for i := range 500 {
				id := fmt.Sprint("SO-", w, "-", i)
				if _, err := a.Allocate(context.Background(), order(id, i%20)); err != nil {
					t.Error(err)
				} else if err := a.Cancel(context.Background(), id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	held := 0.0
	for range 50 {
		now := counted(t, r, `clickcollect_orders_total`, "held")
		if now < held {
			t.Errorf("%v held orders, and then %v", held, now)
		}
		held = now
	}
	all.Wait()
	must(t, a.Close())
	if now := counted(t, r, `clickcollect_orders_total`, "held"); now != 1000 {
		t.Errorf("%v held orders", now)
	}
}

// counted is the value of a counter with a label of that value.
func counted(t *testing.T, r *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := r.Gather()
	must(t, err)
	for _, f := range families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if f.GetName() == name && l.GetValue() == label {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	t.Fatalf("there is no %s of %s", name, label)
	return 0
}
