package allocator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// lived is an engine in which one reservation went through its whole life.
func lived(t *testing.T, o Options) (*Allocator, *handClock) {
	t.Helper()
	var clock handClock
	o.Clock, o.ManualExpiry, o.RemindBefore, o.PickupWithin = clock.now, true, 24*time.Hour, 72*time.Hour
	a := street(t, 2, o)
	ctx := t.Context()
	must(t, a.Receive(ctx, Receipt{ID: "GR-1", Location: "L0", Lines: []Line{{"tea", 5}, {"cup", 3}}}))
	order := ordered("SO-1", Line{"tea", 2}, Line{"cup", 1})
	order.Order, order.Customer, order.Channel, order.HoldFor = "web-77", "c-9", "web", time.Minute
	_, err := a.Allocate(ctx, order)
	must(t, err, a.Confirm(ctx, "SO-1"), a.Accept(ctx, "SO-1"), a.Ready(ctx, "SO-1", Pickup{Code: "4711"}))
	clock.add(49 * time.Hour)
	_, err = a.Expire(clock.now())
	must(t, err, a.Collect(ctx, "SO-1", Line{"tea", 1}), a.Cancel(ctx, "SO-1", Line{"cup", 1}), a.Collect(ctx, "SO-1"))
	must(t, a.Return(ctx, Return{ID: "RT-1", Reservation: "SO-1", Location: "L1", Lines: []Line{{"tea", 1}}}))
	_, err = a.Allocate(ctx, ordered("SO-2", Line{"tea", 1}))
	must(t, err)
	clock.add(time.Hour)
	_, err = a.Expire(clock.now())
	must(t, err, a.Count(ctx, Count{ID: "CN-1", Location: "L0", Lines: []Line{{"cup", 2}}}))
	return a, &clock
}

// One event for each notice a customer may get, in order, with all the message
// needs.
func TestFeedTellsTheWholeStory(t *testing.T) {
	a, _ := lived(t, Options{FeedBytes: 1 << 20})
	var got []string
	next := uint64(1)
	for e, err := range a.History(t.Context(), 0) {
		must(t, err)
		if e.Sequence != next {
			t.Fatalf("event %d comes after %d", e.Sequence, next-1)
		}
		next++
		text := e.Name + " " + e.ID
		for _, more := range []string{e.Change, e.Order, e.Customer, e.Channel, e.Location, e.To, e.Cause, e.Code, e.Ref} {
			if more != "" {
				text += " " + more
			}
		}
		for _, line := range e.Lines {
			text += fmt.Sprintf(" %d×%s", line.Units, line.SKU)
			if line.OnHand != nil {
				text += fmt.Sprintf("→%d", *line.OnHand)
			}
		}
		got = append(got, text)
	}
	want := []string{
		"Opened ", "LocationSet  L0", "LocationSet  L1", "SKUAdded  0×tea", "SKUAdded  0×cup",
		"StockReceived GR-1 L0 5×tea→5 3×cup→3",
		"HoldPlaced SO-1 web-77 c-9 web L0 2×tea 1×cup",
		"ReservationConfirmed SO-1 web-77 c-9 web L0 2×tea 1×cup",
		"OrderAccepted SO-1 web-77 c-9 web L0",
		"ReadyForPickup SO-1 web-77 c-9 web L0 4711 2×tea 1×cup",
		"PickupReminderDue SO-1 web-77 c-9 web L0 4711",
		"Collected SO-1 web-77 c-9 web L0 1×tea→4",
		"ReservationCanceled SO-1 web-77 c-9 web L0 1×cup",
		"Collected SO-1 web-77 c-9 web L0 1×tea→3",
		"ReturnReceived SO-1 RT-1 web-77 c-9 web L1 restocked 1×tea→1",
		"HoldPlaced SO-2 L0 1×tea",
		"HoldExpired SO-2 L0 1×tea",
		"StockCounted CN-1 L0 -1×cup→2",
	}
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("event %d\n got %s\nwant %s", i+1, g, w)
		}
	}
}

func TestExportIsTheHistory(t *testing.T) {
	a, _ := lived(t, Options{Dir: t.TempDir(), SegmentBytes: 64 << 10})
	var out bytes.Buffer
	next, err := a.Export(t.Context(), &out, 0)
	must(t, err)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	n := 0
	for e, err := range a.History(t.Context(), 0) {
		must(t, err)
		var read Event
		must(t, json.Unmarshal([]byte(lines[n]), &read))
		a, _ := json.Marshal(e)
		b, _ := json.Marshal(read)
		if !bytes.Equal(a, b) {
			t.Errorf("line %d is %s, the event %s", n+1, b, a)
		}
		n++
	}
	if n != len(lines) || next != uint64(n)+1 {
		t.Errorf("%d events, %d lines, next %d", n, len(lines), next)
	}
	out.Reset()
	if next2, err := a.Export(t.Context(), &out, next); err != nil || next2 != next || out.Len() != 0 {
		t.Errorf("nothing new: %d %v %q", next2, err, out.String())
	}
}

// A live feed gets what comes, ends with ctx, and ends when the engine closes.
func TestFeedIsLive(t *testing.T) {
	a := street(t, 1, Options{FeedBytes: 1 << 20})
	stocked(t, a, "L0", "tea", 3)
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string)
	done := make(chan error)
	go func() {
		for e, err := range a.Events(ctx, 0) {
			if err != nil {
				done <- err
				return
			}
			if e.Name == "HoldPlaced" {
				seen <- e.ID
			}
		}
		done <- nil
	}()
	for i := range 3 {
		id := fmt.Sprint("o", i)
		_, err := a.Allocate(t.Context(), ordered(id, Line{"tea", 1}))
		must(t, err)
		if got := <-seen; got != id {
			t.Fatalf("got %q", got)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
	go func() {
		for _, err := range a.Events(t.Context(), 0) {
			if err != nil {
				done <- err
				return
			}
		}
	}()
	must(t, a.Close())
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	for _, err := range a.Events(t.Context(), 0) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("on a closed engine: %v", err)
		}
	}
}

// Without a journal there is no feed, and history that is gone says what is left.
func TestFeedThatIsNotThere(t *testing.T) {
	a := street(t, 1, Options{})
	for _, err := range a.History(t.Context(), 0) {
		if !errors.Is(err, ErrNoFeed) {
			t.Errorf("without a feed: %v", err)
		}
	}
	b := street(t, 1, Options{FeedBytes: 4096})
	stocked(t, b, "L0", "tea", 1000)
	for i := range 1000 {
		_, err := b.Allocate(t.Context(), ordered(fmt.Sprint("o", i), Line{"tea", 1}))
		must(t, err)
	}
	var trimmed *TrimmedError
	for _, err := range b.History(t.Context(), 1) {
		if !errors.As(err, &trimmed) || !errors.Is(err, ErrTrimmed) {
			t.Fatalf("behind what is kept: %v", err)
		}
	}
	n := 0
	for e, err := range b.History(t.Context(), trimmed.First) {
		must(t, err)
		if n == 0 && e.Sequence != trimmed.First {
			t.Errorf("the first kept is %d, not %d", e.Sequence, trimmed.First)
		}
		n++
	}
	if n == 0 {
		t.Error("nothing is kept")
	}
}

func TestAudit(t *testing.T) {
	for _, o := range []Options{{}, {Dir: t.TempDir(), SegmentBytes: 64 << 10}} {
		a, _ := lived(t, o)
		report, err := a.Audit(t.Context())
		if err != nil || len(report.Differences) > 0 || report.Cells == 0 || report.Reservations != 2 {
			t.Errorf("%+v %v", report, err)
		}
	}
}
