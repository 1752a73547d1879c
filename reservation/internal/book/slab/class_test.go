package slab

import "testing"

// TestClasses: a piece is at most an eighth larger than asked, and no class is left out.
func TestClasses(t *testing.T) {
	last, lastRounded := -1, 0
	for units := 1; units <= sharedUnits; units++ {
		class, rounded := classOf(units)
		if rounded < units || rounded > units+units/8 || class < last || class > last+1 || (class == last) != (rounded == lastRounded) {
			t.Fatalf("classOf(%d) = %d, %d after %d, %d", units, class, rounded, last, lastRounded)
		}
		last, lastRounded = class, rounded
	}
	if last != sharedClasses-1 {
		t.Fatalf("last class %d", last)
	}
}
