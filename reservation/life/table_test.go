package life

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/table.txt anew")

// TestTable draws the table, so that a change of a row is seen as what it means.
func TestTable(t *testing.T) {
	var b strings.Builder
	for _, v := range Verbs() {
		r := Of(v)
		fmt.Fprintf(&b, "%v\n", v)
		for s := Held; s < states; s++ {
			if !r.From.Has(s) {
				continue
			}
			to := s
			if r.Next[s] != 0 {
				to = r.Next[s]
			}
			fmt.Fprintf(&b, "\t%v → %v", s, to)
			if f := r.Fully; f.From.Has(s) {
				fmt.Fprintf(&b, ", %v once every unit is %v", f.To, bucketNames[f.In])
			}
			if r.Ends != 0 && !s.Ended() {
				fmt.Fprintf(&b, ", %v once none is open", r.Ends)
			}
			if r.Got != 0 {
				fmt.Fprintf(&b, " and any was got: %v", r.Got)
			}
			b.WriteString("\n")
		}
		for form, never := range r.Never {
			say(&b, "never of what is "+Form(form).String(), never)
		}
		say(&b, "of what is to be shipped to store, if it is there", r.InStore)
		say(&b, "of what is to be shipped to store, if it goes there", r.ToStore)
		say(&b, "needs a unit that is", r.Needs)
		say(&b, "needs that none is", r.Lacks)
		say(&b, "names lines, or there is a unit that is", r.About)
		say(&b, "moves units that are", r.Takes)
		say(&b, "but not those that are", r.Less)
		say(&b, "is about the whole", r.Whole)
		say(&b, "refused if goods are gone", r.Sound)
		say(&b, "a unit of goods", r.Goods)
		say(&b, "a unit of a resource", r.Resource)
		say(&b, "a resource follows", [...]string{"", "the first goods", "the last goods"}[r.Follow])
		say(&b, "locks", [...]string{"", "the floor of its location", "that and the floor it is sent to", "the floor ahead", "the floor that is named", "a floor already"}[r.Lock])
		say(&b, "the record says besides", fields(r.Says))
		say(&b, "refused by a full disk", r.Room)
	}
	const name = "testdata/table.txt"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the table has changed; if it was meant to, write it anew with -update:\n%s", b.String())
	}
}

// say adds a line unless there is nothing to say.
func say[T comparable](b *strings.Builder, what string, value T) {
	var none T
	if value != none {
		fmt.Fprintf(b, "\t%s: %v\n", what, value)
	}
}

