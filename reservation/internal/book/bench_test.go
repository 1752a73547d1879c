package book

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// The rivals keep one object per order, found by a concurrent map or by a map
// under one mutex. They end no orders and remember none.

type benchKeeper interface {
	addOne(id string, e, found *Entry) bool
	Find(kind Kind, id string, into *Entry) bool
	collectOne(id string, want, buf []entryLine) []entryLine
	Drop(kind Kind, id string)
}

type benchBook struct {
	*Book
	pool *sync.Pool
}

func newBenchBook(remember int) benchBook {
	return benchBook{New(remember), &sync.Pool{New: func() any { return &takeRule{to: life.Collected, units: 1} }}}
}

func (k benchBook) collectOne(id string, want, buf []entryLine) []entryLine {
	r := k.pool.Get().(*takeRule)
	r.line = int(want[0].SKU)
	if k.end(id, r) == nil {
		buf = append(buf, want[0])
	}
	k.pool.Put(r)
	return buf
}

type benchRecord struct {
	mu sync.Mutex
	Entry
}

func newBenchRecord(e *Entry) *benchRecord {
	r := &benchRecord{Entry: *e}
	r.Lines = append([]entryLine(nil), e.Lines...)
	return r
}

func (r *benchRecord) read(into *Entry) {
	r.mu.Lock()
	lines := append(into.Lines[:0], r.Lines...)
	*into = r.Entry
	into.Lines = lines
	r.mu.Unlock()
}

func (r *benchRecord) collectOne(want, buf []entryLine) []entryLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.Lines {
		if l := &r.Lines[i]; l.SKU == want[0].SKU && l.Held >= want[0].Quantity {
			l.Held -= want[0].Quantity
			l.Collected += want[0].Quantity
			buf = append(buf, want[0])
		}
	}
	return buf
}

type benchXsync struct {
	m *xsync.MapOf[string, *benchRecord]
}

func (k benchXsync) addOne(id string, e, found *Entry) bool {
	r, there := k.m.LoadOrStore(id, newBenchRecord(e))
	if there {
		r.read(found)
	}
	return !there
}

func (k benchXsync) Find(_ Kind, id string, into *Entry) bool {
	r, ok := k.m.Load(id)
	if ok {
		r.read(into)
	}
	return ok
}

func (k benchXsync) collectOne(id string, want, buf []entryLine) []entryLine {
	if r, ok := k.m.Load(id); ok {
		return r.collectOne(want, buf)
	}
	return buf
}

func (k benchXsync) Drop(_ Kind, id string) { k.m.Delete(id) }

type benchMap struct {
	mu sync.Mutex
	m  map[string]*benchRecord
}

func (k *benchMap) addOne(id string, e, found *Entry) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, ok := k.m[id]; ok {
		r.read(found)
		return false
	}
	k.m[id] = newBenchRecord(e)
	return true
}

func (k *benchMap) Find(_ Kind, id string, into *Entry) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.m[id]
	if ok {
		r.read(into)
	}
	return ok
}

func (k *benchMap) collectOne(id string, want, buf []entryLine) []entryLine {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, ok := k.m[id]; ok {
		return r.collectOne(want, buf)
	}
	return buf
}

func (k *benchMap) Drop(_ Kind, id string) {
	k.mu.Lock()
	delete(k.m, id)
	k.mu.Unlock()
}

var benchKeepers = []struct {
	name string
	make func() benchKeeper
}{
	{"book", func() benchKeeper { return newBenchBook(1 << 20) }},
	{"xsync", func() benchKeeper { return benchXsync{xsync.NewMapOf[string, *benchRecord]()} }},
	{"map+mutex", func() benchKeeper { return &benchMap{m: map[string]*benchRecord{}} }},
}

// benchIDs returns the numbers as IDs of 12 bytes, in one string, so that
// reading them in turn costs the same for all.
func benchIDs(numbers []int) []string {
	all := make([]byte, 0, 12*len(numbers))
	for _, n := range numbers {
		all = fmt.Appendf(all, "ord-%08d", n)
	}
	joined, ids := string(all), make([]string, len(numbers))
	for i := range ids {
		ids[i] = joined[12*i : 12*i+12]
	}
	return ids
}

func fillKeeper(k benchKeeper, ids []string) {
	e := orderOf(1, 3)
	e.Deadline = 600_000
	for i := range e.Lines {
		e.Lines[i].Quantity, e.Lines[i].Held = 1<<30, 1<<30 // None ends.
	}
	for _, id := range ids {
		k.addOne(id, &e, nil)
	}
}

func benchPart(k benchKeeper, op string, ids []string) {
	e := orderOf(1, 3)
	found := Entry{Lines: make([]entryLine, 0, 8)}
	buf := make([]entryLine, 0, 8)
	one := []entryLine{{SKU: 1, Quantity: 1}}
	for i, id := range ids {
		switch op {
		case "add-prefetched":
			// Two others come between, as the caller's other work would.
			k.(benchBook).Prefetch(KindOrder, ids[min(i+2, len(ids)-1)])
			fallthrough
		case "add":
			k.addOne(id, &e, &found)
		case "find-prefetched":
			k.(benchBook).Prefetch(KindOrder, ids[min(i+2, len(ids)-1)])
			fallthrough
		case "find":
			k.Find(KindOrder, id, &found)
		case "resolve":
			buf = k.collectOne(id, one, buf[:0])
		}
	}
}

