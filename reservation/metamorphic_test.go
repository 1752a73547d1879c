package reservation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// Seeds of TestOptionsDoNotMatter, and the calls of each.
const (
	sameSeeds     = 40
	sameSeedsLong = 4_000
	sameCalls     = 150
	sameSKUs      = 4
	sameSlots     = 3
)

// sameSet is a set of options that must not change an answer.
type sameSet struct {
	name     string
	disk     string // "": in memory, "fault": one that is simulated, "real": a directory
	options  Options
	restarts int  // of 64 calls, after how many it is opened anew, on the average
	snaps    int  // likewise, snapshots
	key      bool // a book of many shards, with a key of its own
}

func sameSets() []sameSet {
	manual := func(o Options) Options { o.manual = true; return o }
	seg := int64(64 << 10)
	return []sameSet{
		{name: "memory"},
		{name: "memory, many shards", key: true},
		{name: "memory, remember some", options: Options{Remember: 4096}},
		{name: "memory with feed", options: Options{FeedBytes: 16 << 20}},
		{name: "memory with feed by hand", options: manual(Options{FeedBytes: 16 << 20})},
		{name: "memory with feed, frames of one record", options: Options{FeedBytes: 16 << 20, frame: 1}},
		{name: "memory with feed, many shards", key: true, options: Options{FeedBytes: 16 << 20}},
		{name: "by hand", disk: "fault", options: manual(Options{SegmentBytes: seg})},
		{name: "by hand, restarts", disk: "fault", restarts: 2, options: manual(Options{SegmentBytes: seg})},
		{name: "by hand, many restarts", disk: "fault", restarts: 16, options: manual(Options{SegmentBytes: seg})},
		{name: "by hand, snapshots", disk: "fault", snaps: 8, options: manual(Options{SegmentBytes: seg})},
		{name: "by hand, restarts and snapshots", disk: "fault", restarts: 4, snaps: 4, options: manual(Options{SegmentBytes: seg})},
		{name: "by hand, restarts, frames of one record", disk: "fault", restarts: 4, options: manual(Options{SegmentBytes: seg, frame: 1})},
		{name: "by hand, restarts, frames of 200 bytes", disk: "fault", restarts: 4, snaps: 2, options: manual(Options{SegmentBytes: seg, frame: 200})},
		{name: "by hand, restarts, large segments", disk: "fault", restarts: 4, options: manual(Options{SegmentBytes: 1 << 20})},
		{name: "by hand, history kept", disk: "fault", restarts: 4, snaps: 4, options: manual(Options{SegmentBytes: seg, RetainBytes: 1 << 40})},
		{name: "by hand, many shards, restarts", disk: "fault", key: true, restarts: 1, snaps: 1, options: manual(Options{SegmentBytes: seg})},
		{name: "committer", disk: "fault", options: Options{SegmentBytes: seg}},
		{name: "committer, restarts", disk: "fault", restarts: 3, options: Options{SegmentBytes: seg}},
		{name: "committer, restarts and snapshots", disk: "fault", restarts: 3, snaps: 3, options: Options{SegmentBytes: seg}},
		{name: "committer, written", disk: "fault", restarts: 3, options: Options{SegmentBytes: seg, Written: true, SyncEvery: time.Millisecond}},
		{name: "committer, delay", disk: "fault", restarts: 3, options: Options{SegmentBytes: seg, Delay: 100 * time.Microsecond}},
		{name: "committer, small backlog", disk: "fault", restarts: 3, options: Options{SegmentBytes: seg, BacklogBytes: 1 << 12}},
		{name: "committer, remember some", disk: "fault", restarts: 3, snaps: 3, options: Options{SegmentBytes: seg, Remember: 4096}},
		{name: "directory", disk: "real", restarts: 1, options: Options{SegmentBytes: seg}},
		{name: "directory, snapshots", disk: "real", restarts: 1, snaps: 1, options: Options{SegmentBytes: 1 << 20}},
		{name: "directory, written", disk: "real", restarts: 1, options: Options{SegmentBytes: seg, Written: true, Delay: 10 * time.Microsecond}},
		{name: "directory by hand", disk: "real", restarts: 1, snaps: 1, options: manual(Options{SegmentBytes: seg})},
	}
}

