package book

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// endRule ends an order as of a time.
type endRule struct {
	state life.State
	now   int64
}

func (r *endRule) Apply(_ string, e *Entry) ([]byte, error) {
	for i := range e.Lines {
		l := &e.Lines[i]
		if r.state == life.Expired {
			l.Lapsed += l.Held + l.Confirmed
		}
		if r.state == life.Collected {
			l.Collected += l.Held + l.Confirmed
		}
		l.Held, l.Confirmed = 0, 0
	}
	e.State, e.Deadline = r.state, r.now
	return nil, nil
}

// BenchmarkTimers fills a book with holds of three lines whose deadlines spread
// over ten minutes, at 10,000 locations, and reports nanoseconds for each: arming
// and disarming one, records found and locks taken beforehand as in an add or a
// change; expiring one, from the wheel through a rule that changes nothing, and
// through one that ends it. Then the bytes of a live hold with its index, timer
// and shelf. ns/op is that of a round and says nothing.
func BenchmarkTimers(b *testing.B) {
	for _, live := range []int{1_000_000, 10_000_000} {
		if testing.Short() {
			live /= 100
		}
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			for b.Loop() {
				benchTimers(b, live)
			}
		})
	}
}

func benchTimers(b *testing.B, live int) {
	const start, span = 1_790_000_000_000, 600_000
	random := rand.New(rand.NewPCG(1, 6))
	before := heapInUse()
	k := newKeyedBook(1<<20, fixedKey)
	e := orderOf(1, 3)
	var id [12]byte
	for i := range k.shards {
		k.shards[i].timers.Turn(start)
	}
	for i := range live {
		e.Location, e.Deadline = random.Uint32N(10_000), start+1+int64(i)*span/int64(live)
		e.Origin = e.Location
		k.Add(KindOrder, string(fmt.Appendf(id[:0], "ord-%08d", i)), &e, nil, nil)
	}
	b.ReportMetric(float64(heapInUse()-before)/float64(live), "B/hold")
	b.ReportMetric(float64(k.Memory())/float64(live), "stated-B/hold")

	var places []place
	for i := range k.shards {
		for _, ref := range k.shards[i].index.References(nil) {
			places = append(places, place{uint32(i), ref})
		}
	}
	random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	places = places[:live*9/10]
	each := func(visit func(s *shard, ref uint32)) float64 {
		const block = 64 // Of which the records are near, as after a look-up.
		var took []float64
		for part := range slices.Chunk(places, block) {
			touched := byte(0)
			for _, p := range part {
				s := &k.shards[p.shard]
				touched += s.record(p.ref)[kindAt] + s.record(p.ref)[0]
			}
			runtime.KeepAlive(touched)
			from := time.Now()
			for _, p := range part {
				visit(&k.shards[p.shard], p.ref)
			}
			took = append(took, float64(time.Since(from).Nanoseconds())/float64(len(part)))
		}
		return usual(took)
	}
	b.ReportMetric(each(func(s *shard, ref uint32) { r := s.record(ref); k.disarm(s, r, r.deadline()) }), "cancel-ns")
	now := int64(start) // They come as holds do: one after the other, for ten minutes.
	b.ReportMetric(each(func(s *shard, ref uint32) {
		now++
		due := start + 1 + (now-start)*span/int64(len(places))
		binary.LittleEndian.PutUint64(s.record(ref)[deadlineAt:], uint64(due))
		k.arm(s, ref, due)
	}), "insert-ns")

	expire := func(now int64, r Rule) []float64 { return benchExpire(b, k, now, r) }
	expire(start, nil)
	// A tenth goes by in steps of 100 ms, as a clock does it; then much at once.
	nothing := ruleFunc(func(string, *Entry) ([]byte, error) { return nil, nil })
	var took []float64
	for now := int64(start); now <= start+span/10; now += 100 {
		took = append(took, expire(now, nothing)...)
	}
	b.ReportMetric(usual(took), "expire-ns")
	b.ReportMetric(usual(expire(start+span/2, nothing)), "expire-burst-ns")
	b.ReportMetric(usual(expire(start+span, &endRule{life.Expired, start + span})), "expire-end-ns")
}

// benchExpire lets a time come and returns the nanoseconds of a hold, by parts of
// some hundred.
func benchExpire(b *testing.B, k *Book, now int64, r Rule) (took []float64) {
	var e Entry
	n, from := 0, time.Now()
	for i := range k.shards {
		for some := 256; some == 256; {
			var err error
			if some, err = k.DueIn(i, now, 256, &e, r); err != nil {
				b.Fatal(err)
			}
			if n += some; n >= 256 {
				took = append(took, float64(time.Since(from).Nanoseconds())/float64(n))
				n, from = 0, time.Now()
			}
		}
	}
	return took
}

// usual is the mean of times over many small parts without the slowest twentieth,
// because other work on the machine adds much to a few of them.
func usual(times []float64) float64 {
	slices.Sort(times)
	if len(times) == 0 {
		return 0
	}
	times = times[:len(times)-len(times)/20]
	sum := 0.0
	for _, t := range times {
		sum += t
	}
	return sum / float64(len(times))
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
