package main

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// The page, in SVG units.
const (
	mapWidth   = 1240
	mapHeight  = 860
	mapMargin  = 36
	mapTop     = 92  // above it the title
	mapBottom  = 100 // below it the legend and the sources
	rayHub     = "#b9770e"
	rayStore   = "#1a6fb0"
	refusedRed = "#c2185b"
)

// shades are the colours of stores by what is left, fullest first.
var shades = []struct {
	least float64 // share of the seeded units still available
	fill  string
	text  string
}{
	{1, "#b8c4cc", "all"},
	{0.999, "#74b98c", "≥ 99.9 %"},
	{0.99, "#1f8f5f", "≥ 99 %"},
	{0.97, "#f2b134", "≥ 97 %"},
	{0, "#d1382c", "< 97 %"},
}

// frame places projected points on the page.
type frame struct {
	projection        albers
	scale             float64
	centreX, centreY  float64 // of the projected extent
	middleX, middleY  float64 // of the drawing area
	showsStateOutline bool
}

// in48 tells whether a point is in the 48 states or the sea around them.
func in48(p geo.Point) bool { return p.Lat > 24 && p.Lat < 50 && p.Lon > -126 && p.Lon < -66 }

// frameFor shows the 48 states if the stores are there, or else what the
// orders reach.
func frameFor(r *report) frame {
	inside := 0
	var points []geo.Point
	for _, s := range r.sites {
		if s.location.Kind == allocator.Store && in48(s.location.Point) {
			inside++
		}
		points = append(points, s.location.Point)
	}
	for i, o := range r.played.outcomes {
		if o.site >= 0 {
			points = append(points, r.in.week.baskets[i].near)
		}
	}
	f := frame{middleX: mapWidth / 2, middleY: (mapTop + mapHeight - mapBottom) / 2}
	if 2*inside >= len(r.in.stores) {
		f.showsStateOutline, f.projection, points = true, albers48(), nil
		for _, p := range r.in.states {
			points = append(points, p[0]...)
		}
	} else {
		f.projection = albersFor(points)
	}
	west, east, south, north := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range points {
		x, y := f.projection.project(p)
		west, east, south, north = min(west, x), max(east, x), min(south, y), max(north, y)
	}
	f.centreX, f.centreY = (west+east)/2, (south+north)/2
	const least = 1e-4 // radii, about 600 m: a single point is not blown up without end
	f.scale = min((mapWidth-2*mapMargin)/max(east-west, least), (mapHeight-mapTop-mapBottom)/max(north-south, least))
	return f
}

func (f *frame) at(p geo.Point) (x, y float64) {
	x, y = f.projection.project(p)
	return f.middleX + (x-f.centreX)*f.scale, f.middleY - (y-f.centreY)*f.scale
}

// chart is the map file in the making. It has another name until it is
// complete, so that what is found under the final name is never half a map.
type chart struct {
	name string
	f    *os.File
}

// createChart opens the file before the work starts, so that a name that
// cannot be written is found out at once. No name gives no chart.
func createChart(name string) (*chart, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Create(name + ".part")
	if err != nil {
		return nil, fmt.Errorf("creating the map: %w", err)
	}
	return &chart{name, f}, nil
}

// write draws the map and gives the file its name.
func (c *chart) write(r *report) error {
	if c == nil {
		return nil
	}
	w := bufio.NewWriter(c.f)
	drawMap(w, r)
	err := cmp.Or(w.Flush(), c.f.Close())
	if err == nil {
		err = os.Rename(c.f.Name(), c.name)
	}
	if err != nil {
		return fmt.Errorf("writing the map: %w", err)
	}
	return nil
}

// discard removes the file unless it was written.
func (c *chart) discard() {
	if c != nil {
		c.f.Close()           // closed already if it was written
		os.Remove(c.f.Name()) // gone already if it was written
	}
}

