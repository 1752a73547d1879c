package book

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// picks makes orders at one location, changes them and ends them.
type picks struct {
	b     *Book
	r     *rand.Rand
	ids   []string
	count int
}

func newPicks(seed uint64) *picks {
	return &picks{b: Fixed(8, 4), r: rand.New(rand.NewPCG(seed, 5))}
}

func (p *picks) one(t *testing.T) {
	t.Helper()
	if len(p.ids) == 0 || p.r.IntN(2) == 0 {
		p.count++
		id := fmt.Sprint("o", p.count)
		e := Entry{State: life.Held, Deadline: 100 + p.r.Int64N(9), Promise: p.r.Int64N(2) * p.r.Int64N(5), Lines: []life.Line{{SKU: 1, Quantity: 1, Held: 1}}}
		if _, added, err := p.b.Add(KindOrder, id, &e, nil, nil); !added || err != nil {
			t.Fatal(added, err)
		}
		p.ids = append(p.ids, id)
		return
	}
	at := p.r.IntN(len(p.ids))
	to := []life.State{life.Confirmed, life.Ready, life.Canceled, life.Collected}[p.r.IntN(4)]
	var e Entry
	_, err := p.b.Change(KindOrder, p.ids[at], &e, ruleFunc(func(_ string, e *Entry) ([]byte, error) {
		e.State, e.Pickup = to, 50+p.r.Int64N(9)
		e.Lines[0] = life.Line{SKU: 1, Quantity: 1}
		e.Lines[0].Imply(to)
		return nil, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if to.Ended() {
		p.ids = slices.Delete(p.ids, at, at+1)
	}
}

// difference compares the list with all that is there, sorted.
func (p *picks) difference() string {
	var want []Pick
	p.b.At(0, func(id string, e *Entry) bool {
		want = append(want, pickOf(id, e))
		return true
	})
	slices.SortFunc(want, func(a, b Pick) int { return a.Compare(&b) })
	if got, _ := p.b.PickList(nil, 0, nil, nil, 1<<20); !slices.Equal(got, want) {
		return fmt.Sprintf("got %+v, want %+v", got, want)
	}
	return ""
}

// TestPickListWhenNumbersBeginAnew has so few bits for an order's number that they
// soon begin anew, as after some hundred million orders of one location.
func TestPickListWhenNumbersBeginAnew(t *testing.T) {
	p := newPicks(1)
	p.b.shelves.numberBits = 5
	for range 3_000 {
		p.one(t)
		if p.r.IntN(20) > 0 {
			continue
		}
		if fault := p.difference(); fault != "" {
			t.Fatal(fault)
		}
	}
}

// TestForgottenNoteIsSeen is the canary of the comparison: a change that nobody told
// the list of is found.
func TestForgottenNoteIsSeen(t *testing.T) {
	p := newPicks(2)
	for range 50 {
		p.one(t)
	}
	if fault := p.difference(); fault != "" {
		t.Fatal(fault)
	}
	for range 50 {
		p.one(t)
	}
	p.b.shelves.of(0).picks.Load().missed = nil
	if p.difference() == "" {
		t.Error("a list that was not told of 50 changes looks right")
	}
}
