package allocator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// inlet is a place where the engine takes a text and keeps it. n is another
// number for each text. Where one text would be in the way of another's ID, the text
// has something in front of it, and is shorter.
type inlet struct {
	name  string
	empty bool // the text may be empty
	short int  // bytes at most, if it is fewer than Options.MaxIDBytes
	set   func(a *Allocator, n int, text string) error
	get   func(a *Allocator, n int, text string) string // the text as it is kept
}

var oneTea = []Line{{"tea", 1}}

// textWorld is an engine with a store and goods.
func textWorld(t *testing.T, a *Allocator) {
	t.Helper()
	ctx := t.Context()
	must(t, a.SetLocations(ctx, Location{ID: "shop", Point: streetPoint(0)}, Location{ID: "other", Point: streetPoint(1)},
		Location{ID: "grouped", Point: streetPoint(0), Terms: &Terms{Groups: []string{"in"}}}))
	goods := []Line{{"tea", 1 << 20}, {"cup", 1 << 20}}
	must(t, a.Receive(ctx, Receipt{ID: "all", Location: "shop", Lines: goods}, Receipt{ID: "grouped", Location: "grouped", Lines: goods}))
}

// among is the text, if a walk has it.
func among[T any](all func(func(T) bool), text string, of func(T) string) string {
	for v := range all {
		if of(v) == text {
			return text
		}
	}
	return "nothing of the kind"
}

func inlets(t *testing.T) []inlet {
	return slices.Concat(orderInlets(t), lifeInlets(t), goodsInlets(t), settingInlets(t), placeInlets(t), channelInlets(t))
}

// orderInlets are those of Allocate.
func orderInlets(t *testing.T) []inlet {
	field := func(name string, put func(o *Order, text string), get func(r Reservation, e *reservation.Entry) string) inlet {
		id := func(n int) string { return fmt.Sprint(name, n) }
		return inlet{name: name, empty: true,
			set: func(a *Allocator, n int, text string) error {
				o := ordered(id(n), oneTea...)
				put(&o, text)
				return second(a.Allocate(t.Context(), o))
			},
			get: func(a *Allocator, n int, _ string) string {
				var e reservation.Entry
				r, err := a.Lookup(id(n))
				a.ledger.Find(id(n), &e)
				if err != nil {
					return err.Error()
				}
				return get(r, &e)
			}}
	}
	first := func(list []string) string { return strings.Join(list, "|") }
	noted := func(get func(notes.Terms) string) func(Reservation, *reservation.Entry) string {
		return func(_ Reservation, e *reservation.Entry) string { return get(notes.Take(e.Note)) }
	}
	all := []inlet{
		{name: "Order.ID",
			set: func(a *Allocator, _ int, text string) error {
				return second(a.Allocate(t.Context(), ordered(text, oneTea...)))
			},
			get: func(a *Allocator, _ int, text string) string {
				r, err := a.Lookup(text)
				return fmt.Sprint(r.ID, errorText(err))
			}},
		field("Order.Order", func(o *Order, s string) { o.Order = s }, func(r Reservation, _ *reservation.Entry) string { return r.Order }),
		field("Order.Customer", func(o *Order, s string) { o.Customer = s }, func(r Reservation, _ *reservation.Entry) string { return r.Customer }),
		field("Order.Channel", func(o *Order, s string) { o.Channel = s }, func(r Reservation, _ *reservation.Entry) string { return r.Channel }),
		field("Order.Owner", func(o *Order, s string) { o.Owner = s }, func(_ Reservation, e *reservation.Entry) string { return e.Owner }),
		field("Order.Payment", func(o *Order, s string) { o.Payment, o.Partial = s, true }, noted(func(t notes.Terms) string { return t.Payment })),
		field("Order.Groups", func(o *Order, s string) { o.At, o.Groups = "grouped", []string{"in", s} }, noted(func(t notes.Terms) string { return first(t.Groups[1:]) })),
		field("Order.Exclude", func(o *Order, s string) { o.Exclude = []string{s} }, noted(func(t notes.Terms) string { return first(t.Exclude) })),
		field("Order.Substitutes", func(o *Order, s string) { o.Substitutes = map[string][]string{"tea": {s}} }, noted(func(t notes.Terms) string { return first(t.Instead["tea"]) })),
		field("Order.Substitutes of", func(o *Order, s string) { o.Substitutes = map[string][]string{s: {"cup"}} }, noted(func(t notes.Terms) string { return first(sorted(t.Instead)) })),
	}
	for i := range all {
		all[i].empty = slices.Contains([]string{"Order.Order", "Order.Customer", "Order.Channel", "Order.Owner", "Order.Payment"}, all[i].name)
	}
	return all
}

