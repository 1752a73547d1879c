package allocator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// killRequest is a request of the side log with what became of it.
type killRequest struct {
	n     int64
	ask   *killAsk
	told  *killTold // nil: the kill came first
	begun int       // how many IDs had been asked for and answered when it began
}

// killOrder is what the side log has of an order.
type killOrder struct {
	read  *allocator.Reservation // as it was read last; nil: never
	clean bool                   // nothing was asked of it since
}

// killJudge compares an engine with the side log of the processes before it.
type killJudge struct {
	world    *killWorld
	a        *allocator.Allocator
	requests []*killRequest
	orders   map[string]*killOrder
	asked    int // IDs in all
	set      killSettings

	sequence        uint64 // of the newest record
	repeated        int    // IDs
	lost, otherwise int
	faults          []string
}

// newKillJudge reads the side log.
func newKillJudge(w *killWorld, a *allocator.Allocator, lines []killLine) *killJudge {
	j := &killJudge{world: w, a: a, orders: map[string]*killOrder{}, set: killSettings{}}
	open := map[int64]*killRequest{}
	done := 0
	for _, line := range lines {
		switch {
		case line.Ask != nil:
			r := &killRequest{n: line.N, ask: line.Ask, begun: done}
			open[line.N] = r
			j.requests = append(j.requests, r)
			j.asked += line.Ask.size()
			for _, id := range line.Ask.touches() {
				if j.orders[id] == nil {
					j.orders[id] = &killOrder{}
				}
				j.orders[id].clean = false
			}
			j.set.begin(line.Ask)
		case line.Told != nil:
			if r := open[line.N]; r != nil {
				r.told = line.Told
				done += r.ask.size()
				if line.Told.Refused == "" {
					j.set.told(r.ask)
				}
			}
		case line.Read != nil:
			if o := j.orders[line.Read.ID]; o != nil {
				o.read, o.clean = line.Read, true
			}
		}
	}
	return j
}

func (j *killJudge) lose(format string, args ...any) {
	j.lost++
	j.faults = append(j.faults, "lost: "+fmt.Sprintf(format, args...))
}

func (j *killJudge) differ(format string, args ...any) {
	j.otherwise++
	j.faults = append(j.faults, "otherwise: "+fmt.Sprintf(format, args...))
}

// judge looks at everything that was acknowledged and repeats every ID.
func (j *killJudge) judge(ctx context.Context) error {
	now := time.Now()
	for _, id := range killSorted(j.orders) {
		j.order(id, now)
	}
	j.settings()
	if err := j.shelves(ctx); err != nil {
		return err
	}
	audit, err := j.a.Audit(ctx)
	if err != nil {
		return err
	}
	for _, d := range audit.Differences {
		j.differ("audit: %+v", d)
	}
	// A rejection that found no other place looks for one again when it is repeated.
	// So what may change the orders comes last.
	j.wrote()
	for _, rejections := range []bool{false, true} {
		for _, r := range j.requests {
			if r.told != nil && r.ask.rejects() == rejections {
				j.repeat(ctx, r)
			}
		}
	}
	return nil
}

// order compares how an order stands with how it was read last.
func (j *killJudge) order(id string, now time.Time) {
	o := j.orders[id]
	if o.read == nil {
		return // never acknowledged and read; its repeat tells
	}
	got, err := j.a.Lookup(id)
	switch over := o.read.State.Ended() || !o.clean || killDue(o.read, now); {
	case err == nil:
	case errors.Is(err, allocator.ErrNotFound) && j.world.Remember > 0 && (over || j.world.Evacuates):
		return // forgotten
	default:
		j.lose("order %s, %v when it was read: %v", id, o.read.State, err)
		return
	}
	if j.world.Remember > 0 && o.read.Parts != nil {
		return // its parts are forgotten one by one
	}
	if units := killEndedFewer(o.read, &got); units != "" && !j.moves(o) {
		j.lose("order %s: %s\n read  %s\n found %s", id, units, killText(o.read), killText(&got))
		return
	}
	if !o.clean || !o.read.State.Ended() && (killDue(o.read, now) || j.world.Evacuates || j.world.Late) {
		return
	}
	want, is := killStill(*o.read), killStill(got)
	if killText(want) != killText(is) {
		j.lose("order %s:\n read  %s\n found %s", id, killText(want), killText(is))
	}
}

// moves tells the orders whose missing units may be in another part by now.
func (j *killJudge) moves(o *killOrder) bool { return !o.clean }

// killDue tells the reservations that may have ended by themselves.
func killDue(r *allocator.Reservation, now time.Time) bool {
	return !r.HeldUntil.IsZero() && !r.HeldUntil.After(now) || !r.PickupUntil.IsZero() && !r.PickupUntil.After(now)
}

// killStill is a reservation without what the orders and movements of others may
// change: which of its units are short, which is a record of its own.
func killStill(r allocator.Reservation) allocator.Reservation {
	r.Sequence = 0
	r.Lines = append([]allocator.ReservedLine(nil), r.Lines...)
	for i := range r.Lines {
		r.Lines[i].Short = 0
	}
	return r
}