// drawMap writes the SVG. A failing writer is noticed when it is flushed.
func drawMap(w io.Writer, r *report) {
	f := frameFor(r)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">`+"\n",
		mapWidth, mapHeight, mapWidth, mapHeight)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="#eef2f5"/>`+"\n", mapWidth, mapHeight)
	drawTitle(w, r)
	if f.showsStateOutline {
		drawStates(w, &f, r.in.states)
	}
	drawRays(w, &f, r)
	drawStores(w, &f, r)
	drawRefused(w, &f, r)
	drawHubs(w, &f, r)
	drawLegend(w, &f, r)
	fmt.Fprintln(w, "</svg>")
}

func drawTitle(w io.Writer, r *report) {
	filled := len(r.distances(allocator.Store, allocator.Warehouse))
	orders := len(r.played.outcomes)
	fmt.Fprintf(w, `<text x="%d" y="44" font-size="25" font-weight="bold" fill="#22303c">%s orders, each held whole at the nearest location that has it all</text>`+"\n",
		mapMargin, count(orders))
	fmt.Fprintf(w, `<text x="%d" y="70" font-size="15" fill="#566573">%s stores, %d warehouses, %s SKUs · %s filled, %s refused, %s units oversold · stock level %v, seed %d</text>`+"\n",
		mapMargin, count(len(r.in.stores)), len(r.sites)-len(r.in.stores), count(len(r.items)), count(filled), count(orders-filled),
		grouped(r.once.oversold), r.settings.level, r.settings.seed)
}

func drawStates(w io.Writer, f *frame, states []polygon) {
	fmt.Fprint(w, `<path fill="#ffffff" stroke="#c9d3da" stroke-width="0.8" stroke-linejoin="round" fill-rule="evenodd" d="`)
	for _, p := range states {
		for _, ring := range p {
			lastX, lastY := math.Inf(1), math.Inf(1)
			for i, point := range ring {
				x, y := f.at(point)
				if i > 0 && i < len(ring)-1 && math.Hypot(x-lastX, y-lastY) < 0.6 {
					continue // finer than the eye
				}
				command := "L"
				if i == 0 {
					command = "M"
				}
				fmt.Fprintf(w, "%s%.1f %.1f", command, x, y)
				lastX, lastY = x, y
			}
			fmt.Fprint(w, "Z")
		}
	}
	fmt.Fprintln(w, `"/>`)
}

// drawRays draws a line from each customer to the chosen location.
func drawRays(w io.Writer, f *frame, r *report) {
	var dots strings.Builder
	rays := map[allocator.Kind]*strings.Builder{allocator.Store: {}, allocator.Warehouse: {}}
	for i, o := range r.played.outcomes {
		if o.site < 0 {
			continue
		}
		x, y := f.at(r.in.week.baskets[i].near)
		l := &r.sites[o.site].location
		toX, toY := f.at(l.Point)
		if b := rays[l.Kind]; b != nil {
			fmt.Fprintf(b, "M%.1f %.1fL%.1f %.1f", x, y, toX, toY)
		}
		fmt.Fprintf(&dots, `<circle cx="%.1f" cy="%.1f" r="1.5"/>`, x, y)
	}
	// Many orders need fainter rays, or they cover the map.
	faint := math.Sqrt(min(1, 800/float64(len(r.played.outcomes))))
	fmt.Fprintf(w, `<path fill="none" stroke="%s" stroke-width="0.8" stroke-opacity="%.2f" d="%s"/>`+"\n", rayHub, 0.36*faint, rays[allocator.Warehouse])
	fmt.Fprintf(w, `<path fill="none" stroke="%s" stroke-width="1" stroke-opacity="%.2f" d="%s"/>`+"\n", rayStore, 0.55*faint, rays[allocator.Store])
	fmt.Fprintf(w, `<g fill="#44525e" fill-opacity="%.2f">%s</g>`+"\n", faint, dots.String())
}

// drawRefused draws a cross where the customer of a refused order lives.
func drawRefused(w io.Writer, f *frame, r *report) {
	var crosses strings.Builder
	for i, o := range r.played.outcomes {
		if o.site < 0 {
			x, y := f.at(r.in.week.baskets[i].near)
			fmt.Fprintf(&crosses, "M%.1f %.1fl7 7m0-7l-7 7", x-3.5, y-3.5)
		}
	}
	fmt.Fprintf(w, `<path fill="none" stroke="#ffffff" stroke-width="3.6" d="%s"/>`+"\n", crosses.String())
	fmt.Fprintf(w, `<path fill="none" stroke="%s" stroke-width="1.8" d="%s"/>`+"\n", refusedRed, crosses.String())
}

// left is the share of a site's units that is still available.
func (r *report) left(site int) float64 {
	if r.once.seeded[site] == 0 {
		return 0
	}
	return float64(r.once.left[site]) / float64(r.once.seeded[site])
}

func shadeOf(left float64) int {
	return slices.IndexFunc(shades, func(s struct {
		least      float64
		fill, text string
	}) bool {
		return left >= s.least
	})
}

