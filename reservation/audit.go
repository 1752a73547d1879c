package reservation

import (
	"context"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/internal/audit"
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

// Difference is something that is not as it should be. SKU and Location, or ID and
// Part, say where.
type Difference struct {
	SKU, Location, ID string
	Part              int    // of an order of several parts, from 2 on; 0: the first one
	What              string // which figure
	Live, Recomputed  int64
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
	if pause == nil {
		pause = func() func() { return func() {} }
	}
	if l.storage == nil {
		resume := pause()
		defer resume()
		return reportOf(audit.Alone(&l.state)), nil
	}
	defer l.storage.Steady()() // no snapshot takes the journal away meanwhile
	o := l.options
	o.Logger = nil
	shadow, p, err := recoverFrom(l.storage.Storage, o)
	if err != nil {
		return AuditReport{}, fmt.Errorf("reservation: audit: %w", err)
	}
	report, err := audit.Compare(ctx, &l.state, l.queue, &shadow.state, p, o.workers(), pause)
	if err != nil {
		return reportOf(report), fmt.Errorf("reservation: audit: %w", refused(err))
	}
	return reportOf(report), nil
}

// reportOf words a report.
func reportOf(r audit.Report) AuditReport {
	all := AuditReport{Sequence: r.Sequence, Records: r.Records, Cells: r.Cells, Reservations: r.Reservations, Rechecked: r.Rechecked}
	for _, d := range r.Differences {
		all.Differences = append(all.Differences, Difference(d))
	}
	return all
}