// killEndedFewer says which units had ended and have not any more.
func killEndedFewer(read, found *allocator.Reservation) string {
	type ends struct{ collected, returned, canceled, expired int64 }
	sum := func(r *allocator.Reservation) (e ends) {
		for _, l := range r.Lines {
			e = ends{e.collected + l.Collected, e.returned + l.Returned, e.canceled + l.Canceled, e.expired + l.Expired}
		}
		return e
	}
	was, is := sum(read), sum(found)
	if is.collected < was.collected || is.returned < was.returned || is.canceled < was.canceled || is.expired < was.expired {
		return fmt.Sprintf("of units that had ended %+v are %+v left", was, is)
	}
	return ""
}

func killText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// promised tells the requests whose IDs must still be remembered: fewer than
// Options.Remember may have come after them.
func (j *killJudge) promised(r *killRequest) bool {
	return j.world.Remember == 0 || j.asked-r.begun < j.world.Remember
}

// repeat makes a request again that has an ID and was acknowledged: the answer is
// the same, and nothing is written.
func (j *killJudge) repeat(ctx context.Context, r *killRequest) {
	if !r.ask.named() || r.told.Refused != "" {
		return
	}
	if r.ask.Verb == "allocate" {
		for i := range r.ask.Orders {
			if r.told.Answers[i].Refused == "" {
				j.repeatOrder(ctx, &r.ask.Orders[i], &r.told.Answers[i])
			}
		}
		return
	}
	if !j.promised(r) {
		return
	}
	before := j.sequence
	told := r.ask.do(ctx, j.a)
	j.repeated += r.ask.size()
	if told.Refused != "" {
		j.differ("%s: %s\n asked %s", r.ask.Verb, told.Refused, killText(r.ask))
	}
	if j.wrote() && !r.ask.rejects() {
		j.lose("%s was made anew: %s\n asked %s", r.ask.Verb, j.since(ctx, before), killText(r.ask))
	}
}

// repeatOrder is repeat for an order. What is forgotten is not asked for: it would
// be a new order.
func (j *killJudge) repeatOrder(ctx context.Context, o *allocator.Order, told *killAnswer) {
	if j.world.Remember > 0 && !j.allLive(o.ID, told) {
		return
	}
	before := j.sequence
	got, err := j.a.Allocate(ctx, *o)
	j.repeated++
	if j.wrote() {
		j.lose("order %s wrote %s\n told %s", o.ID, j.since(ctx, before), killText(told))
	}
	if err != nil {
		j.differ("order %s: %v\n asked %s", o.ID, err, killText(o))
		return
	}
	if again := killAnswerOf(got, o, true); killText(again) != killText(told) {
		j.differ("order %s: %s\n told  %s\n again %s\n asked %s", o.ID, killFields("", told, &again), killText(told), killText(again), killText(o))
	}
}

// wrote tells whether there is a record since it was asked last.
func (j *killJudge) wrote() bool {
	last := j.sequence
	j.sequence = j.a.Stats().Journal.Sequence
	return j.sequence != last
}

// since is what was written after a record.
func (j *killJudge) since(ctx context.Context, before uint64) (text string) {
	for e, err := range j.a.History(ctx, before+1) {
		if err != nil {
			return text + err.Error()
		}
		text += fmt.Sprintf("%d %s %s %s, ", e.Sequence, e.Name, e.ID, e.Setting)
	}
	return text
}

// allLive tells the orders of which no part can be forgotten yet. Without its first
// part an ID would be a new order, and the answer to a repeat has the parts that are
// remembered.
func (j *killJudge) allLive(id string, told *killAnswer) bool {
	r, err := j.a.Lookup(id)
	if err != nil || r.State.Ended() {
		return false
	}
	parts := r.Parts
	for _, part := range told.Parts {
		parts = append(parts, part.Part)
	}
	for _, n := range parts {
		if p, err := j.a.Part(id, n).Lookup(); err != nil || p.State.Ended() {
			return false
		}
	}
	return true
}

// killFields names the fields in which two answers differ.
func killFields(of string, x, y *killAnswer) string {
	var names []string
	for _, f := range []struct {
		name string
		same bool
	}{{"ID", x.ID == y.ID}, {"Part", x.Part == y.Part}, {"Location", x.Location == y.Location}, {"Distance", x.Distance == y.Distance}, {"HeldUntil", x.HeldUntil.Equal(y.HeldUntil)},
		{"Form", x.Form == y.Form}, {"Ready", x.Ready.Equal(y.Ready)}, {"Lines", killText(x.Lines) == killText(y.Lines)}, {"Parts", len(x.Parts) == len(y.Parts)}} {
		if !f.same {
			names = append(names, of+f.name)
		}
	}
	for i := range min(len(x.Parts), len(y.Parts)) {
		if more := killFields(fmt.Sprintf("Parts[%d].", i), &x.Parts[i], &y.Parts[i]); more != "" {
			names = append(names, more)
		}
	}
	return strings.Join(names, ", ")
}

// settle repeats what the kill had left open, so that the next life goes on from
// what is known, and writes down the answers.
func (j *killJudge) settle(ctx context.Context, log *killLog) error {
	for _, r := range j.requests {
		if r.told != nil || !r.ask.named() {
			continue
		}
		told := r.ask.do(ctx, j.a)
		if err := log.write(killLine{N: r.n, Told: &told}); err != nil {
			return err
		}
	}
	for _, id := range killSorted(j.orders) {
		// A rejection that was repeated may have moved an order that is clean.
		if err := killReads(j.a, log, 0, []string{id}); err != nil {
			return err
		}
	}
	return nil
}
