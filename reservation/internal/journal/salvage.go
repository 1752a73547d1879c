package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// A SalvageReport says what Salvage found and what it made of it.
type SalvageReport struct {
	Identity [16]byte            // of both logs
	From, To uint64              // the records that were copied; none if To < From
	Left     [][2]uint64         // whole records behind damage, first and last of each run, that were not
	Damage   []*log.CorruptError // what is wrong, in the order of the records
	Others   []string            // files of other kinds, snapshots, that were copied as they are
}

// Salvage copies what is provable of a damaged log into an empty directory, as
// a log of the same identity that opens. Provable is a run of frames each of
// which is whole and follows the one before. What comes after damage cannot be
// replayed without what is damaged, so one run is copied: the one that carries
// on from the newest whole snapshot, and the first one if there is none. Files
// of other kinds are copied as they are. It does not change from, but for the
// lock.
func Salvage(from, to Disk, o FileOptions) (report SalvageReport, err error) {
	o, err = o.complete()
	if err == nil {
		err = salvage(from, to, o, &report)
	}
	if err != nil {
		return report, fmt.Errorf("journal: salvage: %w", err)
	}
	return report, nil
}

// A run is a sequence of whole frames, each of which follows the one before.
type run struct {
	first  uint64
	next   uint64
	chain  uint32 // checksum of the last one
	pieces []piece
}

// A piece is the part of a run that one file holds.
type piece struct {
	segment *segment
	begin   place
	limit   int64
}

func salvage(from, to Disk, o FileOptions, report *SalvageReport) (err error) {
	unlock, err := from.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if present, err := to.List(); err != nil {
		return err
	} else if slices.Contains(present, superblockName) {
		return fmt.Errorf("the target has a journal: %w", fs.ErrExist)
	}
	r := rescue{disk: from, report: report}
	names, err := from.List()
	if err != nil {
		return err
	}
	slices.Sort(names)
	if err := r.identify(names, o.Schema); err != nil {
		return err
	}
	if err := r.collect(names); err != nil {
		return err
	}
	kept, err := r.choose()
	if err != nil {
		return err
	}
	report.From, report.To = kept.first, kept.next-1
	if err := r.write(kept, to, o); err != nil {
		return err
	}
	return r.copyOthers(names, to)
}

// choose picks the run that is copied and reports the others.
func (r *rescue) choose() (run, error) {
	snapshots, err := Snapshots(r.disk)
	if err != nil {
		return run{}, err
	}
	kept := 0
	for _, s := range snapshots { // newest first
		i := slices.IndexFunc(r.runs, func(k run) bool { return k.first <= s.From+1 && s.To < k.next })
		if i >= 0 && r.whole(s) {
			kept = i
			break
		}
	}
	for i, k := range r.runs {
		if i != kept {
			r.report.Left = append(r.report.Left, [2]uint64{k.first, k.next - 1})
		}
	}
	if len(r.runs) == 0 {
		return run{first: max(r.first, 1), next: max(r.first, 1)}, nil
	}
	return r.runs[kept], nil
}

// whole reports whether a snapshot can be read to its end.
func (r *rescue) whole(s SnapshotInfo) bool {
	f, err := OpenSnapshot(r.disk, r.report.Identity, s)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, f)
	return errors.Join(err, f.Close()) == nil
}

// A rescue is one Salvage under way.
type rescue struct {
	disk   Disk
	report *SalvageReport
	runs   []run
	first  uint64 // where the log begins, 0 if not known
	marked uint64 // what was durable at least
}

func (r *rescue) damage(e *log.CorruptError) { r.report.Damage = append(r.report.Damage, e) }

// identify finds out whose log it is: from the superblock, or if that is
// damaged from the first segment whose head is whole.
func (r *rescue) identify(names []string, schema uint32) error {
	super, err := readSuperblock(r.disk)
	var damaged *log.CorruptError
	switch {
	case errors.As(err, &damaged):
		r.damage(damaged)
	case errors.Is(err, fs.ErrNotExist):
		r.damage(&log.CorruptError{File: superblockName, Offset: -1, Why: "it is missing"})
	case err != nil:
		return err
	case super.schema > schema:
		return fmt.Errorf("%w: the records have schema %d, this program knows up to %d", log.ErrNewer, super.schema, schema)
	}
	r.report.Identity = super.identity
	for _, name := range names {
		if err == nil || !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		f, err2 := r.disk.Open(name)
		if err2 != nil {
			return err2
		}
		b, err2 := readBlock(f, 0)
		if err2 := errors.Join(err2, f.Close()); err2 != nil {
			return err2
		}
		if b.check(magicSegment) == nil {
			r.report.Identity, err = b.identity(), nil
		}
	}
	if err != nil {
		return err
	}
	w, err := openWatermark(r.disk, r.report.Identity)
	if errors.As(err, &damaged) {
		r.damage(damaged)
		return nil
	}
	if err != nil {
		return err
	}
	r.first, r.marked = w.mark.first, w.mark.durable
	return w.file.Close()
}

