package journal_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// A world is a log on a disk that fails, and what the log has promised.
type world struct {
	seed    uint64
	draw    *rand.Rand
	disk    *faultdisk.Disk
	options journal.FileOptions
	log     *journal.FileLog

	frames  []log.Frame // what was appended, in order, and may be there
	durable uint64      // last sequence number that was promised
	trimmed uint64      // greatest argument of a Trim
	life    int
	tally   *tally
}

// A tally counts what happened over all worlds.
type tally struct{ lives, frames, survived, stopped, full int }

func newWorld(seed uint64, t *tally) *world {
	w := &world{seed: seed, draw: rand.New(rand.NewPCG(seed, 1)), disk: faultdisk.New(seed), tally: t}
	w.disk.Strict = seed%2 == 1
	w.options = journal.FileOptions{Manual: true, SegmentBytes: 64 << 10, NoSync: seed%3 == 2}
	if seed%5 == 4 { // segments that grow
		w.options.FirstBytes, w.options.SegmentBytes = w.options.SegmentBytes, 512<<10
	}
	return w
}

// A breach is a promise that was not kept.
type breach string

func (b breach) Error() string { return string(b) }

// broken is err unless a disk that fails explains it.
func broken(err error) error {
	var b breach
	if errors.As(err, &b) || errors.Is(err, log.ErrCorrupt) || errors.Is(err, journal.ErrForeign) || errors.Is(err, log.ErrTrimmed) {
		return err
	}
	return nil
}

func breachf(format string, args ...any) error { return breach(fmt.Sprintf(format, args...)) }

func (w *world) next() uint64 {
	if n := len(w.frames); n > 0 {
		return w.frames[n-1].First + uint64(w.frames[n-1].Count)
	}
	return 1
}

// run plays one life after the other and returns the first promise broken.
func (w *world) run(lives int) error {
	for range lives {
		w.tally.lives++
		w.life++
		w.plan()
		if err := w.live(); err != nil {
			return fmt.Errorf("seed %d, life %d: %w", w.seed, w.life, err)
		}
		w.end()
		if err := w.recover(); err != nil {
			return fmt.Errorf("seed %d, after life %d: %w", w.seed, w.life, err)
		}
	}
	return nil
}

// plan draws what goes wrong in the next life.
func (w *world) plan() {
	var p faultdisk.Plan
	n := w.draw.Uint64N(120) + 1
	switch w.draw.IntN(8) {
	case 0, 1, 2:
		p.Crash = n
	case 3:
		p.Fail[faultdisk.AnyIO] = n
	case 4:
		p.Fail[faultdisk.Sync] = n/2 + 1
	case 5:
		p.Short = n/2 + 1
	case 6:
		w.disk.SetSpace(w.disk.Used() + int64(w.draw.IntN(3))<<16)
	}
	w.disk.SetPlan(p)
}

// live runs operations until one stops the log, or for long enough.
func (w *world) live() error {
	l, err := journal.OpenFile(w.disk, w.options)
	if err != nil {
		w.log = nil
		return broken(err)
	}
	w.log = l
	if err := w.check(); err != nil {
		return broken(err)
	}
	for range 10 + w.draw.IntN(50) {
		stop, err := w.step()
		if stop || err != nil {
			return err
		}
	}
	return nil
}

func (w *world) step() (stop bool, err error) {
	switch d := w.draw.IntN(100); {
	case d < 70:
		err = w.append()
		if err == nil && !w.options.NoSync {
			w.durable = w.next() - 1
		}
	case d < 78:
		last := w.log.Last()
		if err = w.log.Sync(); err == nil {
			w.durable = last
		}
	case d < 88:
		err = w.log.Tend()
	case d < 92 && w.next() > 2:
		below := w.draw.Uint64N(w.next()-1) + 1
		if below > w.durable {
			return false, nil
		}
		w.trimmed = max(w.trimmed, below)
		err = w.log.Trim(below)
	default:
		err = w.check()
		return err != nil, broken(err)
	}
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, log.ErrNoSpace):
		w.tally.full++
		return false, nil
	case errors.Is(err, log.ErrJournal):
		w.tally.stopped++
		if again := w.append(); !errors.Is(again, log.ErrJournal) {
			return false, fmt.Errorf("a stopped log answered an append with %v", again)
		}
		w.frames = w.frames[:len(w.frames)-1]
		return true, nil
	}
	return true, nil
}

