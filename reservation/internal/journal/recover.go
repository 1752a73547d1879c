package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// OpenFile opens the log in a directory, or makes one in a directory that is
// empty. It takes the lock, checks what is there, and cuts off what a crash
// left half written behind the last durable record. Everything that was durable
// is there when it returns; so may be what was appended last without an answer.
//
// It changes nothing if it fails with ErrLocked, ErrForeign, ErrNewer, or
// ErrCorrupt, which it does if something durable is missing. Of the segments
// before the last it reads the two ends; damage between them is found by Read.
// ErrNoSpace and ErrUnavailable are of the moment: a disk so full that not even
// what this package left for it is to be had, a system without file handles. A
// log that has all its files opens on a full disk. Other errors are the disk's.
func OpenFile(d Disk, o FileOptions) (*FileLog, error) {
	return open(d, o, birth{first: 1})
}

// A birth is what a new log begins with; it says nothing of one that is there.
type birth struct {
	identity [16]byte // drawn if zero
	first    uint64   // sequence number of the first record
}

func open(d Disk, o FileOptions, b birth) (*FileLog, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	unlock, err := d.Lock()
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", typed(err))
	}
	l := &FileLog{disk: d, options: o, unlock: unlock, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	l.spare.turned = lock.NewCond(&l.spare.mu, lock.Tending)
	l.spare.called = make(chan struct{}, 1)
	l.spare.least, l.spare.most = o.FirstBytes, o.SegmentBytes
	l.kept.spare = &l.spare
	if err := typed(l.load(b)); err != nil {
		if l.watermark != nil {
			err = errors.Join(err, l.watermark.file.Close())
		}
		for _, s := range l.segments {
			if s.file != nil {
				err = errors.Join(err, s.file.Close())
			}
		}
		return nil, errors.Join(fmt.Errorf("journal: open: %w", err), unlock())
	}
	l.tally(l.segments, l.from) // nobody else has the log yet
	l.kept.aim(o.owed())
	if !o.Manual {
		l.workers.Go(l.runPreparer)
		l.workers.Go(l.runMarker)
	}
	l.nudge()
	return l, nil
}

// load brings the log to where it can be appended to.
func (l *FileLog) load(b birth) error {
	names, err := l.disk.List()
	if err != nil {
		return err
	}
	slices.Sort(names)
	l.super, err = readSuperblock(l.disk)
	if errors.Is(err, fs.ErrNotExist) {
		return l.create(names, b)
	}
	if err != nil {
		return err
	}
	if l.super.schema > l.options.Schema {
		return fmt.Errorf("%w: the records have schema %d, this program knows up to %d", log.ErrNewer, l.super.schema, l.options.Schema)
	}
	if l.watermark, err = openWatermark(l.disk, l.super.identity); err != nil {
		return err
	}
	found := l.watermark.mark
	l.from, l.marked = found.first, found.durable
	old, err := l.readEnds(names)
	if err != nil {
		return err
	}
	tail, err := l.readTail()
	if err != nil {
		return err
	}
	// Everything durable is there. From here on the directory is changed.
	draw(l.super.owner[:])
	l.super.schema = l.options.Schema
	if err := l.takeOver(names); err != nil {
		return err
	}
	if err := l.settle(tail); err != nil {
		return err
	}
	return l.tidy(names, old)
}

// create makes a log. The superblock comes last, so that a log either is there
// or is not.
func (l *FileLog) create(names []string, b birth) error {
	if err := checkNew(names); err != nil {
		return err
	}
	l.super = superblock{identity: b.identity, schema: l.options.Schema}
	if b.identity == [16]byte{} {
		draw(l.super.identity[:])
	}
	draw(l.super.owner[:])
	if err := createWatermark(l.disk, l.super.identity, b.first); err != nil {
		return err
	}
	if err := syncNames(l.disk); err != nil {
		return err
	}
	if err := l.takeOver(names); err != nil {
		return err
	}
	var err error
	if l.watermark, err = openWatermark(l.disk, l.super.identity); err != nil {
		return err
	}
	l.from, l.next, l.durable, l.marked = b.first, b.first, b.first-1, b.first-1
	return l.tidy(names, nil)
}

// missing is a CorruptError for records that have no file.
func missing(from, to uint64, why string) *log.CorruptError {
	return &log.CorruptError{File: segmentName(from), Offset: -1, From: from, To: to, Why: why}
}

