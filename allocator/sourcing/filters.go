package sourcing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/geo"
)

// InGroups is the filter of sites in one of the groups.
func InGroups(groups ...string) Filter {
	asked := &Request{Groups: slices.Clone(groups)}
	asked.Index()
	return Filter{Name: "in " + strings.Join(groups, " or "), Pass: func(c *Candidate) bool { return asked.names(c.Site) }}
}

// OwnedBy is the filter of sites whose goods belong to one of the owners; "" is the
// chain itself. OwnedBy("").For(Ship, ShipToStore) sends nothing that is a franchisee's,
// whose own customers still collect it; OwnedBy("Nowak").Not() is everybody else's. What
// does not pass is told as OtherOwner.
func OwnedBy(owners ...string) Filter {
	owners = slices.Clone(owners)
	return Filter{Name: fmt.Sprintf("owned by %q", owners), Reason: OtherOwner, Pass: func(c *Candidate) bool {
		return slices.Contains(owners, c.Site.Owner)
	}}
}

// OfKinds is the filter of sites of one of the kinds.
func OfKinds(kinds ...uint8) Filter {
	kinds = slices.Clone(kinds)
	return Filter{Name: fmt.Sprintf("of kinds %v", kinds), Pass: func(c *Candidate) bool {
		return slices.Contains(kinds, c.Site.Kind)
	}}
}

// Within is the filter of sites no farther than that.
func Within(limit geo.Meters) Filter {
	return Filter{Name: fmt.Sprintf("within %v km", float64(limit)/1000), Pass: func(c *Candidate) bool {
		return c.Distance <= limit
	}}
}

// ReadyIn is the filter of sites that can be ready so soon after the order. A
// site whose promise is not known does not pass.
func ReadyIn(limit time.Duration) Filter {
	return Filter{Name: fmt.Sprintf("ready in %v", limit), Pass: func(c *Candidate) bool {
		return !c.Ready.IsZero() && c.Ready.Sub(c.Request.Now) <= limit
	}}
}

// OpenNow is the filter of sites that are open at the time of the order.
func OpenNow() Filter {
	return Filter{Name: "open now", Pass: func(c *Candidate) bool { return c.Site.Calendar.Open(c.Request.Now) }}
}

// both is the reason of two filters that are one: none of their own if theirs differ.
func both(f, g Filter) Reason {
	if f.Reason == g.Reason {
		return f.Reason
	}
	return 0
}

// And is the filter of what passes both.
func (f Filter) And(g Filter) Filter {
	return Filter{Name: f.Name + " and " + g.Name, Reason: both(f, g), Pass: func(c *Candidate) bool { return f.Pass(c) && g.Pass(c) }}
}

// Or is the filter of what passes one of the two, or both.
func (f Filter) Or(g Filter) Filter {
	return Filter{Name: f.Name + " or " + g.Name, Reason: both(f, g), Pass: func(c *Candidate) bool { return f.Pass(c) || g.Pass(c) }}
}

// Not is the filter of what f does not pass.
func (f Filter) Not() Filter {
	return Filter{Name: "not " + f.Name, Reason: f.Reason, Pass: func(c *Candidate) bool { return !f.Pass(c) }}
}

// While is f while the calendar is open at the time of the order; at other times
// everything passes.
func (f Filter) While(open hours.Calendar) Filter {
	return Filter{Name: f.Name + " at times", Reason: f.Reason, Pass: func(c *Candidate) bool {
		return !open.Open(c.Request.Now) || f.Pass(c)
	}}
}

// For is f for what is served in one of the forms; all else passes. What the chosen
// store of a ship-to-store order has itself is collected there: nothing is sent.
func (f Filter) For(forms ...Form) Filter {
	forms = slices.Clone(forms)
	return Filter{Name: f.Name, Reason: f.Reason, Pass: func(c *Candidate) bool {
		form := c.Request.Form
		if form == ShipToStore && c.chosen() {
			form = Collect
		}
		return !slices.Contains(forms, form) || f.Pass(c)
	}}
}

// Called is f with another name, for explanations.
func (f Filter) Called(name string) Filter { return Filter{Name: name, Pass: f.Pass, Reason: f.Reason} }
