package allocator_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

var hostileCalls = flag.Int("hostile", 0, "how many calls of each method TestHostileValues makes: three quarters with one hostile value, as far as there are so many, the others with several at once; 0: a default")

// hostileFacts are what a refusal can be.
var hostileFacts = []error{allocator.ErrInvalid, allocator.ErrNoLocation, allocator.ErrNoFeed, allocator.ErrReturns, allocator.ErrUnknownLocation, allocator.ErrUnknownSKU,
	allocator.ErrConflict, allocator.ErrNotFound, allocator.ErrEnded, allocator.ErrState, allocator.ErrForm, allocator.ErrOwner, allocator.ErrShortage, allocator.ErrOverflow, allocator.ErrTooOld,
	allocator.ErrInUse, allocator.ErrFull, allocator.ErrNoSpace, allocator.ErrTrimmed, context.Canceled, errHostileWriter}

var errHostileWriter = errors.New("writes nothing")

type hostileWriter struct{}

func (hostileWriter) Write([]byte) (int, error) { return 0, errHostileWriter }

// hostileWork bounds the bytes that a call may allocate, besides hostileEntry for
// each entry of a list that is too long; hostileText those of an error.
const (
	hostileWork  = 64 << 20
	hostileEntry = 8 << 10
	hostileText  = 2 << 10 // of an error, whatever is refused
)

// hostileQuick is how many calls of each method the quick counts make.
const hostileQuick = 90

// hostileFull is how many the full ones make. All faults of the canary are found with the
// quick ones; make long makes 1,500.
const hostileFull = 400

// Whatever stands in whatever field of whatever method, the answer is nil or one of
// the errors that are documented; a refusal changes nothing; no call panics or works
// without a bound; the engine goes on serving, and is the same after a restart. Each
// field is tried alone, then several at once.
func TestHostileValues(t *testing.T) {
	door := reflect.TypeFor[*allocator.Allocator]()
	for i := range door.NumMethod() {
		name := door.Method(i).Name
		if name == "Part" { // does nothing itself: see TestHostileParts
			continue
		}
		args, known := hostileArgs[name]
		if !known {
			t.Errorf("the sweep does not know the method %s: add a call of it to hostileArgs", name)
			continue
		}
		if args == nil {
			args = func() []any { return nil }
		}
		t.Run(name, func(t *testing.T) {
			s := &hostileSweep{t: t, name: name, args: args, verb: hostileVerb}
			s.sweep()
		})
	}
}

// So do the methods of a part, with whatever number.
func TestHostileParts(t *testing.T) {
	part := reflect.TypeFor[allocator.Part]()
	for i := range part.NumMethod() {
		name := part.Method(i).Name
		args := func() []any {
			whole := hostileArgs[name]()
			return append([]any{whole[0], 1}, whole[1:]...)
		}
		t.Run(name, func(t *testing.T) {
			s := &hostileSweep{t: t, name: name, args: args, verb: hostilePartVerb}
			s.sweep()
		})
	}
}

// hostilePartVerb is a method of a part of that name, as a function of the order and
// the number.
func hostilePartVerb(a *allocator.Allocator, name string) reflect.Value {
	method, _ := reflect.TypeFor[allocator.Part]().MethodByName(name)
	var in, out []reflect.Type
	own := 1 // where its arguments begin, the part being the first
	if method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]() {
		in, own = append(in, method.Type.In(1)), 2
	}
	of := len(in)
	in = append(in, reflect.TypeFor[string](), reflect.TypeFor[int]())
	for i := own; i < method.Type.NumIn(); i++ {
		in = append(in, method.Type.In(i))
	}
	for i := range method.Type.NumOut() {
		out = append(out, method.Type.Out(i))
	}
	return reflect.MakeFunc(reflect.FuncOf(in, out, method.Type.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		p := reflect.ValueOf(a.Part(args[of].String(), int(args[of+1].Int())))
		all := append(append([]reflect.Value{p}, args[:of]...), args[of+2:]...)
		if method.Type.IsVariadic() {
			return method.Func.CallSlice(all)
		}
		return method.Func.Call(all)
	})
}

