package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/clickcollect/clickcollect/geo"
)

// polygon is one piece of land: an outer ring and its lakes.
type polygon [][]geo.Point

// readOutline reads the polygons of a GeoJSON feature collection.
func readOutline(r io.Reader) ([]polygon, error) {
	var doc struct {
		Features []struct {
			Geometry struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return nil, fmt.Errorf("outline: %w", err)
	}
	var all []polygon
	for _, f := range doc.Features {
		var many [][][][2]float64
		var err error
		switch f.Geometry.Type {
		case "Polygon":
			many = make([][][][2]float64, 1)
			err = json.Unmarshal(f.Geometry.Coordinates, &many[0])
		case "MultiPolygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &many)
		}
		if err != nil {
			return nil, fmt.Errorf("outline: %w", err)
		}
		for _, rings := range many {
			var p polygon
			for _, ring := range rings {
				points := make([]geo.Point, len(ring))
				for i, c := range ring {
					points[i] = geo.Point{Lat: c[1], Lon: c[0]}
				}
				p = append(p, points)
			}
			all = append(all, p)
		}
	}
	return all, nil
}
