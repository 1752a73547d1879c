package allocator

import (
	"context"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/reservation"
)

// rebuild brings back the locations and the settings that the ledger has recovered, and
// lays the stock out between the two.
func (a *Allocator) rebuild() error {
	err := a.locations.Open(a.ledger, &a.gate, topology.Options{Most: a.options.MaxLocations, Holidays: a.options.Holidays, Logger: a.options.Logger})
	if err != nil {
		return err
	}
	if err := a.ledger.Fill(); err != nil {
		return fmt.Errorf("laying out the stock: %w", err)
	}
	return a.recoverSettings()
}

// recoverSettings brings back what was set before the engine was closed. The
// stock is laid out.
func (a *Allocator) recoverSettings() error {
	for _, area := range [...]struct {
		name string
		read func() error
	}{
		{"channels", func() (err error) {
			a.channels, err = channels.Open(a.ledger)
			return err
		}},
		{"capacity", func() (err error) {
			a.calendar, err = calendar.Open(a.ledger)
			return err
		}},
		{"goods", func() (err error) {
			a.goods, err = goods.Open(a.ledger)
			return err
		}},
		{"rejections", a.recoverMoves},
	} {
		if err := area.read(); err != nil {
			return fmt.Errorf("reading the settings of %s: %w", area.name, err)
		}
	}
	return nil
}

// setting is a change of settings that a room has begun, so that no other one of its
// kind is under way.
type setting interface {
	// Write writes it down and makes it count.
	Write(now int64) (reservation.Ticket, error)
}

// writeSettings has a room write a change of settings at a moment at which no other
// change is under way. The caller has entered, at that time.
func (a *Allocator) writeSettings(ctx context.Context, now int64, s setting) (t reservation.Ticket, err error) {
	if err := ctx.Err(); err != nil {
		return t, err
	}
	defer a.gate.Pause()()
	return s.Write(now)
}
