package peers

import (
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/bench"
)

// Report is the content of a result file. As JSON, durations are in
// nanoseconds. A plain value.
type Report struct {
	Command   string // as typed
	Commit    string // "unknown" outside a checkout, with "+" if the checkout was changed
	Date      time.Time
	GoVersion string
	CPU       string // model, "unknown" where the system does not say
	NumCPU    int
	OS        string // and architecture
	SQLite    string // the driver
	Config    Config
	Rows      []Row
}

// NewReport returns a report without rows about this machine, this moment and
// the checkout the process was started in.
func NewReport(command string, c Config) Report {
	r := bench.NewReport(command)
	return Report{
		Command: r.Command, Commit: r.Commit, Date: r.Date, GoVersion: r.GoVersion,
		CPU: r.CPU, NumCPU: r.NumCPU, OS: r.OS, SQLite: sqliteDriver, Config: c.withDefaults(),
	}
}

// String describes the comparison in one line.
func (c Config) String() string {
	c = c.withDefaults()
	return fmt.Sprintf("%v/rounds=%d/pass=%v/sqlite=%s", c.Case, c.Rounds, c.Length, sqliteDriver)
}
