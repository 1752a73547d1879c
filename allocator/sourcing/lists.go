package sourcing

import "slices"

// texts is a set of texts.
type texts map[string]struct{}

func newTexts(list []string) texts {
	if len(list) == 0 {
		return nil
	}
	set := make(texts, len(list))
	for _, text := range list {
		set[text] = struct{}{}
	}
	return set
}

func (t texts) has(text string) bool {
	_, ok := t[text]
	return ok
}

// markOf is 16 bits of the FNV-1a hash of a group. Of 256 groups asked for, one in
// 256 others looks like one, and has to be looked up by its name.
func markOf(group string) uint16 {
	h := uint32(2166136261)
	for i := range len(group) {
		h = (h ^ uint32(group[i])) * 16777619
	}
	return uint16(h ^ h>>16)
}

// requestLists is the lists of a request, looked up in one step whatever their
// length.
type requestLists struct {
	exclude, groups texts
	prefer          map[string]int // where each stands first
	marks           []uint64       // a bit for each mark, 8 KiB; nil without groups
	members         []uint64       // see Members; nil: the names are compared
}

// siteLists is the lists of a site.
type siteLists struct {
	payments, channels texts
	marks              []uint16 // of Groups, one by one
}

// Index prepares a request for being asked of many sites: then the length of
// Groups, Prefer and Exclude costs once, and not at every site. What is answered is
// the same without. The lists are not changed afterwards, nor those of a copy.
func (r *Request) Index() {
	l := &requestLists{exclude: newTexts(r.Exclude), groups: newTexts(r.Groups), prefer: make(map[string]int, len(r.Prefer))}
	for i, id := range r.Prefer {
		if _, ok := l.prefer[id]; !ok {
			l.prefer[id] = i
		}
	}
	if len(l.groups) > 0 {
		l.marks = make([]uint64, 1<<16/64)
	}
	for group := range l.groups {
		mark := markOf(group)
		l.marks[mark/64] |= 1 << (mark % 64)
	}
	r.lists = l
}

// Members tells a request that was indexed which candidates are in one of its Groups,
// by a bit for the Number of each: their names are not compared any more.
func (r *Request) Members(bits []uint64) { r.lists.members = bits }

// Index prepares a site for being asked by many requests: then the length of
// Payments and Channels costs once, and that of Groups little. What is answered is
// the same without. The lists are not changed afterwards, nor those of a copy.
func (s *Site) Index() {
	l := &siteLists{payments: newTexts(s.Payments), channels: newTexts(s.Channels), marks: make([]uint16, len(s.Groups))}
	for i, group := range s.Groups {
		l.marks[i] = markOf(group)
	}
	s.lists = l
}

// Preferred is where a site stands in Prefer, from 0; the length of Prefer if it
// is not there.
func (r *Request) Preferred(id string) int {
	if r.lists == nil {
		return place(r.Prefer, id)
	}
	if at, ok := r.lists.prefer[id]; ok {
		return at
	}
	return len(r.Prefer)
}

func (r *Request) excludes(id string) bool {
	if r.lists == nil {
		return slices.Contains(r.Exclude, id)
	}
	return r.lists.exclude.has(id)
}

// member reports whether the candidate is in one of the groups of its request.
func (c *Candidate) member() bool {
	l := c.Request.lists
	if l == nil || l.members == nil {
		return c.Request.names(c.Site)
	}
	w := int(c.Number / 64)
	return w < len(l.members) && l.members[w]>>(c.Number%64)&1 != 0
}

// names reports whether one of the site's groups is among those of the request.
func (r *Request) names(s *Site) bool {
	if r.lists == nil {
		return slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(s.Groups, g) })
	}
	if s.lists == nil || len(r.lists.marks) == 0 {
		return slices.ContainsFunc(s.Groups, r.lists.groups.has)
	}
	for i, mark := range s.lists.marks { // two bytes a group, and the name only if it may be one
		if r.lists.marks[mark/64]>>(mark%64)&1 != 0 && i < len(s.Groups) && r.lists.groups.has(s.Groups[i]) {
			return true
		}
	}
	return false
}

// admits reports whether a channel may use the site.
func (s *Site) admits(channel string) bool {
	if len(s.Channels) == 0 {
		return true
	}
	if s.lists == nil {
		return slices.Contains(s.Channels, channel)
	}
	return s.lists.channels.has(channel)
}

// accepts reports whether the site takes a form of payment; empty: any.
func (s *Site) accepts(payment string) bool {
	if payment == "" || len(s.Payments) == 0 {
		return true
	}
	if s.lists == nil {
		return slices.Contains(s.Payments, payment)
	}
	return s.lists.payments.has(payment)
}
