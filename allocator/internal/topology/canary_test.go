package topology

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs; the test
// that is there for it must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "every location lets customers in",
			Edits: scaletest.Replace("catalogue.go", "if c.Anywhere(set, form) {", "if set == 0 || c.Anywhere(set, form) {"),
			Test:  "TestWhereCustomersCollect", Says: "a depot passes", Flags: []string{"-short"}},
		scaletest.Mutant{Name: "a known location is changed where older catalogues see it",
			Edits: scaletest.Replace("locations.go", "m.changed, m.places = true, slices.Clone(m.places)", "m.changed = true"),
			Test:  "TestCatalogueIsImmutable", Says: "changed to", Flags: []string{"-short"}},
		scaletest.Mutant{Name: "a changed location keeps its old spot",
			Edits: scaletest.Replace("locations.go", "next.spots[number] = next.spot(c.spots[number].Slot)", "next.spots[number] = c.spots[number]"),
			Test:  "TestCatalogueAgainstAList", Says: "is not found at its number", Flags: []string{"-short"}},
		scaletest.Mutant{Name: "locations with holidays of their own are alike",
			Edits: scaletest.Replace("terms.go", " || !s.Calendar.Schedule.Holidays() {", " || true {"),
			Test:  "TestHolidaysAreOfALocation", Says: "holidays of the host's true: 1 and 1", Flags: []string{"-short"}},
		scaletest.Mutant{Name: "locations of other kinds are alike",
			Edits: scaletest.Replace("catalogue.go", "of := sort{p.Kind, p.alike}", "of := sort{0, p.alike}"),
			Test:  "TestCatalogueAgainstAList", Says: `\d+ is of`, Flags: []string{"-short"}},
	)
}