// readEnds reads the head of every segment and the seal of all but the last,
// and checks that they follow each other. It returns the names of segments that
// were trimmed and whose files are still there.
func (l *FileLog) readEnds(names []string) (old []string, err error) {
	for _, name := range names {
		if !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		first := parseSegmentName(name)
		if first == 0 {
			return nil, &log.CorruptError{File: name, Offset: -1, From: 1, Why: "no segment has such a name"}
		}
		if first < l.from {
			old = append(old, name)
			continue
		}
		f, err := l.disk.Open(name)
		if err != nil {
			return nil, err
		}
		s, err := readHead(f, name, l.super.identity)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		s.file = f
		l.segments = append(l.segments, s)
		if err := l.join(len(l.segments) - 1); err != nil {
			return nil, err
		}
	}
	if len(l.segments) == 0 && l.marked >= l.from {
		return nil, missing(l.from, l.marked, "it is missing, and so are all others")
	}
	return old, nil
}

// join checks that segment i follows the one before, and closes the file of the
// latter unless it may be one of the two that recovery works on.
func (l *FileLog) join(i int) error {
	s := l.segments[i]
	if i == 0 {
		if s.first != l.from {
			return missing(l.from, s.first-1, "it is missing")
		}
		return nil
	}
	p := l.segments[i-1]
	sealed, err := p.readSeal(p.file)
	if err != nil {
		return err
	}
	if !sealed {
		// The log was stopped between naming s and sealing p, or the seal is
		// damaged: the frames of p have to tell where it ends.
		w, _, err := l.walkAll(p)
		if err != nil {
			return err
		}
		p.end, p.next, p.last = w.pos, w.next, w.chain
	}
	if p.next != s.first {
		if p.next > s.first || !sealed {
			return p.damaged(p.end, min(p.next, s.first), s.first-1, fmt.Sprintf("it ends with %d, and the next begins with %d", p.next-1, s.first))
		}
		return missing(p.next, s.first-1, "it is missing")
	}
	if p.last != s.chain {
		return s.damaged(0, s.first, 0, "it does not follow "+p.name)
	}
	if !sealed {
		w := s.walk(s.file, s.start(), s.dataEnd(), nil)
		_, at, any, err := w.later(blockSize, func(*header) bool { return true })
		if err != nil {
			return err
		}
		if any {
			return p.damaged(p.dataEnd(), p.next, p.next, "its seal is damaged, since "+s.name+" has a frame at byte "+strconv.FormatInt(at, 10))
		}
	}
	if i > 1 {
		return l.segments[i-2].close()
	}
	return nil
}

func (s *segment) close() error {
	f := s.file
	s.file = nil
	return f.Close()
}

// walkAll walks a segment from its start to the first frame that is not whole.
// It returns the place from which on frames may not be durable: behind the last
// one that the watermark covers.
func (l *FileLog) walkAll(s *segment) (w *walk, unsure int64, err error) {
	if err := forget(s.file); err != nil {
		return nil, 0, err
	}
	w = s.walk(s.file, s.start(), s.dataEnd(), nil)
	unsure = w.pos
	for {
		at := place{w.next, w.pos, w.chain}
		_, _, err := w.step()
		var no errNoFrame
		if err == io.EOF || errors.As(err, &no) {
			return w, unsure, nil
		}
		if err != nil {
			return nil, 0, err
		}
		s.marks = note(s.marks, at.first, at.offset, at.chain)
		if w.next-1 <= l.marked {
			unsure = w.pos
		}
	}
}

// A tail is what recovery found at the end of the last segment.
type tail struct {
	unsure  int64      // frames from here to the end are written again
	rubbish [][2]int64 // from the end on, what is not zero: [from, to)
	torn    bool       // there is a part of a frame of this segment
}

// readTail reads the last segment to its end, and makes sure that it is the
// end: that nothing which was durable lies behind it or is missing.
func (l *FileLog) readTail() (t tail, err error) {
	if len(l.segments) == 0 {
		l.next, l.durable = l.from, l.from-1
		return t, nil
	}
	s := l.segments[len(l.segments)-1]
	if err := forget(s.file); err != nil {
		return t, err
	}
	sealed, err := s.readSeal(s.file)
	if err != nil {
		return t, err
	}
	if sealed {
		return t, missing(s.next, max(l.marked, s.next), "it is missing, although "+s.name+" was sealed")
	}
	w, unsure, err := l.walkAll(s)
	if err != nil {
		return t, err
	}
	s.end, s.next, s.last = w.pos, w.next, w.chain
	// A frame that knows of later records as durable proves that this was
	// not the end. So does any whole frame that begins just here, because
	// nothing else has ever been written here since the frame before it.
	later, at, found, err := w.later(s.end, func(h *header) bool { return h.durable >= s.next })
	if err != nil {
		return t, err
	}
	if !found {
		var next header
		next, at, found, err = w.later(s.end, func(*header) bool { return true })
		if err != nil {
			return t, err
		}
		later, found = next, found && at == s.end && next.kind == kindData
	}
	if found {
		return t, s.damaged(s.end, s.next, max(later.first-1, s.next), fmt.Sprintf("no whole frame, but a later one at byte %d", at))
	}
	if l.marked >= s.next {
		return t, s.damaged(s.end, s.next, l.marked, "no whole frame, but the watermark says that there was one")
	}
	t.unsure = unsure
	l.next, l.durable = s.next, s.next-1
	return t, t.scan(s, w.window)
}