// hostileSweep tries one method.
type hostileSweep struct {
	t       testing.TB
	name    string
	args    func() []any
	verb    func(a *allocator.Allocator, name string) reflect.Value // the method that is called
	calls   int                                                     // how many, if the flag says nothing; 0: a default
	a       *allocator.Allocator
	is      string // everything that can be read, when the scene was new or last looked at
	at      uint64 // the newest record then
	refused int
	taken   [][]int // the changes of the calls that were taken
}

func (s *hostileSweep) sweep() {
	s.fresh()
	s.call(nil, false)
	s.call(nil, true)
	all := hostileChangesOf(hostileValues(s.args()))
	draw := rand.New(rand.NewPCG(1, uint64(len(s.name))))
	var fit []int // for several at once: lists that are too long are tried alone
	tried, calls := 0, cmp.Or(*hostileCalls, s.calls, scaletest.Of(hostileFull, scaletest.Alone(hostileQuick)))
	for _, i := range draw.Perm(len(all)) {
		if all[i].what != "many" {
			fit = append(fit, i)
		}
		if tried++; tried <= calls*3/4 {
			s.call([]int{i}, false)
		}
	}
	for range min(calls-min(tried, calls*3/4), len(fit)*len(fit)) {
		mix := make([]int, 2+draw.IntN(3))
		for k := range mix {
			mix[k] = fit[draw.IntN(len(fit))]
		}
		s.call(mix, false)
	}
	s.look()
	if err := s.a.Close(); err != nil {
		s.t.Error(err)
	}
	s.restart()
}

// fresh begins a new scene.
func (s *hostileSweep) fresh() {
	if s.a != nil {
		if err := s.a.Close(); err != nil {
			s.t.Error(err)
		}
	}
	var err error
	if s.a, err = newHostileScene(context.Background(), ""); err != nil {
		s.t.Fatal(err)
	}
	s.is, s.at = hostileNew(), s.a.Stats().Journal.Sequence
}

// hostileNew is everything that can be read when a scene is new: the same in each.
var hostileNew = sync.OnceValue(func() string {
	a, err := newHostileScene(context.Background(), "")
	if err != nil {
		return err.Error()
	}
	defer a.Close()
	return hostileRead(context.Background(), a)
})

// hostileValues are arguments whose fields can be set.
func hostileValues(args []any) (all []reflect.Value) {
	for _, arg := range args {
		v := reflect.New(reflect.TypeOf(arg)).Elem()
		v.Set(reflect.ValueOf(arg))
		all = append(all, v)
	}
	return all
}

func hostileChangesOf(args []reflect.Value) (all []hostileChange) {
	for i, arg := range args {
		all = append(all, hostileChanges(arg, fmt.Sprint(i))...)
	}
	return all
}

