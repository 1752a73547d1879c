package reservation

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// shops is a ledger of three locations with tea, cups and a pickup window, and an order
// of four parts: two at the first location, one at the second, and the customer's place
// in the window of the first.
type shops struct {
	t            *testing.T
	disk         *faultdisk.Disk
	l            *Ledger
	tea, cup, at uint32
}

const shopStock = 20

func newShops(t *testing.T) *shops {
	t.Helper()
	s := &shops{t: t, disk: faultdisk.New(1)}
	s.l = onDisk(t, s.disk, 0)
	_, _, err := s.l.AddSlot("c", nil, 1)
	mustDo(t, err)
	s.l.Renumber([]uint32{0, 1, 2}, 0, func(*Table) {})
	for slot := range uint32(2) {
		s.tea = received(t, s.l, fmt.Sprint("tea", slot), slot, "tea", shopStock)
		s.cup = received(t, s.l, fmt.Sprint("cup", slot), slot, "cup", shopStock)
		s.at = received(t, s.l, fmt.Sprint("window", slot), slot, aWindow, shopStock)
	}
	var p Parts
	var found Entry
	parts := []Part{part("o", 1, 0, units(s.tea, 2), units(s.cup, 1)), part("o", 2, 1, units(s.tea, 1)),
		part("o", 3, 0, units(s.cup, 2)), part("o", 4, 0, units(s.at, 1))}
	for i := range parts {
		parts[i].Order, parts[i].Customer = "ref", "who"
	}
	if how := p.Reserve(s.l, parts, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	return s
}

// states is the states of the order's parts, by their first letters.
func (s *shops) states() string {
	var b strings.Builder
	for _, e := range s.l.FindAll("o", nil) {
		fmt.Fprintf(&b, "%d %v at %d, ", e.Part, e.State, e.Slot)
	}
	return strings.TrimSuffix(b.String(), ", ")
}

// all is all that can be seen of reservations and goods.
func (s *shops) all() map[string]string {
	all := map[string]string{}
	for n, text := range allOf(s.l) {
		all[fmt.Sprint(n)] = text
	}
	for slot := range uint32(s.l.Slots()) {
		for _, sku := range []uint32{s.tea, s.cup, s.at} {
			all[fmt.Sprint(sku, " at ", slot)] = fmt.Sprintf("%+v", s.l.Available(sku, slot))
		}
	}
	all["of the order"] = fmt.Sprint(slices.Collect(s.l.OfOrder("ref")))
	all["of the customer"] = fmt.Sprint(slices.Collect(s.l.OfCustomer("who")))
	return all
}

// sound audits the ledger, and sees that it is the same after a restart, field by field.
func (s *shops) sound() {
	s.t.Helper()
	audit := func() {
		s.t.Helper()
		if a, err := s.l.Audit(s.t.Context(), nil); err != nil || len(a.Differences) > 0 {
			s.t.Errorf("audit: %v %+v", err, a.Differences)
		}
	}
	mustDo(s.t, s.l.queue.Step())
	audit()
	want := s.all()
	for _, snapshot := range []bool{false, true} {
		if snapshot {
			mustDo(s.t, s.l.Snapshot(s.t.Context(), 2000))
		}
		mustDo(s.t, s.l.Close())
		s.disk = s.disk.Kill()
		s.l = onDisk(s.t, s.disk, 0)
		if got := s.all(); !maps.Equal(got, want) {
			for what := range want {
				if got[what] != want[what] {
					s.t.Errorf("after a restart %s was %s, is %s", what, want[what], got[what])
				}
			}
		}
		audit()
	}
}

// wholeWay is a way that an order of several parts goes, as a whole but where a step
// names a part.
type wholeWay struct {
	steps    []Change
	want     string
	tea, cup [3]int64 // on hand at the end
	window   Availability
}

func wholeWays() map[string]wholeWay {
	full := [3]int64{shopStock, shopStock, 0}
	held := Availability{OnHand: shopStock, Held: 1, Available: shopStock - 1}
	free := Availability{OnHand: shopStock, Available: shopStock}
	used := Availability{OnHand: shopStock - 1, Available: shopStock - 1}
	tea, cup := [3]int64{shopStock - 2, shopStock - 1, 0}, [3]int64{shopStock - 3, shopStock, 0}
	there, thereCups := [3]int64{shopStock - 2, shopStock - 1, 3}, [3]int64{shopStock - 3, shopStock, 3}
	confirmed, accepted := Change{Verb: history.Confirmed}, Change{Verb: history.Accepted}
	ready, collected := Change{Verb: history.Ready, Deadline: 3000, Code: "code"}, Change{Verb: history.Collected}
	sent, arrived := Change{Verb: history.Dispatched, Slot: 2}, Change{Verb: history.Arrived}
	canceled, back := Change{Verb: history.Canceled}, Change{Verb: history.Returned, Slot: 2, Cause: history.Restocked}
	of := func(part uint8, c Change) Change { c.Part = part; return c }
	return map[string]wholeWay{
		"confirmed":                {[]Change{confirmed}, "1 confirmed at 0, 2 confirmed at 1, 3 confirmed at 0, 4 confirmed at 0", full, full, held},
		"the rest confirmed":       {[]Change{of(2, confirmed), confirmed}, "1 confirmed at 0, 2 confirmed at 1, 3 confirmed at 0, 4 confirmed at 0", full, full, held},
		"accepted":                 {[]Change{confirmed, of(3, accepted), accepted}, "1 accepted at 0, 2 accepted at 1, 3 accepted at 0, 4 confirmed at 0", full, full, held},
		"ready":                    {[]Change{confirmed, of(1, ready), ready}, "1 ready at 0, 2 ready at 1, 3 ready at 0, 4 confirmed at 0", full, full, held},
		"collected":                {[]Change{confirmed, ready, collected}, "1 collected at 0, 2 collected at 1, 3 collected at 0, 4 canceled at 0", tea, cup, used},
		"collected at once":        {[]Change{collected}, "1 collected at 0, 2 collected at 1, 3 collected at 0, 4 canceled at 0", tea, cup, used},
		"canceled":                 {[]Change{canceled}, "1 canceled at 0, 2 canceled at 1, 3 canceled at 0, 4 canceled at 0", full, full, free},
		"the rest canceled":        {[]Change{confirmed, of(2, collected), canceled}, "1 canceled at 0, 2 collected at 1, 3 canceled at 0, 4 canceled at 0", [3]int64{shopStock, shopStock - 1, 0}, full, free},
		"sent":                     {[]Change{confirmed, sent}, "1 in transit at 0, 2 in transit at 1, 3 in transit at 0, 4 confirmed at 0", tea, cup, held},
		"the rest sent":            {[]Change{confirmed, of(3, sent), sent}, "1 in transit at 0, 2 in transit at 1, 3 in transit at 0, 4 confirmed at 0", tea, cup, held},
		"arrived":                  {[]Change{confirmed, sent, arrived}, "1 accepted at 2, 2 accepted at 2, 3 accepted at 2, 4 confirmed at 0", there, thereCups, held},
		"the rest arrived":         {[]Change{confirmed, sent, of(1, arrived), arrived}, "1 accepted at 2, 2 accepted at 2, 3 accepted at 2, 4 confirmed at 0", there, thereCups, held},
		"arrived at two places":    {[]Change{confirmed, of(1, Change{Verb: history.Dispatched, Slot: 1}), sent, arrived}, "1 accepted at 1, 2 accepted at 2, 3 accepted at 2, 4 confirmed at 0", [3]int64{shopStock - 2, shopStock + 1, 1}, [3]int64{shopStock - 3, shopStock + 1, 2}, held},
		"collected where they are": {[]Change{confirmed, sent, arrived, ready, collected}, "1 collected at 2, 2 collected at 2, 3 collected at 2, 4 canceled at 0", tea, cup, used},
		"not found":                {[]Change{confirmed, {Verb: history.ShortPicked}}, "1 canceled at 0, 2 canceled at 1, 3 canceled at 0, 4 confirmed at 0", tea, cup, held},
		"brought back":             {[]Change{collected, back}, "1 returned at 0, 2 returned at 1, 3 returned at 0, 4 canceled at 0", there, thereCups, used},
		"the rest brought back":    {[]Change{collected, of(2, back), back}, "1 returned at 0, 2 returned at 1, 3 returned at 0, 4 canceled at 0", there, thereCups, used},
		"brought back, damaged":    {[]Change{collected, {Verb: history.Returned, Slot: 1, Cause: history.DamagedReturn}}, "1 returned at 0, 2 returned at 1, 3 returned at 0, 4 canceled at 0", tea, cup, used},
		"held longer":              {[]Change{of(2, Change{Verb: history.Extended, Deadline: 1700}), {Verb: history.Extended, Deadline: 1600}}, "1 held at 0, 2 held at 1, 3 held at 0, 4 held at 0", full, full, held},
		"another's":                {[]Change{{Verb: history.Reassigned, Owner: "token", Channel: "web"}, {Verb: history.Reassigned, Token: "token", Owner: "other"}}, "1 held at 0, 2 held at 1, 3 held at 0, 4 held at 0", full, full, held},
	}
}

// TestWholeOrders takes an order of several parts through its life by verbs on the whole:
// each is one record, the audit finds nothing, and it is the same after a restart.
func TestWholeOrders(t *testing.T) {
	for name, way := range wholeWays() {
		t.Run(name, func(t *testing.T) {
			s := newShops(t)
			for i, c := range way.steps {
				c.ID, c.Now, c.ID2 = "o", int64(10+i), fmt.Sprint("o/", i+1)
				last := s.l.queue.Last()
				do(t, s.l, c)
				if now := s.l.queue.Last(); now != last+1 {
					t.Errorf("%v made %d records", c.Verb, now-last)
				}
				all := s.all()
				if do(t, s.l, c); s.l.queue.Last() != last+1 || !maps.Equal(s.all(), all) {
					t.Errorf("a repeat of %v did something", c.Verb)
				}
			}
			if all := s.all(); all["of the order"] != "[{o 0} {o 2} {o 3} {o 4}]" || all["of the customer"] != all["of the order"] {
				t.Errorf("of the order are %s, of the customer %s", all["of the order"], all["of the customer"])
			}
			if got := s.states(); got != way.want {
				t.Errorf("got %s, want %s", got, way.want)
			}
			if name == "held longer" {
				for i, e := range s.l.FindAll("o", nil) {
					if want := []int64{1600, 1700, 1600, 1600}[i]; e.Deadline != want {
						t.Errorf("part %d is held until %d, want %d", e.Part, e.Deadline, want)
					}
				}
			}
			for slot := range uint32(3) {
				if tea, cup := s.l.Available(s.tea, slot).OnHand, s.l.Available(s.cup, slot).OnHand; tea != way.tea[slot] || cup != way.cup[slot] {
					t.Errorf("%d teas and %d cups at %d, want %d and %d", tea, cup, slot, way.tea[slot], way.cup[slot])
				}
			}
			if got := s.l.Available(s.at, 0); got != way.window {
				t.Errorf("the window: %+v, want %+v", got, way.window)
			}
			s.sound()
		})
	}
}

// wholeRefusal is a change that is refused after some others.
type wholeRefusal struct {
	before []Change
	c      Change
	is     error
	part   int // whose the error is; 0: it does not say
}

// TestWholeOrdersAreRefused names the refusals: none changes any part, or records
// anything.
func TestWholeOrdersAreRefused(t *testing.T) {
	confirmed, collected := Change{Verb: history.Confirmed}, Change{Verb: history.Collected}
	sent, arrived := Change{Verb: history.Dispatched, Slot: 2}, Change{Verb: history.Arrived}
	back := Change{Verb: history.Returned, Slot: 2, Cause: history.Restocked}
	of := func(part uint8, c Change) Change { c.Part = part; return c }
	lines := []Line{{SKU: 0, Quantity: 1}}
	for name, r := range map[string]wholeRefusal{
		"one is held":                {[]Change{of(1, confirmed)}, Change{Verb: history.Accepted}, ErrState, 2},
		"one is ready":               {[]Change{confirmed, of(3, Change{Verb: history.Ready})}, sent, ErrState, 3},
		"one is on its way":          {[]Change{confirmed, of(2, sent)}, collected, ErrState, 2},
		"one cannot be canceled":     {[]Change{confirmed, of(3, sent)}, Change{Verb: history.Canceled}, ErrState, 3},
		"one has another owner":      {[]Change{of(3, Change{Verb: history.Reassigned, Owner: "token"})}, Change{Verb: history.Reassigned, Owner: "new"}, ErrOwner, 0},
		"held too long":              {nil, Change{Verb: history.Extended, Deadline: 1200, MaxHold: 1100}, ErrInvalid, 0},
		"confirmed before":           {[]Change{confirmed}, confirmed, ErrState, 1},
		"nothing on its way":         {[]Change{confirmed}, arrived, ErrState, 1},
		"arrived before":             {[]Change{confirmed, sent, arrived}, arrived, ErrState, 1},
		"brought back before":        {[]Change{collected, back}, back, ErrState, 1},
		"nothing was collected":      {nil, back, ErrState, 1},
		"ended":                      {[]Change{of(2, confirmed), {Verb: history.Canceled}}, collected, ErrEnded, 1},
		"the first open one is held": {[]Change{of(1, Change{Verb: history.Canceled}), of(4, Change{Verb: history.Canceled})}, Change{Verb: history.Accepted}, ErrState, 2},
		"lines":                      {nil, Change{Verb: history.Canceled, Lines: lines}, ErrInvalid, 0},
		"no lines, but named":        {nil, Change{Verb: history.Confirmed, Lines: []Line{}}, ErrInvalid, 0},
		"lines of a return":          {[]Change{collected}, Change{Verb: history.Returned, Slot: 1, Cause: history.Restocked, Lines: lines}, ErrInvalid, 0},
		"a rejection":                {[]Change{confirmed}, Change{Verb: history.Rejected, Cause: history.ByStore}, ErrInvalid, 0},
		"a reroute that failed":      {[]Change{confirmed}, Change{Verb: history.RerouteFailed, Cause: history.ByStore}, ErrInvalid, 0},
		"no such part":               {nil, Change{Verb: history.Confirmed, Part: 5}, ErrNotFound, 0},
		"no such part, with lines":   {nil, Change{Verb: history.Confirmed, Part: 255, Lines: lines}, ErrNotFound, 0},
		"no such order":              {nil, Change{Verb: history.Confirmed, ID: "p"}, ErrNotFound, 0},
		"no such order, in part":     {nil, Change{Verb: history.Confirmed, ID: "o/2", Part: 2}, ErrNotFound, 0},
		"no such order, lines":       {nil, Change{Verb: history.Canceled, ID: "p", Lines: lines}, ErrNotFound, 0},
		"no such order, rejected":    {nil, Change{Verb: history.Rejected, ID: "p", Cause: history.ByStore}, ErrNotFound, 0},
		"sent to nowhere":            {[]Change{confirmed}, Change{Verb: history.Dispatched, Slot: 3}, ErrUnknownLocation, 0},
		"brought back to nowhere":    {[]Change{collected}, Change{Verb: history.Returned, Slot: 3, Cause: history.Restocked}, ErrUnknownLocation, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShops(t)
			gone, _, err := s.l.AddSlot("gone", nil, 1)
			mustDo(t, err, remove(s.l, gone, func() {}))
			for i, c := range r.before {
				c.ID, c.Now = "o", int64(10+i)
				do(t, s.l, c)
			}
			s.refuses(r)
		})
	}
}

