package reservation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// counter is a ledger with a SKU, a lot of it and a pickup window at each of two
// locations.
type counter struct {
	t                 *testing.T
	l                 *Ledger
	tea, lot, cup, at uint32
	reserved          int
}

// The names of what nobody sees.
const (
	aLot    = "tea" + state.ClassMark + "l2026-12-31/7"
	aWindow = state.ClassMark + "w2026-11-23T10"
)

func newCounter(t *testing.T, l *Ledger) *counter {
	t.Helper()
	c := &counter{t: t, l: l}
	for slot := range uint32(2) {
		c.lot = received(t, l, fmt.Sprint("lot", slot), slot, aLot, 20)
		c.at = received(t, l, fmt.Sprint("window", slot), slot, aWindow, 20)
		c.cup = received(t, l, fmt.Sprint("cup", slot), slot, "cup", 20)
		c.tea = received(t, l, fmt.Sprint("tea", slot), slot, "tea", 20)
	}
	return c
}

// reserve holds two of the SKU itself, two of the lot, a cup and a place in the
// window.
func (c *counter) reserve() string {
	c.t.Helper()
	c.reserved++
	id := fmt.Sprint("order", c.reserved)
	lines := []Line{units(c.tea, 2), units(c.lot, 2), units(c.cup, 1), units(c.at, 1)}
	sortLines(lines)
	if how, _ := reserve(c.l, id, 1, 0, lines...); how != Done {
		c.t.Fatal(how)
	}
	return id
}

func (c *counter) line(id string, sku uint32) EntryLine {
	c.t.Helper()
	var e Entry
	if !c.l.Find(id, &e) {
		c.t.Fatalf("%q is not there", id)
	}
	return e.Lines[slices.IndexFunc(e.Lines, func(l EntryLine) bool { return l.SKU == sku })]
}

// TestClasses tells the kinds of SKUs apart, also after a restart.
func TestClasses(t *testing.T) {
	disk := faultdisk.New(1)
	l := onDisk(t, disk, 0)
	if l.Subs(0) != nil || l.Resource(0) || l.Base(7) != 7 {
		t.Error("an empty ledger has classes")
	}
	c := newCounter(t, l)
	other := received(t, l, "other", 1, "tea\x00qweb", 1)
	for range 2 {
		if c.tea > c.lot || !l.Resource(c.at) || l.Resource(c.tea) || l.Resource(c.lot) {
			t.Errorf("resources: %v", c)
		}
		if l.Base(c.lot) != c.tea || l.Base(c.tea) != c.tea || l.Base(c.at) != c.at || l.Base(c.cup) != c.cup {
			t.Errorf("bases: %v", c)
		}
		if got := l.Subs(c.tea); !slices.Equal(got, []uint32{c.lot, other}) || l.Subs(c.cup) != nil || l.Subs(c.at) != nil {
			t.Errorf("sub-SKUs: %v", got)
		}
		mustDo(t, l.Close())
		disk = disk.Kill()
		l = onDisk(t, disk, 0)
	}
	mustDo(t, l.Close())
}

// counterStep is one verb on lines, by name.
type counterStep struct {
	verb  history.Kind
	lines map[string]int64
}

// counterWay is a way that a reservation goes, and what is where then.
type counterWay struct {
	steps        []counterStep
	state        State
	held, onHand int64 // of the window; 20 and none at first
	tea, lot     int64 // on hand
}

