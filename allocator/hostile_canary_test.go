package allocator_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
)

// The sweep itself is tried on a verb that goes wrong whenever it refuses, or
// whenever it is taken. What is right is swept without a word. The quick counts find
// it, so that the full ones do.
func TestHostileFaultIsFound(t *testing.T) {
	receive := func(a *allocator.Allocator) {
		more := allocator.Receipt{ID: "behind", Location: "L0", Lines: hostileLines()}
		if err := a.Receive(t.Context(), more); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name, says     string
		refused, taken func(a *allocator.Allocator, err error) error
	}{
		{name: "nothing"},
		{name: "a panic", says: `Cancel, 0 = .*: panic: behind`, refused: func(*allocator.Allocator, error) error { panic("behind") }},
		{name: "a panic of what is taken", says: `Cancel.*: panic: behind`, taken: func(*allocator.Allocator, error) error { panic("behind") }},
		{name: "a change that is recorded", says: `Cancel, 0 = .*: refused, and records \d+ to \d+ were written`,
			refused: func(a *allocator.Allocator, err error) error { receive(a); return err }},
		{name: "a change in memory alone", says: `after \d+ refusals: got`,
			refused: func(a *allocator.Allocator, err error) error { allocator.ForgetBundles(a); return err }},
		{name: "a change that a restart takes back", says: `Cancel.*, then a restart \(with a snapshot: (true|false)\): got`,
			taken: func(a *allocator.Allocator, err error) error { allocator.ForgetBundles(a); return err }},
		{name: "an error of no type", says: `Cancel, 0 = .*: not a documented error: allocator: no \(\*errors\.errorString\)`,
			refused: func(*allocator.Allocator, error) error { return errors.New("allocator: no") }},
		{name: "an error of another package's", says: `Cancel, 0 = .*: the error does not say whose it is`,
			refused: func(_ *allocator.Allocator, err error) error { return errors.Unwrap(err) }},
		{name: "an error that has all in it", says: `Cancel, 0 = .*: the error is \d+ bytes long`,
			refused: func(_ *allocator.Allocator, err error) error {
				return fmt.Errorf("allocator: %s: %w", strings.Repeat("x", 3000), err)
			}},
		{name: "a refusal of what is right", says: `Cancel without a hostile value is to be taken`,
			taken: func(*allocator.Allocator, error) error { return allocator.ErrNotFound }},
		{name: "work without a bound", says: `Cancel, 0 = .*: allocated \d+ bytes, more than \d+`,
			refused: func(_ *allocator.Allocator, err error) error { hostileWaste = make([]byte, hostileWork+1); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &hostileSweep{name: "Cancel", calls: hostileQuick, args: hostileArgs["Cancel"], verb: func(a *allocator.Allocator, name string) reflect.Value {
				real := hostileVerb(a, name)
				return reflect.MakeFunc(real.Type(), func(args []reflect.Value) []reflect.Value {
					out := real.CallSlice(args)
					err, _ := out[0].Interface().(error)
					switch {
					case err != nil && c.refused != nil:
						err = c.refused(a, err)
					case err == nil && c.taken != nil:
						err = c.taken(a, err)
					}
					out[0] = reflect.New(reflect.TypeFor[error]()).Elem()
					if err != nil {
						out[0].Set(reflect.ValueOf(err))
					}
					return out
				})
			}}
			says := allocator.Record(t, func(t testing.TB) {
				s.t = t
				s.sweep()
			})
			if all := strings.Join(says, "\n"); (c.says == "") != (all == "") || !regexp.MustCompile(c.says).MatchString(all) {
				t.Errorf("the sweep does not say %q but: %.2000s", c.says, all)
			}
		})
	}
}

// hostileWaste keeps an allocation from being left out.
var hostileWaste []byte
