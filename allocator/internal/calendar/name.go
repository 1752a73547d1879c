package calendar

import (
	"strconv"
	"strings"
	"time"
)

// The name of a resource is a zero byte, a letter, the seconds since 1970 at which it
// begins in base 36, a slash, and the length in minutes of a window, the Period of a
// capacity.
const (
	tagTaken  = 'w' // the places of a window
	tagPlaces = 'p' // how many of them may be taken
	tagOrders = 'o' // the orders of a period
	tagLines  = 'n' // the lines of a period
)

func nameOf(tag byte, begin, detail int64) string {
	b := append(make([]byte, 0, 24), 0, tag)
	b = strconv.AppendInt(b, begin, 36)
	return string(strconv.AppendInt(append(b, '/'), detail, 10))
}

// takeName takes such a name apart. False: it is of another kind.
func takeName(name string) (tag byte, begin, detail int64, ok bool) {
	if len(name) < 3 || name[0] != 0 || strings.IndexByte("wpon", name[1]) < 0 {
		return 0, 0, 0, false
	}
	from, behind, _ := strings.Cut(name[2:], "/")
	begin, err := strconv.ParseInt(from, 36, 64)
	if err != nil {
		return 0, 0, 0, false
	}
	detail, err = strconv.ParseInt(behind, 10, 64)
	return name[1], begin, detail, err == nil
}

// Named is what the name of a SKU says of a window or a period. False: the SKU is
// neither.
func Named(name string) (begin time.Time, window, ok bool) {
	tag, from, _, ok := takeName(name)
	if !ok {
		return time.Time{}, false, false
	}
	return time.Unix(from, 0).UTC(), tag == tagTaken || tag == tagPlaces, true
}

// Moved is what a record of the journal says of windows and periods. The zero value is
// of a record that says nothing of them.
type Moved struct {
	Some    bool      // of any
	Windows bool      // of a window
	Passed  bool      // something that is over was cleared away
	First   time.Time // the first of the windows begins; if there are none, of the periods
}

// Add adds a line of the record: so many units of the SKU of that name.
func (m *Moved) Add(name string, units int64) {
	begin, window, ok := Named(name)
	if !ok {
		return
	}
	if window && !m.Windows || window == m.Windows && (m.First.IsZero() || begin.Before(m.First)) {
		m.First = begin
	}
	m.Some, m.Windows = true, m.Windows || window
	m.Passed = m.Passed || name[1] != tagPlaces && units < 0
}