// TestOptionsDoNotMatter makes the same calls on ledgers that are kept in
// different ways, some of them opened anew at any place: they answer the same,
// end in the same state and record the same history.
func TestOptionsDoNotMatter(t *testing.T) {
	seeds := sameSeeds
	switch {
	case *long:
		seeds = sameSeedsLong
	case !scaletest.Full():
		seeds /= 8
	}
	first := uint64(1)
	if *seed != 0 {
		first, seeds = *seed, 1
	}
	sets := sameSets()
	runs, calls := 0, 0
	for n := first; n < first+uint64(seeds); n++ {
		want := sameRun(t, n, sets[0], nil)
		var records string
		for i, set := range sets[1:] {
			if set.disk == "real" && seeds > 1 && uint64(i)%8 != n/2%8 { // they take their time
				continue
			}
			if !calm(n) && set.key {
				continue
			}
			got := sameRun(t, n, set, nil)
			runs, calls = runs+1, calls+len(got.answers)
			if what := want.differs(got); what != "" {
				t.Fatalf("-seed %d: %s: %s", n, set.name, what)
			}
			if got.whole && records == "" {
				records = got.records
			}
			if got.whole && got.records != records {
				t.Fatalf("-seed %d: %s: history: %s", n, set.name, firstDifference(got.records, records))
			}
		}
	}
	t.Logf("%d option sets, %d seeds, %d runs, %d calls in them", len(sets), seeds, runs, calls)
}

// calm tells the seeds in which no goods that are held are taken away. In the
// others a book of many shards is left out: one Expire goes shard by shard, so
// who is short between two of its ends depends on the shards.
func calm(seed uint64) bool { return seed%2 == 0 }

// sameTrace is what a run answered.
type sameTrace struct {
	answers []string
	end     string
	records string
	whole   bool // records are all there ever were
}

func (a *sameTrace) differs(b *sameTrace) string {
	for i := range a.answers {
		if a.answers[i] != b.answers[i] {
			return fmt.Sprintf("call %d: got %s, want %s", i, b.answers[i], a.answers[i])
		}
	}
	if a.end != b.end {
		return "the end: " + firstDifference(b.end, a.end)
	}
	return ""
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d: got %s, want %s", i, g[i], w[i])
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(g), len(w))
}

// sameGame is a ledger under one set of options.
type sameGame struct {
	t     *testing.T
	set   sameSet
	o     Options
	l     *Ledger
	disk  *faultdisk.Disk
	spoil func(*sameGame, int)
	now   int64
	calm  bool
	found Entry
	claim Claim
	parts Parts
	out   strings.Builder
}

// sameRun makes the calls of a seed. spoil, if any, comes before each.
func sameRun(t *testing.T, seed uint64, set sameSet, spoil func(*sameGame, int)) *sameTrace {
	g := &sameGame{t: t, set: set, o: set.options, spoil: spoil, now: 1_000_000, calm: calm(seed)}
	g.o.SKUs, g.o.Locations, g.o.RemindBefore = sameSKUs, 16, 3_000*int64(seed/2%2)
	if g.o.Remember == 0 {
		g.o.Remember = 1 << 20
	}
	if !set.key {
		g.o.book = smallBook
	}
	switch set.disk {
	case "fault":
		g.disk = faultdisk.New(seed)
	case "real":
		g.o.Dir = t.TempDir()
	}
	g.open()
	for i := range sameSlots {
		_, _, err := g.l.AddSlot(fmt.Sprint("l", i), []byte{byte(i)}, g.now)
		mustDo(t, err)
	}
	g.number()
	draw := rand.New(rand.NewPCG(seed, 0x5a3e))  // what the calls are
	place := rand.New(rand.NewPCG(seed, 0x91ac)) // where it is opened anew
	trace := &sameTrace{}
	for i := range sameCalls {
		if g.spoil != nil {
			g.spoil(g, i)
		}
		g.out.Reset()
		g.now += 1 + int64(draw.IntN(400))
		g.call(rand.New(rand.NewPCG(draw.Uint64(), 1)))
		trace.answers = append(trace.answers, g.out.String())
		g.between(place.IntN(64), place.IntN(64))
	}
	g.settle()
	g.out.Reset()
	g.state()
	trace.end = g.out.String()
	trace.records, trace.whole = g.records()
	mustDo(t, g.l.Close())
	return trace
}

