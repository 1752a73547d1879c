package life

import (
	"fmt"
	"testing"
)

// everyWay calls f with every form, and with goods that are at the chosen store or not,
// and would go to it or not.
func everyWay(f func(w Way)) {
	const store, other = 7, 9
	for form := range Form(forms) {
		for _, at := range []uint32{store, other} {
			for _, to := range []uint32{store, other} {
				w := Way{Form: form, At: at, To: to}
				if form == Brought {
					w.Store = store
				}
				f(w)
			}
		}
	}
}

// barred says in words of its own why a verb is not for a form, or not there; 0 if it is.
func barred(v Verb, w *Way) Refused {
	switch {
	case w.Form == Sent && (v == MakeReady || v == Remind || v == Abandon || v == Dispatch || v == Collect), w.Form == Fetched && v == Dispatch,
		(w.Form == Fetched || w.Form == Brought) && (v == Pack || v == Ship || v == Deliver || v == Lose || v == SendBack || v == TurnBack):
		return ByForm
	case w.Form == Brought && (v == MakeReady || v == Collect) && w.At != w.Store, w.Form == Brought && v == Dispatch && w.To != w.Store:
		return ByStore
	}
	return 0
}

// tryForm makes a verb on a reservation of each form and compares it with one of which
// nobody has said a form: it is let pass as that one is, but for what is barred. The end
// comes before the form, the form before the state, and the state before the store.
func tryForm(v Verb, s State, l Line) (fault string) {
	check := func(w *Way) Refused { return Of(v).Check(w, s, []Line{l}, int64(l.Confirmed), false) }
	plain := check(new(Way))
	everyWay(func(w Way) {
		want := plain
		switch bar := barred(v, &w); {
		case bar == ByForm && plain != ByEnd, bar == ByStore && plain == 0:
			want = bar
		}
		if got := check(&w); got != want && fault == "" {
			fault = fmt.Sprintf("%+v: refused by %d, want %d", w, got, want)
		}
	})
	return fault
}

// TestEveryVerbOfEveryForm tries every verb in every state on every small line of every
// form, wherever its goods are.
func TestEveryVerbOfEveryForm(t *testing.T) {
	everyLine(1, func(l Line) {
		for s := Held; s < states; s++ {
			if !Sound(s, []Line{l}) {
				continue
			}
			for _, v := range Verbs() {
				if fault := tryForm(v, s, l); fault != "" {
					t.Fatalf("%v of a reservation that is %v with %+v: %s", v, s, l, fault)
				}
			}
		}
	})
}

// TestWrongFormIsSeen is the canary of the check above.
func TestWrongFormIsSeen(t *testing.T) {
	confirmed := Line{Quantity: 1, Confirmed: 1}
	for name, change := range map[string]func(){
		"what is sent is made ready":                     func() { rules[MakeReady].Never[Sent] = false },
		"what is brought goes anywhere":                  func() { rules[Dispatch].ToStore = false },
		"what is brought is handed over where it is not": func() { rules[Collect].InStore = false },
		"what is brought is confirmed there only":        func() { rules[Accept].InStore = true },
		"what is sent is handed over":                    func() { rules[Collect].Never[Sent] = false },
		"what is collected is in a parcel":               func() { rules[Pack].Never[Fetched] = false },
	} {
		kept := rules
		change()
		seen := false
		for _, v := range Verbs() {
			seen = seen || tryForm(v, Confirmed, confirmed) != ""
		}
		if rules = kept; !seen {
			t.Errorf("%s: not seen", name)
		}
	}
}

// TestSentIsNeverDue: what is sent is no no-show, and nobody is reminded of it, whatever
// state it is in.
func TestSentIsNeverDue(t *testing.T) {
	for form := range Form(forms) {
		d := Deadlines{Form: form, Hold: 99, Pickup: 10}
		v, _ := d.Due(Ready, []Line{{Quantity: 1, Confirmed: 1}}, 10, 3)
		if (v == 0) != (form == Sent) {
			t.Errorf("%v: %v is due", form, v)
		}
		d.Hold = 5
		if v, _ := d.Due(Ready, []Line{{Quantity: 2, Confirmed: 1, Held: 1}}, 10, 3); v != Expire {
			t.Errorf("%v: %v is due before its hold", form, v)
		}
	}
}

// TestFormNames: every form has words, and a number that is none says so.
func TestFormNames(t *testing.T) {
	for form, want := range map[Form]string{Unsaid: "of no form", Fetched: "to be collected", Brought: "to be shipped to store", Sent: "to be shipped", forms: "Form(4)"} {
		if got := form.String(); got != want || form.Valid() != (form != forms) {
			t.Errorf("%d is %q, want %q", uint8(form), got, want)
		}
	}
}
