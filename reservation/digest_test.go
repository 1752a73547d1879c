package reservation

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// fixedWords are a key for tests that need the same digests every time.
var fixedWords = state.Words{0x0123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978}

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
	former := func(units, erase uint64) uint64 { return content(Digest{1, state.Former()}, units, erase) }
	if got := former(2, 3); got != 0x454bf0dfdd8e6b3c {
		t.Errorf("a digest of a former version is %#x", got)
	}
	for _, word := range state.Former() {
		if word == state.Former()[1] && former(2, word) != former(5, word) {
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

// The key is drawn when the first owner begins to work, and every later owner has
// the same one, from the journal and from a snapshot alone.
func TestDigestsLast(t *testing.T) {
	o := Options{SKUs: 10, Locations: 10, Remember: 10, Dir: t.TempDir()}
	var words state.Words
	for i := range 3 {
		l, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Opened(int64(1000 + i)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			words = *l.state.Digests.Words
		}
		if *l.state.Digests.Words != words || words == *state.Former() || l.state.Digests.Since != 0 {
			t.Fatalf("owner %d has the words %x since %d, the first one %x", i, *l.state.Digests.Words, l.state.Digests.Since, words)
		}
		if err := errors.Join(l.Snapshot(t.Context(), 2000), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
