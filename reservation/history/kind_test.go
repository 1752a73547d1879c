package history

import (
	"testing"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// TestVerbsAndKinds goes from every verb to its kind and back.
func TestVerbsAndKinds(t *testing.T) {
	kinds := make(map[Kind]bool)
	for _, v := range life.Verbs() {
		k := KindOf(v)
		cause := Cause(0)
		if v == life.Restock || v == life.SendBack {
			cause = Restocked
		}
		elsewhere := v == life.MovePart || v == life.ReplaceMissing
		if got := k.Verb(cause, elsewhere, v == life.ReplaceMissing); got != v {
			t.Errorf("%v is recorded as %v, which is read as %v", v, k, got)
		}
		kinds[k] = true
	}
	for k := Kind(0); k <= kindEnd; k++ {
		if v := k.Verb(0, false, false); (v != 0) != kinds[k] {
			t.Errorf("%v is read as %v", k, v)
		}
	}
}
