package reservation

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation/history"
)

var recoverHolds = flag.Int("recover", 200_000, "live holds that BenchmarkRecovery recovers")

// stockedIn is a ledger with a directory, whose 1,000 locations have plenty of 300
// SKUs each.
func stockedIn(b *testing.B, o Options) *Ledger {
	b.Helper()
	l, err := Open(o)
	mustDo(b, err)
	order := make([]uint32, 1000)
	for i := range order {
		order[i], _, err = l.AddSlot(fmt.Sprint("L", i), nil, 1)
		mustDo(b, err)
	}
	l.Renumber(order, 8, func(*Table) {})
	mustDo(b, l.Fill())
	for _, slot := range order {
		m := Movement{ID: fmt.Sprint("GR-", slot), Cause: history.Received, Slot: slot, Now: 1}
		for sku := range 300 {
			m.Lines = append(m.Lines, MovementLine{SKU: fmt.Sprint("SKU-", sku), Units: 1 << 20})
		}
		_, err := l.Move(&m)
		mustDo(b, err)
	}
	return l
}

// BenchmarkRecovery opens a directory of so many live holds of three lines: from
// the journal alone, and from a snapshot. It reports records a second of the
// whole opening, stock laid out included.
func BenchmarkRecovery(b *testing.B) {
	for _, from := range []string{"journal", "snapshot"} {
		b.Run(fmt.Sprintf("from=%s/holds=%d", from, *recoverHolds), func(b *testing.B) {
			o := Options{SKUs: 1 << 10, Locations: 1 << 11, Remember: 1 << 16, Written: true, Dir: b.TempDir()}
			l := stockedIn(b, o)
			var c Claim
			var found Entry
			table := l.Table()
			lines := make([]Line, 3)
			for i := range *recoverHolds {
				x := uint32(i) * 2654435761 >> 8
				lines[0], lines[1], lines[2] = Line{SKU: x % 100, Quantity: 1}, Line{SKU: 100 + x%97, Quantity: 1}, Line{SKU: 200 + x%89, Quantity: 1}
				c.Bind(l, table, lines)
				h := Hold{ID: fmt.Sprintf("SO-%09d", i), Slot: x % 1000, Now: int64(i), Deadline: 1 << 40}
				if how := c.Reserve(table.Space.Number(h.Slot), &h, &found); how != Done {
					b.Fatal(how, c.Err())
				}
				if i%65536 == 0 {
					mustDo(b, l.Wait(b.Context(), c.Ticket()))
				}
			}
			if from == "snapshot" {
				mustDo(b, l.Snapshot(b.Context(), 1))
			}
			mustDo(b, l.Close())
			slots := l.Slots()
			l = nil
			runtime.GC()
			b.ResetTimer()
			for range b.N {
				start := time.Now()
				l, err := Open(o)
				mustDo(b, err)
				read := time.Since(start)
				order := make([]uint32, slots)
				for i := range order {
					order[i] = uint32(i)
				}
				l.Renumber(order, 8, func(*Table) {})
				mustDo(b, l.Fill())
				b.StopTimer()
				b.ReportMetric(float64(*recoverHolds)/read.Seconds(), "read-records/s")
				if n := l.Numbers(); n.Held != *recoverHolds {
					b.Fatalf("%d holds", n.Held)
				}
				mustDo(b, l.Close())
				l = nil
				runtime.GC()
				b.StartTimer()
			}
			b.ReportMetric(float64(*recoverHolds)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
