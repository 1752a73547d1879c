package reservation

import (
	"errors"

	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// die ends a life, opens the ledger again and checks what it has recovered.
func (s *sim) die() {
	g := s.g
	last := g.l.queue.Last()
	s.durable = max(s.durable, g.l.queue.Durable())
	how := g.n(4)
	s.says("ends at record %d, way %d", last, how)
	switch how {
	case 0: // in good order, if nothing has happened before
		err := g.l.Close()
		if err != nil && !s.faults {
			s.fails("close: %v", err)
		}
		if err == nil {
			s.durable = last
		}
		g.disk = g.disk.Kill()
	case 1:
		g.disk = g.disk.Kill()
	default:
		g.disk = g.disk.Crash()
	}
	for range g.n(3) {
		s.stumble()
	}
	g.disk.SetPlan(faultdisk.Plan{})
	before := g.w
	g.loose = true
	g.now += []int64{0, 0, hour, -hour}[g.n(4)]
	g.open()
	whole := s.recovered == last
	s.tally.lost += int(last - min(last, s.recovered))
	s.tally.kept += int(s.recovered - min(s.durable, s.recovered))
	if g.failed != nil {
		return
	}
	g.w.since = g.l.state.Floors[0].Since
	g.adopted = false
	if g.verify(); g.failed == nil && whole && !s.down {
		s.sameAs(before)
	}
	s.again()
}

// cutsInRecovery lets the power go while the ledger recovers; else only the
// process ends then.
const cutsInRecovery = true

// stumble meets another fault while recovering.
func (s *sim) stumble() {
	g := s.g
	p := faultdisk.Plan{}
	crash := g.n(2) == 0
	if n := uint64(1 + g.n(30)); crash {
		p.Crash = n
	} else {
		p.Fail[g.n(int(faultdisk.AnyIO)+1)] = n
	}
	s.says("stumbles with %+v", p)
	g.disk.SetPlan(p)
	o := g.options
	o.disk = g.disk
	l, err := Open(o)
	if err != nil {
		s.tally.refused++
		if errors.Is(err, ErrCorrupt) {
			s.fails("a fault is taken for damage: %v", err)
		}
	} else if err := l.Close(); err != nil && g.disk.Count(faultdisk.AnyIO) == 0 {
		s.fails("%v", err)
	}
	if crash && cutsInRecovery {
		g.disk = g.disk.Crash()
	} else {
		g.disk = g.disk.Kill()
	}
}

// sameAs compares with the twin from before the fault, when all was recovered.
func (s *sim) sameAs(before *ledgerTwin) {
	g := s.g
	now := g.w
	before.since, before.recent = now.since, now.recent
	for slot := range before.slots {
		before.slots[slot].numbered = now.slots[slot].numbered
	}
	g.w = before
	g.last += ", compared with what was there before"
	g.adopted = false
	g.verify()
	g.w = now
	g.adopted = false
}

// again repeats calls that were made before: they get the same answer, and
// nothing is recorded.
func (s *sim) again() {
	g := s.g
	last := g.l.queue.Last()
	for i, o := range g.w.orders {
		if o == nil || o.number%3 != 0 {
			continue
		}
		var found Entry
		if g.l.FindPart(g.orders[orderOf(i)], o.part, &found); found.Fingerprint != o.fingerprint {
			s.fails("order %d has the fingerprint %d, not %d", i, found.Fingerprint, o.fingerprint)
		}
	}
	for i, m := range g.w.moves {
		if m == nil || i%3 != 0 {
			continue
		}
		repeat := *m
		repeat.Now = g.now
		if !g.w.here(repeat.Slot) {
			continue
		}
		if _, err := g.l.Move(&repeat); err != nil {
			s.fails("the repeat of %q: %v", m.ID, err)
		}
		repeat = *m
		repeat.Lines = append([]MovementLine{{SKU: "more", Units: 1}}, repeat.Lines...)
		if _, err := g.l.Move(&repeat); !errors.Is(err, ErrConflict) {
			s.fails("another %q: %v", m.ID, err)
		}
	}
	if now := g.l.queue.Last(); now != last {
		s.fails("repeats were recorded: %d to %d", last, now)
	}
}

// compare reads what the ledger has recovered, and lets the game go on with that.
func (s *sim) compare() {
	g := s.g
	if err := s.x.read(g.l.storage.Log()); err != nil {
		s.fails("what was recovered: %v", err)
		return
	}
	if s.recovered = s.x.at; s.recovered < s.durable {
		s.fails("record %d was acknowledged, and the journal ends at %d", s.durable, s.recovered)
	}
	clear(s.x.seen)
	g.w = s.x.twin(g.w)
}