func (g *sameGame) open() {
	g.t.Helper()
	g.o.words = &fixedWords
	if g.set.disk == "" {
		g.l = New(g.o)
		return
	}
	if g.disk != nil {
		g.o.disk = g.disk
	}
	l, err := Open(g.o)
	mustDo(g.t, err)
	g.l = l
	if l.Slots() > 0 {
		g.number()
	}
	mustDo(g.t, l.Fill())
	_, err = l.Opened(g.now)
	mustDo(g.t, err)
}

func (g *sameGame) number() { g.l.Renumber([]uint32{0, 1, 2}, 0, func(*Table) {}) }

// settle makes everything durable.
func (g *sameGame) settle() {
	g.t.Helper()
	if g.o.manual && g.l.queue != nil {
		mustDo(g.t, g.l.queue.Step())
	}
	mustDo(g.t, g.l.Settled(context.Background()))
}

// between is what the set does between two calls.
func (g *sameGame) between(restart, snap int) {
	g.t.Helper()
	if snap < g.set.snaps {
		g.settle()
		mustDo(g.t, g.l.Snapshot(context.Background(), g.now))
	}
	if restart < g.set.restarts {
		g.settle()
		mustDo(g.t, g.l.Close())
		if g.disk != nil {
			g.disk = g.disk.Kill()
		}
		g.open()
	}
}

// state is all that can be seen.
func (g *sameGame) state() {
	var all []string
	for id, e := range g.l.All() {
		all = append(all, id+" "+shownEntry(e))
	}
	slices.Sort(all)
	fmt.Fprintln(&g.out, strings.Join(all, "\n"))
	for slot := range uint32(sameSlots) {
		for sku := range uint32(g.l.SKUs()) {
			fmt.Fprintf(&g.out, "%s at %s %x: %+v\n", g.l.SKUName(sku), g.l.SlotName(slot), g.l.Place(slot), g.l.Available(sku, slot))
		}
		var at []string
		for id, e := range g.l.At(slot) {
			at = append(at, fmt.Sprint(id, " ", e.Part))
		}
		slices.Sort(at)
		fmt.Fprintln(&g.out, at)
	}
	n := g.l.Numbers()
	fmt.Fprintln(&g.out, g.l.Short(), n.Held, n.Remembered, n.SKUs, slices.Collect(g.l.OfOrder("order")), slices.Collect(g.l.OfCustomer("customer")))
}

// shownEntry is a reservation but for its place in the journal.
func shownEntry(e *Entry) string {
	c := *e
	c.Sequence = 0
	return fmt.Sprintf("%+v", c)
}

// records is the history, without that it was opened. Within a call the order
// does not count, nor into how many steps a shortage was divided.
func (g *sameGame) records() (text string, whole bool) {
	g.t.Helper()
	if g.l.queue == nil || g.l.Journal().First > 1 {
		return "", false
	}
	var lines []string
	sums := map[string]int64{}
	for _, step := range g.l.History(context.Background(), 0, false) {
		mustDo(g.t, step.Err)
		r := *step.Record
		switch r.Kind {
		case history.Opened:
		case history.NoteSet: // nobody sets one: the key of digests
		case history.Shorted, history.Covered:
			for _, line := range r.Lines {
				sums[fmt.Sprintf("%015d %v %s %d %d %d", r.Time, r.Kind, r.ID, r.Part, r.Slot, line.SKU)] += line.Units
			}
		default:
			lines = append(lines, fmt.Sprintf("%015d %+v", r.Time, r))
		}
	}
	for what, units := range sums {
		lines = append(lines, fmt.Sprint(what, " ", units))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), true
}
