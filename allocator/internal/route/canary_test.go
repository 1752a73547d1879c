package route

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs; the
// comparison with all locations must fail, and for that reason.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "areas do not count",
			Edits: scaletest.Replace("route.go", "if spot.Area == nil || spot.Area.Contains(r.near) {", "if true {"),
			Test:  "TestRouteAgainstAllLocations", Says: "claimed at"},
		scaletest.Mutant{Name: "an exhausted search ends",
			Edits: scaletest.Replace("route.go", "if r.stage == byBits && r.claim.Exhausted() {", "if false {"),
			Test:  "TestRouteAgainstAllLocations", Says: "claimed at"},
		scaletest.Mutant{Name: "only the nearest of all is tried blind",
			Edits: scaletest.Replace("route.go", "	case planned:\n		r.plan()\n", "	case planned:\n		return false\n"),
			Test:  "TestRouteAgainstAllLocations", Says: "claimed at"},
	)
}
