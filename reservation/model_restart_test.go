package reservation

import (
	"context"
	"fmt"
)

// open opens the ledger that is on the disk and lays out its stock.
func (g *game) open() {
	o := g.options
	o.disk = g.disk
	l, err := Open(o)
	if err != nil {
		is(g, "open", err, nil)
		g.l = New(g.options)
		return
	}
	g.l = l
	if g.sim != nil {
		if g.sim.compare(); g.failed != nil {
			return
		}
	}
	if len(g.w.slots) > 0 {
		is(g, "slots", l.Slots(), len(g.w.slots))
		g.renumber()
	}
	g.fact(l.Fill(), nil)
	g.now = max(g.now, l.Time())
	_, err = l.Opened(g.now)
	g.fact(err, nil)
}

// commit makes what was recorded durable, and sometimes writes a snapshot.
func (g *game) commit() {
	if g.sim != nil {
		g.sim.commit()
		return
	}
	if g.talks {
		g.last = "commit"
	}
	if g.l.queue == nil {
		return
	}
	g.fact(g.l.queue.Step(), nil)
	if g.disk != nil && g.n(4) == 0 {
		if g.talks {
			g.last = fmt.Sprintf("snapshot at record %d", g.l.queue.Last())
		}
		g.fact(g.l.Snapshot(context.Background(), g.now), nil)
		g.snapshot = g.now
	}
	if g.n(8) == 0 {
		g.audit()
	}
}

// audit has the ledger look for differences.
func (g *game) audit() {
	if g.talks {
		g.last = "audit"
	}
	report, err := g.l.Audit(context.Background(), nil)
	g.fact(err, nil)
	if len(report.Differences) > 0 {
		is(g, "differences", fmt.Sprintf("%+v", report.Differences), "none")
	}
}

// restart closes and opens the ledger, or lets it crash, with or without
// changes that no one knows to be durable.
func (g *game) restart() {
	if g.sim != nil {
		return // it has its own ways
	}
	g.fact(g.l.queue.Step(), nil)
	if g.talks {
		g.last = "restart"
	}
	if g.n(2) == 0 {
		g.fact(g.l.Close(), nil)
		g.disk = g.disk.Kill()
		if g.n(4) == 0 { // with goroutines, which share out the recovery
			g.options.manual = false
			g.reopen(g.w)
			g.fact(g.l.Close(), nil)
			g.options.manual = true
			g.disk = g.disk.Kill()
		}
		g.reopen(g.w)
		return
	}
	// Each of these is there or not, and none without the ones before.
	durable := g.l.queue.Last()
	images := map[uint64]*ledgerTwin{durable: g.w.clone()}
	for range g.n(4) {
		disk := g.disk
		g.disk = nil // no restart within
		g.step()
		g.adopt()
		g.disk = disk
		images[g.l.queue.Last()] = g.w.clone()
	}
	if g.n(2) == 0 {
		g.fact(g.l.queue.Step(), nil)
	}
	durable = g.l.queue.Durable()
	g.disk = g.disk.Crash()
	if g.talks {
		g.last = fmt.Sprintf("crash at record %d, %d durable", g.l.queue.Last(), durable)
	}
	log, err := Open(Options{SKUs: twinSKUs, Locations: twinSlots, SegmentBytes: g.options.SegmentBytes, disk: g.disk, manual: true, Remember: 1})
	if err != nil {
		is(g, "open", err, nil)
		return
	}
	last := log.queue.Last()
	g.fact(log.Close(), nil)
	if last < durable {
		is(g, "lost: last record", last, durable)
	}
	w := images[last]
	if w == nil {
		is(g, "crash: last record is that of a whole step", w != nil, true)
		return
	}
	g.reopen(w)
}

func (g *game) reopen(w *ledgerTwin) {
	g.w = w
	g.w.since = g.snapshot
	g.open()
	g.adopted = false
	g.verify()
}
