package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/geo"
)

// shop is one row of the stores file.
type shop struct {
	id           string
	point        geo.Point
	city, region string
	zone         string // IANA name; empty: not known
}

// place is a town or city with the number of people who live there.
type place struct {
	name, region string
	point        geo.Point
	population   float64
}

// maxNameBytes bounds identifiers, as the engine does by default.
const maxNameBytes = 255

func readStores(name string, r io.Reader, f *faults) ([]shop, error) {
	t, err := newTable(name, r, f, "id", "lat", "lon")
	if err != nil {
		return nil, err
	}
	var shops []shop
	firstLine := map[string]int{}
	known := map[string]bool{}
	for {
		row, ok, err := t.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		id := row.text("id")
		point, why := row.point()
		switch {
		case id == "":
			row.bad("the store has no id")
		case len(id) > maxNameBytes:
			row.bad("the store id is longer than %d bytes", maxNameBytes)
		case firstLine[id] > 0:
			row.bad("store %q is already on line %d", id, firstLine[id])
		case why != "":
			row.bad("store %q: %s", id, why)
		case !zoneKnown(known, row.text("tz")):
			row.bad("store %q: tz %q is not the name of a time zone", id, row.text("tz"))
		default:
			firstLine[id] = row.line
			shops = append(shops, shop{id: id, point: point, city: row.text("city"), region: row.text("region"), zone: strings.Clone(row.text("tz"))})
		}
	}
	if len(shops) == 0 {
		return nil, fmt.Errorf("%s: not one usable store", name)
	}
	return shops, nil
}

func readPlaces(name string, r io.Reader, f *faults) ([]place, error) {
	t, err := newTable(name, r, f, "name", "lat", "lon", "population")
	if err != nil {
		return nil, err
	}
	var places []place
	for {
		row, ok, err := t.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		point, why := row.point()
		population, err := strconv.ParseInt(row.text("population"), 10, 64)
		switch {
		case why != "":
			row.bad("place %q: %s", row.text("name"), why)
		case err != nil || population < 1:
			row.bad("place %q: population %q is not a positive whole number", row.text("name"), row.text("population"))
		default:
			region := row.text("region")
			if code := row.text("admin1"); region == "" && strings.Trim(code, "0123456789") != "" {
				region = code // GeoNames has letters for some countries, numbers for others
			}
			places = append(places, place{name: row.text("name"), region: region, point: point, population: float64(population)})
		}
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("%s: not one usable place", name)
	}
	return places, nil
}

// point reads lat and lon in WGS84 degrees; why says what is wrong with them.
func (r row) point() (p geo.Point, why string) {
	lat, err := strconv.ParseFloat(r.text("lat"), 64)
	if err != nil || math.IsNaN(lat) || math.Abs(lat) > 90 {
		return p, fmt.Sprintf("lat %q is not a number of degrees from -90 to 90", r.text("lat"))
	}
	lon, err := strconv.ParseFloat(r.text("lon"), 64)
	if err != nil || math.IsNaN(lon) || math.Abs(lon) > 180 {
		return p, fmt.Sprintf("lon %q is not a number of degrees from -180 to 180", r.text("lon"))
	}
	return geo.Point{Lat: lat, Lon: lon}, ""
}

// zoneKnown reports whether there is a time zone of that name; no name will do.
// known remembers the answers.
func zoneKnown(known map[string]bool, name string) bool {
	is, asked := known[name]
	if !asked {
		_, err := time.LoadLocation(name)
		is = err == nil
		known[strings.Clone(name)] = is
	}
	return is
}
