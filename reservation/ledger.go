package reservation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

const (
	// MaxQuantity is the largest number of units on hand in one place, and of one
	// line: 2^31 − 1.
	MaxQuantity = stock.MaxQuantity
	// MaxNoteBytes is the longest note of a hold.
	MaxNoteBytes = book.MaxNoteBytes
	// MaxIDBytes is the longest ID, and the longest reference.
	MaxIDBytes = book.MaxIDBytes
	// MaxParcelBytes is the longest name of a carrier, and its longest number of a parcel.
	MaxParcelBytes = book.MaxParcelBytes
	// NoNumber is the number of a slot that a table does not hold.
	NoNumber = stock.None
	// Everywhere stands for all slots in SafetyLevel.
	Everywhere = state.Everywhere
	// EverySKU stands for all SKUs in SafetyLevel.
	EverySKU = state.EverySKU
	// Done is what Claim.Reserve returns when the units are held and the record
	// is written.
	Done = -1
	// Known is what Claim.Reserve returns when the ID was there before; nothing
	// changed.
	Known = -2
	// Failed is what Claim.Reserve returns when the journal takes no more;
	// Claim.Err says why. Nothing changed.
	Failed = -3
)

// Options of a ledger. The limits are refusals when reached, never growth.
type Options struct {
	SKUs         int   // different SKUs
	Locations    int   // locations there ever were
	Remember     int   // ended reservations, and movements, of which a repeat gets the same answer
	RememberFor  int64 // how long at most after their end, in milliseconds; 0: while there is room
	RemindBefore int64 // how long before the pickup deadline the customer is reminded, in milliseconds; 0: never

	// Dir is the directory of the journal, or of the snapshots of Log. Empty, without
	// a Log: in memory, and nothing lasts.
	Dir string
	// Log is where the records lie, in place of files in Dir. It must be the only
	// writer. Without Dir it has no snapshots and is never trimmed. nil: files in Dir.
	Log          log.Log
	Delay        time.Duration // how long a commit waits for company; 0: not at all
	Written      bool          // acknowledge what is written but not yet synced
	SyncEvery    time.Duration // how often Written is synced; 0: 50 ms
	SegmentBytes int64         // of the journal's longest files; 0: 32 MiB. Means nothing with Log
	BacklogBytes int           // of changes not yet written before new ones wait; 0: 32 MiB
	RetainBytes  int64         // of history kept for readers of the feed, beyond what recovery needs
	FeedBytes    int           // of history kept in memory when there is no Dir; 0: none
	Logger       *slog.Logger  // nil: silent

	// For tests.
	disk   journal.Disk                  // in place of Dir
	manual bool                          // no goroutines: the queue's Step commits
	frame  int                           // bytes in a frame of the journal at most; 0: as many as there are
	book   func(remember int) *book.Book // makes the book; nil: newBook
	words  *state.Words                  // the key of digests; nil: drawn
}

// Line is a SKU, as its handle, and a number of units of it, 1 to MaxQuantity.
type Line = stock.Line

// Table is the stock of all SKUs under one numbering of the locations. A search
// reads one table from start to end.
type Table = stock.Table

// Filter restricts a search to some location numbers.
type Filter = stock.Filter

// Mask says which locations have something of groups of SKUs, for a search.
type Mask = stock.Mask

// Ledger keeps what is on hand and what is reserved, of every SKU at every
// location, and one record for each reservation and movement under the ID its
// caller chose.
//
// SKUs and locations have handles, given once: a location's is its slot. Its
// number, the place in the numbering of a Table, changes with Renumber.
//
// It is safe for concurrent use. Reserve and Cancel take no lock on stock; the
// movements and collections of one location are serialised among themselves.
type Ledger struct {
	options Options
	state   state.State
	shorts  shorts
	changes [state.Floors]lock.Mutex // one for the IDs of changes that share it
	deltas  sync.Pool                // of *[]delta, for Move
	steps   sync.Pool                // of *step
	reads   sync.Pool                // of *book.Entry

	// Both nil without a journal.
	queue   *commit.Queue
	storage *stored
}

