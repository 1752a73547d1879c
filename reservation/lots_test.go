package reservation

import "testing"

func TestLotNames(t *testing.T) {
	for _, c := range []struct {
		name, sku, lot string
		ok             bool
	}{
		{LotName("tea", "2026-11-30/A"), "tea", "2026-11-30/A", true},
		{LotName("tea", ""), "tea", "", true},
		{"tea", "tea", "", false},
		{LotName("", "A"), "", "A", false},
		{QuotaName("tea", "web"), "tea\x00qweb", "", false},
		{"\x00w1\x00lA", "\x00w1", "A", false},
	} {
		sku, lot, ok := LotOf(c.name)
		if ok != c.ok || ok && (sku != c.sku || lot != c.lot) {
			t.Errorf("LotOf(%q) = %q, %q, %v", c.name, sku, lot, ok)
		}
		want := c.name
		if c.ok {
			want = c.sku
		}
		if got := goodsName(c.name); got != want {
			t.Errorf("goodsName(%q) = %q, want %q", c.name, got, want)
		}
	}
}
