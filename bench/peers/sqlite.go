package peers

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

// database is SQLite as somebody would use it who wants all the orders it can
// take: the strong baseline of package bench chooses and holds in memory, and
// one writer brings the answers of all who wait into one transaction, in
// write-ahead mode with synchronous=FULL, so that each transaction is synced
// before its callers get their answer. Statements are prepared once, the
// connection is the driver's own without database/sql above it, and the
// database is locked for this process, which spares it the shared memory.
//
// With rows, the stock is in the database as well, and an order takes its
// units there under a condition, so that the database alone tells the truth;
// without, it holds the reservations only, as a log that can be asked.
type database struct {
	bench.Engine
	dir    string
	rows   bool
	skus   map[string]int64 // never written after Load
	places map[string]int64
	conn   driver.Conn
	group  *group
	lines  []byte

	begin, commitAll, insert, cancel, take, put, find driver.Stmt
}

// pragmas make the database durable, and are what one tunes first. The lock
// comes before the mode, so that no shared memory is ever made.
var pragmas = []string{
	"PRAGMA locking_mode=EXCLUSIVE",
	"PRAGMA journal_mode=WAL",
	"PRAGMA synchronous=FULL",
	"PRAGMA fullfsync=ON",
	"PRAGMA cache_size=-262144",
	"PRAGMA temp_store=MEMORY",
	"PRAGMA wal_autocheckpoint=16384",
}