// lifeInlets are those of a reservation's life.
func lifeInlets(t *testing.T) []inlet {
	verb := func(name string, empty bool, do func(a *Allocator, id, text string) error, get func(a *Allocator, id, text string) string) inlet {
		id := func(n int) string { return fmt.Sprint(name, n) }
		return inlet{name: name, empty: empty,
			set: func(a *Allocator, n int, text string) error {
				must(t, second(a.Allocate(t.Context(), ordered(id(n), oneTea...))), a.Confirm(t.Context(), id(n)))
				return do(a, id(n), text)
			},
			get: func(a *Allocator, n int, text string) string { return get(a, id(n), text) }}
	}
	looked := func(get func(Reservation) string) func(a *Allocator, id, text string) string {
		return func(a *Allocator, id, _ string) string {
			r, err := a.Lookup(id)
			return get(r) + errorText(err)
		}
	}
	collect := func(a *Allocator, id, text string) error {
		return a.Change(t.Context(), Change{ID: text, Reservation: id, Do: DoCollect})
	}
	bringBack := func(a *Allocator, id, text string) error {
		return a.Return(t.Context(), Return{ID: text, Reservation: id, Location: "other"})
	}
	// A second time is no error only for one who knows the ID.
	again := func(do func(a *Allocator, id, text string) error) func(a *Allocator, id, text string) string {
		return func(a *Allocator, id, text string) string {
			if err := do(a, id, text); err != nil {
				return err.Error()
			}
			return text
		}
	}
	all := []inlet{
		verb("Pickup.Code", true, func(a *Allocator, id, text string) error {
			return a.Ready(t.Context(), id, Pickup{Code: text, Until: time.Now().Add(time.Hour)})
		}, looked(func(r Reservation) string { return r.Code })),
		verb("Owner.Channel", true, func(a *Allocator, id, text string) error {
			return a.Reassign(t.Context(), id, "", Owner{Channel: text})
		}, looked(func(r Reservation) string { return r.Channel })),
		verb("Owner.Token", true, func(a *Allocator, id, text string) error {
			return a.Reassign(t.Context(), id, "", Owner{Token: text})
		}, func(a *Allocator, id, _ string) string {
			var e reservation.Entry
			a.ledger.Find(id, &e)
			return e.Owner
		}),
		verb("Change.ID", false, collect, again(collect)),
		verb("Return.ID", true, func(a *Allocator, id, text string) error {
			must(t, a.Collect(t.Context(), id))
			return bringBack(a, id, "r"+text)
		}, again(func(a *Allocator, id, text string) error { return bringBack(a, id, "r"+text) })),
	}
	all[len(all)-1].short = 39
	return all
}

// goodsInlets are those of goods.
func goodsInlets(t *testing.T) []inlet {
	return []inlet{
		{name: "Receipt.ID",
			set: func(a *Allocator, _ int, text string) error {
				return a.Receive(t.Context(), Receipt{ID: text, Location: "other", Lines: oneTea})
			},
			get: func(a *Allocator, _ int, text string) string { // another one with its ID is a conflict
				err := a.Receive(t.Context(), Receipt{ID: text, Location: "other", Lines: []Line{{"tea", 2}}})
				if !errors.Is(err, ErrConflict) {
					return errorText(err)
				}
				return text
			}},
		{name: "Line.SKU",
			set: func(a *Allocator, n int, text string) error {
				return a.Receive(t.Context(), Receipt{ID: fmt.Sprint("sku", n), Location: "shop", Lines: []Line{{text, 7}}})
			},
			get: func(a *Allocator, _ int, text string) string {
				v, err := a.Available(text, "shop")
				if err != nil || v.OnHand != 7 {
					return fmt.Sprint(v, err)
				}
				return text
			}},
		{name: "Transfer.ID",
			set: func(a *Allocator, _ int, text string) error {
				return a.Send(t.Context(), Transfer{ID: text, From: "shop", To: "other", Lines: oneTea})
			},
			get: func(a *Allocator, _ int, text string) string {
				v, err := a.LookupTransfer(text)
				return v.ID + errorText(err)
			}},
	}
}