func fields(says Says) string {
	var names []string
	for i, name := range [...]string{"hold", "pickup", "owner", "to", "where", "cause", "content", "because", "on hand", "parcel"} {
		if says>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

var bucketNames = map[Buckets]string{HeldUnits: "held", ConfirmedUnits: "confirmed", CollectedUnits: "collected", ReturnedUnits: "returned",
	MissingUnits: "missing", LapsedUnits: "lapsed", ShortUnits: "short", ReroutedUnits: "rerouted"}

func (b Buckets) String() string {
	var names []string
	for one := Buckets(1); one != 0; one <<= 1 {
		if b&one != 0 {
			names = append(names, bucketNames[one])
		}
	}
	return strings.Join(names, " or ")
}

// String says what becomes of a unit.
func (m Move) String() string {
	var b strings.Builder
	if m.First != 0 {
		fmt.Fprintf(&b, "leaves %v", m.First)
		if m.Second != 0 {
			fmt.Fprintf(&b, ", else %v; ", m.Second)
		} else {
			b.WriteString("; ")
		}
	}
	if m.To != 0 {
		fmt.Fprintf(&b, "is %v; ", m.To)
	}
	if m.Free != 0 {
		fmt.Fprintf(&b, "available %+d; ", m.Free)
	}
	if m.OnHand != 0 {
		fmt.Fprintf(&b, "on hand %+d; ", m.OnHand)
	}
	if m.Lost {
		b.WriteString("confirmed ones that do not move are missing; ")
	}
	if m.Gone {
		b.WriteString("available if its goods were gone before, else on hand -1; ")
	}
	if m.Covers {
		b.WriteString("none is short any more; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// everyLine calls f with every sound line of up to most units a bucket.
func everyLine(most uint32, f func(Line)) {
	var l Line
	var fill func(bucket Buckets)
	fill = func(bucket Buckets) {
		if bucket == 0 {
			if l.Returned > l.Collected || int64(l.Short) > l.Open() {
				return
			}
			sum := uint32(l.In(OpenUnits | CollectedUnits | MissingUnits | LapsedUnits | ReroutedUnits))
			for canceled := range uint32(2) {
				if l.Quantity = sum + canceled; l.Quantity > 0 {
					f(l)
				}
			}
			return
		}
		for n := range most + 1 {
			*l.bucket(bucket) = n
			fill(bucket << 1)
		}
		*l.bucket(bucket) = 0
	}
	fill(1)
}

// TestEveryVerbKeepsLinesSound makes every verb with every number of units on every
// small reservation of one line that lets it pass, and checks what is true of all:
// it stays sound, no unit appears or is gone, and the stock gets what the line gave.
func TestEveryVerbKeepsLinesSound(t *testing.T) {
	tried := make(map[Verb]int)
	everyLine(2, func(l Line) {
		for s := Held; s < states; s++ {
			if !Sound(s, []Line{l}) || s.OnRoad() && l.Short > 0 { // what is on the road is never short
				continue
			}
			for _, v := range Verbs() {
				if fault := tryVerb(v, s, l); fault != "" {
					t.Fatalf("%v of a reservation that is %v with %+v: %s", v, s, l, fault)
				}
				tried[v]++
			}
		}
	})
	for _, v := range Verbs() {
		if tried[v] == 0 {
			t.Errorf("%v was never tried", v)
		}
	}
}

func tryVerb(v Verb, s State, before Line) string {
	r := Of(v)
	if r.Check(new(Way), s, []Line{before}, int64(before.Confirmed), true) != 0 {
		return ""
	}
	most := r.Movable(&before)
	if r.Whole {
		most = 0
	}
	if most < 0 {
		return "fewer than no units can move"
	}
	for units := range most + 1 {
		if v == MoveAll && units < most {
			continue // all of it goes, or none
		}
		l := before
		e := r.Goods.Apply(&l, units)
		lines := []Line{l}
		next, over, _ := r.State(s, lines, int64(l.Confirmed))
		if !Sound(next, lines) {
			return fmt.Sprintf("%d units: %v with %+v is not sound", units, next, l)
		}
		if over != (next.Ended() && !s.Ended()) {
			return fmt.Sprintf("%d units: over %v though %v became %v", units, over, s, next)
		}
		if fault := accounts(v, before, l, e, units); fault != "" {
			return fmt.Sprintf("%d units: %s", units, fault)
		}
	}
	return ""
}

// accounts compares what a line lost with what the stock got: units that are open
// are held at the location, whether their goods are there or not. What is sent off
// stays open, and nothing else that is moved to another location is.
func accounts(v Verb, before, after Line, e Effect, units int64) string {
	freed := before.Open() - after.Open()
	left := int64(after.Collected) - int64(before.Collected)
	switch v {
	case Dispatch:
		left = units
	case Arrive:
		left, freed = -units, 0
	case MoveAll:
		freed = units
	case ShortPick:
		left = units - e.Free
	case Restock:
		left, freed = -units, units
	case Ship:
		left = units
	case Deliver:
		left, freed = 0, 0
	case Lose, TurnBack:
		freed = 0
	case SendBack:
		left = -units
	}
	if v == Collect || v == ShortPick {
		freed -= left
	}
	if e.OnHand != -left || e.Free != freed {
		return fmt.Sprintf("the stock got %+v, want %d free and %d on hand", e, freed, -left)
	}
	return ""
}

// TestWrongRowIsSeen is the canary of the two checks above.
func TestWrongRowIsSeen(t *testing.T) {
	kept := rules[Cancel]
	defer func() { rules[Cancel] = kept }()
	rules[Cancel].Goods.Free = 0
	if tryVerb(Cancel, Held, Line{Quantity: 1, Held: 1}) == "" {
		t.Error("a cancellation that frees nothing was not seen")
	}
	rules[Cancel] = kept
	rules[Cancel].Ends = 0
	if tryVerb(Cancel, Held, Line{Quantity: 1, Held: 1}) == "" {
		t.Error("a cancellation that does not end was not seen")
	}
}

// TestDue names the first thing that is due.
func TestDue(t *testing.T) {
	held, ready := []Line{{Quantity: 2, Held: 2}}, []Line{{Quantity: 2, Held: 1, Confirmed: 1}}
	for _, c := range []struct {
		name  string
		d     Deadlines
		s     State
		lines []Line
		now   int64
		want  Verb
		at    int64
	}{
		{"before the deadline", Deadlines{Hold: 10}, Held, held, 9, 0, 0},
		{"at the deadline", Deadlines{Hold: 10}, Held, held, 10, Expire, 10},
		{"nothing held", Deadlines{Hold: 10}, Confirmed, []Line{{Quantity: 1, Confirmed: 1}}, 10, 0, 0},
		{"the held units of ready goods come first", Deadlines{Hold: 10, Pickup: 5}, Ready, ready, 10, Expire, 10},
		{"reminder", Deadlines{Hold: 99, Pickup: 20}, Ready, ready, 17, Remind, 17},
		{"told before", Deadlines{Hold: 99, Pickup: 20, Reminded: true}, Ready, ready, 17, 0, 0},
		{"no-show", Deadlines{Hold: 99, Pickup: 20, Reminded: true}, Ready, ready, 20, Abandon, 20},
		{"ended", Deadlines{}, Canceled, nil, 99, 0, 0},
	} {
		if v, at := c.d.Due(c.s, c.lines, c.now, 3); v != c.want || at != c.at {
			t.Errorf("%s: %v since %d, want %v since %d", c.name, v, at, c.want, c.at)
		}
	}
}

// TestOnlyHeldGoodsAreNotReady: a confirmed place in a pickup window does not keep a
// reservation ready whose goods are only held.
func TestOnlyHeldGoodsAreNotReady(t *testing.T) {
	lines := []Line{{Quantity: 2, Held: 1, Lapsed: 1}, {Quantity: 1, Confirmed: 1}}
	for _, firm := range []int64{0, 1} {
		next, over, stale := Of(Abandon).State(Ready, lines, firm)
		if stale != (firm == 0) || over || (next == Held) != stale {
			t.Errorf("%d goods confirmed: %v, over %v, stale %v", firm, next, over, stale)
		}
		if refused := Of(MakeReady).Check(new(Way), Confirmed, lines, firm, false) != 0; refused != (firm == 0) {
			t.Errorf("%d goods confirmed: making it ready is refused: %v", firm, refused)
		}
	}
}
