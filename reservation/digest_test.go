package reservation

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// fixedWords are a key for tests that need the same digests every time.
var fixedWords = digestWords{0x0123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978}

func fixedDigest(first uint64) Digest { return Digest{first, &fixedWords} }

func TestDigestTellsContentsApart(t *testing.T) {
	seen := map[uint64]string{}
	for a := range 40 {
		for b := range 40 {
			for name, d := range map[string]Digest{
				"numbers": fixedDigest(1).Add(uint64(a)).Add(uint64(b)),
				"strings": fixedDigest(2).AddString(fmt.Sprint(a)).AddString(fmt.Sprint("a longer string ", b)),
				"shifted": fixedDigest(3).AddString(fmt.Sprint(a, "|")).AddString(fmt.Sprint("|", b)),
			} {
				content := fmt.Sprint(name, a, " ", b)
				if other, ok := seen[d.Sum()]; ok {
					t.Fatalf("%s and %s have the digest %x", content, other, d.Sum())
				}
				seen[d.Sum()] = content
			}
		}
	}
	if fixedDigest(0).AddString("ab").AddString("c") == fixedDigest(0).AddString("a").AddString("bc") {
		t.Error("the digest does not see where a string ends")
	}
}

// The digests of former versions are in directories, so they stay as they were. What
// their public words let anybody do, no ledger's own words do: one number makes a
// factor zero, and all that came before it is forgotten.
func TestDigestWords(t *testing.T) {
	content := func(d Digest, units, erase uint64) uint64 {
		return d.Add(units).Add(erase).AddString("L1").Layout(3).Sum()
	}
	former := func(units, erase uint64) uint64 { return content(Digest{1, &formerWords}, units, erase) }
	if got := former(2, 3); got != 0x454bf0dfdd8e6b3c {
		t.Errorf("a digest of a former version is %#x", got)
	}
	for _, word := range formerWords {
		if word == formerWords[1] && former(2, word) != former(5, word) {
			t.Error("the former words are no longer what a caller can use against them")
		}
		l := New(Options{SKUs: 1, Locations: 1})
		if content(l.Digest(1), 2, word) == content(l.Digest(1), 5, word) {
			t.Errorf("%#x makes two contents the same", word)
		}
	}
	a, b := New(Options{SKUs: 1, Locations: 1}), New(Options{SKUs: 1, Locations: 1})
	if content(a.Digest(1), 2, 3) == content(b.Digest(1), 2, 3) {
		t.Error("two ledgers have the same words")
	}
}

// The key as it is kept: in a note, whose record is in the journal and in snapshots.
func TestDigestsGolden(t *testing.T) {
	d := digests{words: &fixedWords, since: 1_767_225_600_123}
	const note = "017ba8da769b010000" + "efcdab8967452301" + "1032547698badcfe" + "78695a4b3c2d1e0f"
	const record = "1b" + "808024" + "7ba8da769b01" + "08" + "0064696765737473" + "21" + note
	if got := hex.EncodeToString(d.bytes()); got != note {
		t.Errorf("the note is\n%s, want\n%s", got, note)
	}
	r := history.Record{Kind: history.NoteSet, Time: d.since, Name: digestsNote, Place: d.bytes()}
	if got := hex.EncodeToString(r.Append(nil)); got != record {
		t.Errorf("the record is\n%s, want\n%s", got, record)
	}
	back, err := takeDigests(d.bytes())
	if err != nil || *back.words != fixedWords || back.since != d.since {
		t.Errorf("read back as %v, %v: %v", back.words, back.since, err)
	}
	for name, b := range map[string][]byte{"short": d.bytes()[:20], "empty": {}, "long": append(d.bytes(), 0), "version 0": append([]byte{0}, d.bytes()[1:]...)} {
		if _, err := takeDigests(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := takeDigests(append([]byte{2}, d.bytes()[1:]...)); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer version: %v", err)
	}
}

// The key is drawn when the first owner begins to work, and every later owner has
// the same one, from the journal and from a snapshot alone.
func TestDigestsLast(t *testing.T) {
	o := Options{SKUs: 10, Locations: 10, Remember: 10, Dir: t.TempDir()}
	var words digestWords
	for i := range 3 {
		l, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Opened(int64(1000 + i)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			words = *l.digests.words
		}
		if *l.digests.words != words || words == formerWords || l.digests.since != 0 {
			t.Fatalf("owner %d has the words %x since %d, the first one %x", i, *l.digests.words, l.digests.since, words)
		}
		if err := errors.Join(l.Snapshot(t.Context(), 2000), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
