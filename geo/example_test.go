package geo_test

import (
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/geo"
)

var shops = []geo.Point{
	{Lat: 50.0619, Lon: 19.9368}, // 0: Kraków
	{Lat: 52.2297, Lon: 21.0122}, // 1: Warszawa
	{Lat: 54.3520, Lon: 18.6466}, // 2: Gdańsk
}

func ExamplePoint_Validate() {
	err := geo.Point{Lat: 19.9368, Lon: 190}.Validate()
	fmt.Println(err)
	fmt.Println(errors.Is(err, geo.ErrPoint))
	// Output:
	// geo: Lon 190: outside -180 to 180 degrees
	// true
}

func ExampleDistance() {
	fmt.Printf("%.1f km\n", geo.Distance(shops[0], shops[1])/1000)
	// Output: 252.4 km
}

func ExampleArea_Contains() {
	islands, err := geo.NewArea([]geo.Point{{Lat: -20, Lon: 177}, {Lat: -20, Lon: -178}, {Lat: -15, Lon: -178}, {Lat: -15, Lon: 177}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(islands.Contains(geo.Point{Lat: -17, Lon: 180}), islands.Contains(geo.Point{Lat: -17, Lon: 0}))
	// Output: true false
}

func ExampleIndex_Nearest() {
	x, err := geo.NewIndex(shops, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for number, distance := range x.Nearest(geo.Point{Lat: 51.1, Lon: 17.03}, nil, 400_000) {
		fmt.Printf("shop %d, %.0f km\n", x.Item(number), distance/1000)
	}
	// Output:
	// shop 0, 235 km
	// shop 1, 302 km
	// shop 2, 378 km
}

// inStock is a mask over at most 64 locations.
type inStock uint64

func (m inStock) Word(level, word int) uint64 {
	if level > 0 {
		return 1 // there is only one block
	}
	return uint64(m)
}

func ExampleSearch() {
	x, err := geo.NewIndex(shops, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var stock inStock
	for _, item := range []uint32{1, 2} { // sold out in Kraków
		stock |= 1 << x.Number(item)
	}
	var s geo.Search // kept and used again for the next customer
	s.Start(x, geo.Point{Lat: 50.0540, Lon: 19.9354}, stock, 0)
	number, distance, ok := s.Next()
	fmt.Println(x.Item(number), int(distance/1000), ok)
	// Output: 1 253 true
}

func ExampleIndex_With() {
	x, err := geo.NewIndex(shops, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	more, err := x.With(geo.Point{Lat: 51.1079, Lon: 17.0385}) // Wrocław opens
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Len(), more.Len(), more.Overflow(), more.Within(geo.Point{Lat: 51.1, Lon: 17.03}, 300_000))
	// Output: 3 4 1 2
}