// refuses makes a change that is refused.
func (s *shops) refuses(r wholeRefusal) {
	s.t.Helper()
	r.c.Now, r.c.ID2 = 100, "change"
	if r.c.ID == "" {
		r.c.ID = "o"
	}
	want, last := s.all(), s.l.queue.Last()
	for range 2 { // nor is the ID of the change used up
		_, _, err := s.l.Do(&r.c)
		var state *StateError
		var ended *EndedError
		part := 0
		switch {
		case errors.As(err, &state):
			part = state.Part
		case errors.As(err, &ended):
			part = ended.Part
		}
		if !errors.Is(err, r.is) || part != r.part {
			s.t.Errorf("got %v, want %v of part %d", err, r.is, r.part)
		}
		var invalid *InvalidError
		if r.is == ErrInvalid && errors.As(err, &invalid) && invalid.Field != "Part" {
			s.t.Errorf("%+v", invalid)
		}
	}
	if got := s.all(); !maps.Equal(got, want) || s.l.queue.Last() != last {
		s.t.Errorf("something was changed: %v, was %v", got, want)
	}
	s.sound()
}

// TestWholeOverflow refuses what would come in beyond what can be counted, also if no
// part alone would.
func TestWholeOverflow(t *testing.T) {
	for _, verb := range []history.Kind{history.Returned, history.Arrived} {
		for _, room := range []int64{2, 3} { // of three teas that come in two parts
			s := newShops(t)
			c := Change{Verb: verb, Slot: 2, Cause: history.Restocked}
			if verb == history.Returned {
				do(t, s.l, Change{Verb: history.Collected, ID: "o", Now: 10})
			} else {
				do(t, s.l, Change{Verb: history.Confirmed, ID: "o", Now: 10})
				do(t, s.l, Change{Verb: history.Dispatched, ID: "o", Now: 11, Slot: 2})
			}
			received(t, s.l, "most", 2, "tea", MaxQuantity-room)
			if room == 2 {
				if _, _, err := s.l.Do(&Change{Verb: verb, ID: "o", Now: 12, Slot: 2, Cause: history.Restocked}); !errors.Is(err, ErrOverflow) {
					t.Errorf("%v: an overflow passes: %v", verb, err)
				}
				s.refuses(wholeRefusal{nil, c, ErrOverflow, 0})
				continue
			}
			c.ID, c.Now = "o", 12
			do(t, s.l, c)
			if got := s.l.Available(s.tea, 2).OnHand; got != MaxQuantity {
				t.Errorf("%v: %d teas", verb, got)
			}
			s.sound()
		}
	}
}

