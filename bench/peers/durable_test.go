package peers

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// What the rivals answered must be in their files; otherwise the comparison is
// one with engines that do less.

// answered says of each reservation that was promised, by its ID, where it is
// and what it holds.
func answered(s *Seat, callers []caller) map[string]string {
	all := make(map[string]string)
	for i := range callers {
		c := &callers[i]
		for k, location := range c.answers {
			if location == "" {
				continue
			}
			at := (c.offset + k) % len(s.work.orders)
			told := location
			for _, l := range s.work.orders[at].Lines {
				told += fmt.Sprint(" ", l.SKU, "*", l.Quantity)
			}
			all[c.ids[k]] = told
		}
	}
	return all
}

// play runs the named contestant for one pass and returns what it answered, and
// cancels the first half of it.
func play(t *testing.T, name, dir string) (live, canceled map[string]string, w *Work) {
	t.Helper()
	contestant, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	w = draw(t, small())
	e, err := contestant.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Sit(w, e)
	if err != nil {
		t.Fatal(err)
	}
	callers, _, err := s.time(Pass{Callers: 50, Length: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.verify(callers); err != nil {
		t.Fatal(err)
	}
	live, canceled = answered(s, callers), make(map[string]string)
	if err := s.putBack(callers[:25]); err != nil {
		t.Fatal(err)
	}
	for id := range answered(s, callers[:25]) {
		canceled[id] = live[id]
		delete(live, id)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(live) < 25 || len(canceled) < 25 {
		t.Fatalf("%d live and %d canceled", len(live), len(canceled))
	}
	return live, canceled, w
}

func TestJournalHoldsTheAnswers(t *testing.T) {
	for _, name := range []string{"strong-journal", "strong-tuned"} {
		dir := t.TempDir()
		live, canceled, _ := play(t, name, dir)
		text, err := os.ReadFile(filepath.Join(dir, "journal"))
		if err != nil {
			t.Fatal(err)
		}
		gotLive, gotCanceled, err := replay(text)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(live, gotLive) || !maps.Equal(canceled, gotCanceled) {
			t.Errorf("%s: %d live and %d canceled in the journal, %d and %d answered", name, len(gotLive), len(gotCanceled), len(live), len(canceled))
		}
		// The test must see a journal that lacks something.
		text[frameHead+3] ^= 1
		if damaged, _, err := replay(text); err == nil && maps.Equal(live, damaged) {
			t.Errorf("%s: a damaged journal passes", name)
		}
	}
}

// replay reads a journal from its beginning until it ends.
func replay(text []byte) (live, canceled map[string]string, err error) {
	live, canceled = make(map[string]string), make(map[string]string)
	tuned := len(text) == journalBytes
	for sequence := uint64(1); len(text) >= frameHead; sequence++ {
		length := binary.LittleEndian.Uint64(text[4:])
		if length == 0 || length > uint64(len(text)-frameHead) {
			break
		}
		size := frameHead + int(length)
		if crc32.Checksum(text[4:size], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(text) {
			return nil, nil, errors.New("damaged")
		}
		if binary.LittleEndian.Uint64(text[12:]) != sequence {
			return nil, nil, fmt.Errorf("frame %d is missing", sequence)
		}
		for records := bytes.NewBuffer(text[frameHead:size:size]); records.Len() > 0; {
			kind, _ := records.ReadByte()
			id := nextName(records)
			if kind == recordCancel {
				canceled[id] = live[id]
				delete(live, id)
				continue
			}
			told := nextName(records)
			lines, _ := binary.ReadUvarint(records)
			for range lines {
				sku := nextName(records)
				quantity, _ := binary.ReadUvarint(records)
				told += fmt.Sprint(" ", sku, "*", quantity)
			}
			live[id] = told
		}
		if tuned {
			size = (size + frameAlign - 1) / frameAlign * frameAlign
		}
		text = text[size:]
	}
	return live, canceled, nil
}

func nextName(b *bytes.Buffer) string {
	length, _ := binary.ReadUvarint(b)
	return string(b.Next(int(length)))
}

func TestDatabaseHoldsTheAnswers(t *testing.T) {
	for _, name := range []string{"sqlite", "sqlite-log"} {
		dir := t.TempDir()
		live, canceled, w := play(t, name, dir)
		conn, err := openSQLite(filepath.Join(dir, "orders.db"))
		if err != nil {
			t.Fatal(err)
		}
		held := make(map[[2]int64]int64)
		for _, row := range ask(t, conn, "SELECT id, location, canceled, lines FROM reservation") {
			id, place := text(row[0]), row[1].(int64)
			told := w.world.Locations[place].ID
			for lines := row[3].([]byte); len(lines) > 0; {
				sku, n := binary.Uvarint(lines)
				quantity, m := binary.Uvarint(lines[n:])
				lines = lines[n+m:]
				told += fmt.Sprint(" ", w.world.SKUs[sku], "*", quantity)
				if row[2].(int64) == 0 {
					held[[2]int64{int64(sku), place}] += int64(quantity)
				}
			}
			from := live
			if row[2].(int64) == 1 {
				from = canceled
			}
			if from[id] != told {
				t.Fatalf("%s: %s is %q in the database, %q was answered", name, id, told, from[id])
			}
			delete(from, id)
		}
		if len(live)+len(canceled) != 0 {
			t.Errorf("%s: the database lacks %d reservations and %d canceled ones", name, len(live), len(canceled))
		}
		cells := 0
		for _, row := range ask(t, conn, "SELECT sku, location, units FROM stock") {
			cells++
			sku, place := row[0].(int64), row[1].(int64)
			if want := int64(*w.units(int32(sku), int32(place))) - held[[2]int64{sku, place}]; row[2].(int64) != want {
				t.Errorf("%s: %d units of SKU %d at location %d, want %d", name, row[2], sku, place, want)
			}
		}
		if (cells > 0) != (name == "sqlite") {
			t.Errorf("%s: %d rows of stock", name, cells)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// text is a text column, which one driver gives as bytes.
func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v.(string)
}

// ask returns all rows of a query.
func ask(t *testing.T, conn driver.Conn, query string) [][]driver.Value {
	t.Helper()
	s, err := conn.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all [][]driver.Value
	for {
		row := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(row); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = slices.Clone(b)
			}
		}
		all = append(all, row)
	}
}

// SQLite must be as durable as the others, and still be so when another
// statement has run on the connection.
func TestDatabaseIsDurable(t *testing.T) {
	inner, err := strong()
	if err != nil {
		t.Fatal(err)
	}
	e := &database{Engine: inner, dir: t.TempDir(), rows: true}
	if err := e.Load(draw(t, small()).world); err != nil {
		t.Fatal(err)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "locking_mode": "exclusive"} {
		rows := ask(t, e.conn, "PRAGMA "+pragma)
		got := fmt.Sprint(rows[0][0])
		if b, ok := rows[0][0].([]byte); ok {
			got = string(b)
		}
		if !strings.EqualFold(got, want) {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
	if err := one(errShort, e.take, int64(1<<40), int64(0), int64(0)); !errors.Is(err, errShort) {
		t.Errorf("more units than there are: %v", err)
	}
	if err := e.group.do(nil, change{id: "nobody"}); !errors.Is(err, errUnknown) {
		t.Errorf("canceling what is not there: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLimit(t *testing.T) {
	dir := t.TempDir()
	for _, overwrite := range []bool{false, true} {
		passed, err := Limit{Batch: 3, Overwrite: overwrite, Length: time.Millisecond}.Run(dir)
		if err != nil || passed.Orders == 0 || passed.Orders%3 != 0 || passed.Max < passed.P50 {
			t.Errorf("%+v, %v", passed, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := (Limit{Batch: 1}).Run(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("no error from a directory that is not there")
	}
}

// The allocator, opened again, still has every answer and no unit more.
func TestOursHoldsTheAnswers(t *testing.T) {
	dir := t.TempDir()
	live, canceled, w := play(t, "ours", dir)
	a, err := allocator.Open(t.Context(), durable(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	numbers := make(map[string]int32)
	for i, sku := range w.world.SKUs {
		numbers[sku] = int32(i)
	}
	held := make(map[[2]int32]int64)
	for id, told := range live {
		r, err := a.Lookup(id)
		location, _, _ := strings.Cut(told, " ")
		if err != nil || r.State != allocator.Held || r.Location != location {
			t.Fatalf("%s is %+v, %v; %q was answered", id, r, err, told)
		}
		for _, l := range r.Lines {
			held[[2]int32{numbers[l.SKU], w.places[location]}] += l.Held
		}
	}
	for id := range canceled {
		if r, err := a.Lookup(id); err != nil || r.State != allocator.Canceled {
			t.Fatalf("%s is %+v, %v; it was canceled", id, r, err)
		}
	}
	for sku, name := range w.world.SKUs {
		for place, l := range w.world.Locations {
			got, err := a.Available(name, l.ID)
			want := int64(*w.units(int32(sku), int32(place))) - held[[2]int32{int32(sku), int32(place)}]
			if err != nil || got.Available != want {
				t.Fatalf("%d units of %s at %s, %v; want %d", got.Available, name, l.ID, err, want)
			}
		}
	}
}
