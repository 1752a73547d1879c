package history

import (
	_ "embed"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// golden are the records of version 1 as they must stay: the words, names and
// bytes of one record of every kind and of every cause.
//
//go:embed testdata/version1.txt
var golden string

// sampled is what the samples have in common: a time, and lines without and with what
// is on hand afterwards.
func sampled() (now int64, lines, after []Line) {
	return 1_767_225_600_123, []Line{{SKU: 17, Units: 1}, {SKU: 402, Units: 2}, {SKU: 2_950, Units: 130}},
		[]Line{{SKU: 17, Units: 1, OnHand: 9}, {SKU: 402, Units: 2}, {SKU: 2_950, Units: 130, OnHand: -4}}
}

// samples is one record of every kind, as the ledger writes them, then a
// movement of every cause, records with all fields of the first release, of the second
// and with all there are, and holds with what came later.
func samples() []Record {
	now, lines, after := sampled()
	all := []Record{
		{Kind: SKUAdded, SKU: 402, Name: "4006381333931"},
		{Kind: LocationSet, Slot: 12, Name: "berlin-1", Place: []byte{0x40, 0x4a, 0x42, 0, 0xff}},
		{Kind: LocationRemoved, Slot: 12},
		{Kind: SafetySet, SKU: 402, Slot: math.MaxUint32, Lines: []Line{{Units: 3}}},
		{Kind: Moved, Cause: Counted, ID: "count-88", Slot: 12, Fingerprint: 0x0123456789abcdef, AsOf: now - 3_600_000, Lines: []Line{{SKU: 17, Units: -2, OnHand: 41}, {SKU: 18, Units: 5, OnHand: 5}}},
		{Kind: Held, ID: "order-104729", Fingerprint: 0x9e3779b97f4a7c15, Slot: 7_411, Distance: 1834.25, Deadline: now + 600_000, Lines: lines, Order: "104729", Customer: "c-77", Owner: "cart-5", Channel: "web", Promise: now + 7_200_000},
		{Kind: Extended, ID: "order-104729", Deadline: now + 1_200_000},
		{Kind: Reassigned, ID: "order-104729", Owner: "till-3", Channel: "shop"},
		{Kind: Confirmed, ID: "order-104729", Change: "confirm-1", Lines: lines[:2]},
		{Kind: Accepted, ID: "order-104729"},
		{Kind: Dispatched, ID: "order-104729", Slot: 12, To: 7_411, Lines: after},
		{Kind: Arrived, ID: "order-104729", Slot: 7_411, Lines: after[:1]},
		{Kind: Ready, ID: "order-104729", Deadline: now + 3*86_400_000, Code: "8841"},
		{Kind: Reminded, ID: "order-104729", Deadline: now + 86_400_000},
		{Kind: ShortPicked, ID: "order-104729", Change: "pick-1", Slot: 12, Lines: after[1:2]},
		{Kind: Collected, ID: "order-104729", Change: "till-9", Slot: 7_411, Lines: after},
		{Kind: Canceled, ID: "order-104729", Change: "cancel-2", Lines: lines[2:]},
		{Kind: Expired, ID: "order-104729", Lines: lines},
		{Kind: NoShow, ID: "order-104729", Lines: lines[:1]},
		{Kind: Returned, Cause: Restocked, ID: "order-104729", Change: "return-1", Slot: 3, Lines: after[:1]},
		{Kind: Shorted, ID: "order-104729", Slot: 12, Ref: "count-88", Lines: lines[:1]},
		{Kind: Covered, ID: "order-104729", Slot: 12, Ref: "receipt-3", Lines: lines[:1]},
		{Kind: Opened},
		{Kind: Rejected, Cause: ByStore, ID: "order-104729", Change: "reject-1", Slot: 12, Order: "104729", Customer: "c-77", Lines: lines[:1]},
		{Kind: Rerouted, Cause: Offline, ID: "order-104729", Slot: 12, To: 7_411, Distance: 920.5, Promise: now + 7_200_000, Lines: lines, Place: []byte{1, 0}},
		{Kind: RerouteFailed, Cause: Late, ID: "order-104729", Slot: 12, Lines: lines[1:]},
		{Kind: NoteSet, Name: "channel/web", Place: []byte("{}")},
	}
	for cause := Cause(1); cause < causeEnd; cause++ {
		all = append(all, Record{Kind: Moved, Cause: cause, ID: "m-1", Slot: 12, Lines: after[:1]})
	}
	for i := range all {
		all[i].Time = now
	}
	return append(all, later()...)
}

// later are records with what came after the first release.
func later() []Record {
	now, lines, after := sampled()
	first := alone()
	first.Time, first.Parts, first.Missing = -1, 0, false
	whole := alone()
	whole.Time = -1
	parted := full()
	parted.Form, parted.Store, parted.Carrier, parted.Tracking, parted.State = 0, 0, "", "", 0
	formed := alone()
	formed.Time, formed.Form, formed.Store = -1, life.Brought, 1<<20
	parcel := full()
	parcel.Time, parcel.State = -1, 0
	stated := full()
	stated.Time = -1
	return []Record{first, whole,
		Record{Kind: Held, Time: now, ID: "order-104729/2", Slot: 12, Deadline: now + 600_000, Lines: lines[1:], Ref: "order-104729", Place: []byte{7, 0, 255}, Parts: 3},
		Record{Kind: Rerouted, Time: now, Cause: NotFound, ID: "order-104729", Slot: 12, To: 13, Lines: lines[1:2], Ref: "order-104729/2", Parts: 2, Missing: true},
		parted,
		Record{Kind: Held, Time: now, ID: "order-104729", Slot: 12, Deadline: now + 600_000, Lines: lines[1:], Place: []byte{7, 0, 255}, Parts: 3, Part: 3, Other: 1},
		Record{Kind: Rerouted, Time: now, Cause: NotFound, ID: "order-104729", Slot: 12, To: 13, Lines: lines[1:2], Parts: 3, Part: 1, Other: 3, Missing: true},
		Record{Kind: Accepted, Time: now, ID: "order-104729", Shares: []Share{{Part: 1, Slot: 12}, {Part: 3, Slot: 7_411}}},
		Record{Kind: Collected, Time: now, ID: "order-104729", Change: "till-9", Fingerprint: 7, Lines: append(after[:2:2], after...),
			Shares: []Share{{Part: 1, Slot: 12, Lines: 2}, {Part: 2, Slot: 0}, {Part: 3, Slot: 7_411, Lines: 3}}},
		formed,
		Record{Kind: Held, Time: now, ID: "order-104729", Slot: 12, Deadline: now + 600_000, Lines: lines[1:], Form: life.Fetched},
		Record{Kind: Held, Time: now, ID: "order-104729", Slot: 12, Deadline: now + 600_000, Lines: lines[1:], Form: life.Brought},
		Record{Kind: Held, Time: now, ID: "order-104729", Slot: 12, Deadline: now + 600_000, Lines: lines[1:], Place: []byte{7, 0, 255}, Parts: 3, Form: life.Sent},
		Record{Kind: Rerouted, Time: now, Cause: ByStore, ID: "order-104729", Slot: 12, To: 13, Lines: lines[1:2], Form: life.Brought, Store: 300},
		parcel,
		Record{Kind: Packed, Time: now, ID: "order-104729", Change: "pack-1", Slot: 12, Lines: lines},
		Record{Kind: Shipped, Time: now, ID: "order-104729", Slot: 12, Lines: after, Carrier: "DHL", Tracking: "JJD0099"},
		Record{Kind: ParcelDelivered, Time: now, ID: "order-104729", Slot: 12, Lines: lines},
		Record{Kind: ParcelLost, Time: now, ID: "order-104729", Slot: 12, Lines: lines},
		Record{Kind: ReturnedToSender, Time: now, Cause: Restocked, ID: "order-104729", Slot: 12, Lines: after},
		Record{Kind: ReturnedToSender, Time: now, Cause: DamagedReturn, ID: "order-104729", Slot: 12, Lines: lines},
		stated,
		Record{Kind: Ready, Time: now, ID: "order-104729", Part: 2, Parts: 3, Deadline: now + 3*86_400_000, Code: "8841", Channel: "web", Form: life.Fetched, State: life.OrderReady},
		Record{Kind: Expired, Time: now, ID: "order-104729", Slot: 12, Lines: lines[1:], State: life.OrderExpired}}
}

// spell writes what the golden file holds of records.
func spell(records []Record) string {
	var text strings.Builder
	for i := range records {
		r := &records[i]
		fmt.Fprintf(&text, "%d %s %s: %s, %d %q %x\n", r.Kind, r.Kind.Name(), r.Event(), r.Kind, r.Cause, r.Cause, r.Append(nil))
	}
	return text.String()
}

// read decodes the golden file's bytes and spells them again.
func read(text string) (string, error) {
	var records []Record
	for line := range strings.Lines(text) {
		var b []byte
		if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, ' ')+1:], "%x", &b); err != nil {
			return "", fmt.Errorf("%q: %w", line, err)
		}
		var r Record
		if err := r.Decode(b); err != nil {
			return "", fmt.Errorf("%q: %w", line, err)
		}
		records = append(records, r)
	}
	return spell(records), nil
}