// settingInlets are those of what is set for SKUs.
func settingInlets(t *testing.T) []inlet {
	day := time.Date(2031, 2, 3, 0, 0, 0, 0, time.UTC)
	return []inlet{
		{name: "Lot.ID",
			set: func(a *Allocator, n int, text string) error {
				return a.Receive(t.Context(), Receipt{ID: fmt.Sprint("lot", n), Location: "shop", Lines: []Line{{"milk", 1}},
					Lots: map[string]Lot{"milk": {ID: text, Expires: day}}})
			},
			get: func(a *Allocator, _ int, text string) string {
				for lot := range a.Lots("milk", "shop") {
					if lot.ID == text {
						return text
					}
				}
				return "no such lot"
			}},
		{name: "Bundle.SKU",
			set: func(a *Allocator, _ int, text string) error {
				return a.SetBundles(t.Context(), Bundle{SKU: "set" + text, Parts: []Component{{SKU: "tea", Quantity: 2}}})
			},
			get: func(a *Allocator, _ int, text string) string {
				return strings.TrimPrefix(among(a.Bundles(), "set"+text, func(b Bundle) string { return b.SKU }), "set")
			}, empty: true, short: 37},
		{name: "Bundle.Parts",
			set: func(a *Allocator, n int, text string) error {
				return a.SetBundles(t.Context(), Bundle{SKU: fmt.Sprint("box", n), Parts: []Component{{SKU: text, Quantity: 2}}})
			},
			get: func(a *Allocator, n int, text string) string {
				return among(a.Bundles(), text, func(b Bundle) string { return b.Parts[0].SKU })
			}},
		{name: "ShelfLife.SKU",
			set: func(a *Allocator, _ int, text string) error {
				return a.SetShelfLife(t.Context(), ShelfLife{SKU: text, Keeps: time.Hour})
			},
			get: func(a *Allocator, _ int, text string) string {
				return among(a.ShelfLives(), text, func(v ShelfLife) string { return v.SKU })
			}},
	}
}

// placeInlets are those of locations.
func placeInlets(t *testing.T) []inlet {
	terms := func(name string, put func(terms *Terms, text string), get func(*Terms) string) inlet {
		id := func(n int) string { return fmt.Sprint(name, n) }
		return inlet{name: name,
			set: func(a *Allocator, n int, text string) error {
				l := Location{ID: id(n), Point: geo.Point{Lat: -50, Lon: 20}, Terms: new(Terms)}
				put(l.Terms, text)
				return a.SetLocations(t.Context(), l)
			},
			get: func(a *Allocator, n int, _ string) string {
				for l := range a.Locations() {
					if l.ID == id(n) {
						return get(l.Terms)
					}
				}
				return "no such location"
			}}
	}
	quoted := terms("Terms.Hours", func(terms *Terms, s string) { terms.Hours = `24/7 "` + s + `"` },
		func(terms *Terms) string { return strings.TrimSuffix(strings.TrimPrefix(terms.Hours, `24/7 "`), `"`) })
	quoted.empty, quoted.short = true, 4000
	return []inlet{
		{name: "Location.ID",
			set: func(a *Allocator, _ int, text string) error {
				return a.SetLocations(t.Context(), Location{ID: text, Point: geo.Point{Lat: -50, Lon: 20}})
			},
			get: func(a *Allocator, _ int, text string) string {
				return among(a.Locations(), text, func(l Location) string { return l.ID })
			}},
		terms("Terms.Groups", func(terms *Terms, s string) { terms.Groups = []string{s} }, func(terms *Terms) string { return terms.Groups[0] }),
		terms("Terms.Payments", func(terms *Terms, s string) { terms.Payments = []string{s} }, func(terms *Terms) string { return terms.Payments[0] }),
		terms("Terms.Channels", func(terms *Terms, s string) { terms.Channels = []string{s} }, func(terms *Terms) string { return terms.Channels[0] }),
		quoted,
	}
}

