package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// look is what has to hold when nobody calls: all IDs are answered as the first
// time, the books balance, and the history tells how everything came about.
func (d *door) look(when string) {
	c := d.caller(doorHosts - 1)
	c.sure = true
	ctx := context.Background()
	for range 2 {
		if _, err := d.a.Expire(time.Time{}); err != nil {
			d.fault("%s: Expire: %v", when, err)
		}
	}
	if !d.Forgets {
		for _, e := range d.book.orders {
			if e.first.text != "" {
				c.allocate([]*doorOrder{e}, []int{e.first.which})
			}
		}
		for _, r := range d.book.asks {
			if r.made && !r.ask.rejects() {
				c.request(r)
			}
		}
	}
	if s := d.a.Stats(); s.Panics > 0 || s.Journal.Err != nil {
		d.fault("%s: %d panics in the engine's own goroutines, the journal: %v", when, s.Panics, s.Journal.Err)
	}
	if audit, err := d.a.Audit(ctx); err != nil || len(audit.Differences) > 0 {
		d.fault("%s: audit: %v, %+v", when, err, audit.Differences)
	}
	for _, fault := range d.settled() {
		d.fault("%s: %s", when, fault)
	}
}

// settled is the faults of the books at a moment at which the engine's own goroutines
// do nothing either: they may still be taking an order elsewhere that is late.
func (d *door) settled() []string {
	for begun := time.Now(); ; {
		before := d.read()
		faults := d.shelves()
		if d.Recorded && !d.Trims && !d.Forgets {
			faults = append(faults, d.tells()...)
		}
		if len(faults) == 0 || d.read() == before || time.Since(begun) > doorStuck {
			return faults
		}
	}
}

// afterClose checks that nothing is done after Close.
func (d *door) afterClose() {
	d.closed.Store(true)
	if _, err := d.a.Allocate(context.Background(), allocator.Order{ID: "late"}); !errors.Is(err, allocator.ErrClosed) {
		d.fault("Allocate after Close: %v", err)
	}
	if err := d.a.Close(); err != nil {
		d.fault("a second Close: %v", err)
	}
}

// shelves compares the units at each location with its reservations: what is held
// belongs to them, and what is not on hand they are short of.
func (d *door) shelves() (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	held, short := map[string]int64{}, map[string]int64{}
	for _, at := range killPlaces {
		for q := (allocator.Listing{Location: at, Limit: 1000}); ; {
			page, err := d.a.List(context.Background(), q)
			if err != nil {
				fault("%v", err)
				return faults
			}
			for _, r := range page.Reservations {
				for _, l := range r.Lines {
					if !r.State.OnRoad() {
						held[l.SKU+" at "+at] += l.Held + l.Confirmed
						short[l.SKU+" at "+at] += l.Short
					}
				}
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	for _, at := range killPlaces {
		for _, sku := range killShelved(d.a) {
			v, err := d.a.Available(sku, at)
			if err != nil {
				fault("%v", err)
				continue
			}
			cell := sku + " at " + at
			switch {
			case doorShelf(v) != "":
				fault("%s: %s: %+v", cell, doorShelf(v), v)
			case v.Held != held[cell]:
				fault("%s: %+v, and its reservations hold %d", cell, v, held[cell])
			case v.Held-v.OnHand > short[cell] || short[cell] > 0 && !d.book.taken[cell]:
				fault("oversold: %s: %+v, %d short", cell, v, short[cell])
			case slices.Contains(killPlainSKU, sku) && short[cell] != max(0, v.Held-v.OnHand): // of others parts can be short
				fault("%s: %+v, %d short", cell, v, short[cell])
			}
		}
	}
	return faults
}

// read is everything that a restart must not change, as text.
func (d *door) read() string {
	var b strings.Builder
	for _, e := range d.book.orders {
		r, err := d.a.Lookup(e.contents[0].ID)
		if d.Forgets && (err != nil || r.State.Ended() || r.Parts != nil) {
			continue // more are remembered than have to be, until a restart
		}
		fmt.Fprintln(&b, killText(r), err)
		for _, n := range r.Parts {
			p, err := d.a.Part(r.ID, n).Lookup()
			fmt.Fprintln(&b, killText(p), err)
		}
	}
	for _, id := range d.book.sent {
		t, err := d.a.LookupTransfer(id)
		if d.Forgets && (err != nil || t.State != allocator.InTransit) {
			continue
		}
		fmt.Fprintln(&b, killText(t), err)
	}
	for l := range d.a.Locations() {
		fmt.Fprintln(&b, killText(l))
		for _, sku := range killShelved(d.a) {
			v, err := d.a.Available(sku, l.ID)
			fmt.Fprintln(&b, sku, v, err)
			for lot, v := range d.a.Lots(sku, l.ID) {
				fmt.Fprintln(&b, lot, v)
			}
		}
	}
	for w := range d.a.Windows("", time.Time{}, time.Time{}) {
		fmt.Fprintln(&b, killText(w))
	}
	for c := range d.a.Capacities() {
		fmt.Fprintln(&b, killText(c))
	}
	for p := range d.a.Protections() {
		fmt.Fprintln(&b, killText(p))
	}
	for q, v := range d.a.Quotas() {
		fmt.Fprintln(&b, killText(q), v)
	}
	for l := range d.a.Loans() {
		fmt.Fprintln(&b, killText(l))
	}
	for s := range d.a.Bundles() {
		fmt.Fprintln(&b, killText(s))
	}
	for s := range d.a.ShelfLives() {
		fmt.Fprintln(&b, killText(s))
	}
	return b.String()
}
