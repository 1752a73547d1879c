//go:build !mutant_any

package allocator

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and
// runs the test that is there for it. It must fail, and for the reason it gives.
// The builds carry a tag this file is not part of.
func TestMutantsAreCaught(t *testing.T) {
	if !scaletest.Full() {
		t.Skip("builds the package once for every bug")
	}
	for _, m := range []struct{ mutant, test, says string }{
		{"mutant_gives_up", "TestLostClaimIsNoRefusal", `no location can fill the order`},
		{"mutant_no_limit", "TestListsHaveLimits", `Prefer: 257 entries are taken`},
		{"mutant_cut", "TestTermsAreKeptOrRefused", `L1 is not licensed`},
		{"mutant_no_room", "TestEveryPartTakesCapacity", `L1 has room for an order more than it can process`},
		{"mutant_brim", "TestLongestIDs", `an ID that leaves no room for what is added: got <nil>`},
		{"mutant_judged", "TestRepeatAnswersAlike", `unknown location: "L2"`},
		{"mutant_judged", "TestRepeatUnderShorterLimits", `invalid Prefer 300: are more than the 256`},
		{"mutant_judged", "TestMovementsRepeated", `received "r": unknown location: "L1"`},
		{"mutant_judged", "TestDoor", `a repeat of order .* is refused`},
		{"mutant_bytes", "TestTextsComeBack", `comes back as`},
	} {
		t.Run(m.mutant+"/"+m.test, func(t *testing.T) {
			scaletest.Caught(t, m.test, m.says, "-short", "-timeout", "60s", "-tags", "mutant_any "+m.mutant)
		})
	}
}
