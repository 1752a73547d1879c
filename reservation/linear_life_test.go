package reservation

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// Histories of TestLivesAreLinearizable.
const (
	lifeHistories      = 10
	lifeHistoriesLong  = 200
	lifeHistoriesShort = 2
	// lifeMore is how many times as many histories are played at most, until all
	// that they are for has happened in them: on a busy machine fewer calls meet.
	lifeMore = 20
)

// TestLivesAreLinearizable lets callers reserve, confirm, cancel, extend, expire,
// collect, reroute and move the same few goods all at once, at one location and
// over two, and looks for an order of the
// calls in which every answer is right: for each order, so that of those who
// end it one wins and the others are told how (P4), and nobody sees it half changed; and for the goods at each
// location, so that nobody gets what is not there and nobody is refused what is.
// The ledger has a journal on the disk in every other history; what is there after
// it was opened anew is the last call of those.
func TestLivesAreLinearizable(t *testing.T) {
	histories := lifeHistories
	switch {
	case *long:
		histories = lifeHistoriesLong
	case !scaletest.Full():
		histories = lifeHistoriesShort
	}
	tally := lifeTally{slowest: math.MaxFloat64}
	for n := uint64(1); tally.histories < histories || len(tally.lacks(histories)) > 0 && tally.histories < lifeMore*histories; n++ {
		if *seed != 0 {
			n = *seed
		}
		rate, faults := lifeHistory(t, n, lifeOps, n%2 == 0, nil, &tally)
		if len(faults) > 0 {
			t.Fatalf("-seed %d: %d faults, such as: %s", n, len(faults), strings.Join(faults[:min(3, len(faults))], "\n"))
		}
		tally.histories++
		tally.slowest = min(tally.slowest, rate)
		tally.fastest = max(tally.fastest, rate)
		if *seed != 0 {
			return
		}
	}
	t.Logf("%d histories of %d calls, %.0f to %.0f calls a second: %v", tally.histories, lifeOps, tally.slowest, tally.fastest, tally)
	for _, what := range tally.lacks(histories) {
		t.Error(what)
	}
}

// lifeHistory plays and judges one history. It returns the calls made a second,
// and what is wrong.
func lifeHistory(t *testing.T, seed uint64, ops int, disk bool, spoil lifeSpoiler, tally *lifeTally) (rate float64, faults []string) {
	t.Helper()
	o := Options{SKUs: lifeSKUs, Locations: lifeSlots, Remember: 1 << 20, RemindBefore: lifeRemind, FeedBytes: 64 << 20}
	var l *Ledger
	if disk {
		o.FeedBytes, o.Dir, o.SegmentBytes = 0, t.TempDir(), 1<<20
		var err error
		l, err = Open(o)
		mustDo(t, err)
	} else {
		l = New(o)
	}
	g := newLifeGame(t, l, seed)
	g.spoil = spoil
	began := time.Now()
	mustDo(t, g.play(ops))
	rate = float64(ops) / time.Since(began).Seconds()
	g.spoil = nil
	j := &lifeJudge{g: g, orders: map[int]*lifeFile{}, tally: tally}
	j.read(t)
	if disk {
		mustDo(t, l.Close())
		l, err := Open(o)
		mustDo(t, err)
		l.Renumber([]uint32{0, 1, 2, 3}, 0, func(*Table) {})
		mustDo(t, l.Fill())
		g.l = l
	}
	j.look()
	j.judge()
	mustDo(t, g.l.Close())
	return rate, j.faults
}

// lifeTally is what happened in all histories.
type lifeTally struct {
	histories        int
	slowest, fastest float64
	refused          int // claims
	lost             int // changes that came after the end
	met              int // of those, by calls that overlap the one that won
	repeats, marks   int
	several          int // claims over two locations
	inPlace, split   int // reroutes
	byVerb           [256]int
	wholes           [256]int // of those, the ones of several parts
}

func (a lifeTally) String() string {
	var verbs []string
	for k, n := range a.byVerb {
		if n > 0 {
			verbs = append(verbs, fmt.Sprint(history.Kind(k), " ", n, " (", a.wholes[k], " of several parts)"))
		}
	}
	return fmt.Sprintf("%d claims refused, %d changes after the end, %d while it came, %d repeats, %d shortages and their ends, %d claims over two locations, %d reroutes in place and %d of some units; records: %s",
		a.refused, a.lost, a.met, a.repeats, a.marks, a.several, a.inPlace, a.split, strings.Join(verbs, ", "))
}

