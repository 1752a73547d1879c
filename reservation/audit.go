package reservation

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// AuditReport is what an audit looked at and what it found wrong.
type AuditReport struct {
	Sequence     uint64 // the record up to which the journal was compared; 0 without one
	Records      uint64 // replayed for it
	Cells        int    // SKUs at locations
	Reservations int    // live and remembered ones
	Rechecked    int    // cells and reservations that changed meanwhile and were looked at again
	Differences  []Difference
}

// Difference is something that is not as it should be. SKU and Location, or ID,
// say where.
type Difference struct {
	SKU, Location, ID string
	What              string // which figure
	Live, Recomputed  int64
}

// maxDifferences bounds a report: from there on the rest is as bad.
const maxDifferences = 1000

// auditor compares a live ledger with one recomputed from the journal, its
// shadow.
type auditor struct {
	ctx    context.Context
	live   *Ledger
	shadow *Ledger
	replay *recovery.Replay
	report AuditReport
	cells  map[uint64]struct{} // to be looked at again
	ids    map[string]struct{}
}

// Audit recomputes every counter and every reservation and reports what differs
// from the live ones: from the newest snapshot and the journal after it, or, in a
// ledger without a directory, from the reservations. It also looks for stock that
// no availability bit shows. Traffic goes on: what changes while it is compared
// is compared again, and only the last of it, a few cells and reservations, while
// pause holds changes up. Without a directory, or without pause, everything is
// compared in one piece: pause then lasts as long as that takes, and without it
// the caller sees to it that nothing changes.
//
// It needs memory for a second copy of the state while it runs.
func (l *Ledger) Audit(ctx context.Context, pause func() (resume func())) (AuditReport, error) {
	a := &auditor{ctx: ctx, live: l, cells: map[uint64]struct{}{}, ids: map[string]struct{}{}}
	if pause == nil {
		pause = func() func() { return func() {} }
	}
	var err error
	if l.storage == nil {
		resume := pause()
		defer resume()
		a.withoutJournal()
	} else {
		err = a.withJournal(pause)
	}
	if err != nil {
		return a.report, fmt.Errorf("reservation: audit: %w", err)
	}
	return a.report, nil
}

func (a *auditor) differs(d Difference) {
	if len(a.report.Differences) < maxDifferences {
		a.report.Differences = append(a.report.Differences, d)
	}
}

