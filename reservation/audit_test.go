package reservation

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
)

// audited is a ledger in a directory with two SKUs at four locations, and a few
// reservations in several states.
func audited(t *testing.T) *Ledger {
	t.Helper()
	l, err := Open(Options{SKUs: 100, Locations: 100, Remember: 1000, Dir: t.TempDir(), SegmentBytes: 64 << 10})
	mustDo(t, err)
	t.Cleanup(func() { mustDo(t, l.Close()) })
	var order []uint32
	for i := range 4 {
		slot, _, err := l.AddSlot(fmt.Sprint("l", i), nil, 1)
		mustDo(t, err)
		order = append(order, slot)
	}
	l.Renumber(order, 4, func(*Table) {})
	mustDo(t, l.Fill())
	for i := range uint32(4) {
		received(t, l, fmt.Sprint("t", i), i, "tea", 1000)
		received(t, l, fmt.Sprint("c", i), i, "cup", 1000)
	}
	for i := range 20 {
		id := fmt.Sprint("o", i)
		reserve(l, id, 1, uint32(i%4), units(0, 2), units(1, 1))
		for _, verb := range []history.Kind{history.Confirmed, history.Accepted, history.Collected}[:i%4] {
			_, err := end(l, verb, id)
			mustDo(t, err)
		}
	}
	return l
}

// Whatever is tampered with, the audit finds it, and nothing before that.
func TestAuditFindsWhatIsTamperedWith(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(l *Ledger)
		want string
	}{
		{"an available unit too many", func(l *Ledger) { l.state.Stock.Change(0, 1, 1) }, "tea l1  held"},
		{"a unit on hand too few", func(l *Ledger) { l.state.Stock.AddOnHand(1, 2, -1) }, "cup l2  on hand"},
		{"safety stock from nowhere", func(l *Ledger) { l.state.Safety.Put(SafetyLevel{SKU: 0, Slot: 3, Units: 7}) }, "tea l3  held"},
		{"a reservation that is gone", func(l *Ledger) { l.state.Book.Drop(book.KindOrder, "o4") }, "  o4 is there"},
		{"a state nobody recorded", func(l *Ledger) { l.tamper("o8", func(e *book.Entry) { e.State = Ready }) }, "  o8 state"},
		{"another deadline", func(l *Ledger) { l.tamper("o4", func(e *book.Entry) { e.Deadline++ }) }, "  o4 deadline"},
		{"units in another place", func(l *Ledger) {
			l.tamper("o4", func(e *book.Entry) { e.Lines[0].Held, e.Lines[0].Confirmed = 1, 1 })
		}, "  o4 lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := audited(t)
			report, err := l.Audit(t.Context(), nil)
			mustDo(t, err)
			if len(report.Differences) > 0 || report.Cells != 8 || report.Reservations != 20 || report.Sequence != l.queue.Last() {
				t.Fatalf("before: %+v", report)
			}
			c.do(l)
			report, err = l.Audit(t.Context(), nil)
			mustDo(t, err)
			var found []string
			for _, d := range report.Differences {
				found = append(found, d.SKU+" "+d.Location+" "+d.ID+" "+d.What)
			}
			if text := strings.Join(found, "\n"); !strings.Contains(text, c.want) {
				t.Errorf("found %q, want %q", text, c.want)
			}
		})
	}
}

// tamper changes an entry behind the journal's back.
func (l *Ledger) tamper(id string, how func(*book.Entry)) {
	var e book.Entry
	if _, err := l.state.Book.Change(book.KindOrder, id, &e, tampering(how)); err != nil {
		panic(err)
	}
}

type tampering func(*book.Entry)

func (t tampering) Apply(_ string, e *book.Entry) ([]byte, error) {
	t(e)
	return nil, nil
}

// Without a journal the counters are compared with the reservations.
func TestAuditInMemory(t *testing.T) {
	l := floorOf(t, 2, 0, roomy)
	tea := received(t, l, "r", 0, "tea", 5)
	reserve(l, "o", 1, 0, units(tea, 2))
	report, err := l.Audit(t.Context(), nil)
	if err != nil || len(report.Differences) > 0 {
		t.Errorf("%+v %v", report, err)
	}
	l.state.Stock.Change(tea, 0, -1)
	report, err = l.Audit(t.Context(), nil)
	if err != nil || len(report.Differences) != 1 || report.Differences[0] != (Difference{SKU: "tea", Location: "l0", What: "held", Live: 3, Recomputed: 2}) {
		t.Errorf("%+v %v", report, err)
	}
}

// While reservations are made, confirmed, collected and canceled, and goods come
// and go, an audit finds nothing. Changes stop only while it asks them to.
func TestAuditUnderTraffic(t *testing.T) {
	l := audited(t)
	var gate sync.RWMutex
	var stop atomic.Bool
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for n := 0; !stop.Load(); n++ {
				gate.RLock()
				id := fmt.Sprintf("x%d-%d", caller, n)
				slot := uint32(n % 4)
				reserve(l, id, 1, slot, units(0, 1), units(1, 1))
				end(l, []history.Kind{history.Confirmed, history.Canceled, history.Collected}[n%3], id)
				if n%16 == 0 {
					moved(l, &Movement{ID: "r" + id, Cause: history.Received, Slot: slot, Now: 5, Lines: []MovementLine{{"tea", 20}, {"cup", 20}}})
				}
				gate.RUnlock()
			}
		})
	}
	for range 5 {
		report, err := l.Audit(t.Context(), func() func() { gate.Lock(); return gate.Unlock })
		mustDo(t, err)
		if len(report.Differences) > 0 {
			t.Errorf("%d differences, such as %+v", len(report.Differences), report.Differences[0])
		}
		mustDo(t, l.Snapshot(t.Context(), 7))
	}
	stop.Store(true)
	callers.Wait()
}
