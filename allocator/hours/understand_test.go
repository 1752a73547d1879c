package hours_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/hours"
)

// Hours as shops write them, and what they say.
func TestUnderstand(t *testing.T) {
	for text, want := range map[string]string{
		"Mo-Fr 9-17":                     "Mo-Fr 09:00-17:00",
		"9am-5pm":                        "09:00-17:00",
		"Mon–Sat 10:00–20:00":            "Mo-Sa 10:00-20:00",
		"Mo-Su":                          "Mo-Su 00:00-24:00",
		"Monday to Friday: 9.00 - 17.30": "Mo-Fr 09:00-17:30",
		"Mon-Fri 9am to 5pm, Sat 10-14, Sun closed":  "Mo-Fr 09:00-17:00; Sa 10:00-14:00; Su off",
		"Mon, Wed & Fri 08:30-12:00 and 13:00-18:00": "Mo,We,Fr 08:30-12:00,13:00-18:00",
		"weekdays 7-15; weekend closed":              "Mo-Fr 07:00-15:00; Sa-Su off",
		"Daily 10am–10pm":                            "Mo-Su 10:00-22:00",
		"every day 9-21":                             "09:00-21:00",
		"open 24 hours":                              "24/7",
		"24h":                                        "24/7",
		"Mon-Sun 24h":                                "Mo-Su 00:00-24:00",
		"Fri-Sat 6pm-2am":                            "Fr-Sa 18:00-02:00",
		"Mo-Fr 22-6":                                 "Mo-Fr 22:00-06:00",
		"Tues.-Thurs. 9:30a.m.-6 p.m.":               "Tu-Th 09:30-18:00",
		"Mon-Fri 0900-1730":                          "Mo-Fr 09:00-17:30",
		"9-5pm":                                      "09:00-17:00",
		"1-5pm":                                      "13:00-17:00",
		"12-5pm":                                     "12:00-17:00",
		"noon to midnight":                           "12:00-24:00",
		"Mon-Fri 8am-12am":                           "Mo-Fr 08:00-24:00",
		"Montag bis Freitag von 9 bis 18 Uhr":        "Mo-Fr 09:00-18:00",
		"Mo-Fr 9-18 Uhr, Sa 9-14 Uhr, So geschlossen":     "Mo-Fr 09:00-18:00; Sa 09:00-14:00; Su off",
		"pn.–pt. 8:00–16:00, sob. 9–13, niedz. nieczynne": "Mo-Fr 08:00-16:00; Sa 09:00-13:00; Su off",
		"Mo-Fr 9h-17h30": "Mo-Fr 09:00-17:30",
		"Sat/Sun 10-4pm": "Sa,Su 10:00-16:00",
		"Mon - Fri\n9:00 - 17:00\nSat\n10:00 - 14:00": "Mo-Fr 09:00-17:00; Sa 10:00-14:00",
		"Mo-Fr 09:00-17:00; bank holidays closed":     "Mo-Fr 09:00-17:00; PH off",
		" Mo-Fr 08:00-18:00; PH off ":                 "Mo-Fr 08:00-18:00; PH off",
	} {
		got, err := hours.Understand(text)
		if err != nil || got != want {
			t.Errorf("%q is understood as %q, %v; want %q", text, got, err, want)
			continue
		}
		if again, err := hours.Understand(got); err != nil || again != got {
			t.Errorf("%q is understood as %q, %v, and not as itself", got, again, err)
		}
	}
}

// What could mean two things, or nothing, is refused, and where is said.
func TestUnderstandDoesNotGuess(t *testing.T) {
	for text, offset := range map[string]int{
		"":                       0,
		"9-5":                    2,
		"Mo-Fr 9-5":              8,
		"8-10pm":                 0,
		"9am-5":                  4,
		"10-1am":                 0,
		"we are closed":          3,
		"Mo-Fr 9":                6,
		"Mo-Fr 9 to":             10,
		"Mo-Fr by appointment":   6,
		"25:00-26:00":            0,
		"13pm-14pm":              0,
		"12345":                  0,
		"Mo-Mo 9-17":             0,
		"holidays":               8,
		"Mo-Fr \xff":             6,
		"Mo-Fr 9-17 ask for Eve": 11,
		"Mo-Fr; 9-17":            5,
		"Mo-Fr 9-17; 10-12":      12,
		"Mo-Fr 9-17, Sa":         14,
		"12/7":                   0,
	} {
		got, err := hours.Understand(text)
		var syntax *hours.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != offset || got != "" {
			t.Errorf("%q is understood as %q, %v; want it refused at byte %d", text, got, err, offset)
		}
	}
}

// FuzzUnderstand: what is understood is what Parse reads, and is understood as itself.
func FuzzUnderstand(f *testing.F) {
	for _, text := range []string{"Mo-Fr 9-17", "Mon–Sat 10am to 8 p.m.; Sun closed", "weekdays 24h, 12-5pm", "noon-midnight & 9h30-10.00", "24/7 PH off", "\xff", "Tues/Thurs: 0900-1730"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := hours.Understand(text)
		if err != nil {
			if !errors.As(err, new(*hours.SyntaxError)) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if _, err := hours.Parse(got); err != nil {
			t.Fatalf("%q is understood as %q: %v", text, got, err)
		}
		if again, err := hours.Understand(got); err != nil || again != got {
			t.Fatalf("%q is understood as %q, and that as %q, %v", text, got, again, err)
		}
	})
}

func ExampleUnderstand() {
	fmt.Println(hours.Understand("Mon–Fri 9am to 5pm, Sat 10-14, Sun closed"))
	fmt.Println(hours.Understand("Mon-Fri 9-5"))
	// Output:
	// Mo-Fr 09:00-17:00; Sa 10:00-14:00; Su off <nil>
	//  hours: cannot read "Mon-Fri 9-5" at byte 10: this may be the afternoon or the next morning: write it by 24 hours, or with am or pm
}