func TestGolden(t *testing.T) {
	got := spell(samples())
	if got != golden {
		t.Errorf("version 1 must stay as it is; it became\n%s", got)
	}
	again, err := read(golden)
	if err != nil || again != golden {
		t.Errorf("reading version 1: %v\n%s", err, again)
	}
	kinds := make(map[Kind]bool)
	causes := make(map[Cause]bool)
	for _, r := range samples() {
		kinds[r.Kind] = true
		causes[r.Cause] = true
	}
	if len(kinds) != int(kindEnd)-1 || len(causes) != int(causeEnd) {
		t.Errorf("%d kinds and %d causes are in it", len(kinds), len(causes))
	}
}

// The golden test must see one changed byte, or it guards nothing.
func TestGoldenSeesAChange(t *testing.T) {
	changed := samples()
	changed[5].Lines[2].Units++
	if spell(changed) == golden {
		t.Error("another number of units has the same bytes")
	}
	if again, err := read(strings.ReplaceAll(golden, "0c6f72646572", "0c6f72646573")); err == nil && again == golden {
		t.Error("a changed file reads the same")
	}
}

func TestNames(t *testing.T) {
	seen := make(map[string]Kind)
	for kind := Kind(1); kind < kindEnd; kind++ {
		for _, name := range []string{kind.String(), kind.Name()} {
			if was, twice := seen[name]; name == "" || twice && was != kind {
				t.Errorf("kinds %d and %d are both called %q", was, kind, name)
			}
			seen[name] = kind
		}
		r := Record{Kind: kind, Cause: Sold}
		if got := r.Event(); (got == kind.Name()) != (kind != Moved) {
			t.Errorf("event of %v is %q", kind, got)
		}
	}
	for got, want := range map[string]string{
		Kind(0).String():          "kind 0",
		kindEnd.String():          "kind 33",
		Kind(255).String():        "kind 255",
		Kind(0).Name():            "",
		Kind(255).Name():          "",
		Cause(0).String():         "",
		causeEnd.String():         "cause 16",
		ToInspect.String():        "to inspect",
		Expired.String():          "hold expired",
		Expired.Name():            "HoldExpired",
		event(Moved, 0):           "StockMoved",
		event(Moved, Received):    "StockReceived",
		event(Moved, Lost):        "TransferShort",
		event(Moved, causeEnd):    "StockMoved",
		event(Returned, Received): "ReturnReceived",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func event(kind Kind, cause Cause) string {
	r := Record{Kind: kind, Cause: cause}
	return r.Event()
}
