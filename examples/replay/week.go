package main

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// week is the orders file, cut into what can be replayed and what cannot.
type week struct {
	file          string
	invoices      int // all of them, of any kind
	baskets       []basket
	cancellations []cancellation
	lines         int // of baskets

	// Rows that are read, understood and left out on purpose.
	notGoods  int // postage, fees, samples: rows whose SKU is not goods
	writeOffs int // negative quantities that cancel no order; they name no place
}

// basket is one order: all positive lines of an invoice.
type basket struct {
	invoice string
	country string
	lines   []allocator.Line
	near    geo.Point
	placed  bool      // near was in the file and is not drawn
	said    string    // the time as the file has it
	at      time.Time // when the order came; see timesOf
}

// cancellation is a line that a customer took back.
type cancellation struct {
	after   int // comes after this many baskets of the file
	country string
	line    allocator.Line
}

// readWeek reads order lines in the order of the file. The columns invoice,
// sku and qty are needed; time, country, lat and lon are used where they are
// there.
// An invoice whose number is C and digits is a cancellation, its quantities
// are negative. goods says which SKUs are goods; nil means all.
func readWeek(name string, r io.Reader, f *faults, goods *regexp.Regexp) (week, error) {
	t, err := newTable(name, r, f, "invoice", "sku", "qty")
	if err != nil {
		return week{}, err
	}
	w := week{file: name}
	seen := map[string]bool{}
	byInvoice := map[string]int{}
	names := map[string]string{}
	placed := t.has("lat") && t.has("lon")
	for {
		row, ok, err := t.next()
		if err != nil {
			return week{}, err
		}
		if !ok {
			break
		}
		line, why := row.orderLine()
		invoice := row.text("invoice")
		cancels := isCancellation(invoice)
		var near geo.Point
		here := placed && row.text("lat")+row.text("lon") != ""
		if here && why == "" {
			near, why = row.point()
		}
		if why == "" && cancels && line.Quantity > 0 {
			why = fmt.Sprintf("invoice %s is a cancellation but its quantity is %d", invoice, line.Quantity)
		}
		if why != "" {
			row.bad("%s", why)
			continue
		}
		if !seen[invoice] {
			seen[strings.Clone(invoice)] = true
			w.invoices++
		}
		line.SKU = intern(names, line.SKU)
		country := intern(names, row.text("country"))
		switch {
		case goods != nil && !goods.MatchString(line.SKU):
			w.notGoods++
		case cancels:
			line.Quantity = -line.Quantity
			w.cancellations = append(w.cancellations, cancellation{len(w.baskets), country, line})
		case line.Quantity < 0:
			w.writeOffs++
		default:
			i, ok := byInvoice[invoice]
			if !ok {
				i = len(w.baskets)
				id := strings.Clone(invoice)
				byInvoice[id] = i
				w.baskets = append(w.baskets, basket{invoice: id, country: country, near: near, placed: here, said: strings.Clone(row.text("time"))})
			}
			w.baskets[i].lines = append(w.baskets[i].lines, line)
			w.lines++
		}
	}
	if len(w.baskets) == 0 {
		return week{}, fmt.Errorf("%s: not one order in it (%d lines are not goods, %d write-offs, %d cancellations)",
			name, w.notGoods, w.writeOffs, len(w.cancellations))
	}
	return w, nil
}

// orderLine reads and checks invoice, sku and qty.
func (r row) orderLine() (line allocator.Line, why string) {
	invoice, sku := r.text("invoice"), r.text("sku")
	quantity, err := strconv.ParseInt(r.text("qty"), 10, 64)
	switch {
	case invoice == "":
		why = "the row has no invoice"
	case len(invoice) > maxNameBytes-maxPrefixBytes:
		why = fmt.Sprintf("the invoice is longer than %d bytes", maxNameBytes-maxPrefixBytes)
	case sku == "":
		why = "the row has no sku"
	case len(sku) > maxNameBytes:
		why = fmt.Sprintf("the sku is longer than %d bytes", maxNameBytes)
	case err != nil:
		why = fmt.Sprintf("qty %q is not a whole number", r.text("qty"))
	case quantity == 0:
		why = "qty is 0"
	case quantity > math.MaxInt32 || quantity < -math.MaxInt32:
		why = fmt.Sprintf("qty %d is out of range", quantity)
	}
	return allocator.Line{SKU: sku, Quantity: quantity}, why
}

// isCancellation tells whether an invoice number is the letter C and digits.
func isCancellation(invoice string) bool {
	digits, ok := strings.CutPrefix(invoice, "C")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// intern returns one shared copy of equal strings, so that a large file does
// not keep every line it was read from.
func intern(names map[string]string, s string) string {
	if known, ok := names[s]; ok {
		return known
	}
	s = strings.Clone(s)
	names[s] = s
	return s
}

// timesOf works out when each order came, by the wall clock of a zone. Time never
// goes back, and an order whose time is not given, or not understood, comes a
// minute after the one before; the first one on a Wednesday, as in the embedded
// week.
func (w *week) timesOf(zone *time.Location) {
	last := time.Date(2010, 12, 1, 7, 59, 0, 0, zone)
	for i := range w.baskets {
		b := &w.baskets[i]
		at, ok := clockTime(b.said, zone)
		switch {
		case !ok:
			at = last.Add(time.Minute)
		case i > 0 && at.Before(last):
			at = last
		}
		b.at, last = at, at
	}
}

func clockTime(text string, zone *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateTime, time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
