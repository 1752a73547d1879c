package wheel_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/internal/book/slab"
	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
)

// clock is a wheel with the records that its timers are of, and what it should know:
// when each is due.
type clock struct {
	t     rapid.TB
	w     wheel.Wheel
	side  slab.Slab
	armed map[uint32]armed
	now   int64
	swept bool
}

type armed struct {
	due   int64
	stamp uint32
}

func newClock(t rapid.TB) *clock { return &clock{t: t, armed: map[uint32]armed{}} }

// arm gives a record a timer.
func (c *clock) arm(ref uint32, due int64) {
	stamp := c.w.Stamp()
	c.armed[ref] = armed{due, stamp}
	k := c.w.Put(&c.side, due, wheel.Timer(ref, stamp, due))
	if k.Room(&c.side) == 0 {
		c.t.Fatalf("the bucket of %d lies nowhere", due)
	}
	c.sweep()
}

// disarm takes it away.
func (c *clock) disarm(ref uint32) {
	due := c.armed[ref].due
	delete(c.armed, ref)
	c.w.Drop(due)
	c.sweep()
}

// sweep moves a few timers on, as whoever arms or disarms does.
func (c *clock) sweep() {
	if c.w.Moving() {
		chain := c.w.Chain()
		c.swept = c.swept || chain.Sweep()
		c.pass(-1, 8)
	}
}

// pass takes some timers of the moving chain and puts them where they belong; it returns
// those that are due.
func (c *clock) pass(now int64, some int) (due []uint32) {
	chain := c.w.Chain()
	block := slices.Clone(c.w.Block(&c.side, some))
	c.w.Pass(&c.side, len(block)/8)
	for at := 0; at < len(block); at += 8 {
		timer := binary.LittleEndian.Uint64(block[at:])
		r, ok := c.armed[wheel.Ref(timer)]
		ok = ok && wheel.Stamped(timer, r.stamp)
		at := int64(0)
		switch {
		case (chain.Sweep() || chain.Asks()) && !ok:
			continue
		case chain.Asks():
			c.w.Asked()
			at = r.due
		default:
			at = chain.Time(timer)
			if ok && at != r.due {
				c.t.Fatalf("a timer of %d says %d", r.due, at)
			}
		}
		if at > now {
			c.w.Put(&c.side, at, timer)
		} else if ok {
			due = append(due, wheel.Ref(timer))
		}
	}
	return due
}

// advance lets time go by, and compares who is due with who is.
func (c *clock) advance(now int64) {
	c.now = now
	if next := c.w.Next(); len(c.armed) > 0 {
		for ref, r := range c.armed {
			if r.due < next {
				c.t.Fatalf("%d is due at %d, and the next is at %d", ref, r.due, next)
			}
		}
	}
	var got, want []uint32
	for c.w.Moving() || c.w.Begin(now) {
		got = append(got, c.pass(now, 16)...)
	}
	for ref, r := range c.armed {
		if r.due <= now {
			want = append(want, ref)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.t.Fatalf("at %d: %v are due, want %v", now, got, want)
	}
	for _, ref := range want {
		delete(c.armed, ref)
	}
}

// sound checks the buckets, and that everybody who is armed has a timer.
func (c *clock) sound() {
	found := map[uint32]bool{}
	if err := c.w.Sound(&c.side, func(timer uint64) {
		if r, ok := c.armed[wheel.Ref(timer)]; ok && wheel.Stamped(timer, r.stamp) {
			found[wheel.Ref(timer)] = true
		}
	}); err != nil {
		c.t.Fatal(err)
	}
	if len(found) != len(c.armed) {
		c.t.Fatalf("%d have timers, want %d", len(found), len(c.armed))
	}
}

// TestWheelAgainstMap arms, disarms and lets time go by, near and far.
func TestWheelAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock(t)
		span := int64(1) << rapid.IntRange(1, 40).Draw(t, "span")
		next := uint32(1)
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1, 2:
				c.arm(next, max(0, c.now+rapid.Int64Range(-2, span).Draw(t, "in")))
				next++
			case 3, 4:
				for ref := range next {
					if r, ok := c.armed[ref]; ok && (uint32(r.due)+ref)%3 == 0 {
						c.disarm(ref)
						break
					}
				}
			default:
				c.advance(c.now + rapid.Int64Range(0, span/4+1).Draw(t, "time"))
			}
			c.sound()
		}
		c.advance(c.now + 2*span)
		if c.w.Next() != wheel.Never && len(c.armed) == 0 {
			t.Fatalf("there is something at %d", c.w.Next())
		}
	})
}

// TestDeadAreSwept: timers that are taken back are found and their memory is used again,
// though their time never comes.
func TestDeadAreSwept(t *testing.T) {
	c := newClock(t)
	for round := range 20 {
		for i := range uint32(500) {
			c.arm(i+1, 1<<30+int64(i))
		}
		for i := range uint32(500) {
			c.disarm(i + 1)
		}
		c.sound()
		if round > 0 && c.side.Bytes() > 64<<10 {
			t.Fatalf("%d bytes in round %d", c.side.Bytes(), round)
		}
	}
	if !c.swept {
		t.Error("nothing was swept")
	}
}

// TestEarlierTime: one who asks by an earlier time than the wheel's does not miss what was
// past when it came, nor gets what is not due.
func TestEarlierTime(t *testing.T) {
	c := newClock(t)
	c.w.Turn(1000)
	c.arm(1, 700)
	c.arm(2, 900)
	c.arm(3, 1005)
	if c.w.Next() != 700 {
		t.Errorf("the next is at %d, want 700", c.w.Next())
	}
	c.advance(800)
	c.advance(900)
	c.advance(1004)
	c.advance(1005)
	if passed, asked := c.w.Worked(); passed < 3 || asked > passed {
		t.Errorf("%d timers were moved and %d records read", passed, asked)
	}
	if c.w.Bytes() == 0 {
		t.Error("the wheel takes no memory")
	}
}
