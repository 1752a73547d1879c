package peers

import (
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

// Contestant is a named way to make an engine whose files are in dir, an empty
// directory of its own. A plain value.
type Contestant struct {
	Name    string
	Durable bool // its answers are on disk when they are given
	New     func(dir string) (bench.Engine, error)
}

// Contestants returns all there are, ours last: the durable ones and, to show
// what being durable costs, the two of package bench that are not.
func Contestants() []Contestant {
	return []Contestant{
		{Name: "sqlite", Durable: true, New: func(dir string) (bench.Engine, error) {
			inner, err := strong()
			return &database{Engine: inner, dir: dir, rows: true}, err
		}},
		{Name: "sqlite-log", Durable: true, New: func(dir string) (bench.Engine, error) {
			inner, err := strong()
			return &database{Engine: inner, dir: dir}, err
		}},
		{Name: "strong-journal", Durable: true, New: func(dir string) (bench.Engine, error) {
			inner, err := strong()
			return &journaled{Engine: inner, dir: dir}, err
		}},
		{Name: "strong-tuned", Durable: true, New: func(dir string) (bench.Engine, error) {
			inner, err := strong()
			return &journaled{Engine: inner, dir: dir, tuned: true}, err
		}},
		{Name: "strong-memory", New: func(string) (bench.Engine, error) { return strong() }},
		{Name: "ours-memory", New: func(string) (bench.Engine, error) {
			return &ours{options: allocator.Options{}}, nil
		}},
		{Name: "ours", Durable: true, New: func(dir string) (bench.Engine, error) {
			return &ours{options: durable(dir)}, nil
		}},
	}
}

// Named returns the contestant of that name.
func Named(name string) (Contestant, error) {
	all := Contestants()
	i := slices.IndexFunc(all, func(c Contestant) bool { return c.Name == name })
	if i < 0 {
		return Contestant{}, fmt.Errorf("peers: no contestant is called %q", name)
	}
	return all[i], nil
}

// strong is package bench's baseline of that name.
func strong() (bench.Engine, error) {
	all := bench.Contestants()
	i := slices.IndexFunc(all, func(c bench.Contestant) bool { return c.Name == "strong" })
	if i < 0 {
		return nil, fmt.Errorf("peers: package bench has no strong baseline")
	}
	return all[i].New(), nil
}