// collect walks all segments, in the order of their records, and puts what is
// whole into runs.
func (r *rescue) collect(names []string) error {
	var found []*segment
	for _, name := range names {
		if !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		f, err := r.disk.Open(name)
		if err != nil {
			return err
		}
		s, err := r.head(f, name)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		if s != nil && s.first >= r.first {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	next := max(r.first, 1)
	for _, s := range found {
		f, err := r.disk.Open(s.name)
		if err != nil {
			return err
		}
		next, err = r.segment(f, s, next)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	if r.marked >= next {
		r.damage(&log.CorruptError{File: segmentName(next), Offset: -1, From: next, To: r.marked, Why: "nothing whole is left, and the watermark says that there was"})
	}
	return nil
}

// head reads the head of a segment, whatever its name says. One that is damaged
// is made up from the first frame, if that one is whole; without either there
// is no telling what the file holds, and s is nil.
func (r *rescue) head(f File, name string) (s *segment, err error) {
	s, err = readHead(f, name, r.report.Identity)
	var damaged *log.CorruptError
	if !errors.As(err, &damaged) {
		return s, err
	}
	r.damage(damaged)
	size, err := f.Size()
	if err != nil || size < 3*blockSize {
		return nil, err
	}
	b, err := readBlock(f, 0)
	if err != nil {
		return nil, err
	}
	s = &segment{name: name, size: size &^ (blockSize - 1)}
	switch err := b.check(magicSegment); {
	case err == nil && b.identity() == r.report.Identity:
		s.id, s.first = b.uint64(0), b.uint64(1)
		s.chain = binary.LittleEndian.Uint32(b.data[blockFields+24:])
		return s, nil
	case err == nil:
		return nil, nil
	}
	w := s.walk(f, place{offset: blockSize}, s.dataEnd(), nil)
	first, err := w.bytes(blockSize, blockSize)
	if err != nil {
		return nil, err
	}
	h, length, why := parseHeader(first)
	if why != "" || h.kind != kindData {
		return nil, nil
	}
	whole, err := w.bytes(blockSize, length)
	if err != nil || int64(len(whole)) < length {
		return nil, err
	}
	if why, _ := h.verify(whole); why != "" {
		return nil, nil
	}
	s.id, s.first, s.chain = h.segment, h.first, h.previous
	return s, nil
}

// segment adds the frames of one file, of which those from next on are new, and
// returns where the next file should begin.
func (r *rescue) segment(f File, s *segment, next uint64) (uint64, error) {
	if s.first > next {
		r.damage(missing(next, s.first-1, "nothing whole is left of these"))
	}
	w := s.walk(f, s.start(), s.dataEnd(), nil)
	for {
		at := place{w.next, w.pos, w.chain}
		_, _, err := w.step()
		var no errNoFrame
		switch {
		case err == nil && at.first >= next:
			r.extend(s, at, w)
			next = w.next
			continue
		case err == nil:
			continue
		case err == io.EOF:
			return next, nil
		case !errors.As(err, &no):
			return next, err
		}
		h, offset, found, err := w.later(at.offset, func(h *header) bool { return h.kind == kindData && h.first >= next })
		if err != nil || !found {
			return next, err
		}
		r.damage(s.damaged(at.offset, next, max(h.first-1, next), string(no)))
		*w = *s.walk(f, place{h.first, offset, h.previous}, s.dataEnd(), w.window)
	}
}

// extend adds the frame between at and where w is to the last run, or begins a
// new one.
func (r *rescue) extend(s *segment, at place, w *walk) {
	n := len(r.runs) - 1
	if n < 0 || r.runs[n].next != at.first || r.runs[n].chain != at.chain && len(r.runs[n].pieces) > 0 {
		r.runs = append(r.runs, run{first: at.first})
		n++
	}
	k := &r.runs[n]
	if p := len(k.pieces) - 1; p >= 0 && k.pieces[p].segment == s && k.pieces[p].limit == at.offset {
		k.pieces[p].limit = w.pos
	} else {
		k.pieces = append(k.pieces, piece{s, at, w.pos})
	}
	k.next, k.chain = w.next, w.chain
}

// write makes the new log.
func (r *rescue) write(kept run, to Disk, o FileOptions) (err error) {
	l, err := open(to, o, birth{identity: r.report.Identity, first: kept.first})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, p := range kept.pieces {
		f, err := r.disk.Open(p.segment.name)
		if err != nil {
			return err
		}
		w := p.segment.walk(f, p.begin, p.limit, nil)
		for err == nil {
			var h header
			var payload []byte
			if h, payload, err = w.step(); err == nil {
				err = l.Append(h.first, int(h.count), payload)
			}
		}
		if err == io.EOF {
			err = nil
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// copyOthers copies files that are not the log's own. They have their own
// checks.
func (r *rescue) copyOthers(names []string, to Disk) error {
	for _, name := range names {
		if checkNew([]string{name}) == nil || name == superblockName || strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		if err := copyFile(r.disk, to, name); err != nil {
			return err
		}
		r.report.Others = append(r.report.Others, name)
	}
	return syncNames(to)
}

func copyFile(from, to Disk, name string) (err error) {
	f, err := from.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Size()
	if err != nil {
		return err
	}
	g, err := to.Create(name, size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	b := make([]byte, windowBytes)
	for at := int64(0); at < size; {
		n, err := readFull(f, b[:min(size-at, windowBytes)], at)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		if _, err := g.WriteAt(b[:n], at); err != nil {
			return err
		}
		at += int64(n)
	}
	return g.Sync()
}
