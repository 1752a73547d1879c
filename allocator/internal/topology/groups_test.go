package topology

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"pgregory.net/rapid"
)

// TestGroupsAgainstNames sets, changes and removes locations in any order, one by one
// and many at once, and asks for the locations of groups: those found at once are
// those whose names say so.
func TestGroupsAgainstNames(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := opened(t)
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 4)
		for range rapid.IntRange(1, 6).Draw(r, "calls") {
			first, n := rapid.IntRange(0, 150).Draw(r, "first"), rapid.SampledFrom([]int{1, 3, 70, 200}).Draw(r, "n")
			all := make([]Place, n)
			for i := range all {
				all[i] = Place{ID: fmt.Sprint("L", first+i), Point: geo.Point{Lat: 50, Lon: float64(first+i+1) / 100}}
				if rapid.Bool().Draw(r, "terms") {
					all[i].Terms = &Terms{Groups: names.Draw(r, "groups")}
				}
			}
			must(t, w.Set(all, 1))
			if id := all[0].ID; rapid.IntRange(0, 3).Draw(r, "remove") == 0 {
				_, err := w.Remove(id, 1)
				must(t, err)
			}
			groupsAreNames(r, w.Load(), append(names.Draw(r, "asked"), "a"))
		}
	})
}

func groupsAreNames(r *rapid.T, top *Catalogue, asked []string) {
	members := top.InGroups(asked)
	for slot := range top.Slots() {
		p := top.Place(slot)
		n := top.Number(uint32(slot))
		if p.Gone() || n == reservation.NoNumber {
			continue
		}
		want := slices.ContainsFunc(p.groups(), func(name string) bool { return slices.Contains(asked, name) })
		if got := members[n/64]>>(n%64)&1 != 0; got != want {
			r.Fatalf("%s in %q, asked for %q: got %t", p.ID, p.groups(), asked, got)
		}
	}
}
