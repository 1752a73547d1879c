package reservation

import "testing"

// Canary: options that do change an answer, and a unit that comes from nowhere,
// are noticed.
func TestOptionsCanary(t *testing.T) {
	for _, fake := range []struct {
		name  string
		set   sameSet
		spoil func(*sameGame, int)
	}{
		{"forgets", sameSet{options: Options{Remember: 4}}, nil},
		{"a unit from nowhere", sameSet{}, func(g *sameGame, i int) {
			if i == sameCalls/2 {
				g.l.state.Stock.Change(0, 0, 1)
			}
		}},
		{"a crash", sameSet{disk: "fault", options: Options{SegmentBytes: 64 << 10, manual: true}}, func(g *sameGame, i int) {
			switch i {
			case sameCalls / 3:
				g.settle()
			case sameCalls / 2: // what came since is lost
				g.disk = g.disk.Crash()
				g.open()
			}
		}},
	} {
		t.Run(fake.name, func(t *testing.T) {
			for n := uint64(2); n < 60; n += 2 {
				if sameRun(t, n, sameSets()[0], nil).differs(sameRun(t, n, fake.set, fake.spoil)) != "" {
					return
				}
			}
			t.Error("nobody noticed")
		})
	}
}
