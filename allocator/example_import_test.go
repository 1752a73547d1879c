package allocator_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// importCounts books a file of all counts, with rows of location, SKU and units, that was
// written at a time. A location's rows are one Count, however many there are; its ID is
// the file's name and the location's, so that the same file may come as often as it likes.
func importCounts(ctx context.Context, a *allocator.Allocator, name string, written time.Time, file io.Reader) error {
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return err
	}
	var counts []allocator.Count
	index := map[string]int{} // of counts, by location
	for _, row := range rows {
		units, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			return fmt.Errorf("%s: units of SKU %s at %s: %w", name, row[1], row[0], err)
		}
		i, ok := index[row[0]]
		if !ok {
			i = len(counts)
			index[row[0]] = i
			counts = append(counts, allocator.Count{ID: name + " " + row[0], Location: row[0], AsOf: written})
		}
		counts[i].Lines = append(counts[i].Lines, allocator.Line{SKU: row[1], Quantity: units})
	}
	return a.Count(ctx, counts...)
}

// A file of all counts that comes every night.
//
//   - The ID is the file's. A file that comes twice is booked once; a file that has
//     changed under its name is ErrConflict, and needs another name.
//   - AsOf is when the file was written. What was sold and collected between then and
//     the import comes on top. ErrTooOld: too much of that has happened, or the engine
//     was opened from a snapshot of after then; have the file written anew.
//   - One Count has all rows of a location, one call all locations. Nothing is booked if
//     one of them is invalid or its location is unknown.
//   - After an error, a kill or a power cut, import the same file again: a location's
//     count is booked as a whole or not at all, and the repeat books those that are
//     missing.
//   - What a file does not name stays as it is: it has to say 0 of what is gone.
func ExampleAllocator_Count_nightly() {
	dir, err := os.MkdirTemp("", "collect-data")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	now := time.Date(2030, 3, 1, 2, 0, 0, 0, time.UTC)
	o := allocator.Options{Dir: dir, Clock: func() time.Time { return now }, ManualExpiry: true}
	ctx := context.Background()
	a, err := allocator.Open(ctx, o)
	if err != nil {
		panic(err)
	}
	if err = a.SetLocations(ctx, stores...); err != nil {
		panic(err)
	}
	const file = "krakow-1,tea,40\nkrakow-1,cup,12\nwarsaw-1,tea,7\n"
	written := now
	fmt.Println("the first night:", importCounts(ctx, a, "counts-03-01.csv", written, strings.NewReader(file)))

	// The next file is written at two, an early customer takes two packets of tea, and
	// the file comes at six.
	now = now.Add(24 * time.Hour)
	written = now
	now = now.Add(3 * time.Hour)
	err = a.Sell(ctx, allocator.Sale{ID: "T1-0815", Location: "krakow-1", Lines: twoTeas})
	now = now.Add(time.Hour)
	const next = "krakow-1,tea,35\nkrakow-1,cup,0\nwarsaw-1,tea,7\n"
	fmt.Println("the second night:", errors.Join(err, importCounts(ctx, a, "counts-03-02.csv", written, strings.NewReader(next))))

	// The program ends, and does not know how far it has come: it imports once more.
	if err = a.Close(); err != nil {
		panic(err)
	}
	if a, err = allocator.Open(ctx, o); err != nil {
		panic(err)
	}
	defer a.Close()
	fmt.Println("once more:", importCounts(ctx, a, "counts-03-02.csv", written, strings.NewReader(next)))
	err = importCounts(ctx, a, "counts-03-02.csv", written, strings.NewReader(file))
	fmt.Println("others under its name are a conflict:", errors.Is(err, allocator.ErrConflict))
	level, err := a.Available("tea", "krakow-1")
	fmt.Println(level.OnHand, "packets on hand", err)
	// Output:
	// the first night: <nil>
	// the second night: <nil>
	// once more: <nil>
	// others under its name are a conflict: true
	// 33 packets on hand <nil>
}
