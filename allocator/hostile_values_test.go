package allocator_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// hostileMany is how long a list becomes that is too long.
const hostileMany = 100_000

// hostileOrders is how many orders one call has then: each of them is work.
const hostileOrders = 1000

// hostileTexts are what a stranger sends where an ID, a reference or a name
// belongs, and the names that the scene has for other things.
var hostileTexts = []string{"", "\x00", "a\x00b", "\x00wL0", "\xff", "caf\xc3", "\xed\xa0\x80", "/", "/2", "held/1", "held/2", "split/1", "split/3", "split/256",
	"split/02", "L0", "tea", "set", "wine", "held", "split", "gone", "t", "web", " ", "\n", "\u202e", "é", strings.Repeat("x", 255), strings.Repeat("x", 256),
	strings.Repeat("é", 128), strings.Repeat("x", 65_535), strings.Repeat("x", 1<<20)}

// hostileWords are more of them where a text has a grammar.
var hostileWords = map[string][]string{
	"Hours": {"Mo-Su 25:00-99:99", "off", "24/7", "Mo-Fr 08:00-08:00", "PH off", "Mo 00:00-48:00", "2031 Jan 01 10:00-11:00", "Feb 30", "week 01-53/99 Mo",
		"easter +400 days", "sunrise-sunset", strings.Repeat("Mo 08:00-09:00; ", 5000), "Mo-Fr 08:00-20:00;;", "\"closed\""},
	"Zone": {"Local", "Europe/Warsaw", "Pacific/Apia", "../../etc/passwd", "/etc/localtime", "Mars/Olympus", "utc", "EST5EDT"},
}

var hostileInts = []int64{0, 1, -1, 2, 3, 63, 64, 65, 255, 256, 257, 4096, 4097, 100_000, 100_001, 1 << 20, 1<<29 - 1, 1 << 29, 1<<31 - 2, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32,
	1<<53 + 1, math.MaxInt64 - 1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1}

var hostileDurations = []time.Duration{0, 1, -1, time.Millisecond - 1, time.Millisecond, time.Second, time.Minute, 7 * 24 * time.Hour, 7*24*time.Hour + time.Minute, 24 * time.Hour,
	24*time.Hour + 1, 366 * 24 * time.Hour, 366*24*time.Hour + 1, 3660 * 24 * time.Hour, 100_000 * time.Hour, math.MaxInt64, math.MinInt64}

var hostileFloats = []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), -1, 1, 89.999999, 90, 90.000001, -90, 180, -180, 180.000001, 359, 1e-320, 1e308, -1e308}

// hostileTimes are times of every kind there is: none, before and after all
// calendars, with a monotonic reading, in a zone of odd minutes.
func hostileTimes() []time.Time {
	odd := time.FixedZone("odd", 5*3600+43*60+7)
	return []time.Time{{}, time.Time{}.Add(1), time.Unix(0, 0), time.Unix(-1, 0), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(-9999, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999, odd), hostileNow.Add(-time.Millisecond), hostileNow, hostileNow.Add(time.Millisecond), hostileNow.Add(time.Hour).In(odd),
		hostileNow.Add(1001 * time.Hour), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(292277022, 1, 1, 0, 0, 0, 0, time.UTC),
		time.UnixMilli(math.MaxInt64), time.UnixMilli(math.MinInt64), time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0), time.UnixMilli(1 << 46), time.UnixMicro(math.MaxInt64), time.Now()}
}

// hostileChange is one place in the arguments of a call, and what to put there.
type hostileChange struct {
	where string
	what  any
	apply func()
}

func (c hostileChange) String() string {
	if v, ok := c.what.(reflect.Value); ok && v.Kind() == reflect.String { // of a million bytes, maybe
		return fmt.Sprintf("%s = %.60q", c.where, v.String())
	}
	return fmt.Sprintf("%s = %.60q", c.where, fmt.Sprint(c.what))
}

var (
	hostileTime = reflect.TypeFor[time.Time]()
	hostileArea = reflect.TypeFor[*geo.Area]()
	hostileSpan = reflect.TypeFor[time.Duration]()
)