// append adds a frame no other attempt ever had, and notes it before it is
// known whether it took.
func (w *world) append() error {
	first := w.next()
	b := binary.LittleEndian.AppendUint64(nil, w.draw.Uint64())
	size := w.draw.IntN(200)
	if w.draw.IntN(10) == 0 {
		size = w.draw.IntN(30_000)
	}
	if w.draw.IntN(100) == 0 {
		size = 70_000 + w.draw.IntN(30_000)
	}
	b = append(b, bytes.Repeat(b[:3], size/3)...)
	f := log.Frame{First: first, Count: 1 + w.draw.IntN(3), Payload: b}
	w.frames = append(w.frames, f)
	err := w.log.Append(first, f.Count, b)
	if errors.Is(err, log.ErrNoSpace) {
		w.frames = w.frames[:len(w.frames)-1]
	}
	return err
}

// end is how a life ends: by a power cut, a killed process, a process that
// closes its log, or one that opens it again as it is.
func (w *world) end() {
	closes := w.draw.IntN(2) == 0
	if closes && w.log != nil {
		// What Close says may be anything; that it was nil is a promise.
		last := w.log.Last()
		if w.log.Close() == nil && last == w.next()-1 {
			w.durable = last
		}
	}
	switch w.draw.IntN(4) {
	case 0:
		w.disk = w.disk.Kill()
	default:
		w.disk = w.disk.Crash()
	}
	w.disk.SetPlan(faultdisk.Plan{})
	w.disk.SetSpace(1 << 62)
	w.log = nil
}

// recover opens the log on a disk without faults and looks at what is there.
func (w *world) recover() error {
	l, err := journal.OpenFile(w.disk, w.options)
	if err != nil {
		return err
	}
	w.log = l
	last := l.Last()
	if last < w.durable {
		return fmt.Errorf("acknowledged to %d, recovered to %d", w.durable, last)
	}
	for len(w.frames) > 0 && w.next()-1 > last {
		w.frames = w.frames[:len(w.frames)-1]
	}
	w.tally.frames += len(w.frames)
	if last > w.durable {
		w.tally.survived++
	}
	if w.next()-1 != last {
		return fmt.Errorf("recovered to %d, which is no end of a frame or was never appended (%d)", last, w.next()-1)
	}
	w.durable = last
	if err := w.check(); err != nil {
		return err
	}
	return l.Close()
}

// check reads all that is there and compares it with what was appended.
func (w *world) check() error {
	first := w.log.First()
	if first > max(w.trimmed, 1) {
		return breachf("trimmed below %d, but the log begins at %d", w.trimmed, first)
	}
	want := w.frames
	for len(want) > 0 && want[0].First < first {
		want = want[1:]
	}
	for f, err := range w.log.Read(first) {
		if err != nil {
			return err
		}
		if len(want) == 0 || f.First != want[0].First || f.Count != want[0].Count || !bytes.Equal(f.Payload, want[0].Payload) {
			return breachf("frame %d is not what was appended", f.First)
		}
		want = want[1:]
	}
	if len(want) > 0 && want[0].First <= w.log.Last() {
		return breachf("the log ends before frame %d", want[0].First)
	}
	return nil
}

var crashSeeds = flag.Int("crash-seeds", 0, "worlds of TestCrash, of ten lives each; 0: a default")

// TestCrash lets a disk fail in every way it can and looks whether what was
// acknowledged is there, as it was written, and nothing else.
func TestCrash(t *testing.T) {
	seeds := cmp.Or(*crashSeeds, scaletest.Of(2000, 200))
	var sum tally
	for seed := range uint64(seeds) {
		if err := newWorld(seed, &sum).run(10); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%+v", sum)
	if sum.survived == 0 || sum.stopped == 0 || sum.full == 0 {
		t.Errorf("some of the cases were never met: %+v", sum)
	}
}