// scan finds what is not zero behind the end.
func (t *tail) scan(s *segment, window []byte) error {
	w := s.walk(s.file, s.start(), s.size, window)
	var zero [blockSize]byte
	for offset := s.end; offset < s.size; offset += blockSize {
		b, err := w.bytes(offset, blockSize)
		if err != nil {
			return err
		}
		if bytes.Equal(b, zero[:len(b)]) {
			continue
		}
		t.torn = t.torn || claimsFrame(b, s.id)
		if n := len(t.rubbish); n > 0 && t.rubbish[n-1][1] == offset {
			t.rubbish[n-1][1] += blockSize
		} else {
			t.rubbish = append(t.rubbish, [2]int64{offset, offset + blockSize})
		}
	}
	return nil
}

// settle makes the end of the log durable as it was read: frames that may be in
// a cache alone are written again, what lies behind them is zeroed, and all is
// synced before anybody builds on it.
func (l *FileLog) settle(t tail) error {
	n := len(l.segments)
	if n == 0 {
		return nil
	}
	s := l.segments[n-1]
	if n > 1 {
		p := l.segments[n-2]
		if s.next == s.first {
			// The seal may be missing, or be in a cache alone.
			if err := p.writeSeal(p.file); err != nil {
				return err
			}
		}
		if err := p.close(); err != nil {
			return err
		}
	}
	s.users = 1
	if err := l.rewrite(s, t.unsure); err != nil {
		return err
	}
	for _, r := range t.rubbish {
		if err := zero(s.file, r[0], r[1]); err != nil {
			return err
		}
	}
	if t.torn {
		l.options.Logger.Warn("journal cut a torn end", "segment", s.name, "offset", s.end, "last", s.next-1)
	}
	return syncFile(s.file)
}

// rewrite makes the frames from an offset on durable, in a copy that takes the
// segment's place: a page that is written where it is may be lost, should the
// power go just then, and it may be one that was durable. Without space for a
// copy they are written where they are.
func (l *FileLog) rewrite(s *segment, from int64) error {
	if from >= s.end {
		return nil
	}
	f, draft, err := createDraft(l.disk, s.size, draftNames(preparingName+"copy"), l.stepsOver)
	if isFull(err) {
		return copyRange(s.file, s.file, from, s.end)
	}
	if err != nil {
		return err
	}
	if err := copyRange(f, s.file, 0, s.end); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := syncFile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := l.disk.Rename(draft, s.name); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := syncNames(l.disk); err != nil {
		return errors.Join(err, f.Close())
	}
	old := s.file
	s.file = f
	return old.Close()
}

// copyRange copies a part of a file to the same place in another one.
func copyRange(to, from File, begin, end int64) error {
	b := make([]byte, min(windowBytes, end-begin))
	for at := begin; at < end; at += int64(len(b)) {
		b = b[:min(int64(len(b)), end-at)]
		if _, err := readFull(from, b, at); err != nil {
			return err
		}
		if _, err := to.WriteAt(b, at); err != nil {
			return err
		}
	}
	return nil
}

// zero fills a part of a file with zeros.
func zero(f File, from, to int64) error {
	b := make([]byte, min(windowBytes, to-from))
	for at := from; at < to; at += int64(len(b)) {
		if _, err := f.WriteAt(b[:min(int64(len(b)), to-at)], at); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes what an earlier life left and keeps spare files that are whole.
func (l *FileLog) tidy(names, old []string) error {
	if len(old) > 0 || !l.watermark.agreed {
		if err := l.watermark.agree(l.durable, l.from); err != nil {
			return err
		}
		l.marked = l.durable
	}
	for _, name := range names {
		serial, prepared := strings.CutPrefix(name, preparedPrefix)
		n, _ := strconv.ParseUint(serial, 10, 64)
		if prepared {
			l.spare.serial = max(l.spare.serial, n)
		}
		if prepared && l.spare.keeps(0, 0, true) {
			if length := lengthOf(l.disk, name); l.spare.fits(length) {
				l.spare.giveBack(spare{name, length})
				continue
			}
		}
		leftOver := prepared || strings.HasPrefix(name, preparingName) || name == snapshotDraft || slices.Contains(old, name)
		if !leftOver {
			continue
		}
		l.remove(name)
	}
	l.reserveDraft()
	return nil
}

// lengthOf is how long a prepared file is, 0 if that cannot be told. It has its name
// only since it was filled and synced.
func lengthOf(d Disk, name string) int64 {
	f, err := d.Open(name)
	if err != nil {
		return 0
	}
	size, err := f.Size()
	if err = errors.Join(err, f.Close()); err != nil || size%blockSize != 0 {
		return 0
	}
	return size
}
