//go:build !cgo

package peers

import (
	"database/sql/driver"

	"modernc.org/sqlite"
)

// sqliteDriver names the driver in the table.
const sqliteDriver = "modernc.org/sqlite"

func openSQLite(path string) (driver.Conn, error) {
	return new(sqlite.Driver).Open(path)
}
