package history

import "testing"

// aHold is a hold as most are.
func aHold() Record {
	return Record{
		Kind: Held, Time: 1_767_225_600_123, ID: "order-104729", Slot: 7_411,
		Deadline: 1_767_225_600_123 + 600_000, Fingerprint: 0x9e3779b97f4a7c15, Distance: 1834.25,
		Lines: []Line{{SKU: 17, Units: 1}, {SKU: 402, Units: 2}, {SKU: 2_950, Units: 1}},
	}
}

func BenchmarkAppend(b *testing.B) {
	r := aHold()
	room := r.Append(nil)
	b.SetBytes(int64(len(room)))
	b.ReportAllocs()
	for b.Loop() {
		room = r.Append(room[:0])
	}
}

func BenchmarkDecode(b *testing.B) {
	r := aHold()
	data := r.Append(nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
