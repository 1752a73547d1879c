package audit

import (
	"bytes"
	"context"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// Report is what an audit looked at and what it found wrong.
type Report struct {
	Sequence     uint64 // the record up to which the journal was compared; 0 without one
	Records      uint64 // replayed for it
	Cells        int    // SKUs at locations
	Reservations int    // live and remembered ones
	Rechecked    int    // cells and reservations that changed meanwhile and were looked at again
	Differences  []Difference
}

// Difference is something that is not as it should be. SKU and Location, or ID and
// Part, say where.
type Difference struct {
	SKU, Location, ID string
	Part              int    // of an order of several parts, from 2 on; 0: the first one
	What              string // which figure
	Live, Recomputed  int64
}

// maxDifferences bounds a report: from there on the rest is as bad.
const maxDifferences = 1000

// auditor compares a live state with one recomputed from the journal, its shadow.
type auditor struct {
	ctx    context.Context
	live   *state.State
	log    *commit.Queue // of the live state
	shadow *state.State
	replay *recovery.Replay
	report Report
	cells  map[uint64]struct{} // to be looked at again
	names  map[book.Name]struct{}
}

func (a *auditor) differs(d Difference) {
	if len(a.report.Differences) < maxDifferences {
		a.report.Differences = append(a.report.Differences, d)
	}
}

// Compare compares a live state with its shadow, a state that was recovered from the
// same log and is not laid out yet; p has read it that far, and goes on. pause holds
// changes of the live state up while the last of it is compared. The shadow is laid out
// with so many workers. An error that is not ctx's is of the log, or of a record.
func Compare(ctx context.Context, live *state.State, log *commit.Queue, shadow *state.State, p *recovery.Replay, workers int, pause func() (resume func())) (Report, error) {
	a := &auditor{ctx: ctx, live: live, log: log, shadow: shadow, replay: p, cells: map[uint64]struct{}{}, names: map[book.Name]struct{}{}}
	err := a.withShadow(workers, pause)
	return a.report, err
}

// withShadow compares, follows the log and compares the rest until little is left, and
// that under pause.
func (a *auditor) withShadow(workers int, pause func() func()) error {
	if err := a.layOut(workers); err != nil {
		return err
	}
	a.compareAll()
	a.hidden()
	for before := math.MaxInt; len(a.cells)+len(a.names) < before/2 && len(a.cells)+len(a.names) > 64; {
		before = len(a.cells) + len(a.names)
		if err := a.follow(); err != nil {
			return err
		}
		a.compareSuspects(false)
	}
	resume := pause()
	defer resume()
	if err := a.follow(); err != nil {
		return err
	}
	a.report.Rechecked = len(a.cells) + len(a.names)
	a.compareSuspects(true)
	a.compareNotes()
	a.report.Sequence, a.report.Records = a.replay.Sequence(), a.replay.Records()
	return a.ctx.Err()
}

// layOut lays out the shadow like the live stock.
func (a *auditor) layOut(workers int) error {
	space := a.live.Stock.Table().Space
	a.renumber(0, func(slot uint32) bool { return space.Number(slot) != stock.None })
	_, err := recovery.LayOut(a.shadow, workers)
	return err
}

// renumber numbers the locations of the shadow that there are and that pass.
func (a *auditor) renumber(spare int, pass func(slot uint32) bool) {
	s := a.shadow
	order := make([]uint32, 0, s.Slots.Len())
	for slot := range uint32(s.Slots.Len()) {
		if !s.IsGone(slot) && pass(slot) {
			order = append(order, slot)
		}
	}
	s.Stock.Renumber(order, s.Slots.Len(), spare, func(*stock.Table) {})
}

// follow brings into the shadow what has become durable since.
func (a *auditor) follow() error {
	if err := a.log.WaitFor(a.ctx, a.log.Last()); err != nil {
		return err
	}
	for record, err := range a.log.Follow(a.ctx, a.replay.Sequence()+1, false) {
		if err != nil {
			return err
		}
		r, err := a.replay.Next(record.Sequence, record.Data)
		if err != nil {
			return err
		}
		a.number(r)
	}
	return nil
}

// number gives locations that came meanwhile a place in the shadow's stock.
func (a *auditor) number(r *history.Record) {
	if r.Kind == history.LocationSet && a.shadow.Stock.Table().Space.Number(r.Slot) == stock.None {
		a.renumber(64, func(uint32) bool { return true })
	}
}

// compareAll looks at everything once and notes what is different now.
func (a *auditor) compareAll() {
	l := a.live
	for sku := range uint32(l.SKUs.Len()) {
		for _, of := range [2]*state.State{l, a.shadow} {
			if int(sku) >= of.SKUs.Len() {
				continue
			}
			of.Stock.Slots(sku, func(slot uint32) bool {
				if of == l {
					a.report.Cells++
				}
				if !a.sameCell(sku, slot) {
					a.cells[state.Pair(sku, slot)] = struct{}{}
				}
				return true
			})
		}
		if a.ctx.Err() != nil {
			return
		}
	}
	for _, of := range [2]*state.State{l, a.shadow} {
		for id, e := range of.Book.All() {
			if of == l {
				a.report.Reservations++
			}
			if n := (book.Name{ID: id, Part: e.Part}); a.entryDifference(n) != "" {
				a.names[n] = struct{}{}
			}
		}
	}
}

// sameCell compares one cell. What nobody has taken of a window or a period goes
// with its location: the live counter stays as it was, the shadow has none.
func (a *auditor) sameCell(sku, slot uint32) bool {
	return a.live.Classes.Resource(sku) && a.live.IsGone(slot) || a.live.Units(sku, slot) == a.shadow.Units(sku, slot)
}

// entryDifference compares one reservation; it says what is different, or
// nothing. One that has been forgotten on one side only is none: how long an
// ended one is remembered is not in the journal.
func (a *auditor) entryDifference(n book.Name) string {
	var live, shadow book.Entry
	isLive := a.live.Book.FindPart(n, &live)
	isShadow := a.shadow.Book.FindPart(n, &shadow)
	switch {
	case !isLive && !isShadow, !isLive && shadow.State.Ended(), !isShadow && live.State.Ended():
		return ""
	case !isLive || !isShadow:
		return "is there"
	case live.Sequence != shadow.Sequence:
		return "sequence"
	case live.State != shadow.State || live.Location != shadow.Location:
		return "state"
	case live.Deadline != shadow.Deadline || live.Pickup != shadow.Pickup || live.Since != shadow.Since:
		return "deadline"
	case !slices.Equal(live.Lines, shadow.Lines):
		return "lines"
	case live.Fingerprint != shadow.Fingerprint || live.Refs != shadow.Refs || live.Distance != shadow.Distance,
		live.Promise != shadow.Promise || live.Origin != shadow.Origin || live.Rejects != shadow.Rejects,
		live.Form != shadow.Form || live.Form == life.Brought && live.To != shadow.To,
		live.Parts != shadow.Parts || live.From != shadow.From || live.Note != shadow.Note || live.Parcel != shadow.Parcel:
		return "content"
	}
	return ""
}

// compareSuspects looks again at what was different; the last time it counts.
func (a *auditor) compareSuspects(final bool) {
	for key := range a.cells {
		sku, slot := uint32(key>>32), uint32(key)
		if a.sameCell(sku, slot) {
			delete(a.cells, key)
			continue
		}
		if !final {
			continue
		}
		live, shadow := a.live.Units(sku, slot), a.shadow.Units(sku, slot)
		for _, f := range [...]struct {
			what         string
			live, shadow int64
		}{{"on hand", live.OnHand, shadow.OnHand}, {"held", live.Held, shadow.Held}, {"safety stock", live.Safety, shadow.Safety}} {
			if f.live != f.shadow {
				a.differs(Difference{SKU: a.live.SKUs.Name(sku), Location: a.live.Slots.Name(slot), What: f.what, Live: f.live, Recomputed: f.shadow})
			}
		}
	}
	for n := range a.names {
		what := a.entryDifference(n)
		if what == "" {
			delete(a.names, n)
		} else if final {
			a.differs(Difference{ID: n.ID, Part: int(n.Part), What: what})
		}
	}
}

// compareNotes compares what the caller keeps with the ledger, unless it has been
// changed after all that was read.
func (a *auditor) compareNotes() {
	live, changed := a.live.Notes.Copied()
	if changed > a.replay.Sequence() {
		return
	}
	shadow, _ := a.shadow.Notes.Copied()
	for key, value := range live {
		if again, ok := shadow[key]; !ok || !bytes.Equal(value, again) {
			a.differs(Difference{ID: key, What: "note"})
		}
	}
	for key := range shadow {
		if _, ok := live[key]; !ok {
			a.differs(Difference{ID: key, What: "note"})
		}
	}
}

// Alone compares the counters of a state with what its reservations hold. Nothing
// changes meanwhile: the caller sees to it.
func Alone(live *state.State) Report {
	a := &auditor{live: live}
	a.alone()
	return a.report
}

func (a *auditor) alone() {
	l := a.live
	held := map[uint64]int64{}
	for id, e := range l.Book.All() {
		a.report.Reservations++
		if !e.Sound() {
			a.differs(Difference{ID: id, Part: int(e.Part), What: "lines"})
		}
		if e.State.OnRoad() || e.State.Ended() {
			continue
		}
		for i := range e.Lines {
			held[state.Pair(e.Lines[i].SKU, e.Location)] += int64(e.Lines[i].Held) + int64(e.Lines[i].Confirmed)
		}
	}
	for sku := range uint32(l.SKUs.Len()) {
		l.Stock.Slots(sku, func(slot uint32) bool {
			a.report.Cells++
			level := l.Units(sku, slot)
			if want := held[state.Pair(sku, slot)]; level.Held != want {
				a.differs(Difference{SKU: l.SKUs.Name(sku), Location: l.Slots.Name(slot), What: "held", Live: level.Held, Recomputed: want})
			}
			if level.OnHand < 0 {
				a.differs(Difference{SKU: l.SKUs.Name(sku), Location: l.Slots.Name(slot), What: "on hand", Live: level.OnHand})
			}
			delete(held, state.Pair(sku, slot))
			return true
		})
	}
	for key, want := range held {
		if want != 0 {
			a.differs(Difference{SKU: l.SKUs.Name(uint32(key >> 32)), Location: l.Slots.Name(uint32(key)), What: "held", Recomputed: want})
		}
	}
	a.hidden()
}

// hidden looks for stock that no bit shows.
func (a *auditor) hidden() {
	l := a.live
	for sku := range uint32(l.SKUs.Len()) {
		l.Stock.Hidden(sku, func(slot uint32) bool {
			a.differs(Difference{SKU: l.SKUs.Name(sku), Location: l.Slots.Name(slot), What: "availability bit"})
			return len(a.report.Differences) < maxDifferences
		})
	}
}