// withJournal builds the shadow, compares, follows the journal and compares the
// rest until little is left, and that under pause.
func (a *auditor) withJournal(pause func() func()) error {
	l := a.live
	defer l.storage.Steady()() // no snapshot takes the journal away meanwhile
	if err := a.build(); err != nil {
		return err
	}
	a.compareAll()
	a.hidden()
	for before := math.MaxInt; len(a.cells)+len(a.ids) < before/2 && len(a.cells)+len(a.ids) > 64; {
		before = len(a.cells) + len(a.ids)
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
	a.report.Rechecked = len(a.cells) + len(a.ids)
	a.compareSuspects(true)
	a.compareNotes()
	a.report.Sequence, a.report.Records = a.replay.Sequence(), a.replay.Records()
	return a.ctx.Err()
}

// build makes the shadow from the newest snapshot, laid out like the live stock.
func (a *auditor) build() error {
	l := a.live
	o := l.options
	o.Logger = nil
	shadow, p, err := recoverFrom(l.storage.Storage, o)
	if err != nil {
		return err
	}
	a.shadow, a.replay = shadow, p
	space := l.Table().Space
	order := make([]uint32, 0, l.Slots())
	for slot := range uint32(shadow.Slots()) {
		if !shadow.isGone(slot) && space.Number(slot) != NoNumber {
			order = append(order, slot)
		}
	}
	shadow.Renumber(order, 0, func(*Table) {})
	return shadow.Fill()
}

// follow brings into the shadow what has become durable since.
func (a *auditor) follow() error {
	if err := a.live.queue.WaitFor(a.ctx, a.live.queue.Last()); err != nil {
		return err
	}
	for record, err := range a.live.queue.Follow(a.ctx, a.replay.Sequence()+1, false) {
		if err != nil {
			return err
		}
		r, err := a.replay.Next(record.Sequence, record.Data)
		if err != nil {
			return refused(err)
		}
		a.number(r)
	}
	return nil
}

// number gives locations that came meanwhile a place in the shadow's stock.
func (a *auditor) number(r *history.Record) {
	s := a.shadow
	if r.Kind != history.LocationSet || s.Table().Space.Number(r.Slot) != NoNumber {
		return
	}
	order := make([]uint32, 0, s.Slots())
	for slot := range uint32(s.Slots()) {
		if !s.isGone(slot) {
			order = append(order, slot)
		}
	}
	s.Renumber(order, 64, func(*Table) {})
}

// compareAll looks at everything once and notes what is different now.
func (a *auditor) compareAll() {
	l := a.live
	for sku := range uint32(l.state.SKUs.Len()) {
		for _, of := range [2]*Ledger{l, a.shadow} {
			if int(sku) >= of.state.SKUs.Len() {
				continue
			}
			of.state.Stock.Slots(sku, func(slot uint32) bool {
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
	for _, of := range [2]*Ledger{l, a.shadow} {
		for id := range of.state.Book.All() {
			if of == l {
				a.report.Reservations++
			}
			if a.entryDifference(id) != "" {
				a.ids[id] = struct{}{}
			}
		}
	}
}

// sameCell compares one cell. What nobody has taken of a window or a period goes
// with its location: the live counter stays as it was, the shadow has none.
func (a *auditor) sameCell(sku, slot uint32) bool {
	return a.live.state.Classes.Resource(sku) && a.live.isGone(slot) || a.live.Available(sku, slot) == a.shadow.Available(sku, slot)
}

// entryDifference compares one reservation; it says what is different, or
// nothing. One that has been forgotten on one side only is none: how long an
// ended one is remembered is not in the journal.
func (a *auditor) entryDifference(id string) string {
	var live, shadow book.Entry
	isLive := a.live.state.Book.Find(book.KindOrder, id, &live)
	isShadow := a.shadow.state.Book.Find(book.KindOrder, id, &shadow)
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
		live.Parts != shadow.Parts || live.Cause != shadow.Cause || live.Note != shadow.Note:
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
		live, shadow := a.live.Available(sku, slot), a.shadow.Available(sku, slot)
		for _, f := range [...]struct {
			what         string
			live, shadow int64
		}{{"on hand", live.OnHand, shadow.OnHand}, {"held", live.Held, shadow.Held}, {"safety stock", live.Safety, shadow.Safety}} {
			if f.live != f.shadow {
				a.differs(Difference{SKU: a.live.SKUName(sku), Location: a.live.SlotName(slot), What: f.what, Live: f.live, Recomputed: f.shadow})
			}
		}
	}
	for id := range a.ids {
		what := a.entryDifference(id)
		if what == "" {
			delete(a.ids, id)
		} else if final {
			a.differs(Difference{ID: id, What: what})
		}
	}
}

// compareNotes compares what the caller keeps with the ledger, unless it has been
// changed after all that was read.
func (a *auditor) compareNotes() {
	live, changed := a.live.state.Notes.Copied()
	if changed > a.replay.Sequence() {
		return
	}
	shadow, _ := a.shadow.state.Notes.Copied()
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

// withoutJournal compares the counters with what the reservations hold.
func (a *auditor) withoutJournal() {
	l := a.live
	held := map[uint64]int64{}
	for id, e := range l.state.Book.All() {
		a.report.Reservations++
		if !e.Sound() {
			a.differs(Difference{ID: id, What: "lines"})
		}
		if e.State == InTransit || e.State.Ended() {
			continue
		}
		for i := range e.Lines {
			held[state.Pair(e.Lines[i].SKU, e.Location)] += int64(e.Lines[i].Held) + int64(e.Lines[i].Confirmed)
		}
	}
	for sku := range uint32(l.state.SKUs.Len()) {
		l.state.Stock.Slots(sku, func(slot uint32) bool {
			a.report.Cells++
			level := l.Available(sku, slot)
			if want := held[state.Pair(sku, slot)]; level.Held != want {
				a.differs(Difference{SKU: l.SKUName(sku), Location: l.SlotName(slot), What: "held", Live: level.Held, Recomputed: want})
			}
			if level.OnHand < 0 {
				a.differs(Difference{SKU: l.SKUName(sku), Location: l.SlotName(slot), What: "on hand", Live: level.OnHand})
			}
			delete(held, state.Pair(sku, slot))
			return true
		})
	}
	for key, want := range held {
		if want != 0 {
			a.differs(Difference{SKU: l.SKUName(uint32(key >> 32)), Location: l.SlotName(uint32(key)), What: "held", Recomputed: want})
		}
	}
	a.hidden()
}

// hidden looks for stock that no bit shows.
func (a *auditor) hidden() {
	l := a.live
	for sku := range uint32(l.state.SKUs.Len()) {
		l.state.Stock.Hidden(sku, func(slot uint32) bool {
			a.differs(Difference{SKU: l.SKUName(sku), Location: l.SlotName(slot), What: "availability bit"})
			return len(a.report.Differences) < maxDifferences
		})
	}
}