// lacks is what has to happen for so many histories to prove something, and has not.
func (a lifeTally) lacks(histories int) (lacks []string) {
	for _, k := range []history.Kind{history.Held, history.Confirmed, history.Canceled, history.Extended, history.Expired, history.Collected, history.Accepted,
		history.Ready, history.Reminded, history.NoShow, history.ShortPicked, history.Moved, history.Shorted, history.Covered, history.Rerouted} {
		if a.byVerb[k] < 10*histories {
			lacks = append(lacks, fmt.Sprintf("only %d records %v", a.byVerb[k], k))
		}
	}
	if a.inPlace < 10*histories || a.split < 10*histories || a.several < 10*histories {
		lacks = append(lacks, fmt.Sprintf("too few orders of several parts, or reroutes: %v", a))
	}
	for _, k := range []history.Kind{history.Confirmed, history.Canceled, history.Extended, history.Expired, history.Collected, history.Accepted, history.Ready} {
		if a.wholes[k] < histories {
			lacks = append(lacks, fmt.Sprintf("only %d records of several parts %v", a.wholes[k], k))
		}
	}
	if a.met == 0 || a.refused < 100*histories || a.repeats < 100*histories {
		lacks = append(lacks, fmt.Sprintf("the callers hardly met: %v", a))
	}
	return lacks
}

// lifeFile is all that happened to one order.
type lifeFile struct {
	calls []*lifeCall
	first int64 // when the first of them began
	last  int64 // when the last of them returned
}

// lifeJudge sorts the calls of a history by what they are about.
type lifeJudge struct {
	g      *lifeGame
	tally  *lifeTally
	calls  []*lifeCall
	orders map[int]*lifeFile
	claims []*lifeCall // of reroutes, for the shelves
	faults []string
}