// New returns an empty ledger in memory. With FeedBytes it keeps that much of
// its history; nothing outlives the process.
func New(o Options) *Ledger {
	makeBook := book.New
	if o.book != nil {
		makeBook = o.book
	}
	l := &Ledger{options: o}
	l.state.Fill(makeBook(o.Remember), o.SKUs, o.Locations)
	l.state.Digests = o.drawnDigests(0)
	l.state.Book.RememberFor, l.state.Book.RemindBefore = o.RememberFor, o.RemindBefore
	l.steps.New = func() any { return &step{ledger: l} }
	if o.FeedBytes > 0 {
		l.begin(commit.New(log.OpenMemory(o.FeedBytes), commit.Options{FrameBytes: o.frame, Manual: o.manual, Logger: o.Logger}))
	}
	return l
}

// begin lets changes be recorded from now on.
func (l *Ledger) begin(q *commit.Queue) {
	l.queue = q
	l.state.Book.Sink = q
}

// append records what does not concern the book. The caller holds the lock under
// which it happens.
func (l *Ledger) append(r *history.Record) (Ticket, error) {
	if l.queue == nil {
		return Ticket{}, nil
	}
	return l.queue.Append(r.Append(nil))
}

// Wait returns when the change with that ticket is durable, or written when
// the ledger was opened so. An error of ctx ends the waiting, not the change.
// ErrJournal: whether it was written is unknown.
func (l *Ledger) Wait(ctx context.Context, t Ticket) error {
	if l.queue == nil {
		return nil
	}
	if err := l.queue.Wait(ctx, t); err != nil || t.Sequence <= l.queue.Durable() {
		return err
	}
	return l.queue.WaitFor(ctx, t.Sequence) // the ticket of a repeat knows the number only
}

// Settled returns when everything recorded so far is durable, so that what was
// read before cannot be taken back.
func (l *Ledger) Settled(ctx context.Context) error {
	if l.queue == nil {
		return nil
	}
	return l.queue.WaitFor(ctx, l.queue.Last())
}

// Admit is called before a change that needs room on the disk, holding no lock.
// It waits while too much is unwritten. ErrNoSpace, ErrUnavailable, ErrJournal:
// refused.
func (l *Ledger) Admit(ctx context.Context) error {
	if l.queue == nil {
		return nil
	}
	return l.queue.Admit(ctx)
}

// Time is the latest engine time that is recorded: no later call may use an
// earlier one.
func (l *Ledger) Time() int64 { return l.state.Time() }

// SKU is the handle of a SKU that was received or counted before.
func (l *Ledger) SKU(name string) (handle uint32, ok bool) { return l.state.SKUs.Find(name) }

// SKUName is the name behind a handle.
func (l *Ledger) SKUName(handle uint32) string { return l.state.SKUs.Name(handle) }

// Slot is the handle of a location, removed ones excepted.
func (l *Ledger) Slot(name string) (slot uint32, ok bool) {
	slot, ok = l.state.Slots.Find(name)
	if ok && l.isGone(slot) {
		return 0, false
	}
	return slot, ok
}

// SlotName is the name of a location, a removed one's included.
func (l *Ledger) SlotName(slot uint32) string { return l.state.Slots.Name(slot) }

// CheckPlace refuses a location that says more than a record takes: ErrTooLarge,
// as an *InvalidError.
func (l *Ledger) CheckPlace(name string, place []byte) error {
	return checkSize("Place", len(name)+len(place)+fixedBytes, longest(l.queue))
}

