package allocator_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// killScene is a world at rest in which one of everything was acknowledged, and the
// requests that can still come.
func killScene(t *testing.T) (w *killWorld, later []killAsk) {
	t.Helper()
	dir := t.TempDir()
	scene := newKillWorld(filepath.Join(dir, "data"), filepath.Join(dir, "log"), 1)
	w = &scene
	w.Remember, w.Evacuates, w.Ranked = 0, false, false
	tea := []allocator.Line{{SKU: "p0", Quantity: 1}}
	places := killAsk{Verb: "locations"}
	for i := range 3 {
		places.Locations = append(places.Locations, allocator.Location{ID: killPlaces[i], Point: killPoint(i), Terms: &allocator.Terms{Prep: time.Hour}})
	}
	receive := killAsk{Verb: "receive"}
	for i := range 3 {
		receive.Receipts = append(receive.Receipts, allocator.Receipt{ID: "m-" + killPlaces[i], Location: killPlaces[i],
			Lines: []allocator.Line{{SKU: "p0", Quantity: 20}, {SKU: "p1", Quantity: 20}, {SKU: "q0", Quantity: 9}}})
	}
	window := w.Base
	near := allocator.Order{ID: "o-near", Near: killPoint(0), Lines: tea}
	split := allocator.Order{ID: "o-split", Near: killPoint(1), Lines: []allocator.Line{{SKU: "p0", Quantity: 30}, {SKU: "p1", Quantity: 2}}, Form: sourcing.Ship, MaxLocations: 3, Exclude: []string{"L1"}}
	timed := allocator.Order{ID: "o-timed", Near: killPoint(2), At: "L1", Lines: tea, Window: window}
	w.tell(t, []killAsk{places, receive,
		{Verb: "windows", Windows: []allocator.Window{{Location: "L1", Start: window, Length: time.Hour, Places: 5}}},
		{Verb: "allocate", Orders: []allocator.Order{near, split, timed}},
		{Verb: "change", Changes: []allocator.Change{{ID: "c-1", Reservation: "o-near", Do: allocator.DoConfirm}}},
		{Verb: "collect", ID: "o-near"},
		{Verb: "send", Transfers: []allocator.Transfer{{ID: "t-1", From: "L0", To: "L1", Lines: tea}}},
	})
	again := near
	again.ID = "o-again"
	return w, []killAsk{
		{Verb: "allocate", Orders: []allocator.Order{again}},
		{Verb: "change", Changes: []allocator.Change{{ID: "c-2", Reservation: "o-timed", Do: allocator.DoConfirm}}},
		{Verb: "cancel", ID: "o-timed"}, {Verb: "confirm", ID: "o-split"}, {Verb: "extend", ID: "o-timed", By: 3 * time.Hour},
		{Verb: "reassign", ID: "o-timed", To: allocator.Owner{Channel: "till"}},
		{Verb: "return", Returns: []allocator.Return{{ID: "r-1", Reservation: "o-near", Location: "L2"}}},
		{Verb: "receive", Receipts: []allocator.Receipt{{ID: "m-1", Location: "L0", Lines: tea}}},
		{Verb: "count", Counts: []allocator.Count{{ID: "m-2", Location: "L2", Lines: tea}}},
		{Verb: "sell", Sales: []allocator.Sale{{ID: "m-3", Location: "L2", Lines: tea}}},
		{Verb: "adjust", Adjustments: []allocator.Adjustment{{ID: "m-4", Location: "L2", Lines: tea}}},
		{Verb: "damage", Damages: []allocator.Damage{{ID: "m-5", Location: "L2", Lines: tea}}},
		{Verb: "send", Transfers: []allocator.Transfer{{ID: "t-2", From: "L1", To: "L2", Lines: tea}}},
		{Verb: "deliver", Deliveries: []allocator.Delivery{{ID: "m-6", Transfer: "t-1"}}},
		{Verb: "lose", Losses: []allocator.Loss{{ID: "m-7", Transfer: "t-1"}}},
		{Verb: "quota", Quotas: []allocator.Quota{{ID: "m-8", Channel: "web", SKU: "q0", Location: "L0", Units: 4}}},
		{Verb: "windows", Windows: []allocator.Window{{Location: "L2", Start: window, Length: time.Hour, Places: 5}}},
		{Verb: "capacities", Capacities: []allocator.Capacity{{Location: "L2", Orders: 50}}},
		{Verb: "protections", Protections: []allocator.Protection{{Channel: "web", Units: 2}}},
		{Verb: "bundles", Bundles: []allocator.Bundle{{SKU: "b0", Parts: []allocator.Component{{SKU: "p0", Quantity: 2}}}}},
		{Verb: "shelf lives", ShelfLives: []allocator.ShelfLife{{SKU: "p1", Keeps: 24 * time.Hour}}},
		{Verb: "safety", Safety: []allocator.SafetyStock{{SKU: "p0", Location: "L2", Units: 1}}},
		{Verb: "locations", Locations: []allocator.Location{{ID: "L7", Point: killPoint(7)}}},
	}
}