// BenchmarkBook runs batches of all implementations in turn, so that a
// busy machine troubles all of them alike. It reports the time of an operation
// of the book and how many times that the others take; each is the tenth
// percentile over the batches, because other work only ever adds to a time.
// ns/op is that of a round and says nothing. op=resolve collects one unit of
// one line. An operation named prefetched has its ID prefetched two operations
// before; the others have no such thing and do without.
func BenchmarkBook(b *testing.B) {
	live, batch := 1_000_000, 1<<12
	if testing.Short() {
		live, batch = 10_000, 1<<10
	}
	random := rand.New(rand.NewPCG(1, 4))
	numbers := random.Perm(live + 32*batch)
	first, fresh := benchIDs(numbers[:live]), benchIDs(numbers[live:])
	random.Shuffle(live, func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	old := benchIDs(numbers[:live])
	var keepers []benchKeeper
	for _, impl := range benchKeepers {
		k := impl.make()
		fillKeeper(k, first)
		keepers = append(keepers, k)
	}
	for _, op := range []string{"add", "add-prefetched", "find", "find-prefetched", "resolve"} {
		for _, goroutines := range []int{1, 2} {
			b.Run(fmt.Sprintf("op=%s/live=%d/goroutines=%d", op, live, goroutines), func(b *testing.B) {
				runtime.GC()
				times := make([][]float64, len(keepers))
				for b.Loop() {
					ids := old
					if strings.HasPrefix(op, "add") {
						ids = fresh // As many batches as make the caches forget one.
					}
					from := random.IntN(len(ids) - batch)
					ids = ids[from : from+batch]
					for i, k := range keepers {
						name := op
						if i > 0 {
							name, _, _ = strings.Cut(op, "-")
						}
						times[i] = append(times[i], benchBatch(k, name, ids, goroutines))
					}
				}
				for i := range times {
					slices.Sort(times[i])
				}
				fast := len(times[0]) / 10
				for i, impl := range benchKeepers {
					if i == 0 {
						b.ReportMetric(times[0][fast], "book-ns")
					} else {
						b.ReportMetric(times[i][fast]/times[0][fast], impl.name+"/book")
					}
				}
			})
		}
	}
}

// benchBatch returns nanoseconds per operation of one batch, and leaves the
// orders as they were.
func benchBatch(k benchKeeper, op string, ids []string, goroutines int) float64 {
	part := len(ids) / goroutines
	start := time.Now()
	var done sync.WaitGroup
	for g := range goroutines {
		done.Go(func() { benchPart(k, op, ids[g*part:g*part+part]) })
	}
	done.Wait()
	took := time.Since(start)
	if strings.HasPrefix(op, "add") {
		for _, id := range ids {
			k.Drop(KindOrder, id)
		}
	}
	return float64(took.Nanoseconds()) / float64(part*goroutines)
}

// BenchmarkBookSteady adds one order, finds it, and ends one of about a million
// live ones, with the remembered ones full: each order also forgets one.
func BenchmarkBookSteady(b *testing.B) {
	live := 1_000_000
	if testing.Short() {
		live = 10_000
	}
	k := New(live)
	var id [12]byte
	name := func(i int) string { return string(fmt.Appendf(id[:0], "ord-%08d", i)) }
	e := orderOf(1, 3)
	collect := &endRule{state: life.Collected}
	found := Entry{Lines: make([]entryLine, 0, 8)}
	// A thousand locations, and a millisecond for a thousand orders.
	steady := func(i int, id string) {
		e.Location, e.Origin, e.Deadline, collect.now = uint32(i%1000), uint32(i%1000), int64(i/1000)+600_000, int64(i/1000)
		k.Add(KindOrder, id, &e, nil, nil)
	}
	for i := range 2 * live {
		steady(i, name(i))
		if i >= live {
			k.Change(KindOrder, name(i-live), &found, collect)
		}
	}
	const batch = 1 << 16
	names, ends := make([]string, batch), make([]string, batch)
	next, slowest := 2*live, time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		for i := range names {
			names[i], ends[i] = name(next+i), name(next+i-live)
		}
		next += batch
		b.StartTimer()
		last := time.Now()
		for i := range names {
			steady(next-batch+i, names[i])
			k.Find(KindOrder, names[i], &found)
			k.Change(KindOrder, ends[i], &found, collect)
			if i%64 == 0 {
				now := time.Now()
				slowest, last = max(slowest, now.Sub(last)), now
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/order")
	b.ReportMetric(float64(slowest.Microseconds()), "slowest-µs/64-orders")
}

// BenchmarkBookMemory reports the heap in use after a collection per live order
// of three lines and an ID of 12 bytes, ID index included, and how long a
// collection takes. The ID strings of the book are dropped; a rival keeps them.
func BenchmarkBookMemory(b *testing.B) {
	sizes := []int{1_000_000, 10_000_000}
	if testing.Short() {
		sizes = []int{10_000}
	}
	for _, impl := range benchKeepers {
		for _, live := range sizes {
			if impl.name != "book" && live > 1_000_000 {
				continue
			}
			b.Run(fmt.Sprintf("impl=%s/live=%d", impl.name, live), func(b *testing.B) {
				for b.Loop() {
					before := heapInUse()
					k := impl.make()
					e := orderOf(1, 3)
					for i := range live {
						e.Location, e.Origin, e.Deadline = uint32(i%10_000), uint32(i%10_000), 600_000+int64(i)*600_000/int64(live)
						k.addOne(fmt.Sprintf("ord-%08d", i), &e, nil)
					}
					b.ReportMetric(float64(heapInUse()-before)/float64(live), "B/hold")
					start := time.Now()
					runtime.GC()
					b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "GC-ms")
					if k, ok := k.(benchBook); ok {
						b.ReportMetric(float64(k.Memory())/float64(live), "stated-B/hold")
					}
					runtime.KeepAlive(k)
				}
			})
		}
	}
}