// AddSlot gives a location a handle, a new one if its name was removed before,
// and records where it is; what place says is the caller's affair, nil leaves it
// as it is. The location takes part in searches after Join or Renumber. What
// CheckPlace refuses it refuses, too.
func (l *Ledger) AddSlot(name string, place []byte, now int64) (slot uint32, t Ticket, err error) {
	if err := l.CheckPlace(name, place); err != nil {
		return 0, t, fmt.Errorf("reservation: adding location %s: %w", shown(name), err)
	}
	l.state.Slots.Adding.Lock(lock.Names)
	defer l.state.Slots.Adding.Unlock()
	slot, known := l.state.Slots.Find(name)
	if known = known && !l.isGone(slot); !known {
		slot = uint32(l.state.Slots.Len())
	} else if place == nil || l.state.Places.Same(slot, place) {
		return slot, Ticket{}, nil
	}
	if !known && l.state.Slots.Len() >= l.state.Slots.Limit {
		return 0, Ticket{}, fmt.Errorf("reservation: adding location %s: %d locations: %w", shown(name), l.state.Slots.Limit, ErrFull)
	}
	t, err = l.append(&history.Record{Kind: history.LocationSet, Time: now, Slot: slot, Name: name, Place: place})
	if err != nil {
		return 0, Ticket{}, fmt.Errorf("reservation: adding location %s: %w", shown(name), err)
	}
	l.state.Places.Set(slot, place)
	if !known {
		l.state.Slots.Put(name)
	}
	return slot, t, nil
}

func (l *Ledger) isGone(slot uint32) bool {
	return l.state.IsGone(slot)
}

// Slots is one more than the highest slot there ever was.
func (l *Ledger) Slots() int { return l.state.Slots.Len() }

// SKUs is how many SKUs there are.
func (l *Ledger) SKUs() int { return l.state.SKUs.Len() }

// Table is the one new searches should read.
func (l *Ledger) Table() *Table { return l.state.Stock.Table() }

// Join gives a slot the next number of the current numbering and calls publish
// with it; false when the numbering is full and Renumber is due.
func (l *Ledger) Join(slot uint32, publish func(number uint32)) bool {
	return l.state.Stock.Join(slot, publish)
}

// Renumber lays all rows anew so that number i is slot order[i], with room for
// spare more locations. Reservations and movements go on meanwhile; publish is
// called when the new table is complete, and must switch searches to it.
func (l *Ledger) Renumber(order []uint32, spare int, publish func(*Table)) {
	l.state.Stock.Renumber(order, l.Slots(), spare, publish)
}

// Remove takes a location out of the ledger if nothing is there or on its way
// there, and calls unpublish when that is settled. Its name may be added again,
// as a new slot. Otherwise *LocationInUseError, and nothing changed.
func (l *Ledger) Remove(slot uint32, now int64, unpublish func()) (Ticket, error) {
	f := l.state.Floor(slot)
	f.Lock(lock.Floor)
	defer f.Unlock()
	use := &LocationInUseError{Location: l.SlotName(slot)}
	l.state.Stock.SKUs(slot, func(sku uint32) bool {
		a := l.level(sku, slot)
		if l.state.Classes.Resource(sku) { // what is not taken goes with the location
			a.OnHand = 0
		}
		if a.OnHand != 0 || a.Held != 0 {
			use.SKUs++
			use.OnHand += a.OnHand
			use.Held += a.Held
		}
		return true
	})
	use.Incoming = l.state.Places.Incoming(slot)
	if use.SKUs > 0 || use.Incoming > 0 {
		return Ticket{}, fmt.Errorf("reservation: removing a location: %w", use)
	}
	t, err := l.append(&history.Record{Kind: history.LocationRemoved, Time: now, Slot: slot})
	if err != nil {
		return t, fmt.Errorf("reservation: removing a location: %w", err)
	}
	l.state.Remove(slot)
	unpublish()
	return t, nil
}

// Availability is a SKU's units at one location, at one instant:
// Available = OnHand − Held − Safety, and may be below zero.
type Availability struct {
	OnHand    int64 // physically there, held or not
	Held      int64 // taken by reservations, not yet collected
	Safety    int64 // units never sold online
	Available int64 // what an order can still take
}

// Available reads a SKU's units at a location. A SKU that was never there has
// none.
func (l *Ledger) Available(sku, slot uint32) Availability {
	return Availability(l.state.Units(sku, slot))
}

// level is Available for holders of the location's floor.
func (l *Ledger) level(sku, slot uint32) Availability {
	return Availability(l.state.UnitsLocked(sku, slot))
}
