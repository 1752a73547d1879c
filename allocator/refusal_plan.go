package allocator

import (
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// rejections names the first locations of the explanation of a refused plan.
func (p *planned) rejections() []Rejection {
	rejected := p.explain().Rejected
	out := make([]Rejection, 0, rejections)
	for _, c := range rejected[:min(len(rejected), rejections)] {
		r := Rejection{Location: c.Site, Distance: c.Distance, Reason: c.Reason}
		switch c.Reason {
		case sourcing.Short, sourcing.Protected, sourcing.TooOld, sourcing.CoolingDown:
			r.SKU = c.Detail
		default:
			r.Detail = c.Detail
		}
		out = append(out, r)
	}
	return out
}
