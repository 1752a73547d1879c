package bench

import "github.com/clickcollect/clickcollect/allocator"

// Engine is what a contestant must do. Allocate, Cancel and Available are
// called from many goroutines at once; Load and Close are called alone.
type Engine interface {
	// Load takes the locations and the stock of w. It is called once, first.
	Load(w *World) error
	// Allocate holds all lines of o at the nearest location that can fill
	// them and returns that location's ID. A refusal for want of stock in
	// reach is ok == false with a nil error. The engine must not keep o or
	// o.Lines; it may keep the strings.
	Allocate(o *allocator.Order) (location string, ok bool, err error)
	// Cancel puts everything held under the order's ID back.
	Cancel(id string) error
	// Available returns the units of sku that can still be sold at location.
	Available(sku, location string) (int64, error)
	// Close frees what the engine holds.
	Close() error
}

// Lasting is an engine whose orders outlive it.
type Lasting interface {
	Engine
	// Restart closes the engine and opens it again on what it left. It is called
	// alone.
	Restart() error
}

// Contestant is a named way to make an Engine.
type Contestant struct {
	Name string
	New  func() Engine
}

// Contestants returns the two baselines and the allocator, in the order in
// which they take their turns.
func Contestants() []Contestant {
	return []Contestant{
		{Name: "plain", New: func() Engine { return new(plain) }},
		{Name: "strong", New: func() Engine { return new(strong) }},
		{Name: "ours", New: func() Engine { return new(ours) }},
	}
}