// call makes one call with some changes and judges it.
func (s *hostileSweep) call(changes []int, canceled bool) {
	args := hostileValues(s.args())
	what := s.name
	all := hostileChangesOf(args)
	for _, i := range changes {
		all[i].apply()
		what += ", " + all[i].String()
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if canceled || s.name == "Events" { // which has no end of its own
		stop()
		what += ", canceled"
	}
	before := hostileBytes()
	errs, panicked := hostileDo(ctx, s.verb(s.a, s.name), args)
	if panicked != nil {
		s.t.Errorf("%s: panic: %v", what, panicked)
		s.fresh()
		return
	}
	if bytes, most := hostileBytes()-before, uint64(hostileWork+hostileEntry*hostileEntries(args)); bytes > most {
		s.t.Errorf("%s: allocated %d bytes, more than %d", what, bytes, most)
	}
	whole := len(errs) > 0
	for _, err := range errs {
		whole = whole && err != nil
		s.judge(what, err)
	}
	if len(changes) == 0 && !canceled {
		for _, err := range errs {
			if err != nil && s.name != "Events" {
				s.t.Errorf("%s without a hostile value is to be taken: %v", what, err)
			}
		}
	}
	s.after(what, changes, whole && !s.inPart(args, errs[0]))
}

// judge looks at one error.
func (s *hostileSweep) judge(what string, err error) {
	if err == nil {
		return
	}
	if !strings.HasPrefix(err.Error(), "allocator: ") {
		s.t.Errorf("%s: the error does not say whose it is: %v", what, err)
	}
	if len(err.Error()) > hostileText {
		s.t.Errorf("%s: the error is %d bytes long: %.300v", what, len(err.Error()), err)
	}
	for _, fact := range hostileFacts {
		if errors.Is(err, fact) {
			return
		}
	}
	s.t.Errorf("%s: not a documented error: %v (%T)", what, err, err)
}

// inPart tells the refusals before which something may have been done: a list is
// booked up to the part that is refused, and a rejection stands without a new place.
func (s *hostileSweep) inPart(args []reflect.Value, err error) bool {
	if s.name == "RerouteFrom" || (s.name == "Reject" || s.name == "Reroute" || s.name == "Change") && errors.Is(err, allocator.ErrNoLocation) {
		return true
	}
	return len(args) == 1 && args[0].Kind() == reflect.Slice && args[0].Len() > 1 && !errors.Is(err, allocator.ErrInvalid)
}

// after looks at the engine after a call, and has it serve a plain order.
func (s *hostileSweep) after(what string, changes []int, refused bool) {
	ctx := context.Background()
	now := s.a.Stats().Journal.Sequence
	if refused && now != s.at {
		s.t.Errorf("%s: refused, and records %d to %d were written", what, s.at+1, now)
	}
	if s.refused++; refused && s.refused%8 == 0 {
		s.look()
	}
	plain := allocator.Order{ID: "plain", Near: killPoint(0), Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}, Channel: "web"}
	if refused {
		if _, err := s.a.Quote(plain); err != nil {
			s.t.Errorf("%s: refused, and a plain order is not served any more: %v", what, err)
		}
		return
	}
	if s.name == "Close" {
		return
	}
	_, err := s.a.Allocate(ctx, plain)
	s.judge(what+", then a plain order", err)
	if !refused {
		s.taken = append(s.taken, changes)
	}
	if s.a.Stats().Journal.Sequence != s.at {
		s.fresh()
	}
}

// look compares everything that can be read with what it was.
func (s *hostileSweep) look() {
	if s.name == "Close" {
		return
	}
	if is := hostileRead(context.Background(), s.a); is != s.is {
		s.t.Errorf("after %d refusals: got\n%s\nwant\n%s", s.refused, is, s.is)
		s.is = is
	}
}

// restart makes the calls that were taken again with a directory, one after the
// other, and reads the same after each kind of restart.
func (s *hostileSweep) restart() {
	ctx := context.Background()
	dir := s.t.TempDir()
	a, err := newHostileScene(ctx, dir)
	if err != nil {
		s.t.Fatal(err)
	}
	done, stop := context.WithCancel(ctx)
	stop()
	for i, changes := range s.taken {
		args := hostileValues(s.args())
		all := hostileChangesOf(args)
		what := s.name
		for _, k := range changes {
			all[k].apply()
			what += ", " + all[k].String()
		}
		if hostileEntries(args) > 0 || s.name == "Close" { // long ones are slow, and there is one of each
			continue
		}
		c := ctx
		if s.name == "Events" {
			c = done
		}
		hostileDo(c, s.verb(a, s.name), args)
		// What sets something is looked at each time: the next call sets it anew.
		lasts := strings.HasPrefix(s.name, "Set") && s.name != "SetRules" && s.name != "SetShadow"
		if lasts || i == len(s.taken)-1 {
			a = s.reopened(a, dir, what, i%2 == 0)
		}
	}
	a = s.reopened(a, dir, s.name, false)
	if audit, err := a.Audit(ctx); err != nil || len(audit.Differences) > 0 {
		s.t.Errorf("audit: %v, %v", audit.Differences, err)
	}
	if err := a.Close(); err != nil {
		s.t.Error(err)
	}
}

