package notes_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation"
	"pgregory.net/rapid"
)

// The bytes of terms are a stored format.
func TestTermsOnDisk(t *testing.T) {
	terms := notes.Terms{Form: sourcing.Ship, Near: &notes.Place{Lat: 50, Lon: 20.5}, At: "L0", Within: 1500, Kinds: []byte{byte(topology.Warehouse)}, Payment: "till",
		Groups: []string{"g"}, Exclude: []string{"x"}, NeededBy: 1, Window: 2, Instead: map[string][]string{"tea": {"mate"}}, Most: 3,
		Rerouted: notes.Rerouted{Left: 4, Rejected: []uint32{3, 5}, ByDigest: notes.ChangeDigest("change"), Rejects: 2}}
	note, err := terms.Bytes(notes.MaxTerms)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"f":"ship","p":{"Lat":50,"Lon":20.5},"a":"L0","w":1500,"k":"AQ==","y":"till","g":["g"],"x":["x"],"n":1,"i":2,"s":{"tea":["mate"]},"m":3,` +
		`"l":4,"e":[3,5],"h":"EuoS6s59ZV9HHOVeNPibG3ej2dBaRFyoKHfdIjW+qlE","r":2}`
	if string(note) != want {
		t.Errorf("got  %s\nwant %s", note, want)
	}
	// As an earlier version wrote them.
	former := notes.Take([]byte(`{"f":"ship","x":["L0"],"o":"L0","b":"change","r":1}`))
	if former.From != "L0" || !former.IsBy("change") || former.IsBy("other") || former.IsBy("") || former.Rejects != 1 {
		t.Errorf("got %+v", former)
	}
	if got := notes.Take([]byte(`{"f":`)); got.Unread == nil {
		t.Error("a torn note is read")
	}
}

// TestShortNotes: the bytes of the notes of orders that are not planned.
func TestShortNotes(t *testing.T) {
	for _, c := range []struct {
		set   topology.KindSet
		kinds []byte
		at    string
		bytes string
	}{{0, nil, "L0", "\x01L0"}, {1<<topology.Warehouse | 1<<topology.Locker, []byte{byte(topology.Warehouse), byte(topology.Locker)}, "", "\x02\x0a"},
		{1 << topology.Store, []byte{byte(topology.Store)}, "L0", "\x02\x01L0"}} {
		note := notes.AppendShort(nil, c.set, c.at)
		if string(note) != c.bytes || !notes.Plain(note) {
			t.Errorf("%v: note %q, want %q", c.kinds, note, c.bytes)
		}
		if back := notes.Take(note); back.At != c.at || !bytes.Equal(back.Kinds, c.kinds) {
			t.Errorf("%q says %+v", note, back)
		}
	}
	if back := notes.Take([]byte("\x02")); back.At != "" || back.Kinds != nil { // cut off
		t.Errorf("%+v", back)
	}
}

// TestTermsComeBack reads back whatever terms were kept, and names what takes the most
// of those that are too long.
func TestTermsComeBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SliceOfN(rapid.StringN(1, 9, -1), 0, 3)
		word := func(list []string) string { return append(list, "")[0] }
		in := notes.Terms{Form: rapid.SampledFrom([]sourcing.Form{sourcing.Collect, sourcing.Ship}).Draw(r, "form"), At: word(names.Draw(r, "at")),
			Groups: append([]string(nil), names.Draw(r, "groups")...), Exclude: append([]string(nil), names.Draw(r, "exclude")...), Window: rapid.Int64().Draw(r, "window"),
			Rerouted: notes.Rerouted{Left: rapid.Uint32().Draw(r, "left"), By: word(names.Draw(r, "by"))}}
		if rapid.Bool().Draw(r, "answered") {
			in = in.With(&notes.First{Cost: rapid.Int64().Draw(r, "cost"), Plain: rapid.Bool().Draw(r, "plain")})
		}
		note, err := in.Bytes(notes.MaxTerms)
		if err != nil {
			r.Fatal(err)
		}
		if back := notes.Take(note); !reflect.DeepEqual(back, in) {
			r.Fatalf("%s\ngot  %+v\nwant %+v", note, back, in)
		}
		var long *notes.LongError
		if _, err := in.Bytes(len(note) - 1); !errors.As(err, &long) || long.Bytes != len(note) || long.Max != len(note)-1 {
			r.Fatalf("a byte less: %v", err)
		}
	})
}

// TestFirstOf is what was answered of a part, however its note says it.
func TestFirstOf(t *testing.T) {
	e := &reservation.Entry{}
	e.Distance, e.Promise, e.Parts = 5, 7, 2
	own := &notes.First{Cost: 3}
	if got := (&notes.Terms{First: own}).FirstOf(e); got != own {
		t.Errorf("its own: %+v", got)
	}
	if got := new(notes.Terms).FirstOf(e); !got.Plain || got.Distance != 5 || got.Ready != 0 {
		t.Errorf("of the hot path: %+v", got)
	}
	e.Note = []byte("{}")
	if got := (&notes.Terms{Form: sourcing.Ship}).FirstOf(e); got.Plain || got.Form != sourcing.Ship || got.Ready != 7 || got.Parts != 2 {
		t.Errorf("of an earlier version: %+v", got)
	}
}

// TestMutantsAreCaught builds the room with each of its deliberate bugs.
func TestMutantsAreCaught(t *testing.T) {
	mutant := func(name, text, instead, test, says string) scaletest.Mutant {
		return scaletest.Mutant{Name: name, Edits: scaletest.Replace("terms.go", text, instead), Test: test, Says: says}
	}
	scaletest.Mutants(t,
		mutant("a note of any length is taken", "if err == nil && len(note) > most {", "if err == nil && len(note) > most+1 {", "TestTermsComeBack", "a byte less"),
		mutant("any change made it", "t.By == \"\" || t.By != \"\" &&", "t.By == \"\" || t.By != \"\" || ", "TestTermsOnDisk", "got"),
		mutant("the cost that was answered is forgotten", "`json:\"c,omitempty\"`", "`json:\"-\"`", "TestTermsComeBack", "want"),
	)
}
