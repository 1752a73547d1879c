//go:build cgo

package peers

import (
	"database/sql/driver"

	"github.com/mattn/go-sqlite3"
)

// sqliteDriver names the driver in the table.
const sqliteDriver = "mattn/go-sqlite3"

func openSQLite(path string) (driver.Conn, error) {
	return new(sqlite3.SQLiteDriver).Open(path)
}