// hostileChanges lists everything that can be put into a value, at every depth.
func hostileChanges(v reflect.Value, where string) (all []hostileChange) {
	put := func(what any, make func() reflect.Value) {
		all = append(all, hostileChange{where, what, func() { v.Set(make()) }})
	}
	if leaves := hostileLeaves(v.Type(), where); leaves != nil {
		for _, leaf := range leaves {
			put(leaf, func() reflect.Value { return leaf })
		}
		return all
	}
	zero := func() reflect.Value { return reflect.Zero(v.Type()) }
	switch v.Kind() {
	case reflect.Struct:
		put("zero", zero)
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				all = append(all, hostileChanges(v.Field(i), where+"."+f.Name)...)
			}
		}
	case reflect.Pointer:
		put("nil", zero)
		put("zero", func() reflect.Value { return reflect.New(v.Type().Elem()) })
		if !v.IsNil() {
			all = append(all, hostileChanges(v.Elem(), where)...)
		}
	case reflect.Slice:
		put("nil", zero)
		put("empty", func() reflect.Value { return reflect.MakeSlice(v.Type(), 0, 0) })
		if v.Len() > 0 {
			first := reflect.New(v.Type().Elem()).Elem()
			first.Set(v.Index(0)) // another change may come first, and empty the list
			put("twice", func() reflect.Value { return reflect.Append(v, first) })
			put("many", func() reflect.Value { return hostileList(first) })
		}
		for i := range v.Len() {
			all = append(all, hostileChanges(v.Index(i), fmt.Sprintf("%s[%d]", where, i))...)
		}
	case reflect.Map:
		all = append(all, hostileMaps(v, where)...)
	case reflect.Func:
		put("nil", zero)
	}
	return all
}

// hostileLeaves are what can be put where a plain value is; nil: it is none.
func hostileLeaves(t reflect.Type, where string) (all []reflect.Value) {
	add := func(value any) { all = append(all, reflect.ValueOf(value).Convert(t)) }
	switch {
	case t == hostileTime:
		for _, at := range hostileTimes() {
			add(at)
		}
		return all
	case t == hostileSpan:
		for _, span := range hostileDurations {
			add(span)
		}
		return all
	case t == hostileArea:
		add((*geo.Area)(nil))
		add(new(geo.Area))
		return all
	}
	switch t.Kind() {
	case reflect.String:
		for _, text := range append(hostileTexts, hostileWords[where[strings.LastIndexByte(where, '.')+1:]]...) {
			add(text)
		}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		for _, n := range hostileInts {
			add(n)
		}
	case reflect.Uint8:
		for n := range uint8(16) {
			add(n)
		}
		add(uint8(127))
		add(uint8(255))
	case reflect.Float64:
		for _, f := range hostileFloats {
			add(f)
		}
	case reflect.Bool:
		add(true)
		add(false)
	}
	return all
}

// hostileList is a list that is too long: its first entry again and again, texts
// with a number of their own.
func hostileList(first reflect.Value) reflect.Value {
	n := hostileMany
	if first.Type() == reflect.TypeFor[allocator.Order]() {
		n = hostileOrders
	}
	list := reflect.MakeSlice(reflect.SliceOf(first.Type()), n, n)
	for i := range n {
		if list.Index(i).Set(first); first.Kind() == reflect.String {
			list.Index(i).SetString(fmt.Sprint("x", i))
		}
	}
	return list
}

// hostileMaps are hostileChanges of a map: other keys, other values, too many.
func hostileMaps(v reflect.Value, where string) (all []hostileChange) {
	t := v.Type()
	entry := func(key, value reflect.Value) reflect.Value {
		m := reflect.MakeMap(t)
		m.SetMapIndex(key, value)
		return m
	}
	put := func(what any, make func() reflect.Value) {
		all = append(all, hostileChange{where, what, func() { v.Set(make()) }})
	}
	put("nil", func() reflect.Value { return reflect.Zero(t) })
	if v.Len() == 0 {
		return all
	}
	key := v.MapKeys()[0]
	value := v.MapIndex(key)
	for _, other := range hostileLeaves(t.Key(), where) {
		put(fmt.Sprintf("key %.60s", other.String()), func() reflect.Value { return entry(other, value) })
	}
	put("many", func() reflect.Value {
		m := reflect.MakeMap(t)
		for i := range hostileMany {
			m.SetMapIndex(reflect.ValueOf(fmt.Sprint("x", i)).Convert(t.Key()), value)
		}
		return m
	})
	room := reflect.New(t.Elem()).Elem()
	room.Set(value)
	for _, c := range hostileChanges(room, where+"[]") {
		put(c, func() reflect.Value {
			room.Set(value)
			c.apply()
			return entry(key, room)
		})
	}
	return all
}
