package journal

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// retryAfter is how long the preparer rests after it found no space.
const retryAfter = 250 * time.Millisecond

// takeSpare returns a file of at least the length that may become a segment. One that
// is longer than all segments is made as long as that. The error is a refusal, or the
// log has stopped.
func (l *FileLog) takeSpare(length int64) (f spare, err error) {
	switch {
	case length > l.options.SegmentBytes:
		f = spare{bytes: length}
		f.name, err = l.prepare(length)
		for isFull(err) && l.FreeSpace() {
			f.name, err = l.prepare(length)
		}
	default:
		l.spare.expect(length)
		for l.options.Manual && !l.spare.has(length) {
			if l.prepareSpare(); l.spare.failure() != nil {
				break
			}
		}
		f, err = l.spare.take(length, l.options.Manual)
	}
	if err == nil || errors.Is(err, log.ErrClosed) {
		return f, err
	}
	return spare{}, l.judge(fmt.Sprintf("prepare a segment of %d bytes", length), err)
}

// returnSpare keeps a prepared file that was not used for the next one who needs
// one.
func (l *FileLog) returnSpare(f spare) {
	if l.spare.fits(f.bytes) {
		l.spare.giveBack(f)
		return
	}
	l.remove(f.name)
}

// remove removes what is no part of the log. What cannot be removed is in nobody's
// way, and the next open tries again.
func (l *FileLog) remove(name string) {
	if err := ignoreMissing(l.disk.Remove(name)); err != nil {
		l.options.Logger.Warn("journal cannot remove a file it does not need", "name", name, "cause", err)
	}
}

// prepare makes a file of zeros, synced. Its name says that it is whole; until
// then it has another one. A name that something foreign has is stepped over.
func (l *FileLog) prepare(length int64) (name string, err error) {
	f, draft, err := createDraft(l.disk, length, func(int) string {
		name = l.spare.name()
		return preparingName + strings.TrimPrefix(name, preparedPrefix[:len(preparedPrefix)-1])
	}, l.stepsOver)
	if err != nil {
		return "", err
	}
	if err = errors.Join(syncFile(f), f.Close()); err == nil {
		name, err = l.renameSpare(draft, name)
	}
	if err != nil {
		l.remove(draft)
	}
	return name, err
}

// renameSpare gives a file the name of a prepared one, or the next name if
// something foreign has that.
func (l *FileLog) renameSpare(from, to string) (name string, err error) {
	for range obstacles {
		if err = l.disk.Rename(from, to); !inTheWay(err) {
			break
		}
		l.stepsOver(to, err)
		to = l.spare.name()
	}
	return to, err
}

// prepareSpare makes one more spare file. On a full disk it is a shorter one, as long
// as that is of use, and then a segment which is kept for readers alone.
func (l *FileLog) prepareSpare() {
	before := l.spare.ready.Load()
	for {
		length := l.spare.next()
		name, err := l.prepare(length)
		switch {
		case err == nil:
			l.spare.put(spare{name, length})
		case !isFull(err):
		case l.spare.shorter():
			if l.spare.short() {
				continue
			}
			err = nil
		case l.giveUp():
			if l.spare.ready.Load() == before {
				continue
			}
			err = nil
		}
		l.spare.report(err)
		return
	}
}

// Spare says that records below are needed by nobody but readers of the log. They
// stay, until the disk has no space for what is written: then the oldest segments
// of them go, before anything is refused.
func (l *FileLog) Spare(below uint64) {
	l.mu.Lock(lock.Segments)
	defer l.mu.Unlock()
	l.spared = max(l.spared, below)
}

// giveUp trims the oldest segment, if it is kept for readers alone, and reports
// whether it did.
func (l *FileLog) giveUp() bool {
	l.mu.Lock(lock.Segments)
	ok := len(l.segments) > 1 && l.segments[0].next <= l.spared
	below := l.next
	if ok {
		below = l.segments[0].next
	}
	l.mu.Unlock()
	if !ok {
		return false
	}
	err := l.Trim(below)
	l.options.Logger.Warn("journal gives up history for want of space", "first", l.First(), "err", err)
	return !errors.Is(err, log.ErrJournal) && !errors.Is(err, log.ErrClosed)
}

// FreeSpace gives the disk back one file that the log can do without: a prepared
// one beyond those that are kept ahead, or the oldest segment that is kept for
// readers alone. It reports whether there was one; a segment may first become a
// prepared file.
func (l *FileLog) FreeSpace() bool {
	f, ok := l.spare.surplus()
	if !ok {
		return l.giveUp()
	}
	l.remove(f.name)
	return true
}

// runPreparer keeps segments ahead, until stop.
func (l *FileLog) runPreparer() {
	full := false
	for {
		var retry <-chan time.Time
		if l.spare.short() {
			l.prepareSpare()
			err := l.spare.failure()
			if err == nil {
				if full {
					l.options.Logger.Info("journal has space again")
				}
				full = false
				select {
				case <-l.stop:
					return
				default:
					continue
				}
			}
			if !full {
				l.options.Logger.Warn("journal cannot prepare a segment", "cause", err)
			}
			full = true
			retry = time.After(retryAfter)
		}
		select {
		case <-l.spare.called:
		case <-retry:
		case <-l.stop:
			return
		}
	}
}

