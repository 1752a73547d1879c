package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// Names of files.
const (
	superblockName  = "superblock"
	superblockDraft = "superblock.new"
	watermarkName   = "watermark"
	segmentSuffix   = ".segment"
	preparingName   = "preparing"
	lockName        = "lock"
)

// A superblock says whose directory it is.
type superblock struct {
	identity [16]byte
	owner    [16]byte // drawn by every open
	schema   uint32
}

func (s *superblock) block() *block {
	b := new(block)
	copy(b.data[blockFields:], s.owner[:])
	binary.LittleEndian.PutUint32(b.data[blockFields+16:], s.schema)
	b.seal(magicJournal, s.identity)
	return b
}

func parseSuperblock(b *block) (s superblock, err error) {
	if err := b.check(magicJournal); err != nil {
		if errors.Is(err, errBlock) {
			return s, &log.CorruptError{File: superblockName, Why: "its checksum does not hold"}
		}
		return s, fmt.Errorf("%w (%s)", err, superblockName)
	}
	s.identity = b.identity()
	copy(s.owner[:], b.data[blockFields:])
	s.schema = binary.LittleEndian.Uint32(b.data[blockFields+16:])
	return s, nil
}

// readSuperblock returns fs.ErrNotExist when there is none.
func readSuperblock(d Disk) (s superblock, err error) {
	f, err := d.Open(superblockName)
	if err != nil {
		return s, err
	}
	defer f.Close()
	b, err := readBlock(f, 0)
	if err != nil {
		return s, err
	}
	return parseSuperblock(b)
}

// takeOver puts l.super in the place of the superblock there is, or of none, at
// once. On a full disk it takes the draft that the last life left for it (see
// reserveDraft), or the room of what no log needs: drafts, and one prepared file.
func (l *FileLog) takeOver(names []string) error {
	f, draft, err := l.openDraft()
	if isFull(err) {
		for _, name := range names {
			if strings.HasPrefix(name, preparingName) || name == snapshotDraft {
				l.remove(name)
			}
		}
		f, draft, err = l.openDraft()
	}
	if isFull(err) {
		f, draft, err = l.cutSpare(names, err)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt(l.super.block().data[:], 0)
	if err == nil {
		err = syncFile(f)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = l.disk.Rename(draft, superblockName)
	}
	if err != nil {
		l.remove(draft) // what could not be written is not written over again
		return err
	}
	return syncNames(l.disk)
}

// openDraft is a file that has room for a superblock.
func (l *FileLog) openDraft() (f File, name string, err error) {
	if f, err = l.disk.Open(superblockDraft); err == nil {
		if size, err := f.Size(); err == nil && size == blockSize {
			return f, superblockDraft, nil
		}
		if err := f.Close(); err != nil {
			return nil, "", err
		}
	}
	return createDraft(l.disk, blockSize, draftNames(superblockDraft), l.stepsOver)
}

// draftNames are a name and, if something foreign has it, some that the next open
// removes.
func draftNames(name string) func(try int) string {
	return func(try int) string {
		if try == 0 {
			return name
		}
		return fmt.Sprintf("%s-%s-%d", preparingName, name, try)
	}
}

// cutSpare makes a file for a superblock of a prepared one, which needs no room.
// full is why there is no other.
func (l *FileLog) cutSpare(names []string, full error) (f File, name string, err error) {
	for _, name := range names {
		if !strings.HasPrefix(name, preparedPrefix) {
			continue
		}
		if f, err = l.disk.Open(name); err != nil {
			return nil, "", err
		}
		size, err := f.Size()
		if err == nil && size >= blockSize {
			if err = f.Truncate(blockSize); err == nil {
				return f, name, nil
			}
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, "", err
		}
	}
	return nil, "", full
}

// reserveDraft leaves the next life the file in which it will write its
// superblock, so that it needs no room of a disk that is full by then. It is no
// fault if that cannot be.
func (l *FileLog) reserveDraft() {
	f, err := l.disk.Open(superblockDraft)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = l.disk.Create(superblockDraft, blockSize)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		l.options.Logger.Warn("journal has no room in reserve for its next opening", "cause", err)
	}
}

// ignoreMissing forgives that a file is not there.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeFile makes a file with the content; its name is not durable yet.
func writeFile(d Disk, name string, content []byte) error {
	f, err := d.Create(name, int64(len(content)))
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil {
		err = syncFile(f)
	}
	return errors.Join(err, f.Close())
}

// checkOwner reads the superblock again. Another owner in it means that a lock
// did not keep another process out; no superblock, that the directory is gone.
func checkOwner(d Disk, own superblock) error {
	found, err := readSuperblock(d)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("journal: the directory is gone: %w", err)
	}
	if err != nil {
		return err
	}
	if found.owner != own.owner || found.identity != own.identity {
		return fmt.Errorf("%w: the superblock has a new owner", ErrLocked)
	}
	return nil
}

// checkNew reports what a directory without a superblock may not hold: what a
// log that lost its superblock leaves, and other people's files.
func checkNew(names []string) error {
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, segmentSuffix):
			return &log.CorruptError{File: superblockName, Offset: -1, From: 1, Why: "it is missing, and there are segments"}
		case name == superblockDraft, name == watermarkName, name == lockName, strings.HasPrefix(name, preparingName),
			strings.HasPrefix(name, preparedPrefix), strings.HasPrefix(name, "."):
		default:
			return fmt.Errorf("%w: there is no superblock, but a file %q", ErrForeign, name)
		}
	}
	return nil
}
