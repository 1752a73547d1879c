package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// killSettings is what each setting may be now, by its key: what was acknowledged
// last, and what the kill had left open since.
type killSettings map[string][]string

// killSetting is one setting as text, as it is read back; empty: it is not there.
type killSetting struct{ key, value string }

// killSets are the settings of a request.
func killSets(q *killAsk) (all []killSetting) {
	add := func(there bool, key, value string) {
		if !there {
			value = ""
		}
		all = append(all, killSetting{key, value})
	}
	for _, l := range q.Locations {
		add(true, "location "+l.ID, killText(l))
	}
	if q.Verb == "remove" {
		add(false, "location "+q.ID, "")
	}
	for _, w := range q.Windows {
		add(w.Places > 0, fmt.Sprint("window ", w.Location, " ", w.Start.UTC()), fmt.Sprint(w.Length, " ", w.Places))
	}
	for _, c := range q.Capacities {
		add(c.Orders+c.Lines > 0, "capacity "+c.Location, killText(c))
	}
	for _, p := range q.Protections {
		add(!p.Unset, "level "+p.Channel+"|"+p.SKU+"|"+p.Location, fmt.Sprint(p.Units))
	}
	for _, b := range q.Bundles {
		add(len(b.Parts) > 0, "bundle "+b.SKU, killText(b.Parts))
	}
	for _, s := range q.ShelfLives {
		add(s.Keeps > 0, "shelf life "+s.SKU, s.Keeps.String())
	}
	for _, s := range q.Safety {
		add(s.Units > 0, "safety "+s.SKU+"|"+s.Location, fmt.Sprint(s.Units))
	}
	return all
}

func (s killSettings) begin(q *killAsk) {
	for _, one := range killSets(q) {
		if _, there := s[one.key]; !there {
			s[one.key] = []string{""} // as it was before anybody set it
		}
		s[one.key] = append(s[one.key], one.value)
	}
}

func (s killSettings) told(q *killAsk) {
	for _, one := range killSets(q) {
		s[one.key] = []string{one.value}
	}
}

// read is all settings as they are, and a fault for what is not as it may be.
func (j *killJudge) settings() {
	is := map[string]string{}
	a := j.a
	for l := range a.Locations() {
		is["location "+l.ID] = killText(l)
	}
	for w := range a.Windows("", time.Time{}, time.Time{}) {
		if w.Places > 0 {
			is[fmt.Sprint("window ", w.Location, " ", w.Start.UTC())] = fmt.Sprint(w.Length, " ", w.Places)
		}
	}
	for c := range a.Capacities() {
		is["capacity "+c.Location] = killText(c)
	}
	for p := range a.Protections() {
		is["level "+p.Channel+"|"+p.SKU+"|"+p.Location] = fmt.Sprint(p.Units)
	}
	for b := range a.Bundles() {
		is["bundle "+b.SKU] = killText(b.Parts)
	}
	for s := range a.ShelfLives() {
		is["shelf life "+s.SKU] = s.Keeps.String()
	}
	for _, location := range killPlaces {
		for _, sku := range killPlainSKU {
			if v, err := a.Available(sku, location); err == nil && v.Safety > 0 {
				is["safety "+sku+"|"+location] = fmt.Sprint(v.Safety)
			}
		}
	}
	for _, key := range killSorted(j.set) {
		if may := j.set[key]; !slices.Contains(may, is[key]) {
			j.lose("%s: found %q, was set to %q", key, is[key], may)
		}
		delete(is, key)
	}
	for _, key := range killSorted(is) {
		j.differ("%s is %q: nobody set it", key, is[key])
	}
}

// shelves looks for goods that are sold twice: what is held and not on hand must be
// short in the reservations there.
func (j *killJudge) shelves(ctx context.Context) error {
	short := map[string]int64{}
	for _, location := range killPlaces {
		q := allocator.Listing{Location: location, Limit: 10_000}
		for {
			page, err := j.a.List(ctx, q)
			if errors.Is(err, allocator.ErrUnknownLocation) {
				break
			}
			if err != nil {
				return err
			}
			for _, r := range page.Reservations {
				for _, line := range r.Lines {
					short[line.SKU+" at "+location] += line.Short
				}
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	for _, location := range killPlaces {
		for _, sku := range killShelved(j.a) {
			v, err := j.a.Available(sku, location)
			if errors.Is(err, allocator.ErrUnknownLocation) || errors.Is(err, allocator.ErrUnknownSKU) {
				continue // killed before the first goods came
			}
			if err != nil {
				return err
			}
			if key := sku + " at " + location; v.OnHand < 0 || v.Held < 0 || v.Held-v.OnHand > short[key] {
				j.differ("oversold: %s: %+v, %d short", key, v, short[key])
			}
		}
	}
	return nil
}