// drawStores draws the emptiest stores last, on top.
func drawStores(w io.Writer, f *frame, r *report) {
	var order []int
	for i, s := range r.sites {
		if s.location.Kind == allocator.Store {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.left(b), r.left(a)) })
	fmt.Fprintln(w, `<g stroke="#ffffff" stroke-width="0.5">`)
	for _, i := range order {
		s := &r.sites[i]
		x, y := f.at(s.location.Point)
		shade := max(shadeOf(r.left(i)), 0)
		radius := 2.4 + 0.5*float64(shade)
		fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"><title>%s %s: %.1f %% left</title></circle>`+"\n",
			x, y, radius, shades[shade].fill, escape(s.location.ID), escape(s.title), 100*r.left(i))
	}
	fmt.Fprintln(w, `</g>`)
}

func drawHubs(w io.Writer, f *frame, r *report) {
	for i, s := range r.sites {
		if s.location.Kind != allocator.Warehouse {
			continue
		}
		x, y := f.at(s.location.Point)
		fmt.Fprintf(w, `<g><title>%s %s: %.1f %% left</title>%s`, escape(s.location.ID), escape(s.title), 100*r.left(i), hubMark(x, y))
		fmt.Fprintf(w, `<text x="%.1f" y="%.1f" font-size="13" font-weight="bold" text-anchor="middle" fill="#22303c" stroke="#ffffff" stroke-width="3.5" stroke-linejoin="round" paint-order="stroke">%s · %.0f %% left</text></g>`+"\n",
			x, y+25, escape(s.title), 100*r.left(i))
	}
}

// hubMark is a house: a square with a roof.
func hubMark(x, y float64) string {
	return fmt.Sprintf(`<path d="M%.1f %.1fl10 -9l10 9v11h-20z" fill="#22303c" stroke="#ffffff" stroke-width="1.6" stroke-linejoin="round"/>`, x-10, y-1)
}

func drawLegend(w io.Writer, f *frame, r *report) {
	const top = mapHeight - 66
	x := float64(mapMargin)
	text := func(s string, bold bool) {
		weight := ""
		if bold {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(w, `<text x="%.1f" y="%d"%s>%s</text>`, x, top+5, weight, escape(s))
		x += 7.3*float64(len([]rune(s))) + 20
	}
	fmt.Fprint(w, `<g font-size="13.5" fill="#22303c">`)
	text("Store, stock left:", true)
	for i, s := range shades {
		fmt.Fprintf(w, `<circle cx="%.1f" cy="%d" r="%.1f" fill="%s"/>`, x, top, 3.4+0.5*float64(i), s.fill)
		x += 12
		text(s.text, false)
	}
	x += 8
	fmt.Fprint(w, hubMark(x, top))
	x += 18
	text("Warehouse", false)
	for _, ray := range []struct{ colour, text string }{{rayStore, "Order to a store"}, {rayHub, "to a warehouse"}} {
		fmt.Fprintf(w, `<circle cx="%.1f" cy="%d" r="1.8" fill="#44525e"/><path d="M%.1f %dh26" stroke="%s" stroke-width="2"/>`, x, top, x, top, ray.colour)
		x += 34
		text(ray.text, false)
	}
	fmt.Fprintf(w, `<path d="M%.1f %dl8 8m0 -8l-8 8" stroke="%s" stroke-width="2"/>`, x, top-4, refusedRed)
	x += 16
	text("Refused", false)
	fmt.Fprintln(w, "</g>")
	fmt.Fprintf(w, `<g font-size="11.5" fill="#7b8a96"><text x="%d" y="%d">Albers equal-area conic projection. Hover over a location for its name. Where customers live is drawn by population; which store stocks what is modelled.</text>`,
		mapMargin, mapHeight-36)
	fmt.Fprintf(w, `<text x="%d" y="%d">%s</text></g>`+"\n", mapMargin, mapHeight-18, escape(sources(f, r)))
}

// sources is the line that the licences of what is drawn ask for.
func sources(f *frame, r *report) string {
	var s []string
	if r.settings.places == "" {
		s = append(s, "Towns: data from GeoNames (geonames.org), CC BY 4.0")
	}
	if r.settings.stores == "" {
		s = append(s, "Stores: Matt Stiles, locations, MIT")
	}
	if r.settings.orders == "" {
		s = append(s, "Orders: Online Retail, D. Chen (2015), doi:10.24432/C5BW33, CC0")
	}
	if f.showsStateOutline {
		s = append(s, "Outline: US Census Bureau, public domain")
	}
	return strings.Join(s, " · ")
}

// escape makes a user's text safe inside XML.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
