package allocator_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// killAsk is one request to the engine as the side log keeps it: the verb and
// whatever of these the verb takes.
type killAsk struct {
	Verb        string                  `json:"verb"`
	ID          string                  `json:"id,omitempty"`   // of an order or a location, for verbs that name one
	Part        int                     `json:"part,omitempty"` // of the order, for verbs of one part
	Orders      []allocator.Order       `json:"orders,omitempty"`
	Changes     []allocator.Change      `json:"changes,omitempty"`
	Returns     []allocator.Return      `json:"returns,omitempty"`
	Receipts    []allocator.Receipt     `json:"receipts,omitempty"`
	Counts      []allocator.Count       `json:"counts,omitempty"`
	Sales       []allocator.Sale        `json:"sales,omitempty"`
	Adjustments []allocator.Adjustment  `json:"adjustments,omitempty"`
	Damages     []allocator.Damage      `json:"damages,omitempty"`
	Transfers   []allocator.Transfer    `json:"transfers,omitempty"`
	Deliveries  []allocator.Delivery    `json:"deliveries,omitempty"`
	Losses      []allocator.Loss        `json:"losses,omitempty"`
	Quotas      []allocator.Quota       `json:"quotas,omitempty"`
	Loans       []allocator.Loan        `json:"loans,omitempty"`
	Windows     []allocator.Window      `json:"windows,omitempty"`
	Capacities  []allocator.Capacity    `json:"capacities,omitempty"`
	Protections []allocator.Protection  `json:"protections,omitempty"`
	Bundles     []allocator.Bundle      `json:"bundles,omitempty"`
	ShelfLives  []allocator.ShelfLife   `json:"shelfLives,omitempty"`
	Safety      []allocator.SafetyStock `json:"safety,omitempty"`
	Locations   []allocator.Location    `json:"locations,omitempty"`
	Lines       []allocator.Line        `json:"lines,omitempty"`
	Location    string                  `json:"location,omitempty"`
	Pickup      allocator.Pickup        `json:"pickup,omitzero"`
	By          time.Duration           `json:"by,omitempty"`
	Token       string                  `json:"token,omitempty"`
	To          allocator.Owner         `json:"to,omitzero"`
}

// killTold is what the engine answered: the words of a refusal, or for orders one
// answer each.
type killTold struct {
	Refused string       `json:"refused,omitempty"`
	Answers []killAnswer `json:"answers,omitempty"`
}

// killAnswer is an Allocation as far as a repeat has to say the same. Cost, what
// was left out and what was taken instead are of the first answer alone.
type killAnswer struct {
	Refused   string           `json:"refused,omitempty"`
	ID        string           `json:"id,omitempty"`
	Part      int              `json:"part,omitempty"`
	Location  string           `json:"location,omitempty"`
	Distance  float64          `json:"distance,omitempty"`
	HeldUntil time.Time        `json:"heldUntil,omitzero"`
	Form      sourcing.Form    `json:"form,omitempty"`
	Ready     time.Time        `json:"ready,omitzero"`
	Lines     []allocator.Line `json:"lines,omitempty"`
	Parts     []killAnswer     `json:"parts,omitempty"`
}

// killLine is a line of the side log: the Ask of a request before it is made, what
// was Told once it is acknowledged, or a Read of an order afterwards.
type killLine struct {
	N    int64                  `json:"n"` // of the request, one of its own for each
	Ask  *killAsk               `json:"ask,omitempty"`
	Told *killTold              `json:"told,omitempty"`
	Read *allocator.Reservation `json:"read,omitempty"`
}

// killPlain makes verbs without an answer from their methods.
func killPlain[T any](verb func(*allocator.Allocator, context.Context, ...T) error, list func(*killAsk) []T) func(context.Context, *allocator.Allocator, *killAsk) error {
	return func(ctx context.Context, a *allocator.Allocator, q *killAsk) error { return verb(a, ctx, list(q)...) }
}

// killOn is killPlain for the verbs that name one reservation.
func killOn(verb func(allocator.Part, context.Context, ...allocator.Line) error) func(context.Context, *allocator.Allocator, *killAsk) error {
	return func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		return verb(a.Part(q.ID, q.Part), ctx, q.Lines...)
	}
}