func counterWays() map[string]counterWay {
	type step = counterStep
	all := map[string]int64{"tea": 4, "cup": 1}
	confirmed, ready := step{verb: history.Confirmed}, step{verb: history.Ready}
	return map[string]counterWay{
		"held":                      {nil, Held, 1, 20, 20, 20},
		"canceled":                  {[]step{{verb: history.Canceled}}, Canceled, 0, 20, 20, 20},
		"canceled by line":          {[]step{{history.Canceled, all}}, Canceled, 0, 20, 20, 20},
		"canceled in part":          {[]step{{history.Canceled, map[string]int64{"tea": 4}}}, Held, 1, 20, 20, 20},
		"confirmed in part":         {[]step{{history.Confirmed, map[string]int64{"tea": 1}}}, Confirmed, 1, 20, 20, 20},
		"confirmed in part, late":   {[]step{{history.Confirmed, map[string]int64{"tea": 1}}, {verb: history.Expired}}, Confirmed, 1, 20, 20, 20},
		"late":                      {[]step{{verb: history.Expired}}, Expired, 0, 20, 20, 20},
		"collected":                 {[]step{confirmed, ready, {verb: history.Collected}}, Collected, 0, 19, 18, 18},
		"collected in part":         {[]step{confirmed, {history.Collected, map[string]int64{"tea": 3}}}, Confirmed, 1, 20, 18, 19},
		"collected line by line":    {[]step{confirmed, {history.Collected, map[string]int64{"tea": 3}}, {history.Collected, map[string]int64{"tea": 1, "cup": 1}}}, Collected, 0, 19, 18, 18},
		"collected and canceled":    {[]step{confirmed, {history.Collected, map[string]int64{"tea": 3}}, {verb: history.Canceled}}, Collected, 0, 20, 18, 19},
		"nobody came":               {[]step{confirmed, ready, {verb: history.NoShow}}, NoShow, 0, 20, 20, 20},
		"not found":                 {[]step{confirmed, {verb: history.ShortPicked}}, Canceled, 0, 20, 18, 18},
		"not found in part":         {[]step{confirmed, {history.ShortPicked, map[string]int64{"tea": 3}}}, Confirmed, 1, 20, 18, 19},
		"not found, then collected": {[]step{confirmed, {history.ShortPicked, map[string]int64{"tea": 4}}, {verb: history.Collected}}, Collected, 0, 19, 18, 18},
		"sent":                      {[]step{confirmed, {verb: history.Dispatched}}, InTransit, 0, 19, 18, 18},
		"sent and arrived":          {[]step{confirmed, {verb: history.Dispatched}, {verb: history.Arrived}}, Accepted, 0, 19, 18, 18},
		"nothing arrived":           {[]step{confirmed, {verb: history.Dispatched}, {history.Arrived, map[string]int64{}}}, Canceled, 0, 19, 18, 18},
		"returned":                  {[]step{{verb: history.Collected}, {verb: history.Returned}}, Returned, 0, 19, 20, 20},
		"returned line by line":     {[]step{{verb: history.Collected}, {history.Returned, map[string]int64{"tea": 3}}, {history.Returned, map[string]int64{"tea": 1, "cup": 1}}}, Returned, 0, 19, 20, 20},
		"rejected":                  {[]step{confirmed, {verb: history.Rejected}}, Confirmed, 1, 20, 20, 20},
	}
}

// walk takes a reservation through some steps.
func (c *counter) walk(id string, steps []counterStep) {
	t, l := c.t, c.l
	t.Helper()
	for i, s := range steps {
		if s.verb == history.Expired || s.verb == history.NoShow {
			_, err := l.Expire(1 << 40)
			mustDo(t, err)
			continue
		}
		change := Change{Verb: s.verb, ID: id, Deadline: 1000, ID2: fmt.Sprint("c", i)}
		switch s.verb {
		case history.Returned:
			change.Cause = history.Restocked
		case history.Dispatched:
			change.Slot = 1
		}
		if s.lines != nil {
			change.Lines = []Line{}
		}
		for sku, n := range s.lines {
			handle, _ := l.SKU(sku)
			change.Lines = append(change.Lines, units(handle, n))
		}
		sortLines(change.Lines)
		do(t, l, change)
	}
}

