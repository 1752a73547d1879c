package reservation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
)

// Records of TestNoPrefixOversells, each of which ends a prefix that is checked.
const (
	prefixes      = 10_000_000
	prefixesLong  = 100_000_000
	prefixRound   = 250_000 // in one ledger
	prefixCallers = 16
	prefixSKUs    = 4
	prefixSlots   = 2
	prefixStock   = 3
)

// TestNoPrefixOversells lets many callers fight for few units and then replays
// the journal record by record: after every single one there must be no more
// reserved than on hand, and no order of which one part is confirmed, ended or collected
// and another one not, for any of them may be the last before a power cut. At the end the sums are those in memory, and each acknowledged ID is there once,
// where its ticket says.
func TestNoPrefixOversells(t *testing.T) {
	want := prefixes
	switch {
	case *long:
		want = prefixesLong
	case !scaletest.Full():
		want /= 40
	}
	checked := 0
	for round := uint64(1); checked < want; round++ {
		n, err := prefixGame(*seed+round, min(prefixRound, want-checked))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		checked += n
	}
	t.Logf("%d prefixes", checked)
}

// fight is one ledger and its callers.
type fight struct {
	l     *Ledger
	now   atomic.Int64
	acked []atomic.Uint32 // by sequence number: what was told to be there
	want  uint64
}

