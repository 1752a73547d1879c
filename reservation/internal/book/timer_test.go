package book

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// extendRule moves the deadline of a hold.
type extendRule struct{ deadline int64 }

func (r *extendRule) Apply(_ string, e *Entry) ([]byte, error) {
	e.Deadline = r.deadline
	return nil, nil
}

// Many holds of one shard, so that buckets are long and are swept, against a map:
// each is given at the first call whose time is not before its deadline, once,
// whatever steps the clock takes, and canceled and extended ones not at all.
func TestTimersAgainstMap(t *testing.T) {
	steps := 200_000
	if !scaletest.Full() {
		steps = 30_000
	}
	for _, span := range []int64{50, 5_000, 600_000, 1 << 31, 1 << 45} {
		t.Run(fmt.Sprint("span=", span), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(span), 8))
			b := newKeyedBook(0, fixedKey)
			b.used = math.MaxUint32
			s := &b.shards[0]
			now, swept := int64(1_790_000_000_000), 0
			due := map[string]int64{}
			var live []string
			var e Entry
			hold := orderOf(1, 1)
			hold.Location = 1
			for step := range steps {
				switch act := random.IntN(10); {
				case act < 5 || len(live) < 100:
					id := fmt.Sprint("hold-", step)
					hold.Deadline = now + random.Int64N(span)
					b.Add(KindOrder, id, &hold, nil, nil)
					due[id] = hold.Deadline
					live = append(live, id)
				case act < 8 && random.IntN(4) > 0:
					i := random.IntN(len(live))
					id := live[i]
					live[i] = live[len(live)-1]
					live = live[:len(live)-1]
					_, err := b.Change(KindOrder, id, &e, &endRule{life.Canceled, now})
					if _, there := due[id]; there != (err == nil) {
						t.Fatalf("canceling %s: %v, due at %d", id, err, due[id])
					}
					delete(due, id)
				case act < 9:
					id := live[random.IntN(len(live))]
					if _, there := due[id]; there {
						due[id] = now + random.Int64N(span)
						b.Change(KindOrder, id, &e, &extendRule{due[id]})
					}
				case random.IntN(4) == 0:
					now += random.Int64N(1 + span>>(11+random.IntN(10)))
					if random.IntN(1000) == 0 {
						now += random.Int64N(1 + span)
					}
					expireAll(t, b, now, due, 1+random.IntN(200))
				}
				if chain := s.timers.Chain(); s.timers.Moving() && chain.Sweep() {
					swept++
				}
				if step%5000 == 0 {
					if err := soundBook(b); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, at := range due {
				now = max(now, at)
			}
			expireAll(t, b, now, due, 1000)
			if len(due) != 0 || b.NextDue(0) != wheel.Never {
				t.Errorf("%d holds never came, and the next is due at %d", len(due), b.NextDue(0))
			}
			if span >= 5_000 && swept == 0 {
				t.Error("nothing was swept")
			}
		})
	}
}

func expireAll(t *testing.T, b *Book, now int64, due map[string]int64, most int) {
	var e Entry
	for n := most; n == most; {
		var err error
		n, err = b.DueIn(0, now, most, &e, ruleFunc(func(id string, e *Entry) ([]byte, error) {
			if at, there := due[id]; !there || at > now || at != e.Deadline {
				t.Fatalf("%s came at %d, due at %d", id, now, at)
			}
			delete(due, id)
			return (&endRule{life.Expired, now}).Apply(id, e)
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, at := range due {
		if at <= now {
			t.Fatalf("%s did not come at %d, due at %d", id, now, at)
		}
		if next := b.NextDue(0); at < next {
			t.Fatalf("nextDue = %d, %s is due at %d", next, id, at)
		}
	}
}

// A hold that is extended for ever, back and forth between two deadlines, needs
// no more memory in the end than after a while, though its stamps come around.
func TestTimersForgetWhatIsExtended(t *testing.T) {
	b := newKeyedBook(0, fixedKey)
	hold := orderOf(1, 1)
	var e Entry
	b.Add(KindOrder, "o", &hold, nil, nil)
	most := int64(0)
	for i := range 100_000 {
		if _, err := b.Change(KindOrder, "o", &e, &extendRule{1_000_000 + int64(i%2)*100}); err != nil {
			t.Fatal(err)
		}
		if i == 1000 {
			most = b.Memory()
		}
	}
	if got := b.Memory(); got > most+8192 {
		t.Errorf("memory went from %d to %d bytes", most, got)
	}
	due := map[string]int64{"o": 1_000_100}
	for shard := range b.shards {
		if b.NextDue(shard) != wheel.Never {
			n, err := b.DueIn(shard, 1_000_100, 10, &e, ruleFunc(func(id string, e *Entry) ([]byte, error) {
				delete(due, strings.Clone(id))
				return nil, nil
			}))
			if n != 1 || err != nil {
				t.Errorf("dueIn = %d, %v", n, err)
			}
		}
	}
	if len(due) != 0 {
		t.Error("it did not come")
	}
}

// The clock goes by a step at a time, back now and then, and over years at once:
// nobody comes early, and all in order of the milliseconds.
func TestTimersByClockSteps(t *testing.T) {
	b := newKeyedBook(0, fixedKey)
	b.used = math.MaxUint32
	hold := orderOf(1, 1)
	due := map[string]int64{}
	for i := range 5000 {
		hold.Deadline = 1000 + int64(i)*7
		id := fmt.Sprint(i)
		b.Add(KindOrder, id, &hold, nil, nil)
		due[id] = hold.Deadline
	}
	for now := int64(0); now < 20_000; now++ {
		expireAll(t, b, now, due, 3)
		if now%100 == 99 {
			expireAll(t, b, now-50, due, 3)
		}
	}
	expireAll(t, b, 1<<40, due, 100)
	if len(due) != 0 {
		t.Errorf("%d holds never came", len(due))
	}
	expireAll(t, b, 5, due, 100)
	hold.Deadline = 10
	b.Add(KindOrder, "late", &hold, nil, nil)
	due["late"] = 10
	if n, err := b.DueIn(0, 1<<40, 5, &Entry{}, ruleFunc(func(string, *Entry) ([]byte, error) { return nil, nil })); n != 1 || err != nil {
		t.Errorf("a hold that was late when it came: dueIn = %d, %v", n, err)
	}
}