// reopened is the engine after a restart: everything reads as before.
func (s *hostileSweep) reopened(a *allocator.Allocator, dir, what string, snapshot bool) *allocator.Allocator {
	ctx := context.Background()
	want := hostileRead(ctx, a)
	if snapshot {
		if err := a.Snapshot(ctx); err != nil {
			s.t.Error(err)
		}
	}
	if err := a.Close(); err != nil {
		s.t.Error(err)
	}
	a, err := allocator.Open(ctx, hostileOptions(dir))
	if err != nil {
		s.t.Fatalf("%s, then a restart: %v", what, err)
	}
	if got := hostileRead(ctx, a); got != want {
		s.t.Errorf("%s, then a restart (with a snapshot: %v): %s", what, snapshot, hostileDifference(got, want))
	}
	return a
}

// hostileDifference is the first line that differs.
func hostileDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("got\n%.3000s\nwant\n%.3000s", g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// hostileVerb is a method of that name.
func hostileVerb(a *allocator.Allocator, name string) reflect.Value {
	return reflect.ValueOf(a).MethodByName(name)
}

// hostileDo makes a call. Walks are walked, to 1,000 steps.
func hostileDo(ctx context.Context, method reflect.Value, args []reflect.Value) (errs []error, panicked any) {
	defer func() {
		if panicked = recover(); panicked != nil {
			panicked = fmt.Sprint(panicked)
		}
	}()
	in := append([]reflect.Value(nil), args...)
	t := method.Type()
	if t.NumIn() > 0 && t.In(0) == reflect.TypeFor[context.Context]() {
		in = append([]reflect.Value{reflect.ValueOf(ctx)}, in...)
	}
	for i, v := range in {
		if t.In(i) == reflect.TypeFor[io.Writer]() && ctx.Err() != nil {
			in[i] = reflect.ValueOf(hostileWriter{})
		} else if v.Kind() == reflect.Func && v.IsNil() {
			in[i] = reflect.Zero(t.In(i))
		}
	}
	var out []reflect.Value
	if t.IsVariadic() {
		out = method.CallSlice(in)
	} else {
		out = method.Call(in)
	}
	for _, v := range out {
		errs = append(errs, hostileResult(v)...)
	}
	return errs, nil
}

// hostileResult is the errors in a result.
func hostileResult(v reflect.Value) (errs []error) {
	switch of := v.Interface().(type) {
	case []allocator.Outcome:
		for _, o := range of {
			errs = append(errs, o.Err)
		}
	case []allocator.Nearest:
		for _, n := range of {
			errs = append(errs, n.Err)
		}
	case error:
		errs = append(errs, of)
	case nil:
		if v.Type() == reflect.TypeFor[error]() {
			errs = append(errs, nil)
		}
	default:
		if v.Kind() != reflect.Func || v.IsNil() {
			return nil
		}
		steps := 0
		yield := reflect.MakeFunc(v.Type().In(0), func(args []reflect.Value) []reflect.Value {
			for _, arg := range args {
				if err, ok := arg.Interface().(error); ok {
					errs = append(errs, err)
				}
			}
			steps++
			return []reflect.Value{reflect.ValueOf(steps < 1000)}
		})
		v.Call([]reflect.Value{yield})
	}
	return errs
}

// hostileEntries is how many entries the lists that are too long have.
func hostileEntries(args []reflect.Value) (n int) {
	var count func(v reflect.Value)
	count = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				count(v.Field(i))
			}
		case reflect.Slice:
			if v.Len() >= hostileOrders {
				n += v.Len()
				return
			}
			for i := range v.Len() {
				count(v.Index(i))
			}
		case reflect.Map:
			if v.Len() >= hostileOrders {
				n += v.Len()
				return
			}
			for _, key := range v.MapKeys() {
				count(v.MapIndex(key))
			}
		case reflect.Pointer:
			if !v.IsNil() {
				count(v.Elem())
			}
		}
	}
	for _, arg := range args {
		count(arg)
	}
	return n
}

func hostileBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