func (e *database) Load(w *bench.World) error {
	if err := e.Engine.Load(w); err != nil {
		return err
	}
	conn, err := openSQLite(filepath.Join(e.dir, "orders.db"))
	if err != nil {
		return err
	}
	e.conn = conn
	tables := []string{
		"CREATE TABLE stock (sku INTEGER, location INTEGER, units INTEGER NOT NULL, PRIMARY KEY (location, sku)) WITHOUT ROWID",
		"CREATE TABLE reservation (id TEXT PRIMARY KEY, location INTEGER NOT NULL, lat REAL, lon REAL, reach REAL, canceled INTEGER NOT NULL, lines BLOB NOT NULL) WITHOUT ROWID",
	}
	for _, statement := range append(pragmas[:len(pragmas):len(pragmas)], tables...) {
		if err := e.once(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	for to, statement := range map[*driver.Stmt]string{
		&e.begin:     "BEGIN IMMEDIATE",
		&e.commitAll: "COMMIT",
		&e.insert:    "INSERT INTO reservation VALUES (?, ?, ?, ?, ?, 0, ?)",
		&e.cancel:    "UPDATE reservation SET canceled = 1 WHERE id = ? AND canceled = 0",
		&e.take:      "UPDATE stock SET units = units - ?1 WHERE location = ?3 AND sku = ?2 AND units >= ?1",
		&e.put:       "INSERT INTO stock VALUES (?2, ?3, ?1) ON CONFLICT DO UPDATE SET units = units + ?1",
		&e.find:      "SELECT location, lines FROM reservation WHERE id = ? AND canceled = 0",
	} {
		prepared, err := conn.Prepare(statement)
		if err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		*to = prepared
	}
	if err := e.stock(w); err != nil {
		return err
	}
	for _, statement := range stretch {
		if err := e.once(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	e.group = newGroup(true, e.commit)
	return nil
}

// stretch makes the write-ahead file as long as it will get, so that a sync
// finds no metadata to write, as in the other contestants' files.
var stretch = []string{
	"CREATE TABLE filler (b BLOB)",
	"INSERT INTO filler VALUES (zeroblob(80 << 20))",
	"DROP TABLE filler",
	"VACUUM",
	"PRAGMA wal_checkpoint(RESTART)",
}

// stock numbers the names, and with rows brings all units into the database.
func (e *database) stock(w *bench.World) error {
	e.skus, e.places = make(map[string]int64), make(map[string]int64)
	for i, sku := range w.SKUs {
		e.skus[sku] = int64(i)
	}
	for i, l := range w.Locations {
		e.places[l.ID] = int64(i)
	}
	if !e.rows {
		return nil
	}
	if err := write(e.begin); err != nil {
		return err
	}
	for receipts := range w.Receipts() {
		for _, r := range receipts {
			for _, l := range r.Lines {
				if err := write(e.put, l.Quantity, e.skus[l.SKU], e.places[r.Location]); err != nil {
					return err
				}
			}
		}
	}
	return write(e.commitAll)
}

// commit brings one batch into one transaction. After an error the group
// writes nothing more, so what the transaction holds is never committed.
func (e *database) commit(b *batch) error {
	if err := write(e.begin); err != nil {
		return err
	}
	for i := range b.changes {
		c := &b.changes[i]
		var err error
		if c.order == nil {
			err = e.putBack(c)
		} else {
			err = e.hold(c)
		}
		if err != nil {
			return fmt.Errorf("peers: order %s: %w", c.id, err)
		}
	}
	return write(e.commitAll)
}

var (
	errShort   = errors.New("peers: the database has too few units")
	errUnknown = errors.New("peers: no such reservation")
)

func (e *database) hold(c *change) error {
	place := e.places[c.location]
	lines := e.lines[:0]
	for _, l := range c.order.Lines {
		sku := e.skus[l.SKU]
		lines = binary.AppendUvarint(binary.AppendUvarint(lines, uint64(sku)), uint64(l.Quantity))
		if !e.rows {
			continue
		}
		if err := one(errShort, e.take, l.Quantity, sku, place); err != nil {
			return err
		}
	}
	e.lines = lines
	return write(e.insert, c.id, place, c.order.Near.Lat, c.order.Near.Lon, float64(c.order.MaxDistance), lines)
}

func (e *database) putBack(c *change) error {
	if e.rows {
		place, lines, err := e.look(c.id)
		if err != nil {
			return err
		}
		for len(lines) > 0 {
			sku, n := binary.Uvarint(lines)
			quantity, m := binary.Uvarint(lines[n:])
			lines = lines[n+m:]
			if err := one(errShort, e.put, int64(quantity), int64(sku), place); err != nil {
				return err
			}
		}
	}
	return one(errUnknown, e.cancel, c.id)
}

// look reads a reservation that is not canceled.
func (e *database) look(id string) (place int64, lines []byte, err error) {
	rows, err := e.find.(driver.StmtQueryContext).QueryContext(context.Background(), named(id))
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 2)
	if err := rows.Next(row); err == io.EOF {
		return 0, nil, errUnknown
	} else if err != nil {
		return 0, nil, err
	}
	return row[0].(int64), append([]byte(nil), row[1].([]byte)...), nil
}

func (e *database) Allocate(o *allocator.Order) (string, bool, error) {
	location, ok, err := e.Engine.Allocate(o)
	if err != nil || !ok {
		return "", false, err
	}
	if err := e.group.do(nil, change{id: o.ID, location: location, order: o}); err != nil {
		return "", false, err
	}
	return location, true, nil
}

func (e *database) Cancel(id string) error {
	if err := e.group.do(nil, change{id: id}); err != nil {
		return err
	}
	return e.Engine.Cancel(id)
}

func (e *database) Close() error {
	if e.group != nil {
		e.group.close()
	}
	var failed []error
	for _, s := range []driver.Stmt{e.begin, e.commitAll, e.insert, e.cancel, e.take, e.put, e.find} {
		if s != nil {
			failed = append(failed, s.Close())
		}
	}
	if e.conn != nil {
		failed = append(failed, e.conn.Close())
	}
	return errors.Join(append(failed, e.Engine.Close())...)
}

// once runs a statement that is not needed again, and leaves its answer.
func (e *database) once(statement string) error {
	s, err := e.conn.Prepare(statement)
	if err != nil {
		return err
	}
	return errors.Join(write(s), s.Close())
}

func named(values ...driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}

// write runs a prepared statement.
func write(s driver.Stmt, values ...driver.Value) error {
	_, err := s.(driver.StmtExecContext).ExecContext(context.Background(), named(values...))
	return err
}

// one runs a prepared statement that must change one row.
func one(otherwise error, s driver.Stmt, values ...driver.Value) error {
	result, err := s.(driver.StmtExecContext).ExecContext(context.Background(), named(values...))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, otherwise)
	}
	return nil
}
