package journal

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// A mark is what the watermark file says. It trails the log: everything to
// durable is there and will stay, and nothing below first is of use.
type mark struct {
	turn    uint64 // grows with every write; the greater one counts
	durable uint64
	first   uint64
}

func (m mark) block(identity [16]byte) *block {
	b := new(block)
	b.putUint64(0, m.turn)
	b.putUint64(1, m.durable)
	b.putUint64(2, m.first)
	b.seal(magicWatermark, identity)
	return b
}

// A watermark is the file of two slots that are written in turn, so that a torn
// write leaves the other one. One goroutine uses it at a time.
type watermark struct {
	file     File
	identity [16]byte
	mark     mark // the best there is
	slot     int  // where it is
	settled  bool // it was written in this life
	agreed   bool // both slots have its first
}

// createWatermark makes the file; its name is not durable yet.
func createWatermark(d Disk, identity [16]byte, first uint64) error {
	content := make([]byte, 0, 2*blockSize)
	for turn := range 2 {
		m := mark{turn: uint64(turn + 1), durable: first - 1, first: first}
		content = append(content, m.block(identity).data[:]...)
	}
	return writeFile(d, watermarkName, content)
}

// openWatermark reads both slots. One of them may be torn, never both.
func openWatermark(d Disk, identity [16]byte) (w *watermark, err error) {
	damaged := func(offset int64, why string) error {
		return &log.CorruptError{File: watermarkName, Offset: offset, From: 1, Why: why}
	}
	f, err := d.Open(watermarkName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, damaged(-1, "it is missing")
	}
	if err != nil {
		return nil, err
	}
	w = &watermark{file: f, identity: identity, slot: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := forget(f); err != nil {
		return nil, err
	}
	var firsts [2]uint64
	for slot := range 2 {
		b, err := readBlock(f, int64(slot)*blockSize)
		if err != nil {
			return nil, err
		}
		err = b.check(magicWatermark)
		if errors.Is(err, log.ErrNewer) {
			return nil, fmt.Errorf("%w (%s)", err, watermarkName)
		}
		if err != nil {
			continue
		}
		if b.identity() != identity {
			return nil, damaged(int64(slot)*blockSize, "it belongs to another journal")
		}
		m := mark{turn: b.uint64(0), durable: b.uint64(1), first: b.uint64(2)}
		firsts[slot] = m.first
		if w.slot < 0 || m.turn > w.mark.turn {
			w.mark, w.slot = m, slot
		}
	}
	if w.slot < 0 || w.mark.first == 0 {
		return nil, damaged(0, "neither of its slots is whole")
	}
	w.agreed = firsts[0] == firsts[1]
	return w, nil
}

// write makes m durable in one of the slots. The first write of a life goes
// over the best slot there was: a failed sync may have left it in the cache
// alone, and the other one has to be whole for as long as that is not known.
func (w *watermark) write(durable, first uint64) error {
	m := mark{turn: w.mark.turn + 1, durable: durable, first: first}
	slot := w.slot
	if w.settled {
		slot = 1 - slot
	}
	if _, err := w.file.WriteAt(m.block(w.identity).data[:], int64(slot)*blockSize); err != nil {
		return err
	}
	if err := syncFile(w.file); err != nil {
		return err
	}
	w.agreed = w.agreed && first == w.mark.first
	w.mark, w.slot, w.settled = m, slot, true
	return nil
}

// agree writes both slots, so that no torn write can bring an older first back.
// Only then may what lies below first go.
func (w *watermark) agree(durable, first uint64) error {
	if w.agreed && w.mark.first == first {
		return nil
	}
	for range 2 {
		if err := w.write(durable, first); err != nil {
			return err
		}
	}
	w.agreed = true
	return nil
}