// TestWholeShortage takes the goods of one part away: the order is not handed over until
// they are there again, or that part is not found.
func TestWholeShortage(t *testing.T) {
	s := newShops(t)
	do(t, s.l, Change{Verb: history.Confirmed, ID: "o", Now: 10})
	mustDo(t, moved(s.l, &Movement{ID: "count", Cause: history.Counted, Slot: 1, Now: 11, Lines: []MovementLine{{"tea", 0}}}))
	if e := s.l.FindAll("o", nil)[1]; e.Lines[0].Short != 1 {
		t.Fatalf("nobody is short: %+v", e)
	}
	for _, verb := range []history.Kind{history.Collected, history.Dispatched} {
		s.refuses(wholeRefusal{nil, Change{Verb: verb, Slot: 2}, ErrShortage, 0})
	}
	do(t, s.l, Change{Verb: history.ShortPicked, ID: "o", Now: 12})
	if s.l.Available(s.tea, 1) != (Availability{}) {
		t.Errorf("%+v: what was gone is taken again", s.l.Available(s.tea, 1))
	}
	// Of another order the goods come free for one that is short.
	var p Parts
	var found Entry
	if how := p.Reserve(s.l, []Part{part("p", 1, 0, units(s.cup, shopStock-4)), part("p", 2, 1, units(s.cup, shopStock-1))}, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	if how, _ := reserve(s.l, "q", 1, 1, units(s.cup, 1)); how != Done {
		t.Fatal(how)
	}
	do(t, s.l, Change{Verb: history.Confirmed, ID: "p", Now: 13})
	mustDo(t, moved(s.l, &Movement{ID: "sale", Cause: history.Sold, Slot: 1, Now: 14, Lines: []MovementLine{{"cup", 1}}}))
	if line(t, s.l, "q").Short != 1 {
		t.Fatalf("%+v", line(t, s.l, "q"))
	}
	do(t, s.l, Change{Verb: history.Canceled, ID: "p", Now: 15})
	if line(t, s.l, "q").Short != 0 {
		t.Errorf("still short: %+v", line(t, s.l, "q"))
	}
	s.sound()
}

// TestWholeOnTheRoad counts each part that is on its way to a location among what comes
// there, also after a restart.
func TestWholeOnTheRoad(t *testing.T) {
	s := newShops(t)
	comes := func(want int64) {
		t.Helper()
		var used *LocationInUseError
		if err := remove(s.l, 2, func() {}); !errors.As(err, &used) || used.Incoming != want {
			t.Errorf("got %v, want %d on their way", err, want)
		}
	}
	do(t, s.l, Change{Verb: history.Confirmed, ID: "o", Now: 10})
	do(t, s.l, Change{Verb: history.Dispatched, ID: "o", Now: 11, Slot: 2})
	comes(3)
	s.sound()
	comes(3)
	do(t, s.l, Change{Verb: history.Arrived, ID: "o", Part: 2, Now: 12})
	comes(2)
	do(t, s.l, Change{Verb: history.Arrived, ID: "o", Now: 13})
	comes(0)
	do(t, s.l, Change{Verb: history.Collected, ID: "o", Now: 14})
	s.sound()
	mustDo(t, remove(s.l, 2, func() {}))
}

// TestWholeOfMost makes an order of as many parts as can be, and changes all at once.
func TestWholeOfMost(t *testing.T) {
	s := newShops(t)
	received(t, s.l, "more", 2, "tea", math.MaxUint8)
	var p Parts
	var found Entry
	var parts []Part
	for i := range math.MaxUint8 {
		parts = append(parts, part("most", math.MaxUint8-i, 2, units(s.tea, 1)))
	}
	if how := p.Reserve(s.l, parts, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	for _, verb := range []history.Kind{history.Confirmed, history.Accepted, history.Ready, history.Collected} {
		last := s.l.queue.Last()
		do(t, s.l, Change{Verb: verb, ID: "most", Now: 20, Deadline: 5000})
		if s.l.queue.Last() != last+1 {
			t.Errorf("%v made %d records", verb, s.l.queue.Last()-last)
		}
	}
	all := s.l.FindAll("most", nil)
	for i, e := range all {
		if e.State != Collected || e.Part != i+1 || e.Parts != math.MaxUint8 {
			t.Errorf("%+v", e)
		}
	}
	if len(all) != math.MaxUint8 || s.l.Available(s.tea, 2) != (Availability{}) {
		t.Errorf("%d parts, %+v", len(all), s.l.Available(s.tea, 2))
	}
	if !slices.IsSortedFunc(all, func(a, b Entry) int { return a.Part - b.Part }) {
		t.Error("the parts do not ascend")
	}
	s.sound()
}

// TestPartsAreCounted reroutes units of an order that was of one part, without saying of
// how many it is now: verbs are on all of its parts from then on.
func TestPartsAreCounted(t *testing.T) {
	s := newShops(t)
	if how, _ := reserve(s.l, "one", 1, 0, units(s.tea, 3)); how != Done {
		t.Fatal(how)
	}
	var p Parts
	var found Entry
	r := Reroute{ID: "one", Lines: []Line{units(s.tea, 1)}, To: Part{Hold: Hold{Part: 7, Slot: 1}, Lines: []Line{units(s.tea, 1)}}}
	if how := p.Reroute(s.l, &r, &found); how != Done || found.Parts != 7 {
		t.Fatal(how, p.Err(), found)
	}
	do(t, s.l, Change{Verb: history.Confirmed, ID: "one", Now: 20})
	all := s.l.FindAll("one", nil)
	if len(all) != 2 || all[0].State != Confirmed || all[1].State != Confirmed || all[1].Part != 7 || all[1].From != 1 {
		t.Errorf("%+v", all)
	}
	s.sound()
}

// TestOrderMadeMeanwhile: an order of one part that is made between the look for that part
// and the look for all of them is changed as one, with lines too.
func TestOrderMadeMeanwhile(t *testing.T) {
	s := newShops(t)
	var p Parts
	var found Entry
	if how := p.Reserve(s.l, []Part{part("one", 0, 0, units(s.tea, 2))}, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	c := Change{Verb: history.Collected, ID: "one", Now: 1, Lines: []Line{units(s.tea, 1)}}
	step, ok := s.l.steps.Get().(*step)
	if !ok {
		t.Fatal("no step")
	}
	defer step.release()
	step.change = &c
	if _, err := step.runAll(); err != errAlone {
		t.Error(err)
	}
	if _, err := step.run(); err != nil {
		t.Error(err)
	}
}

// TestStepForgetsParts: what a change was told of the other parts of its order, customers'
// names among it, does not outlive it.
func TestStepForgetsParts(t *testing.T) {
	s := newShops(t)
	step, ok := s.l.steps.Get().(*step)
	if !ok {
		t.Fatal("no step")
	}
	step.change = &Change{Verb: history.Confirmed, ID: "o", Part: 2, Now: 1}
	_, err := step.run()
	if mustDo(t, err); len(step.parts) != 4 || step.parts[0].Refs.Customer != "who" {
		t.Errorf("the change was told %+v", step.parts)
	}
	if step.release(); step.parts != nil || step.all.members != nil {
		t.Errorf("it keeps %+v", step.parts)
	}
}
