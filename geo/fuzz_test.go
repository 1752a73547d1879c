package geo

import (
	"encoding/binary"
	"math"
	"testing"
)

// fuzzPoints reads points from bytes: any float64, so mostly refused ones, and
// coarse valid ones.
func fuzzPoints(data []byte) (points []Point) {
	for len(data) >= 3 {
		if data[0]&1 == 0 || len(data) < 17 {
			points = append(points, Point{float64(int8(data[1])) * 90 / 128, float64(int8(data[2])) * 180 / 128})
			data = data[3:]
			continue
		}
		points = append(points, Point{math.Float64frombits(binary.LittleEndian.Uint64(data[1:])),
			math.Float64frombits(binary.LittleEndian.Uint64(data[9:]))})
		data = data[17:]
	}
	return points
}

func FuzzNearest(f *testing.F) {
	f.Add([]byte{0, 10, 20, 0, 30, 40, 0, 127, 128}, []byte{255}, 1e6)
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 248, 127, 0, 0, 0, 0, 0, 0, 248, 127}, []byte{}, math.NaN())
	f.Fuzz(func(t *testing.T, data, mask []byte, within float64) {
		points := fuzzPoints(data)
		if len(points) < 2 {
			return
		}
		p, points := points[0], points[1:]
		for _, q := range points {
			_, _ = p.Validate(), Distance(p, q)
		}
		if area, err := NewArea(points); err == nil {
			area.Contains(p)
			if area.Contains(Point{math.NaN(), 0}) {
				t.Fatal("NaN is in the area")
			}
		}
		valid := points[:0]
		for _, q := range points {
			if q.Validate() == nil {
				valid = append(valid, q)
			}
		}
		index, err := NewIndex(valid, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(valid) == 0 {
			return
		}
		s := scene{newTwin(valid, ascending(len(valid))), index}
		m := newBitMask(len(valid))
		for n := range valid {
			if n/8 < len(mask) && mask[n/8]>>(n%8)&1 != 0 {
				m.set(uint32(n))
			}
		}
		var search Search
		if p.Validate() != nil || !(within >= 0) {
			search.Start(index, p, m, Meters(within))
			if n, _, ok := search.Next(); ok {
				t.Fatalf("from %v within %v: found %d", p, within, n)
			}
			return
		}
		if err := s.checkOrder(&search, p, m, Meters(within), nil); err != nil {
			t.Fatal(err)
		}
	})
}
