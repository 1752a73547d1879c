package allocator

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// Durability is when a change is acknowledged, for an engine with a directory.
type Durability uint8

// The durabilities. Whichever it is, a kill of the process loses nothing that was
// acknowledged.
const (
	// Synced: when it is on the disk. A power cut loses nothing that was
	// acknowledged.
	Synced Durability = iota
	// Written: when the operating system has it. A power cut may lose what was
	// acknowledged in the 50 ms before it, and what a commit under way adds to
	// that; never a part of a change, and never an earlier one before a later one.
	Written
)

// String is the durability in words.
func (d Durability) String() string {
	switch d {
	case Synced:
		return "synced"
	case Written:
		return "written"
	}
	return fmt.Sprintf("Durability(%d)", uint8(d))
}

// Options are the settings of an Allocator. The zero value is safe: an engine in
// memory that is silent. Only the limits may differ from one Open of a directory
// to the next in a way that refuses: a limit below what is there is ErrFull.
type Options struct {
	// Logger gets what an operator may want to know. Nil: nothing is logged.
	Logger *slog.Logger

	// Dir is the directory of the journal; it is made if it is not there, and
	// belongs to one engine at a time. Empty: in memory, and nothing lasts. With Log
	// it holds snapshots alone, under the log's identity, and must hold nothing else.
	Dir string

	// Log is where the records lie, in place of files in Dir: a log of your own, such
	// as rows of a database, that passes the suite of reservation/log/logtest. It is
	// the engine's from Open on: Close closes it, and so does an Open that fails, but
	// for *InvalidError. Nobody else may append to it; whoever takes it over fences
	// this engine, see ErrFenced. With Dir it must be log.Identified, and what
	// snapshots make needless is trimmed, but for RetainBytes. Without Dir it is never
	// trimmed, and Open reads all of it. A location or a setting must fit one of its
	// payloads. It has no standby yet: Open takes the log over at once. Nil: files in
	// Dir, or memory.
	Log log.Log

	// Durability is when a change is acknowledged. It means nothing without Dir, and
	// must be Synced with Log: the log says itself when a frame lasts.
	Durability Durability

	// CommitDelay is how long a commit to the disk waits for company, at most
	// 1 s: longer answers, fewer syncs. 0: as long as the commit before it takes.
	CommitDelay time.Duration

	// SegmentBytes is the greatest size of a file of the journal, a multiple of
	// 4,096, at least 65,536, at most 1 GiB. The first ones have 512 KiB, if it is not
	// less, and later ones grow with what the journal holds: an empty engine's Dir
	// takes less than 4 MB. Besides, files are kept ready for what a full disk must
	// not refuse: 16 KiB for each live reservation, up to 32 MiB, or to SegmentBytes
	// if that is more. It means nothing with Log. 0: 32 MiB.
	SegmentBytes int64

	// SnapshotEvery is after how many bytes of journal a snapshot is written, so
	// that Open has no more than about that to read. 0: 256 MiB. Negative: only
	// when Snapshot is called.
	SnapshotEvery int64

	// RetainBytes is how much of the journal is kept for readers of the history
	// beyond what Open needs, as long as the disk has room for more: the oldest of
	// it goes before anything is refused for want of space. 0: 1 GiB.
	RetainBytes int64

	// FeedBytes is how much history an engine without Dir and Log keeps in memory. 0:
	// none, and Events is ErrNoFeed.
	FeedBytes int

	// HoldFor is how long an order is held that does not say it itself, from 1 ms.
	// 0: 10 minutes, or MaxHold if that is less.
	HoldFor time.Duration

	// MaxHold is how long a hold may last in all, extended or not. 0: 4 hours.
	MaxHold time.Duration

	// PickupWithin is how long goods wait for their customer once they are ready,
	// unless the call says it itself. 0: 7 days.
	PickupWithin time.Duration

	// RemindBefore is how long before that deadline the reminder is due. 0: 24
	// hours. Negative: there is none.
	RemindBefore time.Duration

	// RememberFor is how long ended reservations and movements are remembered at
	// most, besides Remember. 0: as long as Remember allows.
	RememberFor time.Duration

	// Remember is how many ended reservations, and how many movements, are kept
	// so that a repeat of their ID gets the same answer. Live reservations are
	// always kept. 0: 1,048,576.
	Remember int

	// ManualExpiry starts no goroutine for deadlines: only Expire ends holds.
	ManualExpiry bool

	// Clock is for tests and simulations: it gives the time from which engine
	// time begins, and whose steps forward drive it on. Steps back are ignored.
	// It is called from many goroutines at once. Without ManualExpiry its
	// deadlines are looked at every 5 ms. Nil: time.Now, by the monotonic clock.
	Clock func() time.Time

	// MaxClockGap is how far engine time may leave the last recorded time behind
	// when a directory is opened, so that a wall clock that is wrong by years
	// does not end every hold. 0: 24 hours.
	MaxClockGap time.Duration

	// LiveReads lets reads show changes that are not acknowledged yet, which a
	// power cut may take back. Without it a read waits until what it saw lasts.
	LiveReads bool

	// Rules are how orders are sourced until SetRules says otherwise. The zero
	// value takes the nearest location that can fill the whole order.
	Rules sourcing.Rules

	// Holidays says whether a day is a public holiday at a location, for opening
	// hours that speak of them. It must be safe for concurrent use and quick. nil:
	// no holidays.
	Holidays func(location string, year int, month time.Month, day int) bool

	// MaxDistance is the reach of an order that names none, in meters.
	// 0: the whole globe.
	MaxDistance geo.Meters

	// MaxIDBytes is the longest ID of an order, movement, location or SKU, and
	// the longest reference, at most 65,535. 0: 255.
	MaxIDBytes int

	// MaxLines is the most lines of one order, change or query, and the most SKUs that
	// Forms and Substitutes of an order name. A movement may have more, see MaxBatch.
	// 0: 4,096.
	MaxLines int

	// MaxListed is the most entries of each other list: of Kinds, Groups, Prefer and
	// Exclude of an order, of Groups, Payments, Channels and Forms of a location's
	// Terms, and of Listing.States. An order is looked at by many locations, so its
	// lists and theirs multiply; 256 locations or groups is more than a customer or
	// a shop can mean one by one. At most 65,536. 0: 256.
	MaxListed int

	// MaxVertices is the most vertices of a location's Area, over all its rings: each
	// is looked at for every order that is near enough, so draw coasts coarsely. 0:
	// 16,384.
	MaxVertices int

	// MaxBatch is the most items of one call that takes many, such as locations,
	// receipts, changes, quotas or orders; and the most lines of one movement, if it
	// is more than MaxLines, to 1,048,576. 0: 1,048,576.
	MaxBatch int

	// MaxLocations is the most locations there ever are, removed ones included.
	// 0: 1,048,576.
	MaxLocations int

	// MaxSKUs is the most SKUs there ever are, at most 268,435,456; a SKU costs
	// memory from its first receipt on. 0: 16,777,216.
	MaxSKUs int
}

