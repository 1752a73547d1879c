package reservation

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// Digest is a 64-bit digest of a call's content, by which a repeat is told from a
// conflict. Ledger.Digest begins one; Sum ends it.
//
// Content comes from outside, and whoever can choose two contents of one digest
// gets the answer of the first for the second. So the words are a secret, which is
// drawn once for a journal and recorded in it. Each step multiplies what there is
// so far by what is mixed in, after each was joined with a secret word of its own,
// and joins the halves of the product: a caller who does not know the words can
// neither make a factor zero, which would erase the other one, nor say how two
// contents must differ for the difference to vanish. What he learns of a digest is
// one bit, same or not, of a pair he must have sent. A guess is right once in 2^64.
// That is enough to tell a host's callers apart; it is no signature.
//
// Source: the multiply-and-fold construction of wyhash (Wang Yi), with secret
// words where that has public ones.
type Digest struct {
	sum   uint64
	words *state.Words
}

// Add mixes in a number.
func (d Digest) Add(v uint64) Digest {
	hi, lo := bits.Mul64(d.sum^d.words[0], v^d.words[1])
	d.sum = (hi ^ lo) + d.words[2]
	return d
}

// AddString mixes in a string and its length.
func (d Digest) AddString(s string) Digest {
	d = d.Add(uint64(len(s)))
	for ; len(s) >= 8; s = s[8:] {
		d = d.Add(word(s))
	}
	if len(s) > 0 {
		var v uint64
		for i := range len(s) {
			v |= uint64(s[i]) << (8 * i)
		}
		d = d.Add(v)
	}
	return d
}

// Layout mixes in what tells how the rest is to be read, such as how many there are
// of something: without it two contents could come to the same numbers. Digests
// from before there was a key do not have it.
func (d Digest) Layout(v uint64) Digest {
	if d.words == state.Former() {
		return d
	}
	return d.Add(v)
}

// Sum is the digest as it is kept.
func (d Digest) Sum() uint64 { return d.sum }

// drawnDigests draws a key from the system's random source.
func (o *Options) drawnDigests(since int64) state.Key {
	if o.words != nil {
		return state.Key{Words: o.words, Since: since}
	}
	var raw [24]byte
	rand.Read(raw[:]) // Never fails: since Go 1.24 it ends the process instead.
	k := state.Key{Words: new(state.Words), Since: since}
	for i := range k.Words {
		k.Words[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
	return k
}

// Digest begins the digest of a call's content with a number.
func (l *Ledger) Digest(first uint64) Digest { return Digest{first, l.state.Digests.Words} }

// Former begins the digest that the content had before there was a key, for
// comparison with that of an entry that was made then. False: an entry of that time
// has one with the key.
//
// The key is recorded by an owner of the journal before he makes anything, at a time
// that is no earlier than that of any record before it; so the time tells. What was
// made in that same millisecond is compared with both, which is safe: whoever meets
// a secret digest with a public one has guessed 64 bits.
func (l *Ledger) Former(first uint64, made int64) (d Digest, ok bool) {
	return Digest{first, state.Former()}, l.state.Digests.Since > 0 && made <= l.state.Digests.Since
}

// drawDigests records a key, unless there is one.
func (l *Ledger) drawDigests(now int64) error {
	if l.state.Digests.Drawn() {
		return nil
	}
	since := now
	if l.queue.Last() == 0 { // nothing was made yet
		since = 0
	}
	k := l.options.drawnDigests(since)
	if _, err := l.append(&history.Record{Kind: history.NoteSet, Time: now, Name: state.KeyNote, Place: k.Bytes()}); err != nil {
		return fmt.Errorf("reservation: drawing a key for digests: %w", err)
	}
	l.state.Digests = k
	if since == 0 {
		book.Keyed(l.state.Book, (*[3]uint64)(k.Words))
	}
	return nil
}

// is reports whether a movement has the content of an entry; mark is its digest.
func (m *Movement) is(l *Ledger, mark uint64, e *book.Entry, at, to string) bool {
	if e.Fingerprint == mark {
		return true
	}
	d, former := l.Former(0, made(e))
	return former && m.digest(d, at, to) == e.Fingerprint
}

// made is when a movement, a transfer or a change was made.
func made(e *book.Entry) int64 {
	if len(e.Lines) > 0 { // a transfer, whose deadline is its end's
		return e.Since
	}
	return e.Deadline
}

// digest is the digest of a movement's content; the order of its lines does not
// count. Locations count by name: one that was removed and came back has another
// slot.
func (m *Movement) digest(d Digest, at, to string) uint64 {
	lines := m.Lines
	bySKU := func(a, b MovementLine) int { return strings.Compare(a.SKU, b.SKU) }
	if !slices.IsSortedFunc(lines, bySKU) {
		lines = slices.Clone(lines)
		slices.SortFunc(lines, bySKU)
	}
	flags := uint64(0)
	for i, set := range [...]bool{m.AsOf != 0, m.Ref != "", m.Available, m.Free} {
		if set {
			flags |= 1 << i
		}
	}
	d = d.Add(uint64(m.Cause)).Layout(flags).AddString(at)
	if m.Cause == history.Sent {
		d = d.AddString(to)
	}
	if m.AsOf != 0 {
		d = d.Add(uint64(m.AsOf))
	}
	if m.Ref != "" {
		d = d.AddString(m.Ref)
	}
	if m.Available {
		d = d.Add(1)
	}
	if m.Free {
		d = d.Add(2)
	}
	for _, line := range lines {
		d = d.AddString(line.SKU).Add(uint64(line.Units))
	}
	return d.Sum()
}

// word is the number that the first eight bytes of a text are.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