// prefixGame has callers make about n records and checks them.
func prefixGame(seed uint64, n int) (checked int, err error) {
	f := &fight{want: uint64(n), acked: make([]atomic.Uint32, n+prefixCallers*8)}
	f.l = New(Options{SKUs: prefixSKUs, Locations: prefixSlots, Remember: 1 << 10, FeedBytes: 1 << 30})
	order := make([]uint32, prefixSlots)
	for i := range order {
		if order[i], _, err = f.l.AddSlot(fmt.Sprint("l", i), nil, 1); err != nil {
			return 0, err
		}
	}
	f.l.Renumber(order, 0, func(*Table) {})
	for i := range order {
		m := &Movement{ID: fmt.Sprint("first", i), Cause: history.Received, Slot: order[i], Now: 1}
		for sku := range prefixSKUs {
			m.Lines = append(m.Lines, MovementLine{SKU: fmt.Sprint("s", sku), Units: prefixStock})
		}
		if _, err := f.l.Move(m); err != nil {
			return 0, err
		}
	}
	var all sync.WaitGroup
	errs := make([]error, prefixCallers)
	for caller := range prefixCallers {
		all.Go(func() { errs[caller] = f.call(caller, rand.New(rand.NewPCG(seed, uint64(caller)))) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	if err := f.l.Settled(context.Background()); err != nil {
		return 0, err
	}
	var c prefixChecker
	if err := c.read(f); err != nil {
		return int(c.at), err
	}
	return int(c.at), f.l.Close()
}

// call is one caller: it reserves, and what it got it cancels, collects and
// replaces, or leaves to expire.
func (f *fight) call(caller int, draw *rand.Rand) error {
	var claim Claim
	var found Entry
	var id []byte
	table := f.l.Table()
	for i := 0; f.l.queue.Last() < f.want; i++ {
		now := f.now.Add(1)
		slot := uint32(draw.IntN(prefixSlots))
		var lines []Line
		for sku := range uint32(prefixSKUs) {
			if draw.IntN(3) == 0 {
				lines = append(lines, Line{SKU: sku, Quantity: 1 + int64(draw.IntN(2))})
			}
		}
		if len(lines) == 0 || !claim.Bind(f.l, table, lines) {
			continue
		}
		id = strconv.AppendInt(append(strconv.AppendInt(id[:0], int64(caller), 10), '/'), int64(i), 10)
		if draw.IntN(3) == 0 {
			if err := f.several(draw, string(id), lines, now); err != nil {
				return err
			}
			continue
		}
		h := Hold{ID: string(id), Slot: slot, Now: now, Deadline: now + int64(draw.IntN(60))}
		if how := claim.Reserve(table.Space.Number(slot), &h, &found); how != Done {
			if how >= 0 {
				if _, err := f.l.Expire(now); err != nil {
					return err
				}
				continue
			}
			return fmt.Errorf("reserve %q: %d %v", h.ID, how, claim.Err())
		}
		f.ack(claim.Ticket(), history.Held, h.ID)
		if err := f.finish(draw, &h, lines, now); err != nil {
			return err
		}
	}
	return nil
}

// several reserves an order of several parts, confirms it or not, and ends it: always
// the whole of it.
func (f *fight) several(draw *rand.Rand, id string, lines []Line, now int64) error {
	var p Parts
	var found Entry
	h := Hold{ID: wholly + id, Now: now, Deadline: now + int64(draw.IntN(60))}
	var parts []Part
	for i := range 2 + draw.IntN(3) {
		h.Part, h.Slot = uint8(i+1), uint32(i%prefixSlots)
		parts = append(parts, Part{Hold: h, Lines: []Line{{SKU: lines[i%len(lines)].SKU, Quantity: 1}}})
	}
	if how := p.Reserve(f.l, parts, &found); how >= 0 {
		_, err := f.l.Expire(now)
		return err
	} else if how != Done {
		return fmt.Errorf("reserve %q: %d %v", h.ID, how, p.Err())
	}
	f.ack(p.Ticket(), history.Held, h.ID)
	verbs := []history.Kind{history.Confirmed, history.Canceled, history.Collected}
	for _, verb := range verbs[draw.IntN(2) : 2+draw.IntN(2)] {
		_, ticket, err := f.l.Do(&Change{Verb: verb, ID: h.ID, Now: now})
		if fact(err) == ErrEnded || fact(err) == ErrNotFound { // as in finish
			return nil
		}
		if err != nil {
			return err
		}
		if f.ack(ticket, verb, h.ID); verb == history.Confirmed {
			continue
		}
		for i := 0; verb == history.Collected && i < len(parts); i++ {
			m := &Movement{ID: fmt.Sprint(h.ID, "/", i), Cause: history.Received, Slot: parts[i].Slot, Now: now,
				Lines: []MovementLine{{SKU: f.l.SKUName(parts[i].Lines[0].SKU), Units: 1}}}
			if _, err := f.l.Move(m); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// wholly begins the IDs of orders that are only changed as a whole.
const wholly = "whole/"

// finish ends a reservation, or lets it be.
func (f *fight) finish(draw *rand.Rand, h *Hold, lines []Line, now int64) error {
	if draw.IntN(4) == 0 {
		if gone, err := f.reroute(draw, h, lines, now); gone || err != nil {
			return err
		}
	}
	c := Change{Verb: history.Canceled, ID: h.ID, Part: h.Part, Now: now}
	switch draw.IntN(8) {
	case 0:
		return nil
	case 1, 2:
		c.Verb = history.Collected
	}
	_, ticket, err := f.l.Do(&c)
	switch {
	case fact(err) == ErrEnded, fact(err) == ErrNotFound: // it has expired, and may be forgotten
		return nil
	case err != nil:
		return err
	}
	f.ack(ticket, c.Verb, h.ID)
	if c.Verb == history.Canceled {
		return nil
	}
	m := &Movement{ID: h.ID, Cause: history.Received, Slot: h.Slot, Now: now}
	for _, line := range lines {
		m.Lines = append(m.Lines, MovementLine{SKU: f.l.SKUName(line.SKU), Units: line.Quantity})
	}
	ticket, err = f.l.Move(m)
	f.ack(ticket, history.Moved, h.ID)
	return err
}

// reroute takes a reservation to the other location, or into a new part there, and
// says whether that or something else has ended it.
func (f *fight) reroute(draw *rand.Rand, h *Hold, lines []Line, now int64) (gone bool, err error) {
	var p Parts
	var found Entry
	r := Reroute{ID: h.ID, Now: now, To: Part{Hold: Hold{Slot: 1 - h.Slot}, Lines: lines}}
	if draw.IntN(2) == 0 {
		r.To.Part = 2
	}
	switch how := p.Reroute(f.l, &r, &found); {
	case how == Done:
		f.ack(p.Ticket(), history.Rerouted, h.ID)
		h.Slot = r.To.Slot
		h.Part = uint8(draw.IntN(2)) * r.To.Part // or of all that is open, which it is
	case how >= 0:
	case fact(p.Err()) == ErrEnded, fact(p.Err()) == ErrNotFound: // as in finish
		return true, nil
	default:
		return true, fmt.Errorf("reroute %q: %d %w", h.ID, how, p.Err())
	}
	return false, nil
}

// mark stands for a kind of record under an ID.
func mark(kind history.Kind, id string) uint32 {
	return uint32(fixedDigest(uint64(kind)).AddString(id).Sum()) | 1
}

func (f *fight) ack(t Ticket, kind history.Kind, id string) {
	if t.Sequence < uint64(len(f.acked)) {
		f.acked[t.Sequence].Store(mark(kind, id))
	}
}

// prefixChecker adds the records up, and knows nothing of the ledger's ways.
type prefixChecker struct {
	at               uint64
	r                history.Record
	onHand, reserved [prefixSKUs][prefixSlots]int64
	open             map[Name]int64 // units, of parts that have any
	moved            map[string]bool
	held             map[Name]bool
	fates            map[string][]history.Kind // of orders that are only changed as a whole, by part: what was the last
}

func (c *prefixChecker) read(f *fight) error {
	c.open, c.moved, c.held, c.fates = map[Name]int64{}, map[string]bool{}, map[Name]bool{}, map[string][]history.Kind{}
	for record, err := range f.l.queue.Follow(context.Background(), 1, false) {
		if err == nil {
			err = c.take(f, record)
		}
		if err != nil {
			return fmt.Errorf("after record %d, %v %q: %w", c.at, c.r.Kind, c.r.ID, err)
		}
	}
	if c.at != f.l.queue.Last() {
		return fmt.Errorf("the journal ends at %d, not at %d", c.at, f.l.queue.Last())
	}
	for sku := range uint32(prefixSKUs) {
		for slot := range uint32(prefixSlots) {
			got := f.l.Available(sku, slot)
			want := Availability{OnHand: c.onHand[sku][slot], Held: c.reserved[sku][slot]}
			want.Available = want.OnHand - want.Held
			if got != want {
				return fmt.Errorf("in memory %+v, in the journal %+v", got, want)
			}
		}
	}
	return nil
}

func (c *prefixChecker) take(f *fight, record commit.Record) error {
	r := &c.r
	if err := r.Decode(record.Data); err != nil {
		return err
	}
	if record.Sequence != c.at+1 {
		return fmt.Errorf("record %d comes after it", record.Sequence)
	}
	c.at = record.Sequence
	if c.at < uint64(len(f.acked)) {
		if told := f.acked[c.at].Load(); told != 0 && told != mark(r.Kind, r.ID) {
			return fmt.Errorf("another one was told to be this record")
		}
	}
	switch r.Kind {
	case history.Held:
		n := Name{ID: strings.Clone(r.ID), Part: r.Part}
		if c.held[n] {
			return fmt.Errorf("held twice")
		}
		c.held[n] = true
	case history.Moved:
		if c.moved[r.ID] {
			return fmt.Errorf("moved twice")
		}
		c.moved[strings.Clone(r.ID)] = true
	case history.SKUAdded, history.LocationSet:
		return nil
	}
	lines := r.Lines
	for _, s := range r.Shares {
		if err := c.share(Name{ID: strings.Clone(r.ID), Part: s.Part}, s.Slot, lines[:s.Lines]); err != nil {
			return err
		}
		lines = lines[s.Lines:]
	}
	if len(r.Shares) == 0 {
		if err := c.share(Name{ID: strings.Clone(r.ID), Part: r.Part}, r.Slot, lines); err != nil {
			return err
		}
	}
	if r.Kind == history.Moved || !strings.HasPrefix(r.ID, wholly) {
		return nil
	}
	return c.whole()
}

// whole checks that what happens to an order that is only changed as a whole happens to
// all of its parts in one record; so it does with orders that expire, whose parts are
// held equally long.
func (c *prefixChecker) whole() error {
	r := &c.r
	if r.Kind == history.Held {
		id := strings.Clone(r.ID)
		if c.fates[id] = append(c.fates[id], r.Kind); len(c.fates[id]) != int(r.Part) {
			return fmt.Errorf("part %d is the %dth", r.Part, len(c.fates[id]))
		}
		return nil
	}
	fates := c.fates[r.ID]
	for _, s := range r.Shares {
		fates[s.Part-1] = r.Kind
	}
	if len(r.Shares) == 0 {
		fates[max(r.Part, 1)-1] = r.Kind
	}
	for i, fate := range fates {
		if fate != r.Kind {
			return fmt.Errorf("the order is half changed: part %d of %d is %v", i+1, len(fates), fate)
		}
	}
	if r.Kind != history.Confirmed {
		delete(c.fates, r.ID)
	}
	return nil
}

// share adds up what a record says of one part, or of a movement.
func (c *prefixChecker) share(n Name, slot uint32, lines []history.Line) error {
	r := &c.r
	if n.Part == 1 {
		n.Part = 0
	}
	for _, line := range lines {
		onHand, reserved := &c.onHand[line.SKU][slot], &c.reserved[line.SKU][slot]
		switch r.Kind {
		case history.Held:
			*reserved += line.Units
			c.open[n] += line.Units
		case history.Confirmed:
		case history.Canceled, history.Expired:
			*reserved -= line.Units
			c.open[n] -= line.Units
		case history.Collected:
			*reserved -= line.Units
			*onHand -= line.Units
			c.open[n] -= line.Units
		case history.Rerouted:
			*reserved -= line.Units
			if r.Other != 0 {
				c.open[n] -= line.Units
				break
			}
			there := &c.reserved[line.SKU][r.To]
			if *there += line.Units; *there > c.onHand[line.SKU][r.To] {
				return fmt.Errorf("oversold: SKU %d at %d: %d reserved, %d on hand", line.SKU, r.To, *there, c.onHand[line.SKU][r.To])
			}
		case history.Moved:
			*onHand += line.Units
		default:
			return fmt.Errorf("unexpected")
		}
		if *onHand < 0 || *reserved < 0 || *reserved > *onHand || c.open[n] < 0 {
			return fmt.Errorf("oversold: SKU %d at %d: %d reserved, %d on hand, %d left of the reservation", line.SKU, slot, *reserved, *onHand, c.open[n])
		}
	}
	if r.Kind != history.Moved && c.open[n] == 0 {
		delete(c.open, n)
	}
	return nil
}
