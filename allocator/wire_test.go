package allocator_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/allocator/walk"
	"github.com/clickcollect/clickcollect/geo"
)

const wireFile = "testdata/wire.txt"

var writeWire = flag.Bool("write-wire", false, "TestWire writes its golden file anew; only for fields that are new")

// wired is a value of every type that goes over a wire.
func wired() []any {
	return []any{&allocator.Order{}, &allocator.Allocation{}, &allocator.Line{}, &allocator.Receipt{}, &allocator.Count{}, &allocator.Sale{},
		&allocator.Adjustment{}, &allocator.Damage{}, &allocator.Return{}, &allocator.Transfer{}, &allocator.Delivery{}, &allocator.Loss{},
		&allocator.TransferState{}, &allocator.TransferLine{}, &allocator.Candidate{}, &allocator.Change{}, &allocator.Pickup{}, &allocator.Owner{},
		&allocator.Parcel{}, &allocator.Listing{}, &allocator.Page{}, &allocator.Location{}, &allocator.Terms{}, &allocator.Window{}, &allocator.WindowState{},
		&allocator.Capacity{}, &allocator.Protection{}, &allocator.Quota{}, &allocator.Loan{}, &allocator.Lot{}, &allocator.ShelfLife{},
		&allocator.SafetyStock{}, &allocator.Bundle{}, &allocator.Component{}, &allocator.Due{}, &allocator.ReasonCounts{}, &allocator.Rejection{},
		&allocator.Reservation{}, &allocator.ReservedLine{}, &allocator.Event{}, &allocator.EventShare{}, &allocator.EventLine{},
		&walk.Cell{}, &walk.Filter{}, &walk.Key{}, &walk.Sum{}, &walk.Sums{}, &sourcing.Explanation{}, &sourcing.Considered{}, &geo.Point{}}
}

// fill sets every field of a value to something that is not its zero value, and no two
// numbers alike.
func fill(v reflect.Value, next *int64) {
	*next++
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		*at = time.UnixMilli(1_767_225_600_000 + *next).UTC()
		return
	case **geo.Area:
		*at, _ = geo.NewArea([]geo.Point{{Lat: 50, Lon: 19}, {Lat: 50, Lon: 20}, {Lat: 51, Lon: 20}})
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), next)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), next)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, next)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("SKU-1"), value)
	case reflect.String:
		v.SetString("text " + string(rune('a'+*next%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8: // what is one of a few
		v.SetUint(1)
	case reflect.Int, reflect.Int64:
		v.SetInt(*next)
	case reflect.Uint64:
		v.SetUint(uint64(*next))
	case reflect.Float64:
		v.SetFloat(float64(*next) / 2)
	}
}

// TestWire: every field of every value that goes over a wire comes back from JSON, is named
// in snake case, and is written as the golden file has it.
func TestWire(t *testing.T) {
	var golden strings.Builder
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	for _, v := range wired() {
		kind, next := reflect.TypeOf(v).Elem(), int64(0)
		fill(reflect.ValueOf(v).Elem(), &next)
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%v: %v", kind, err)
			continue
		}
		golden.WriteString(kind.String() + " " + string(text) + "\n")
		back := reflect.New(kind)
		if err := json.Unmarshal(text, back.Interface()); err != nil || !reflect.DeepEqual(back.Interface(), v) {
			t.Errorf("%v: %v\n got %+v\nwant %+v", kind, err, back.Elem(), reflect.ValueOf(v).Elem())
		}
		for i := range kind.NumField() {
			f := kind.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.IsExported() && !f.Anonymous && name != "givenUp" && !snake.MatchString(name) {
				t.Errorf("%v.%s is %q in JSON", kind, f.Name, name)
			}
		}
	}
	if *writeWire {
		if err := os.WriteFile(wireFile, []byte(golden.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(wireFile)
	if err != nil || golden.String() != string(want) {
		t.Errorf("%v: it became\n%s", err, golden.String())
	}
}

// TestNamesOverTheWire: what is one of a few is its name, and comes back; what is none is
// refused in both directions.
func TestNamesOverTheWire(t *testing.T) {
	type all struct {
		Kind        allocator.Kind
		Period      allocator.Period
		Disposition allocator.Disposition
		Durability  allocator.Durability
		Action      allocator.Action
		State       allocator.State
		Order       allocator.OrderState
		Form        sourcing.Form
		Reason      sourcing.Reason
	}
	kind := reflect.TypeFor[all]()
	for i := range kind.NumField() {
		name, known := kind.Field(i).Name, 0
		for n := range 256 {
			var v, back all
			reflect.ValueOf(&v).Elem().Field(i).SetUint(uint64(n))
			text, err := json.Marshal(v)
			if err != nil {
				continue
			}
			known++
			if err := json.Unmarshal(text, &back); err != nil || back != v {
				t.Errorf("%s %d is %s, read %+v: %v", name, n, text, back, err)
			}
		}
		if known < 2 || known > 60 {
			t.Errorf("%d values of %s", known, name)
		}
		var v all
		if err := json.Unmarshal([]byte(`{"`+name+`": "nonsense"}`), &v); err == nil {
			t.Errorf("%s: nonsense is %+v", name, v)
		}
	}
	var o allocator.Order
	if err := json.Unmarshal([]byte(`{"hold_for": "soon"}`), &o); err == nil {
		t.Errorf("soon is %v", o.HoldFor)
	}
	o.HoldFor = time.Hour
	if err := json.Unmarshal([]byte(`{"id": "o"}`), &o); err != nil || o.HoldFor != time.Hour || o.ID != "o" {
		t.Errorf("%+v %v", o, err)
	}
	var area geo.Area
	for _, text := range []string{`{"type": "Point", "coordinates": []}`, `{"type": "Polygon", "coordinates": [[[19, 50]]]}`, `7`} {
		if err := json.Unmarshal([]byte(text), &area); err == nil {
			t.Errorf("%s is an area", text)
		}
	}
}
