package stock

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestOneUnitHasOneWinner lets 64 goroutines want the same unit, alone or with
// another line, round after round.
func TestOneUnitHasOneWinner(t *testing.T) {
	perturb(t, 5)
	const wanters = 64
	s := newWorld(3, 100, 0)
	for sku := range uint32(3) {
		s.Ensure(sku, everyNth(100, 1)...)
		s.Change(sku, 40, 1)
	}
	s.Change(0, 40, wanters)
	s.Change(2, 40, wanters)
	orders := [][]Line{
		{{SKU: 1, Quantity: 1}},
		{{SKU: 0, Quantity: 1}, {SKU: 1, Quantity: 1}},
		{{SKU: 1, Quantity: 1}, {SKU: 2, Quantity: 1}},
		{{SKU: 0, Quantity: 1}, {SKU: 1, Quantity: 1}, {SKU: 2, Quantity: 1}},
	}
	queries := make([]Query, wanters)
	for round := range fewer(100_000) {
		var winners, winner atomic.Int64
		var group sync.WaitGroup
		for i := range wanters {
			group.Go(func() {
				if take(&queries[i], s, 40, orders[(i+round)%len(orders)]) {
					queries[i].Settle()
					winners.Add(1)
					winner.Store(int64(i))
				}
			})
		}
		group.Wait()
		if n := winners.Load(); n != 1 {
			t.Fatalf("round %d: %d winners of one unit", round, n)
		}
		for _, l := range orders[(int(winner.Load())+round)%len(orders)] {
			s.Change(l.SKU, 40, l.Quantity)
		}
	}
	for sku := range uint32(3) {
		want := int64(1)
		if sku != 1 {
			want += wanters
		}
		if got := s.Table().Reachable(sku, 40); got != want {
			t.Errorf("sku %d: %d units at the end, want %d", sku, got, want)
		}
	}
	checkBits(t, s)
}

// TestNobodyIsRefusedForAnothersUndo keeps 63 goroutines taking a unit for an
// order that fails on its next line, and giving it back. The 64th wants that
// unit alone, and must always get it.
func TestNobodyIsRefusedForAnothersUndo(t *testing.T) {
	perturb(t, 5)
	s := newWorld(2, 100, 0)
	for sku := range uint32(2) {
		s.Ensure(sku, everyNth(100, 1)...)
	}
	s.Change(0, 40, 1)
	var losers sync.WaitGroup
	var tried atomic.Int64
	stop := make(chan struct{})
	both := []Line{{SKU: 0, Quantity: 1}, {SKU: 1, Quantity: 1}}
	for range 63 {
		losers.Go(func() {
			var q Query
			for {
				select {
				case <-stop:
					return
				default:
				}
				fail(t, &q, s, both)
				tried.Add(1)
				runtime.Gosched()
			}
		})
	}
	var q Query
	alone := []Line{{SKU: 0, Quantity: 1}}
	rounds := fewer(20_000)
	for i := 0; i < rounds || tried.Load() < int64(rounds); i++ {
		if !take(&q, s, 40, alone) {
			t.Errorf("claim %d was refused, and nobody else ever got the unit", i)
			break
		}
		q.Settle()
		s.Change(0, 40, 1)
	}
	close(stop)
	losers.Wait()
	if got := s.Table().Reachable(0, 40); got != 1 {
		t.Errorf("%d units at the end, want 1", got)
	}
}

// fail is Take without its look ahead, which would spare it the first line.
func fail(t *testing.T, q *Query, s *Stock, lines []Line) {
	table := s.Table()
	q.Bind(s, table, lines)
	for i := range q.lines {
		q.lines[i].cell, _ = table.at(q.lines[i].SKU, table.Space.Number(40))
		escrow, o := q.lines[i].cell.take(q.lines[i].Quantity, 0)
		if o != done {
			undoLines(q.lines[:i])
			q.lines[i].tidy()
			return
		}
		q.lines[i].escrow = escrow
	}
	q.Undo()
	t.Error("an order for something that is nowhere was filled")
}
