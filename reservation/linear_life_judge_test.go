package reservation

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// lifePatience bounds the search for an order; what is not found by then counts
// as a fault of its own.
const lifePatience = 20 * time.Second

// judge asks, part by part, whether there is an order in which all is right.
func (j *lifeJudge) judge() {
	j.repeats()
	for slot := range uint32(lifeSlots) {
		j.shelve(slot)
	}
	model := lifeOf(lifeRemind)
	for number, f := range j.orders {
		calls := slices.DeleteFunc(slices.Clone(f.calls), func(c *lifeCall) bool { return refusedClaim(c) && !c.acted })
		switch porcupine.CheckOperationsTimeout(model, lifeOperations(calls), lifePatience) {
		case porcupine.Illegal:
			j.fault("order %d has no order in which its answers are right:%s", number, lifeText(calls))
		case porcupine.Unknown:
			j.fault("order %d was not judged in time", number)
		}
		j.count(f)
	}
}

// refusedClaim tells the calls that found too few units; whether rightly is the
// shelf's affair.
func refusedClaim(c *lifeCall) bool {
	return (c.verb == history.Held || c.verb == history.Rerouted && c.fact == lifeFine) && c.how >= 0
}

// count notes who was told that another was first.
func (j *lifeJudge) count(f *lifeFile) {
	for _, c := range f.calls {
		switch {
		case refusedClaim(c):
			j.tally.refused++
		case c.verb == history.Held && c.how == Known, c.change > 0 && c.fact == lifeFine && !c.acted:
			j.tally.repeats++
		case c.fact == lifeEnded:
			j.tally.lost++
			for _, d := range f.calls {
				if d.acted && d.verb != history.Held && d.now < c.ended && c.now < d.ended {
					j.tally.met++
					break
				}
			}
		}
	}
}

// repeats checks the calls with the ID of a movement: one of them does it, and
// the others are told so.
func (j *lifeJudge) repeats() {
	byNumber := map[int][]*lifeCall{}
	for _, c := range j.calls {
		if c.verb == history.Moved {
			byNumber[c.number] = append(byNumber[c.number], c)
		}
	}
	for _, calls := range byNumber {
		var did *lifeCall
		for _, c := range calls {
			if c.acted && did != nil {
				j.fault("a movement was made twice: %v and %v", did, c)
			}
			if c.acted {
				did = c
			}
		}
		for _, c := range calls {
			switch {
			case c.acted:
			case c.fact == lifeFine && (did == nil || c.ended < did.now):
				j.fault("a movement is said to be made and was not: %v", c)
			case c.fact != lifeFine && did != nil && did.ended < c.now:
				j.fault("a repeat of a movement is refused: %v", c)
			}
		}
	}
}

// shelve judges the goods at a location: all SKUs at once where claims are of
// several, and each by itself where goods go over the till. There a claim counts
// by its lines: the till takes units that a claim in flight counts as its own, so
// there need be no instant at which all its lines were there.
func (j *lifeJudge) shelve(slot uint32) {
	var parts [lifeSKUs][]*lifeCall
	put := func(c *lifeCall, sku int) {
		d := *c
		d.sku = sku
		if lifeStrict(slot) {
			sku = 0
		} else if c.verb == history.Held {
			d.units = lifeUnits{}
			d.units[sku] = c.units[sku]
		}
		parts[sku] = append(parts[sku], &d)
	}
	for _, c := range j.atShelf(slot) {
		switch c.verb {
		case history.Held:
			if c.how >= 0 {
				put(c, c.how)
				continue
			}
			if lifeStrict(slot) {
				put(c, 0)
				continue
			}
			for sku, n := range c.units {
				if n > 0 {
					put(c, sku)
				}
			}
		case lifeLevel, history.Moved:
			put(c, c.sku)
		default:
			for sku, n := range c.given {
				if n > 0 {
					put(c, sku)
				}
			}
		}
	}
	for sku, calls := range parts {
		switch porcupine.CheckOperationsTimeout(lifeShelfModel, lifeOperations(calls), lifePatience) {
		case porcupine.Illegal:
			j.fault("SKU %d at location %d: no order of %d calls in which the answers are right", sku, slot, len(calls))
		case porcupine.Unknown:
			j.fault("SKU %d at location %d was not judged in time", sku, slot)
		}
	}
}

// atShelf is what concerns the goods at a location.
func (j *lifeJudge) atShelf(slot uint32) (calls []*lifeCall) {
	for _, c := range j.calls {
		switch {
		case c.slot != slot:
		case c.verb == lifeLevel, c.verb == history.Moved && (c.acted || c.fact == lifeShort):
			calls = append(calls, c)
		}
	}
	for _, c := range j.claims {
		if c.slot == slot {
			calls = append(calls, c)
		}
	}
	for _, f := range j.orders {
		for _, c := range f.calls {
			switch {
			case c.verb == history.Rerouted && refusedClaim(c):
				if c.to == slot {
					calls = append(calls, &lifeCall{verb: history.Held, how: c.how, units: c.units, slot: slot, now: c.now, ended: c.ended, client: c.client})
				}
				continue
			case c.verb == history.Held && c.how != Done:
				calls = append(calls, c.claimsAt(slot)...)
				continue
			}
			for _, d := range append(c.shares[:len(c.shares):len(c.shares)], c.target) {
				if d == nil || d.slot != slot {
					continue
				}
				switch d.verb {
				case history.Held, history.Canceled, history.Expired, history.NoShow, history.Collected, history.ShortPicked, history.Rerouted:
					calls = append(calls, d)
				}
			}
		}
	}
	return calls
}

// claimsAt is what a claim that has taken nothing has asked a shelf for: all of its
// parts if its ID was known, else the one that is short.
func (c *lifeCall) claimsAt(slot uint32) (calls []*lifeCall) {
	all := []lifeAnother{{c.units, c.slot}}
	if c.how == Known {
		all = append(all, c.more...)
	}
	for _, m := range all {
		if m.slot == slot {
			calls = append(calls, &lifeCall{verb: c.verb, how: c.how, units: m.units, slot: slot, now: c.now, ended: c.ended, client: c.client})
		}
	}
	return calls
}

func lifeText(calls []*lifeCall) string {
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(a, b *lifeCall) int { return cmp.Compare(a.now, b.now) })
	var b strings.Builder
	for _, c := range calls {
		b.WriteString("\n  ")
		b.WriteString(c.String())
	}
	return b.String()
}