// killNamed are the verbs whose requests have IDs, by which a repeat is known. The
// orders are besides.
var killNamed = map[string]func(context.Context, *allocator.Allocator, *killAsk) error{
	"change":  killPlain((*allocator.Allocator).Change, func(q *killAsk) []allocator.Change { return q.Changes }),
	"return":  killPlain((*allocator.Allocator).Return, func(q *killAsk) []allocator.Return { return q.Returns }),
	"receive": killPlain((*allocator.Allocator).Receive, func(q *killAsk) []allocator.Receipt { return q.Receipts }),
	"count":   killPlain((*allocator.Allocator).Count, func(q *killAsk) []allocator.Count { return q.Counts }),
	"sell":    killPlain((*allocator.Allocator).Sell, func(q *killAsk) []allocator.Sale { return q.Sales }),
	"adjust":  killPlain((*allocator.Allocator).Adjust, func(q *killAsk) []allocator.Adjustment { return q.Adjustments }),
	"damage":  killPlain((*allocator.Allocator).WriteOff, func(q *killAsk) []allocator.Damage { return q.Damages }),
	"send":    killPlain((*allocator.Allocator).Send, func(q *killAsk) []allocator.Transfer { return q.Transfers }),
	"deliver": killPlain((*allocator.Allocator).Deliver, func(q *killAsk) []allocator.Delivery { return q.Deliveries }),
	"lose":    killPlain((*allocator.Allocator).Lose, func(q *killAsk) []allocator.Loss { return q.Losses }),
	"quota":   killPlain((*allocator.Allocator).SetQuota, func(q *killAsk) []allocator.Quota { return q.Quotas }),
	"borrow":  killPlain((*allocator.Allocator).Borrow, func(q *killAsk) []allocator.Loan { return q.Loans }),
	"back":    killPlain((*allocator.Allocator).GiveBack, func(q *killAsk) []allocator.Loan { return q.Loans }),
}

// killUnnamed are the verbs whose requests have none.
var killUnnamed = map[string]func(context.Context, *allocator.Allocator, *killAsk) error{
	"windows":     killPlain((*allocator.Allocator).SetWindows, func(q *killAsk) []allocator.Window { return q.Windows }),
	"capacities":  killPlain((*allocator.Allocator).SetCapacity, func(q *killAsk) []allocator.Capacity { return q.Capacities }),
	"protections": killPlain((*allocator.Allocator).SetProtection, func(q *killAsk) []allocator.Protection { return q.Protections }),
	"bundles":     killPlain((*allocator.Allocator).SetBundles, func(q *killAsk) []allocator.Bundle { return q.Bundles }),
	"shelf lives": killPlain((*allocator.Allocator).SetShelfLife, func(q *killAsk) []allocator.ShelfLife { return q.ShelfLives }),
	"safety":      killPlain((*allocator.Allocator).SetSafetyStock, func(q *killAsk) []allocator.SafetyStock { return q.Safety }),
	"locations":   killPlain((*allocator.Allocator).SetLocations, func(q *killAsk) []allocator.Location { return q.Locations }),
	"confirm":     killOn(allocator.Part.Confirm),
	"arrive":      killOn(allocator.Part.Arrive),
	"short pick":  killOn(allocator.Part.ShortPick),
	"collect":     killOn(allocator.Part.Collect),
	"cancel":      killOn(allocator.Part.Cancel),
	"remove": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		return a.RemoveLocation(ctx, q.ID)
	},
	"accept": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		return a.Part(q.ID, q.Part).Accept(ctx)
	},
	"dispatch": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		return a.Part(q.ID, q.Part).Dispatch(ctx, q.Location)
	},
	"ready": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		return a.Part(q.ID, q.Part).Ready(ctx, q.Pickup)
	},
	"reassign": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		return a.Part(q.ID, q.Part).Reassign(ctx, q.Token, q.To)
	},
	"extend": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		_, err := a.Part(q.ID, q.Part).Extend(ctx, q.By)
		return err
	},
	"reject": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		_, err := a.Part(q.ID, q.Part).Reject(ctx, q.Lines...)
		return err
	},
	"reroute": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		_, err := a.Part(q.ID, q.Part).Reroute(ctx, q.Lines...)
		return err
	},
	"evacuate": func(ctx context.Context, a *allocator.Allocator, q *killAsk) error {
		return a.RerouteFrom(ctx, q.Location, nil)
	},
}