func (j *lifeJudge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// read finds the record of each call, and what the engine did besides.
func (j *lifeJudge) read(t *testing.T) {
	t.Helper()
	byTime := map[int64]*lifeCall{}
	for i := range j.g.workers {
		for _, c := range j.g.workers[i].calls {
			c.client = i
			j.calls = append(j.calls, c)
			byTime[c.now] = c
		}
	}
	mustDo(t, j.g.l.Settled(context.Background()))
	for _, c := range j.calls {
		if c.verb != history.Moved && c.verb != history.Expired && c.verb != lifeLevel {
			j.file(c)
		}
	}
	own := map[*lifeCall]map[int][]*lifeCall{} // of calls of Expire: what it did, by order
	for _, step := range j.g.l.History(context.Background(), 0, false) {
		mustDo(t, step.Err)
		r := step.Record
		c := byTime[r.Time]
		j.tally.byVerb[r.Kind]++
		switch {
		case r.Kind == history.LocationSet, r.Kind == history.SKUAdded:
		case c == nil:
			j.fault("a record of no call: %+v", *r)
		default:
			j.record(c, r, own)
		}
	}
	j.expiries(own)
}

// record gives a record to the call that made it.
func (j *lifeJudge) record(c *lifeCall, r *history.Record, own map[*lifeCall]map[int][]*lifeCall) {
	number, _ := strconv.Atoi(strings.TrimLeft(r.ID, "om"))
	shares := j.shares(c, r, number)
	d := shares[0]
	mine := r.Kind == c.verb && number == c.number
	switch {
	case r.Kind == history.Moved && mine:
		if c.acted {
			j.fault("a second record: %+v of %v", *r, c)
		}
		c.given, c.after = d.given, d.after
	case r.Kind == history.Held && mine:
		if d.part > 1 {
			j.tally.several++
		}
		c.shares = append(c.shares, d)
	case r.Kind == history.Held && c.verb == history.Rerouted && number == c.number && d.part == lifeParts:
		c.target = d
		return
	case r.Kind == history.Confirmed && c.verb == history.Rerouted && c.target != nil && number == c.number && d.part == lifeParts:
		c.target.sure = d.given
		return
	case r.Kind == history.Shorted, r.Kind == history.Covered:
		j.tally.marks++
		d.acted = true
		j.file(d)
		return
	case c.verb == history.Expired && (r.Kind == history.Expired || r.Kind == history.NoShow || r.Kind == history.Reminded):
		if own[c] == nil {
			own[c] = map[int][]*lifeCall{}
		}
		own[c][number] = append(own[c][number], &lifeCall{verb: r.Kind, number: number, shares: shares, acted: true, now: c.now, ended: c.ended, client: c.client})
		return
	case mine:
		if c.acted {
			j.fault("a second record: %+v of %v", *r, c)
			return
		}
		c.shares = shares
		if c.verb == history.Rerouted {
			j.rerouted(c, r)
		}
	default:
		j.fault("a record of another kind than the call, or another's: %+v of %v", *r, c)
	}
	c.acted = true
}

// shares is what a record says of each part.
func (j *lifeJudge) shares(c *lifeCall, r *history.Record, number int) (all []*lifeCall) {
	one := func(part uint8, slot uint32, lines []history.Line) {
		d := &lifeCall{verb: r.Kind, number: number, part: max(part, 1), slot: slot, how: Done, deadline: r.Deadline, print: r.Fingerprint, now: c.now, ended: c.ended, client: c.client}
		for _, line := range lines {
			d.given[line.SKU] = int8(line.Units)
			d.after[line.SKU] = line.OnHand
		}
		d.units = d.given
		all = append(all, d)
	}
	lines := r.Lines
	for _, s := range r.Shares {
		one(s.Part, s.Slot, lines[:s.Lines])
		lines = lines[s.Lines:]
	}
	if len(r.Shares) == 0 {
		one(r.Part, r.Slot, lines)
	} else {
		j.tally.wholes[r.Kind]++
	}
	return all
}

// rerouted gives the shelf to which a reservation goes the claim there.
func (j *lifeJudge) rerouted(c *lifeCall, r *history.Record) {
	switch {
	case r.To != c.to || (r.Other == 0) != c.whole || !c.whole && c.target == nil:
		j.fault("another reroute: %+v of %v", *r, c)
	case c.whole:
		j.tally.inPlace++
		j.claims = append(j.claims, &lifeCall{verb: history.Held, how: Done, slot: c.to, units: c.units, given: c.units, now: c.now, ended: c.ended, client: c.client, acted: true})
	default:
		j.tally.split++
	}
}

func (j *lifeJudge) file(c *lifeCall) {
	f := j.orders[c.number]
	if f == nil {
		f = &lifeFile{first: c.now}
		j.orders[c.number] = f
	}
	f.calls = append(f.calls, c)
	f.first, f.last = min(f.first, c.now), max(f.last, c.ended)
}

// expiries gives each order what each call of Expire made of it while it
// may have been live. One that made nothing of it found nothing due.
func (j *lifeJudge) expiries(own map[*lifeCall]map[int][]*lifeCall) {
	type span struct{ from, to int64 }
	lives := map[int]span{}
	for number, f := range j.orders {
		life := span{math.MaxInt64, f.last}
		for _, c := range f.calls {
			if c.verb == history.Held && c.acted {
				life.from = c.now
			}
			if c.fact == lifeEnded && c.part == 0 && c.verb != history.Rerouted { // it has ended by then
				life.to = min(life.to, c.ended)
			}
		}
		lives[number] = life
	}
	for _, c := range j.calls {
		if c.verb != history.Expired {
			continue
		}
		for number, f := range j.orders {
			did := own[c][number]
			f.calls = append(f.calls, did...)
			if life := lives[number]; len(did) == 0 && c.ended >= life.from && c.now <= life.to {
				f.calls = append(f.calls, &lifeCall{verb: history.Expired, number: number, now: c.now, ended: c.ended, client: c.client})
			}
		}
	}
}

// look ends the history: everything is looked at once more, when nobody calls.
func (j *lifeJudge) look() {
	w := &j.g.workers[lifeWorkers]
	for number, f := range j.orders {
		c := &lifeCall{verb: lifeLook, number: number}
		w.do(c)
		f.calls = append(f.calls, c)
	}
	for slot := range uint32(lifeSlots) {
		for sku := range lifeSKUs {
			c := &lifeCall{verb: lifeLevel, slot: slot, sku: sku}
			w.do(c)
			j.calls = append(j.calls, c)
		}
	}
	for slot := range uint32(lifeSlots) {
		for sku := range j.g.skus {
			j.sum(slot, sku)
		}
	}
}

// sum checks that what is held and short at a shelf in the end is what its
// reservations say.
func (j *lifeJudge) sum(slot uint32, sku int) {
	held, short := int64(0), int64(0)
	for _, e := range j.g.l.All() {
		for _, line := range e.Lines {
			if e.Slot == slot && line.SKU == j.g.skus[sku] {
				held, short = held+line.Held+line.Confirmed, short+line.Short
			}
		}
	}
	level := j.g.l.Available(j.g.skus[sku], slot)
	if level.Held != held || level.Available != level.OnHand-held || short != max(0, held-level.OnHand) {
		j.fault("SKU %d at %d: %+v, but %d held and %d short", sku, slot, level, held, short)
	}
}

func lifeOperations(calls []*lifeCall) []porcupine.Operation {
	ops := make([]porcupine.Operation, len(calls))
	for i, c := range calls {
		ops[i] = porcupine.Operation{ClientId: c.client, Input: c, Call: c.now, Return: c.ended}
	}
	return ops
}
