package reservation

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// Lives of TestSimulation: each ends with a fault and is followed by a recovery.
const (
	simLives     = 2_000
	simLivesLong = 1_000_000
	livesOfSeed  = 5
)

// TestSimulation lets the ledger live on a disk that fails: the power goes at any
// I/O, pages are lost, torn or written in another order, reads, writes and syncs
// fail, the disk is full and has space again, the clock jumps. After each recovery
// what was acknowledged is there, nothing is oversold, and every ID answers as
// before. All of a life follows from its seed.
func TestSimulation(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	lives := simLives
	switch {
	case *long:
		lives = simLivesLong
	case !scaletest.Full():
		lives /= 4
	}
	first, seeds := uint64(1), uint64(lives/livesOfSeed)
	if *seed != 0 {
		first, seeds = *seed, 1+*more
	}
	var total simTally
	for n := first; n < first+seeds; n++ {
		s := newSim(n, false)
		if s.run(livesOfSeed); s.g.failed != nil {
			s = newSim(n, true)
			s.run(livesOfSeed)
			t.Fatalf("-seed %d: life %d: %v", n, s.tally.lives, s.g.failed)
		}
		total.add(s.tally)
	}
	t.Logf("%+v", total)
	if *seed == 0 && (total.lost == 0 || total.stopped == 0 || total.full == 0 || total.refused == 0) {
		t.Errorf("some faults did not happen: %+v", total)
	}
}

// simTally is what happened in a simulation.
type simTally struct {
	lives, steps int
	lost         int // records that no one was told of and that were gone
	kept         int // records that no one was told of and that were there
	stopped      int // lives in which the journal stopped
	full         int // commits that found the disk full
	refused      int // openings that failed for a fault and were tried again
}

func (a *simTally) add(b simTally) {
	a.lives, a.steps, a.lost, a.kept = a.lives+b.lives, a.steps+b.steps, a.lost+b.lost, a.kept+b.kept
	a.stopped, a.full, a.refused = a.stopped+b.stopped, a.full+b.full, a.refused+b.refused
}

// sim is a game on a disk with faults.
type sim struct {
	g         *game
	x         *witness
	tally     simTally
	durable   uint64 // the last record that was acknowledged
	recovered uint64 // the last record that was there again
	faults    bool   // a fault may have happened
	down      bool   // it has stopped the journal
}

func newSim(seed uint64, talks bool) *sim {
	d := newSeeded(seed)
	g := &game{dice: d, now: 1000 * hour, talks: talks}
	g.options = Options{SKUs: twinSKUs, Locations: twinSlots, Remember: 1 << 20, manual: true, book: smallBook, words: &fixedWords, SegmentBytes: 64 << 10}
	if d.n(2) == 1 {
		g.options.RemindBefore = int64(1+d.n(5)) * 1000
	}
	g.options.frame = []int{0, 1, 200}[d.n(3)]
	g.disk = faultdisk.New(seed)
	g.disk.Strict = d.n(2) == 1
	g.w = newLedgerTwin(g.options.RemindBefore)
	s := &sim{g: g, x: newWitness(g.options.RemindBefore)}
	g.sim = s
	g.open()
	for range 2 {
		g.addSlot()
	}
	g.fact(g.l.queue.Step(), nil) // so that there always is a location
	return s
}

// says tells what happens, when it is played again.
func (s *sim) says(format string, args ...any) {
	if s.g.talks {
		fmt.Printf("life %d: "+format+"\n", append([]any{s.tally.lives}, args...)...)
	}
}

// fails notes the first failure.
func (s *sim) fails(format string, args ...any) {
	if s.g.failed == nil {
		s.g.failed = fmt.Errorf(s.g.last+": "+format, args...)
	}
}

// run lives some lives.
func (s *sim) run(lives int) {
	for range lives {
		if s.g.failed != nil {
			return
		}
		s.tally.lives++
		s.live()
		if s.g.failed == nil {
			s.die()
		}
	}
	if s.g.failed == nil {
		s.g.fact(s.g.l.queue.Step(), nil)
		s.g.end()
	}
}

// live works until a fault is met or the time has come.
func (s *sim) live() {
	g := s.g
	s.faults, s.down = false, false
	steps := 10 + g.n(150)
	switch g.n(8) {
	case 0, 1, 2:
		s.plan(faultdisk.Plan{Crash: uint64(1 + g.n(120))})
	case 3:
		p := faultdisk.Plan{}
		p.Fail[g.n(int(faultdisk.AnyIO)+1)] = uint64(1 + g.n(60))
		s.plan(p)
	case 4:
		s.plan(faultdisk.Plan{Short: uint64(1 + g.n(40))})
	case 5:
		g.disk.SetSpace(g.disk.Used() + int64(g.n(128<<10)))
		s.faults = true
	case 6:
		g.disk.OnIO = func(faultdisk.Kind, string) { g.now += int64(g.n(200)) } // slow
	}
	for range steps {
		s.tally.steps++
		if g.step(); g.n(6) == 0 && !s.down {
			s.commit()
		}
		if g.failed != nil || s.down {
			break
		}
	}
	g.disk.OnIO = nil
	g.disk.SetSpace(1 << 62)
	for i := 0; s.down && i < 5 && g.failed == nil; i++ {
		s.refuse()
	}
}

func (s *sim) plan(p faultdisk.Plan) {
	s.says("plan %+v", p)
	s.g.disk.SetPlan(p)
	s.faults = true
}

// commit makes what was recorded durable, and sometimes writes a snapshot.
func (s *sim) commit() {
	g := s.g
	if s.down {
		return
	}
	err := g.l.queue.Step()
	s.durable = g.l.queue.Durable()
	s.says("commit up to %d, durable %d: %v", g.l.queue.Last(), s.durable, err)
	switch {
	case err == nil:
	case !s.faults:
		s.fails("commit: %v", err)
	case errors.Is(err, ErrNoSpace):
		s.tally.full++
		if err := g.l.Admit(context.Background()); err != nil && !errors.Is(err, ErrNoSpace) {
			s.fails("admit: %v", err)
		}
		if g.n(4) == 0 {
			g.disk.SetSpace(1 << 62)
			g.fact(g.l.queue.Step(), nil)
		}
		return
	case errors.Is(err, ErrJournal):
		s.down = true
		s.tally.stopped++
		return
	default:
		s.fails("commit: %v", err)
	}
	if g.n(8) == 0 {
		s.note(s.x.read(g.l.storage.Log()))
		s.note(g.l.Snapshot(context.Background(), g.now))
		s.down = s.down || g.l.queue.Err() != nil
	}
}

// note fails on an error that no fault explains.
func (s *sim) note(err error) {
	if err != nil && (!s.faults || errors.Is(err, ErrCorrupt)) {
		s.fails("%v", err)
	}
}

// refuse asks for something that the journal cannot record any more: it changes
// nothing.
func (s *sim) refuse() {
	g := s.g
	before := g.w.clone()
	loose := g.loose
	switch g.n(5) {
	case 0:
		g.reserve()
	case 1:
		g.change()
	case 2:
		g.move()
	case 3:
		g.deliver()
	default:
		g.expire()
	}
	g.failed = nil
	last := g.last
	g.w, g.loose = before, loose
	lengthen(&g.w.orders, partAt(len(g.orders), 1))
	lengthen(&g.w.transfers, len(g.transfers))
	g.last = "refused: " + last
	g.verify()
}
