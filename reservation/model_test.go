package reservation

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"pgregory.net/rapid"
)

var (
	long = flag.Bool("long", false, "the counts of make long")
	seed = flag.Uint64("seed", 0, "the one seed to play, as a failure printed it; 0 plays all")
	more = flag.Uint64("more", 0, "how many seeds after -seed to play as well")
)

// Steps of TestLedgerAgainstATwin, in games of gameSteps each.
const (
	twinSteps     = 600_000
	twinStepsLong = 10_000_000
	gameSteps     = 1_000
)

// dice decide what a game does.
type dice interface {
	// n is a number from 0 to limit-1; the smaller the plainer.
	n(limit int) int
}

type seeded struct{ *rand.Rand }

func newSeeded(seed uint64) seeded { return seeded{rand.New(rand.NewPCG(seed, 0x7717))} }

func (d seeded) n(limit int) int { return d.IntN(limit) }

// drawn dice can be shrunk.
type drawn struct{ t *rapid.T }

func (d drawn) n(limit int) int { return rapid.IntRange(0, limit-1).Draw(d.t, "n") }

// TestLedgerAgainstATwin plays random calls on a ledger and on its twin.
func TestLedgerAgainstATwin(t *testing.T) {
	steps := twinSteps
	switch {
	case *long:
		steps = twinStepsLong
	case !scaletest.Full():
		steps /= 20
	}
	first, games := uint64(1), uint64(steps/gameSteps)
	if *seed != 0 {
		first, games = *seed, 1+*more
	}
	for s := first; s < first+games; s++ {
		if at, err := playGame(s, false); err != nil {
			_, err = playGame(s, true) // again, and this time with words
			t.Fatalf("-seed %d, step %d: %v", s, at, err)
		}
	}
}

// playGame plays one game and says at which step it failed.
func playGame(seed uint64, talks bool) (at int, err error) {
	g := newGame(newSeeded(seed))
	g.talks = talks
	for at := range gameSteps {
		g.step()
		if at%16 == 0 {
			g.verify()
		}
		if g.failed != nil {
			return at, g.failed
		}
	}
	g.end()
	return gameSteps, g.failed
}

// TestLedgerAgainstATwinShrinks plays the same with dice that can be shrunk, and
// looks at everything after every step.
func TestLedgerAgainstATwinShrinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGame(drawn{t})
		g.talks = true
		for i := range 1 + g.n(200) {
			g.step()
			g.verify()
			if g.failed != nil {
				t.Fatalf("step %d: %v", i, g.failed)
			}
		}
		if g.end(); g.failed != nil {
			t.Fatalf("at the end: %v", g.failed)
		}
	})
}

// smallBook is a book of four shards with the same key every time: quick to make,
// and what it does can be repeated.
func smallBook(remember int) *book.Book { return book.Fixed(remember, 4) }

// game is a ledger, its twin, and what both are told.
type game struct {
	dice
	options Options
	disk    *faultdisk.Disk // nil: in memory
	l       *Ledger
	w       *ledgerTwin
	now     int64
	failed  error
	talks   bool
	last    string // what the last step was, if it talks

	orders, moves, transfers, changes []string // IDs, by number
	claim                             Claim
	claims                            Parts
	found                             Entry
	all                               []Entry
	loose, adopted                    bool  // reopened after a crash in the middle of a step: who is short is taken over; and that was done in this step
	snapshot                          int64 // when the newest was taken
	lines                             []Line
	sim                               *sim // nil in a game without faults
}

const hour = 3_600_000

