package sourcing

import (
	"testing"

	"pgregory.net/rapid"
)

// drawnTexts draws a list in which texts may come twice.
func drawnTexts(t *rapid.T, name string) []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e"}), 0, 6).Draw(t, name)
}

// TestIndexChangesNoAnswer asks requests and sites with and without Index.
func TestIndexChangesNoAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := Request{HasPoint: true, Payment: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "payment"),
			Channel: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "channel"), Form: Form(rapid.IntRange(0, 2).Draw(t, "form")),
			Groups: drawnTexts(t, "groups"), Prefer: drawnTexts(t, "prefer"), Exclude: drawnTexts(t, "exclude")}
		sites := make([]Site, 2)
		for i := range sites {
			sites[i] = Site{ID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id"), Groups: drawnTexts(t, "of"),
				Payments: drawnTexts(t, "payments"), Channels: drawnTexts(t, "channels")}
		}
		plain.At = &sites[0]
		indexed, quick := plain, append([]Site(nil), sites...)
		indexed.Index()
		for i := range quick {
			quick[i].Index()
		}
		quickAt := indexed
		quickAt.At = &quick[0]
		var rules Rules
		was := [2]Candidate{{Site: &sites[0], Request: &plain}, {Site: &sites[1], Request: &plain}}
		for _, is := range [][2]Candidate{
			{{Site: &sites[0], Request: &indexed}, {Site: &sites[1], Request: &indexed}},
			{{Site: &quick[0], Request: &quickAt}, {Site: &quick[1], Request: &quickAt}},
		} {
			for i := range was {
				wantReason, wantDetail := was[i].Static()
				if reason, detail := is[i].Static(); reason != wantReason || detail != wantDetail {
					t.Fatalf("site %d: %v %q with an index, %v %q without", i, reason, detail, wantReason, wantDetail)
				}
			}
			if got, want := rules.Compare(&is[0], &is[1]), rules.Compare(&was[0], &was[1]); got != want {
				t.Fatalf("%d with an index, %d without", got, want)
			}
		}
	})
}

// TestIndexIsReadInstead changes lists after they were indexed: no answer looks
// through them any more.
func TestIndexIsReadInstead(t *testing.T) {
	r := Request{HasPoint: true, Groups: []string{"g"}, Exclude: []string{"x"}, Prefer: []string{"p"}, Payment: "y", Channel: "c"}
	r.Index()
	r.Groups[0], r.Exclude[0], r.Prefer[0] = "other", "other", "other"
	s := Site{ID: "x", Groups: []string{"g"}, Payments: []string{"y"}, Channels: []string{"c"}}
	s.Index()
	s.Payments[0], s.Channels[0] = "other", "other"
	c := Candidate{Site: &s, Request: &r}
	if reason, _ := c.Static(); reason != Excluded {
		t.Errorf("got %v", reason)
	}
	if at := r.Preferred("p"); at != 0 {
		t.Errorf("preferred as number %d", at)
	}
}
