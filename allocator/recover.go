package allocator

import (
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
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
		{"channels", a.recoverChannels},
		{"capacity", a.recoverCapacity},
		{"goods", a.recoverGoods},
		{"rejections", a.recoverCooling},
	} {
		if err := area.read(); err != nil {
			return fmt.Errorf("reading the settings of %s: %w", area.name, err)
		}
	}
	return nil
}