// TestResourcesFollowTheGoods takes a reservation through each way to end, and sees
// where its units and its place in the window are.
func TestResourcesFollowTheGoods(t *testing.T) {
	for name, c := range counterWays() {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}

func (c counterWay) check(t *testing.T) {
	disk := faultdisk.New(1)
	l := onDisk(t, disk, 0)
	w := newCounter(t, l)
	id := w.reserve()
	w.walk(id, c.steps)
	check := func(l *Ledger) {
		t.Helper()
		var e Entry
		if l.Find(id, &e); e.State != c.state {
			t.Errorf("it is %v, want %v: %+v", e.State, c.state, e.Lines)
		}
		window := l.Available(w.at, 0)
		if window.Held != c.held || window.OnHand != c.onHand || l.Available(w.at, 1).OnHand != 20 {
			t.Errorf("the window: %+v, want %d held and %d in all", window, c.held, c.onHand)
		}
		if tea, lot := l.Available(w.tea, 0).OnHand, l.Available(w.lot, 0).OnHand; tea != c.tea || lot != c.lot {
			t.Errorf("%d and %d of the lot are on hand, want %d and %d", tea, lot, c.tea, c.lot)
		}
		if a, err := l.Audit(t.Context(), nil); err != nil || len(a.Differences) > 0 {
			t.Errorf("%v %+v", err, a.Differences)
		}
	}
	mustDo(t, l.queue.Step())
	check(l)
	want := allOf(l)
	mustDo(t, l.Close())
	again := onDisk(t, disk.Kill(), 0)
	check(again)
	if got := allOf(again); !maps.Equal(got, want) {
		t.Errorf("was %v, is %v", want, got)
	}
	mustDo(t, again.Close())
}

// TestUnitsAreSpread names a SKU and takes its own units first, then those of its
// sub-SKUs.
func TestUnitsAreSpread(t *testing.T) {
	l := onDisk(t, faultdisk.New(1), 0)
	w := newCounter(t, l)
	id := w.reserve()
	do(t, l, Change{Verb: history.Confirmed, ID: id, Lines: []Line{units(w.tea, 3)}})
	if tea, lot := w.line(id, w.tea), w.line(id, w.lot); tea.Confirmed != 2 || lot.Confirmed != 1 || lot.Held != 1 {
		t.Errorf("confirmed: %+v and %+v", tea, lot)
	}
	if window := w.line(id, w.at); window.Confirmed != 1 {
		t.Errorf("the window: %+v", window)
	}
	_, err := end(l, history.Canceled, id, units(w.tea, 5))
	var short *ShortageError
	if !errors.As(err, &short) || short.SKU != "tea" || short.Wanted != 5 || short.Available != 4 {
		t.Errorf("more than there is: %v", err)
	}
	do(t, l, Change{Verb: history.Canceled, ID: id, Lines: []Line{units(w.lot, 1)}})
	if tea, lot := w.line(id, w.tea), w.line(id, w.lot); tea.Canceled() != 0 || lot.Canceled() != 1 {
		t.Errorf("canceled: %+v and %+v", tea, lot)
	}
	// In part elsewhere, and the rest: the window goes with the last.
	var p Parts
	var found Entry
	r := Reroute{ID: id, Lines: []Line{units(w.tea, 3)}, To: part(id, 2, 1, units(w.tea, 3), units(w.at, 1))}
	slices.SortFunc(r.To.Lines, func(a, b Line) int { return int(a.SKU) - int(b.SKU) })
	if how := p.Reroute(l, &r, &found); how != Done || l.Available(w.at, 0).Held != 1 || l.Available(w.at, 1).Held != 1 {
		t.Fatal(how, p.Err(), l.Available(w.at, 0))
	}
	if l.FindPart(id, 2, &found); found.State != Confirmed {
		t.Errorf("the part: %+v", found)
	}
	r = Reroute{ID: id, Part: 1, To: part(id, 3, 1, units(w.cup, 1))}
	if how := p.Reroute(l, &r, &found); how != Done || found.State != Rerouted || l.Available(w.at, 0).Held != 0 {
		t.Fatal(how, p.Err(), found, l.Available(w.at, 0))
	}
	mustDo(t, l.Close())
}

// A count or a correction that leaves fewer places in a window than are taken makes
// nobody short of goods, and a movement may ask for what is available only.
func TestFewerPlaces(t *testing.T) {
	l := onDisk(t, faultdisk.New(1), 0)
	w := newCounter(t, l)
	id := w.reserve()
	adjust := func(name string, only bool, lines ...MovementLine) error {
		return moved(l, &Movement{ID: name, Cause: history.Adjusted, Slot: 0, Available: only, Lines: lines})
	}
	if err := adjust("a", true, MovementLine{aWindow, -20}, MovementLine{"cup", 5}); !errors.Is(err, ErrShortage) {
		t.Errorf("all places, one of them taken: %v", err)
	}
	if l.Available(w.cup, 0).OnHand != 20 {
		t.Error("a refused movement brought something")
	}
	mustDo(t, adjust("a", true, MovementLine{aWindow, -19}, MovementLine{"tea", -3}, MovementLine{aLot, 3}))
	if l.Available(w.lot, 0).Available != 21 || l.Available(w.tea, 0).Available != 15 {
		t.Errorf("%+v %+v", l.Available(w.lot, 0), l.Available(w.tea, 0))
	}
	mustDo(t, adjust("b", false, MovementLine{aWindow, -1}))
	if line := w.line(id, w.at); line.Short != 0 || l.Short() != 0 || l.Available(w.at, 0).Available != -1 {
		t.Errorf("%+v, %d cells short, %+v", line, l.Short(), l.Available(w.at, 0))
	}
	do(t, l, Change{Verb: history.Canceled, ID: id})
	mustDo(t, l.Close())
}