// channelInlets are those of what is set for channels.
func channelInlets(t *testing.T) []inlet {
	return []inlet{
		{name: "Protection.Channel",
			set: func(a *Allocator, n int, text string) error {
				return a.SetProtection(t.Context(), Protection{Channel: text, SKU: "tea", Location: "other", Units: 3})
			},
			get: func(a *Allocator, n int, text string) string {
				return among(a.Protections(), text, func(v Protection) string { return v.Channel })
			}, empty: true},
		{name: "Quota.Channel",
			set: func(a *Allocator, n int, text string) error {
				return a.SetQuota(t.Context(), Quota{ID: fmt.Sprint("q", n), Channel: text, SKU: "cup", Location: "shop", Units: 5})
			},
			get: func(a *Allocator, n int, text string) string {
				for q := range a.Quotas() {
					if q.Channel == text {
						return text
					}
				}
				return "no such quota"
			}},
		{name: "Quota.ID",
			set: func(a *Allocator, n int, text string) error {
				return a.SetQuota(t.Context(), Quota{ID: "quota" + text, Channel: "web", SKU: "cup", Location: "shop", Units: 5})
			},
			get: func(a *Allocator, n int, text string) string {
				err := a.SetQuota(t.Context(), Quota{ID: "quota" + text, Channel: "web", SKU: "cup", Location: "shop", Units: 6})
				if !errors.Is(err, ErrConflict) {
					return errorText(err)
				}
				return text
			}, empty: true, short: 35},
		{name: "Loan.To",
			set: func(a *Allocator, n int, text string) error {
				return a.Borrow(t.Context(), Loan{ID: fmt.Sprint("loan", n), SKU: "cup", Location: "shop", To: "to" + text, Units: 1})
			},
			get: func(a *Allocator, n int, text string) string {
				return strings.TrimPrefix(among(a.Loans(), "to"+text, func(v Loan) string { return v.To }), "to")
			}, empty: true, short: 38},
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// hostileTexts are texts that something might change, and some drawn ones.
func hostileTexts() []string {
	texts := []string{"", "plain", "żółć", "cold\xff", "\xffcold", "\xed\xa0\x80", "\xc5", "zero\x00byte", "\x00w", "tab\tand\nline", "\x7f", "a/b/2",
		"%2F%00", "<&>\u2028", " blank ", "e\u0301", "\u00e9", "\ufffd", "\ufeffbom", strings.Repeat("x", 40), strings.Repeat("ż", 20) + "x", "\U0010ffff", `back\slash`}
	r := rand.New(rand.NewPCG(9, 9))
	for range 24 {
		text := make([]byte, 1+r.IntN(6))
		for i := range text {
			text[i] = byte(r.IntN(256))
		}
		if s := strings.ReplaceAll(string(text), `"`, ""); s != "" && !slices.Contains(texts, s) {
			texts = append(texts, s)
		}
	}
	return texts
}

// TestTextsComeBack: wherever a text is kept, it is refused by the one rule for all
// texts, or the same bytes are there after a restart.
func TestTextsComeBack(t *testing.T) {
	o := Options{Dir: t.TempDir(), MaxIDBytes: 40, Durability: Written, ManualExpiry: true}
	a, err := Open(t.Context(), o)
	must(t, err)
	texts := hostileTexts()
	textWorld(t, a)
	all := inlets(t)
	taken := map[string]bool{}
	for _, e := range all {
		for n, text := range texts {
			most := o.MaxIDBytes
			if e.short > 0 {
				most = e.short
			}
			fine := utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 && len(text) <= most && (text != "" || e.empty)
			if e.name == "Terms.Hours" {
				fine = utf8.ValidString(text) // it is no name
			}
			err := e.set(a, n, text)
			if fine != (err == nil) || err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("%s %q: %v", e.name, text, err)
			}
			taken[fmt.Sprint(e.name, n)] = err == nil
		}
	}
	must(t, a.Close())
	a = opened(t, o)
	for _, e := range all {
		for n, text := range texts {
			if !taken[fmt.Sprint(e.name, n)] {
				continue
			}
			if got := e.get(a, n, text); got != text {
				t.Errorf("%s %q comes back as %q", e.name, text, got)
			}
		}
	}
}
