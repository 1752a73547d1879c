package peers

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// LimitRecord is the size of the records that the disk's limit is measured
// with: about what an order of three lines takes.
const LimitRecord = 100

// Limit is what the disk can do: one loop that writes so many records of
// LimitRecord bytes at once and waits for fdatasync, again and again, in a
// fresh file in dir. With Overwrite the file was zero-filled and synced
// before, and the loop starts over at its end, so that a sync has no metadata
// to write; otherwise the file grows. Nobody who answers when the bytes are
// on disk can be faster with as many records to a sync. A plain value.
type Limit struct {
	Batch     int // records to a sync
	Overwrite bool
	Length    time.Duration
}

// Run measures it. The figures count records as orders; the percentiles are
// those of one write and its sync.
func (l Limit) Run(dir string) (passed Passed, err error) {
	const size = 64 << 20
	f, err := os.OpenFile(filepath.Join(dir, "limit"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return passed, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if l.Overwrite {
		if err := zeroFill(f, size); err != nil {
			return passed, err
		}
	}
	if err := syncDir(dir); err != nil {
		return passed, err
	}
	records := make([]byte, l.Batch*LimitRecord)
	for i := range records {
		records[i] = byte(i)*31 + 1
	}
	var latencies []time.Duration
	at, cpu, start := int64(0), cpuTime(), time.Now()
	for len(latencies) == 0 || time.Since(start) < l.Length {
		begun := time.Now()
		if l.Overwrite && at+int64(len(records)) > size {
			at = 0
		}
		if _, err := f.WriteAt(records, at); err != nil {
			return passed, err
		}
		if err := syncData(f); err != nil {
			return passed, err
		}
		at += int64(len(records))
		latencies = append(latencies, time.Since(begun))
	}
	passed.Seconds = time.Since(start).Seconds()
	passed.Orders = len(latencies) * l.Batch
	passed.Filled = passed.Orders
	passed.percentiles(latencies)
	passed.CPUPerOrder = (cpuTime() - cpu) / time.Duration(passed.Orders)
	return passed, nil
}