// HeadRoom says how many segments are ready to take records, and if fewer than two,
// why no more can be prepared: ErrNoSpace, ErrUnavailable, or nil if one is on its
// way. If what is owed needs all there are, one counts.
func (l *FileLog) HeadRoom() (segments int, err error) {
	n, err := l.spare.headRoom(l.options.owed)
	if err == nil {
		return n, nil
	}
	return n, fmt.Errorf("journal: prepare a segment: %w", typed(err))
}

// Room reports whether a short frame could be written now: nil, a refusal, or why
// the log has stopped. If that is not known yet it waits for a file to be
// prepared.
func (l *FileLog) Room() error {
	l.mu.Lock(lock.Segments)
	n := len(l.segments)
	fits := n > 0 && l.segments[n-1].end+blockSize <= l.segments[n-1].dataEnd()
	l.mu.Unlock()
	if fits {
		return nil
	}
	f, err := l.takeSpare(3 * blockSize)
	if err == nil {
		l.spare.giveBack(f)
	} else {
		l.options.Logger.Warn("journal has no room for a record", "cause", err)
	}
	return err
}

// nudge tells the marker that there is something to write down.
func (l *FileLog) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// runMarker writes the watermark some time after each append, until stop. The
// last one is Close's.
func (l *FileLog) runMarker() {
	timer := time.NewTimer(l.options.Watermark)
	defer timer.Stop()
	for {
		select {
		case <-l.wake:
		case <-l.stop:
			return
		}
		timer.Reset(l.options.Watermark)
		select {
		case <-timer.C:
		case <-l.stop:
			return
		}
		if log.Refused(l.tend()) {
			l.nudge() // try again; all other errors have stopped the log, and the next append says so
		}
	}
}

// Tend does what a log that is not Manual does by itself: it prepares segments,
// and writes down how far the log is durable.
func (l *FileLog) Tend() error {
	if err := l.refusal(); err != nil {
		return err
	}
	l.spare.owe(l.options.owed())
	for l.options.Manual && l.spare.short() {
		if l.prepareSpare(); l.spare.failure() != nil {
			break // HeadRoom tells
		}
	}
	return l.tend()
}

// tend writes the watermark unless the log is over.
func (l *FileLog) tend() error {
	l.marking.Lock(lock.Mark)
	defer l.marking.Unlock()
	if err := l.refusal(); err != nil {
		return err
	}
	return l.mark()
}

// mark writes the watermark, if it has moved. It also looks whether the
// directory is still there and still ours. marking is held.
func (l *FileLog) mark() error {
	l.mu.Lock(lock.Segments)
	durable, from, marked := l.durable, l.from, l.marked
	l.mu.Unlock()
	if durable == marked {
		return nil
	}
	if err := checkOwner(l.disk, l.super); err != nil {
		return l.judge("look who owns the directory", err)
	}
	if err := l.watermark.write(durable, from); err != nil {
		return l.fail("write the watermark", err)
	}
	l.mu.Lock(lock.Segments)
	l.marked = durable
	l.mu.Unlock()
	return nil
}

// Trim drops the segments whose records are all below; see Log. The one being
// written to stays. Dropped files are kept as spares as far as there is need.
func (l *FileLog) Trim(below uint64) error {
	l.marking.Lock(lock.Mark)
	defer l.marking.Unlock()
	l.mu.Lock(lock.Segments)
	if l.closed || l.failed != nil {
		defer l.mu.Unlock()
		if l.closed {
			return log.ErrClosed
		}
		return l.failed
	}
	n := 0
	for n+1 < len(l.segments) && l.segments[n].next <= below {
		n++
	}
	if n == 0 {
		l.mu.Unlock()
		return nil
	}
	durable, from := l.durable, l.segments[n].first
	l.mu.Unlock()
	// Once the watermark says so the segments are of no use, whatever becomes
	// of their names; recovery removes what is left of them.
	if err := l.watermark.agree(durable, from); err != nil {
		return l.fail("write the watermark", err)
	}
	l.mu.Lock(lock.Segments)
	dropped := l.segments[:n:n]
	l.segments = l.segments[n:]
	l.from, l.marked = from, durable
	l.tally(l.segments, l.from)
	inUse := make([]bool, n)
	for i, s := range dropped {
		s.gone = true
		inUse[i] = s.users > 0
	}
	l.mu.Unlock()
	return l.drop(dropped, inUse)
}

// drop makes spares of segments that were trimmed, if they are as long as the next
// ones are to be, and removes the rest. A file that a reader has open is not used
// again, so that the reader never sees another life of it.
func (l *FileLog) drop(dropped []*segment, inUse []bool) error {
	var faults []error
	var spares []spare
	l.kept.aim(l.options.owed())
	wanted, kept := l.spare.next(), int64(0)
	for i, s := range dropped {
		if inUse[i] || s.size < wanted || !l.spare.fits(s.size) || !l.spare.keeps(len(spares), kept, false) {
			faults = append(faults, ignoreMissing(l.disk.Remove(s.name)))
			continue
		}
		name, err := l.renameSpare(s.name, l.spare.name())
		if err != nil {
			faults = append(faults, err)
			continue
		}
		spares, kept = append(spares, spare{name, s.size}), kept+s.size
	}
	if err := syncNames(l.disk); err != nil {
		return l.fail("sync the names", err)
	}
	for _, f := range spares {
		l.spare.put(f)
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("journal: trim: %w", err)
	}
	return nil
}
