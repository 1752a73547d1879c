package allocator

import "fmt"

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
