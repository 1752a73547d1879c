package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// judge kills, opens and compares.
type judge struct {
	plan     plan
	draw     *rand.Rand
	said     map[string]int // how far each order was acknowledged to be
	fresh    []string       // orders of the last round
	older    []string
	kills    int
	acks     int
	lost     int
	oversold int
	ahead    int           // found farther than it was said to be: killed before it could say so
	slowest  time.Duration // to open
	faults   []string
}

func newJudge(p plan) *judge {
	return &judge{plan: p, draw: rand.New(rand.NewPCG(p.seed, 0)), said: map[string]int{}}
}

// rounds goes on until all rounds are done or ctx ends.
func (j *judge) rounds(ctx context.Context, out io.Writer) error {
	last := time.Now()
	for round := 1; (j.plan.rounds == 0 || round <= j.plan.rounds) && ctx.Err() == nil; round++ {
		if err := j.kill(ctx, round); err != nil {
			return err
		}
		if err := j.compare(ctx, round); err != nil {
			return err
		}
		if time.Since(last) > 2*time.Second {
			last = time.Now()
			fmt.Fprintf(out, "%d kills, %d acknowledged changes, lost %d, oversold %d\n", j.kills, j.acks, j.lost, j.oversold)
		}
	}
	return nil
}

// kill runs a worker and kills it at a random moment of its life: while it opens
// and recovers, while it writes a snapshot, or at work.
func (j *judge) kill(ctx context.Context, round int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, self, "-worker", strconv.Itoa(round), "-dir", j.plan.dir, "-callers", strconv.Itoa(j.plan.callers), fmt.Sprintf("-lie=%v", j.plan.lie))
	c.Stderr = os.Stderr
	said, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	life := time.Duration(j.draw.Int64N(int64(j.plan.longest)))
	timer := time.AfterFunc(life, func() { c.Process.Kill() })
	defer timer.Stop()
	j.older = append(j.older, j.fresh...)
	j.fresh = j.fresh[:0]
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		id, text, ok := strings.Cut(lines.Text(), " ")
		stage, err := strconv.Atoi(text)
		if !ok || err != nil {
			continue // cut off by the kill
		}
		j.acks++
		if j.said[id] == 0 {
			j.fresh = append(j.fresh, id)
		}
		j.said[id] = stage
	}
	err = c.Wait()
	j.kills++
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return nil // killed, as was meant
	}
	return err
}

// compare opens what is left and looks for everything that was acknowledged: the
// last round's orders all, of the older ones some.
func (j *judge) compare(ctx context.Context, round int) (err error) {
	begun := time.Now()
	a, err := allocator.Open(ctx, options(j.plan))
	if err != nil {
		return fmt.Errorf("round %d: %w", round, err)
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	j.slowest = max(j.slowest, time.Since(begun))
	for _, id := range j.fresh {
		j.look(a, id)
	}
	for range min(len(j.older), 2000) {
		j.look(a, j.older[j.draw.IntN(len(j.older))])
	}
	if round == j.plan.rounds {
		for _, id := range j.older {
			j.look(a, id)
		}
	}
	j.counters(a)
	audit, err := a.Audit(ctx)
	if err != nil {
		return fmt.Errorf("round %d: %w", round, err)
	}
	for _, d := range audit.Differences {
		j.lost++
		j.fault(fmt.Sprintf("audit: %+v", d))
	}
	return nil
}

// look finds one order and compares how far it is.
func (j *judge) look(a *allocator.Allocator, id string) {
	r, err := a.Lookup(id)
	if err != nil {
		j.lost++
		j.fault(fmt.Sprintf("%s was acknowledged: %v", id, err))
		return
	}
	at := map[allocator.State]int{allocator.Held: held, allocator.Confirmed: confirmed, allocator.Ready: ready, allocator.Collected: collected}[r.State]
	var caller, n int
	fmt.Sscanf(id[strings.IndexByte(id, '-')+1:], "%d-%d-%d", new(int), &caller, &n)
	switch {
	case at > j.said[id] && at <= stages(n):
		j.ahead++
		j.said[id] = at
	case at != j.said[id]:
		j.lost++
		j.fault(fmt.Sprintf("%s was acknowledged at step %d, found %v", id, j.said[id], r.State))
	}
	want := map[string]int64{}
	for _, line := range linesOf(caller, n) {
		want[line.SKU] += line.Quantity
	}
	for _, line := range r.Lines {
		if want[line.SKU] != line.Quantity {
			j.lost++
			j.fault(fmt.Sprintf("%s has %d of %s", id, line.Quantity, line.SKU))
		}
		delete(want, line.SKU)
	}
	if len(want) > 0 {
		j.lost++
		j.fault(fmt.Sprintf("%s lacks %v", id, want))
	}
}

// counters adds up what every shop has.
func (j *judge) counters(a *allocator.Allocator) {
	for i := range shops {
		for k := range goods {
			v, err := a.Available(skuOf(k), shopID(i))
			if errors.Is(err, allocator.ErrUnknownLocation) || errors.Is(err, allocator.ErrUnknownSKU) {
				continue // killed before the first goods came
			}
			if err != nil || v.OnHand < 0 || v.Held > v.OnHand || v.Available < 0 {
				j.oversold++
				j.fault(fmt.Sprintf("%s at %s: %+v %v", skuOf(k), shopID(i), v, err))
			}
		}
	}
}

func (j *judge) fault(text string) {
	if len(j.faults) < 20 {
		j.faults = append(j.faults, text)
	}
}

func (j *judge) report(out io.Writer) {
	for _, f := range j.faults {
		fmt.Fprintln(out, f)
	}
	fmt.Fprintf(out, "%d kills, %d acknowledged changes of %d orders (%d more had been written when the kill came), slowest opening %v\n",
		j.kills, j.acks, len(j.said), j.ahead, j.slowest.Round(time.Millisecond))
	fmt.Fprintf(out, "lost %d, oversold %d\n", j.lost, j.oversold)
}