func newGame(d dice) *game {
	g := &game{dice: d, now: 1000 * hour}
	g.options = Options{SKUs: twinSKUs, Locations: twinSlots, Remember: 1 << 20, manual: true, book: smallBook, words: &fixedWords}
	if d.n(2) == 1 {
		g.options.RemindBefore = int64(1+d.n(5)) * 1000
	}
	g.w = newLedgerTwin(g.options.RemindBefore)
	switch kind := d.n(8); {
	case kind < 3:
		g.l = New(g.options)
	case kind < 4:
		g.options.FeedBytes = 1 << 16
		g.l = New(g.options)
	default:
		g.options.SegmentBytes = 64 << 10
		g.disk = faultdisk.New(uint64(d.n(1 << 16)))
		g.open()
	}
	for range 2 {
		g.addSlot()
	}
	return g
}

// is fails the game unless the ledger answered as the twin did.
func is[T comparable](g *game, what string, got, want T) {
	if got != want && g.failed == nil {
		g.failed = fmt.Errorf("%s: %s: got %+v, want %+v", g.last, what, got, want)
	}
}

func (g *game) fact(err, want error) {
	if got := fact(err); !errors.Is(got, want) || want == nil && got != nil {
		is(g, "error", fmt.Sprint(err), fmt.Sprint(want))
	}
}

// step makes one random call.
func (g *game) step() {
	g.adopted = false
	g.now += int64(g.n(400))
	switch p := g.n(100); {
	case p < 25:
		g.reserve()
	case p < 30:
		g.parts()
	case p < 38:
		g.reroute()
	case p < 39:
		g.notes()
	case p < 65:
		g.change()
	case p < 80:
		g.move()
	case p < 86:
		g.deliver()
	case p < 92:
		g.expire()
	case p < 94:
		g.safety()
	case p < 96:
		g.locations()
	case p < 98:
		g.commit()
	case g.disk != nil && g.n(8) == 0:
		g.restart()
	}
}

// pick is a number of a list, mostly the next new one or one of the last.
func (g *game) pick(ids *[]string, prefix string, anew int) int {
	if n := len(*ids); n > 0 && g.n(16) >= anew {
		return n - 1 - g.n(min(n, 24))
	}
	*ids = append(*ids, fmt.Sprint(prefix, len(*ids)))
	return len(*ids) - 1
}

func (g *game) slot() uint32 {
	if g.n(32) == 31 {
		return uint32(g.n(len(g.w.slots)))
	}
	for {
		if slot := uint32(g.n(len(g.w.slots))); g.w.here(slot) {
			return slot
		}
	}
}

func (g *game) quantity() int64 {
	if g.n(256) == 255 {
		return MaxQuantity - int64(g.n(3))
	}
	return 1 + int64(g.n(4))
}

// some are lines of SKUs that are known.
func (g *game) some() []Line {
	g.lines = g.lines[:0]
	for sku := range g.w.skus {
		if g.n(len(g.w.skus)+1) < 2 {
			g.lines = append(g.lines, Line{SKU: uint32(sku), Quantity: g.quantity()})
		}
	}
	return g.lines
}

func (g *game) reserve() {
	lines := g.keeping(g.some())
	if len(lines) == 0 {
		return
	}
	order := g.order(12)
	i := partAt(order, 1)
	h := g.hold(order)
	if g.talks {
		g.last = fmt.Sprintf("reserve %q at %d %v", h.ID, h.Slot, lines)
	}
	known := g.w.orders[i]
	want := g.w.reserve(i, &h, lines)
	t := g.l.Table()
	got := 0
	if number := t.Space.Number(h.Slot); number != NoNumber && g.claim.Bind(g.l, t, lines) {
		got = g.claim.Reserve(number, &h, &g.found)
		if got >= 0 {
			is(g, "the short line is short", g.w.level(lines[got].SKU, h.Slot).Available-lines[got].Quantity < lines[got].Keep, true)
		}
	}
	if want >= 0 {
		want = max(0, got) // whichever of the short lines
	}
	is(g, "outcome", got, want)
	if got == Known && want == Known {
		is(g, "fingerprint", g.found.Fingerprint, known.fingerprint)
		is(g, "state", g.found.State, known.state)
	}
	g.look(i)
}