// tell makes requests as the process does that is killed, and none may be refused.
func (w *killWorld) tell(t *testing.T, asks []killAsk) {
	t.Helper()
	log, err := openKillLog(w.Log, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer log.file.Close()
	a, err := allocator.Open(t.Context(), w.options())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	lines, err := readKillLog(w.Log)
	if err != nil {
		t.Fatal(err)
	}
	for i := range asks {
		q, n := &asks[i], int64(len(lines)+i+1)<<8
		told := q.do(t.Context(), a)
		if text := killText(told); strings.Contains(text, `"refused"`) {
			t.Fatalf("%s: %s", q.Verb, text)
		}
		for _, line := range []killLine{{N: n, Ask: q}, {N: n, Told: &told}} {
			if err := log.write(line); err != nil {
				t.Fatal(err)
			}
		}
		if err := killReads(a, log, n, q.touches()); err != nil {
			t.Fatal(err)
		}
	}
}

// The judge itself is tried on directories from which one acknowledged request is
// cut away: as they were before it.
func TestKillLossIsFound(t *testing.T) {
	w, later := killScene(t)
	if j, err := w.look(t.Context()); err != nil || len(j.faults) > 0 || j.repeated == 0 {
		t.Fatal("nothing is missing: ", err, j.faults)
	}
	before, err := os.ReadFile(w.Log)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range later {
		t.Run(q.Verb, func(t *testing.T) {
			one := *w
			one.Dir, one.Log = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "log")
			for dir, from := range map[string]string{one.Dir: w.Dir, one.Dir + "-before": w.Dir} {
				if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(one.Log, before, 0o600); err != nil {
				t.Fatal(err)
			}
			one.tell(t, []killAsk{q})
			if j, err := one.look(t.Context()); err != nil || len(j.faults) > 0 {
				t.Fatal("nothing is missing: ", err, j.faults)
			}
			one.Dir += "-before"
			if j, err := one.look(t.Context()); err != nil || j.lost == 0 {
				t.Errorf("what was cut away was not missed: %v, %v", err, j.faults)
			}
		})
	}
}

// So it is on side logs in which one field of an answer is another one.
func TestKillOtherAnswerIsFound(t *testing.T) {
	w, _ := killScene(t)
	lines, err := readKillLog(w.Log)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(lines, func(l killLine) bool { return l.Told != nil && len(l.Told.Answers) == 3 })
	told := lines[at].Told
	o := w.options()
	o.ManualExpiry = true
	a, err := allocator.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for name, alter := range map[string]func(split, timed *killAnswer){
		"nothing":              func(_, _ *killAnswer) {},
		"ID":                   func(split, _ *killAnswer) { split.ID = "other" },
		"Location":             func(_, timed *killAnswer) { timed.Location = "L0" },
		"Distance":             func(_, timed *killAnswer) { timed.Distance++ },
		"HeldUntil":            func(split, _ *killAnswer) { split.HeldUntil = split.HeldUntil.Add(time.Millisecond) },
		"Form":                 func(split, _ *killAnswer) { split.Form = sourcing.Collect },
		"Ready":                func(_, timed *killAnswer) { timed.Ready = time.Time{} },
		"Lines":                func(_, timed *killAnswer) { timed.Lines[0].Quantity++ },
		"Parts[1].Location":    func(split, _ *killAnswer) { split.Parts[1].Location = "L9" },
		"Parts[1].Lines":       func(split, _ *killAnswer) { split.Parts[1].Lines[0].SKU = "p9" },
		"Parts[1].Distance":    func(split, _ *killAnswer) { split.Parts[1].Distance /= 2 },
		"Parts":                func(split, _ *killAnswer) { split.Parts = split.Parts[:1] },
		"Location of the read": func(_, _ *killAnswer) {},
	} {
		t.Run(name, func(t *testing.T) {
			altered := killTold{Answers: []killAnswer{told.Answers[0], killClone(told.Answers[1]), killClone(told.Answers[2])}}
			alter(&altered.Answers[1], &altered.Answers[2])
			one := slices.Clone(lines)
			one[at].Told = &altered
			if strings.HasSuffix(name, "read") {
				last := slices.IndexFunc(lines, func(l killLine) bool { return l.Read != nil && l.Read.ID == "o-timed" })
				read := *lines[last].Read
				read.Location = "L2"
				one[last].Read = &read
			}
			j := newKillJudge(w, a, one)
			if err := j.judge(t.Context()); err != nil || (len(j.faults) == 0) != (name == "nothing") {
				t.Errorf("%v, faults %q", err, j.faults)
			}
		})
	}
}

func killClone(k killAnswer) killAnswer {
	k.Lines, k.Parts = slices.Clone(k.Lines), slices.Clone(k.Parts)
	for i := range k.Parts {
		k.Parts[i].Lines = slices.Clone(k.Parts[i].Lines)
	}
	return k
}