// do makes the request.
func (q *killAsk) do(ctx context.Context, a *allocator.Allocator) (told killTold) {
	switch {
	case q.Verb == "allocate":
		for i, o := range a.AllocateAll(ctx, q.Orders...) {
			answer := killAnswerOf(o.Allocation, &q.Orders[i], true)
			if o.Err != nil {
				answer = killAnswer{Refused: o.Err.Error()}
			}
			told.Answers = append(told.Answers, answer)
		}
		return told
	case killNamed[q.Verb] != nil:
		told.note(killNamed[q.Verb](ctx, a, q))
	default:
		told.note(killUnnamed[q.Verb](ctx, a, q))
	}
	return told
}

func (t *killTold) note(err error) {
	if err != nil {
		t.Refused = err.Error()
	}
}

// named tells the requests that can be repeated: they have IDs.
func (q *killAsk) named() bool { return q.Verb == "allocate" || killNamed[q.Verb] != nil }

// rejects tells the requests whose repeat may look for another place again, if the
// first call found none.
func (q *killAsk) rejects() bool {
	for _, c := range q.Changes {
		if c.Do == allocator.DoReject {
			return true
		}
	}
	return false
}

// touches are the orders that the request may change.
func (q *killAsk) touches() (orders []string) {
	add := func(id string) { orders = append(orders, id) }
	for i := range q.Orders {
		add(q.Orders[i].ID)
	}
	for i := range q.Changes {
		add(q.Changes[i].Reservation)
	}
	for i := range q.Returns {
		add(q.Returns[i].Reservation)
	}
	if q.ID != "" && q.Verb != "remove" {
		add(q.ID)
	}
	return orders
}

// size is how many IDs the engine may have to remember for the request.
func (q *killAsk) size() int {
	return len(q.Changes) + len(q.Returns) + len(q.Receipts) + len(q.Counts) + len(q.Sales) + len(q.Adjustments) + len(q.Damages) +
		len(q.Transfers) + len(q.Deliveries) + len(q.Losses) + len(q.Quotas) + len(q.Loans)
}

// killAnswerOf is what is compared of an answer. Lines that are nil are those of
// the order.
func killAnswerOf(g allocator.Allocation, o *allocator.Order, whole bool) killAnswer {
	k := killAnswer{ID: g.ID, Part: g.Part, Location: g.Location, Distance: float64(g.Distance), HeldUntil: g.HeldUntil, Form: g.Form, Ready: g.Ready, Lines: g.Lines()}
	if k.Lines == nil {
		sums := map[string]int64{}
		for _, line := range o.Lines {
			sums[line.SKU] += line.Quantity
		}
		for _, sku := range killSorted(sums) {
			k.Lines = append(k.Lines, allocator.Line{SKU: sku, Quantity: sums[sku]})
		}
	}
	if whole {
		for _, part := range g.Parts() {
			k.Parts = append(k.Parts, killAnswerOf(part, o, false))
		}
	}
	return k
}

// killLog is the side log: each line is whole in the file when write returns, and
// a kill can cut only the last one.
type killLog struct {
	mu   sync.Mutex
	file *os.File
	beat io.Writer // told of each acknowledgment by a byte
}

func openKillLog(name string, beat io.Writer) (*killLog, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return &killLog{file: f, beat: beat}, err
}

func (l *killLog) write(line killLine) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.Write(append(text, '\n')); err != nil {
		return err
	}
	if line.Told != nil {
		_, err = l.beat.Write([]byte{'.'})
	}
	return err
}

// readKillLog reads the lines that are whole. The next writer of the file must not
// go on behind the cut one, so that is taken away.
func readKillLog(name string) (lines []killLine, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if whole := bytes.LastIndexByte(text, '\n') + 1; whole < len(text) {
		if err := os.Truncate(name, int64(whole)); err != nil {
			return nil, err
		}
		text = text[:whole]
	}
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, len(text)+1)
	for scan.Scan() {
		var line killLine
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("side log, line %d: %w", len(lines)+1, err)
		}
		lines = append(lines, line)
	}
	return lines, scan.Err()
}