// verbs are what orders go through, often and seldom.
var verbs = []history.Kind{history.Confirmed, history.Confirmed, history.Accepted, history.Ready, history.Collected, history.Collected,
	history.Canceled, history.Canceled, history.Dispatched, history.Arrived, history.Arrived, history.ShortPicked, history.Returned,
	history.Extended, history.Reassigned, history.Rejected, history.RerouteFailed,
	history.Packed, history.Shipped, history.Shipped, history.ParcelDelivered, history.ParcelLost, history.ReturnedToSender}

// fill draws what the verb of a change of the i-th order needs.
func (g *game) fill(c *Change, i int) {
	switch c.Verb {
	case history.Extended:
		c.Deadline, c.MaxHold = g.now+int64(g.n(20_000)), int64(g.n(2)*15_000)
		for _, o := range g.w.partsOf(i) {
			if c.Deadline = max(c.Deadline, o.deadline); g.n(4) == 3 {
				c.Deadline -= int64(g.n(5_000)) // sooner than one of them lasts anyway
			}
		}
	case history.Reassigned:
		c.Token, c.Owner, c.Channel = []string{"", "token"}[g.n(2)], []string{"", "token"}[g.n(2)], "app"
	case history.Ready:
		c.Deadline, c.Code = g.now+int64(g.n(20_000)), "code"
	case history.Shipped:
		c.Owner, c.Code = []string{"", "DHL"}[g.n(2)], []string{"", "JJD1"}[g.n(2)]
	case history.ReturnedToSender:
		if c.Slot = Everywhere; g.n(3) == 2 {
			c.Slot = g.slot()
		}
	case history.Dispatched, history.Returned:
		c.Slot = g.slot()
		if o := g.w.orders[i]; o != nil && o.form == Brought && g.n(4) > 0 {
			c.Slot = o.store
		}
	}
	if c.Verb == history.Rejected || c.Verb == history.RerouteFailed {
		c.Cause = history.ByStore
	}
	if c.Verb == history.Returned || c.Verb == history.ReturnedToSender {
		c.Cause = []history.Cause{history.Restocked, history.DamagedReturn, history.ToInspect}[g.n(3)]
	}
}

func (g *game) change() {
	if len(g.orders) == 0 {
		return
	}
	i := g.order(0)
	if len(g.w.shelf) > 0 && g.n(8) < 6 {
		i = orderOf(g.w.shelf[g.n(len(g.w.shelf))].number)
	}
	c := Change{Verb: verbs[g.n(len(verbs))], ID: g.orders[i], Now: g.now, Print: uint64(g.n(2))}
	if g.n(3) == 0 {
		c.Part = uint8(g.part(i))
	}
	g.fill(&c, i)
	j := -1
	switch c.Verb {
	case history.Dispatched, history.Ready, history.Accepted, history.Extended, history.Reassigned, history.Packed, history.Shipped:
	default:
		if several := c.Part == 0 && len(g.w.partsOf(i)) > 1; g.n(3) > 0 && (!several || g.n(16) == 15) {
			if c.Lines = g.some(); len(c.Lines) == 0 && c.Verb != history.Arrived {
				c.Lines = nil
			}
		}
	}
	if c.Verb == history.Returned || g.n(4) == 3 {
		j = g.pick(&g.changes, "change", 14)
		c.ID2 = g.changes[j]
	}
	for len(g.w.changes) <= j {
		g.w.changes = append(g.w.changes, nil)
	}
	if g.talks {
		g.last = fmt.Sprintf("%v %q %d %q %v", c.Verb, c.ID, c.Part, c.ID2, c.Lines)
	}
	lines := slices.Clone(c.Lines)
	if c.Lines != nil && lines == nil {
		lines = []Line{}
	}
	twins := c
	twins.Lines = lines
	want, wantErr := g.w.do(i, j, &twins)
	got, _, err := g.l.Do(&c)
	g.fact(err, wantErr)
	if err == nil {
		is(g, "state", got, want)
	}
	g.lookAll(i)
}