const (
	maxSKUs     = 1 << 28
	maxDuration = 100 * 365 * 24 * time.Hour // of any setting, so that sums of times stay in range

	minSegmentBytes      = 64 << 10
	segmentPage          = 4096
	defaultSegmentBytes  = 32 << 20
	defaultSnapshotEvery = 256 << 20
	defaultRetainBytes   = 1 << 30
)

// validate fills in the defaults and reports every fault at once.
func (o *Options) validate() error {
	faults := append(o.validateLimits(), o.validateTimes()...)
	fault := func(name string, value any, why string) {
		faults = append(faults, &InvalidError{Field: "Options." + name, Value: value, Why: why})
	}
	if o.Durability > Written {
		fault("Durability", uint8(o.Durability), "must be Synced or Written")
	}
	if o.Log != nil && o.Durability == Written {
		fault("Durability", "Written", "must be Synced with Options.Log, which says itself when a frame lasts")
	}
	if _, ok := o.Log.(log.Identified); o.Log != nil && o.Dir != "" && !ok {
		fault("Log", fmt.Sprintf("%T", o.Log), "must be log.Identified, since the snapshots in Options.Dir name the log they are of")
	}
	if o.SegmentBytes != 0 && (o.SegmentBytes < minSegmentBytes || o.SegmentBytes%segmentPage != 0 || o.SegmentBytes > 1<<30) {
		fault("SegmentBytes", o.SegmentBytes, "must be 0 or a multiple of 4096 from 65536 to 2^30")
	}
	if o.RetainBytes < 0 {
		fault("RetainBytes", o.RetainBytes, "must not be negative")
	}
	if o.FeedBytes < 0 {
		fault("FeedBytes", o.FeedBytes, "must not be negative")
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.SnapshotEvery == 0 {
		o.SnapshotEvery = defaultSnapshotEvery
	}
	if o.RetainBytes == 0 {
		o.RetainBytes = defaultRetainBytes
	}
	if err := checkDistance("Options.MaxDistance", o.MaxDistance); err != nil {
		faults = append(faults, err)
	}
	if err := o.Rules.Validate(); err != nil {
		fault("Rules", "", err.Error())
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(faults...)
}

func (o *Options) validateLimits() (faults []error) {
	limit := func(name string, value *int, standard, most int) {
		if *value < 0 || *value > most {
			faults = append(faults, &InvalidError{Field: "Options." + name, Value: *value, Why: fmt.Sprintf("must be 0 to %d", most)})
		}
		if *value == 0 {
			*value = standard
		}
	}
	limit("MaxIDBytes", &o.MaxIDBytes, 255, math.MaxUint16)
	limit("MaxLines", &o.MaxLines, 4096, mostLines)
	limit("MaxListed", &o.MaxListed, 256, 1<<16)
	limit("MaxVertices", &o.MaxVertices, 1<<14, 1<<24)
	limit("MaxBatch", &o.MaxBatch, 1<<20, 1<<30)
	limit("MaxLocations", &o.MaxLocations, 1<<20, 1<<24)
	limit("MaxSKUs", &o.MaxSKUs, 1<<24, maxSKUs)
	limit("Remember", &o.Remember, 1<<20, 1<<30)
	return faults
}

// validateTimes checks the durations. Those of engine time are cut to whole
// milliseconds.
func (o *Options) validateTimes() (faults []error) {
	span := func(name string, value *time.Duration, standard, least, most time.Duration) {
		if *value != 0 && (*value < least || *value > most) {
			faults = append(faults, &InvalidError{Field: "Options." + name, Value: *value, Why: fmt.Sprintf("must be 0 or from %v to %v", least, most)})
		}
		if *value == 0 {
			*value = standard
		}
	}
	span("CommitDelay", &o.CommitDelay, 0, 0, time.Second)
	span("MaxHold", &o.MaxHold, 4*time.Hour, time.Millisecond, maxDuration)
	span("HoldFor", &o.HoldFor, min(10*time.Minute, max(o.MaxHold, time.Millisecond)), time.Millisecond, maxDuration)
	span("PickupWithin", &o.PickupWithin, 7*24*time.Hour, time.Millisecond, maxDuration)
	span("RemindBefore", &o.RemindBefore, 24*time.Hour, -maxDuration, maxDuration)
	span("RememberFor", &o.RememberFor, 0, time.Millisecond, maxDuration)
	span("MaxClockGap", &o.MaxClockGap, 24*time.Hour, time.Millisecond, maxDuration)
	if o.HoldFor > o.MaxHold {
		faults = append(faults, &InvalidError{Field: "Options.HoldFor", Value: o.HoldFor, Why: fmt.Sprintf("must not be more than the %v of Options.MaxHold", o.MaxHold)})
	}
	return faults
}

// lasts tells that the engine outlives the process.
func (o *Options) lasts() bool { return o.Dir != "" || o.Log != nil }

// ledger is what the options mean to the ledger.
func (o *Options) ledger() reservation.Options {
	return reservation.Options{SKUs: o.MaxSKUs, Locations: o.MaxLocations, Remember: o.Remember,
		RememberFor: o.RememberFor.Milliseconds(), RemindBefore: max(0, o.RemindBefore.Milliseconds()),
		Dir: o.Dir, Log: o.Log, Delay: o.CommitDelay, Written: o.Durability == Written, SegmentBytes: o.SegmentBytes,
		RetainBytes: o.RetainBytes, FeedBytes: o.FeedBytes, Logger: o.Logger}
}
