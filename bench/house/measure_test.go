package main

import (
	"fmt"
	"strings"
	"testing"
)

// What a package that one can hold in the head keeps to.
var bounds = Figure{CircleFiles: 10, CircleLines: 2_500, Methods: Count{N: 40}, Exported: Count{N: 30}, Fields: Count{N: 16}, Touched: Count{N: 6}}

// knots are the packages that do not, and how far they are from it. These numbers
// only get smaller; a package that keeps to the bounds is taken off the list. They got
// larger once, when the parts of an order were made one thing: the ledger has a file for
// a change of a whole order, and the door hands out Parts; and by one method, which
// answers a whole page of products.
var knots = map[string]Figure{
	"allocator":                    {CircleFiles: 36, CircleLines: 7_660, Methods: Count{N: 234}, Exported: Count{N: 70}, Fields: Count{N: 17}, Touched: Count{N: 39}},
	"reservation":                  {CircleFiles: 17, CircleLines: 3_270, Methods: Count{N: 105}, Exported: Count{N: 61}, Fields: Count{N: 18}, Touched: Count{N: 29}},
	"examples/replay":              {CircleFiles: 17, CircleLines: 2_800},
	"reservation/internal/book":    {Methods: Count{N: 65}, Exported: Count{N: 32}, Touched: Count{N: 11}},
	"reservation/internal/commit":  {Methods: Count{N: 44}, Fields: Count{N: 29}, Touched: Count{N: 7}},
	"reservation/internal/journal": {CircleFiles: 11, Methods: Count{N: 62}, Fields: Count{N: 27}, Touched: Count{N: 7}},
	"allocator/sourcing":           {Fields: Count{N: 18}, Touched: Count{N: 8}},
	"reservation/internal/stock":   {Methods: Count{N: 41}, Fields: Count{N: 22}, Touched: Count{N: 10}},
}

// knotted says what of a package is above its bounds.
func knotted(f Figure, path string) (faults []string) {
	known := knots[path]
	for _, c := range []struct {
		what           string
		is, bound, own int
	}{
		{"files that all need each other", f.CircleFiles, bounds.CircleFiles, known.CircleFiles},
		{"lines of files that all need each other", f.CircleLines, bounds.CircleLines, known.CircleLines},
		{"methods of " + f.Methods.Of, f.Methods.N, bounds.Methods.N, known.Methods.N},
		{"exported methods of " + f.Exported.Of, f.Exported.N, bounds.Exported.N, known.Exported.N},
		{"fields of " + f.Fields.Of, f.Fields.N, bounds.Fields.N, known.Fields.N},
		{"files that name fields of " + f.Touched.Of, f.Touched.N, bounds.Touched.N, known.Touched.N},
	} {
		if c.is > max(c.bound, c.own) {
			faults = append(faults, fmt.Sprintf("%s: %d %s, at most %d", path, c.is, c.what, max(c.bound, c.own)))
		}
		if c.own > 0 && c.is <= c.bound {
			faults = append(faults, fmt.Sprintf("%s: %d %s are within the bound of %d: take it off the list of knots", path, c.is, c.what, c.bound))
		}
	}
	return faults
}

// TestKnots holds every package to its bounds.
func TestKnots(t *testing.T) {
	all, err := Measure(root)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, f := range all {
		path := strings.TrimPrefix(strings.TrimPrefix(f.Path, modulePath), "/")
		seen[path] = true
		for _, fault := range knotted(f, path) {
			t.Error(fault)
		}
	}
	for path := range knots {
		if !seen[path] {
			t.Errorf("%s is on the list of knots and not there", path)
		}
	}
}

// TestKnotIsSeen is the canary: a package with one of each fault.
func TestKnotIsSeen(t *testing.T) {
	_, exports, err := list(root)
	if err != nil {
		t.Fatal(err)
	}
	m := newMeasure(exports)
	const circle = 11
	for i := range circle {
		// Each needs the next, the last the first: by a function, a type, a method or a field.
		next := (i + 1) % circle
		text := fmt.Sprintf("package p\nvar _ = state%d{}.a\nfunc (s *knot) m%d() { s.m%d() }\ntype state%d struct { a int }\n", next, i, next, i)
		if i == 0 {
			text += "type knot struct { mu lock.Mutex; "
			for j := range 16 {
				text += fmt.Sprintf("x%d int; ", j)
			}
			text += "}\n"
			text = strings.Replace(text, "package p\n", "package p\nimport \""+modulePath+"/reservation/lock\"\n", 1)
			for j := range 41 {
				text += fmt.Sprintf("func (s *knot) Extra%d() {}\n", j)
			}
		} else {
			text += fmt.Sprintf("var _ = (&knot{}).x%d\n", i)
		}
		text += strings.Repeat("//\n", 300)
		if err := m.add(fmt.Sprintf("f%02d.go", i), text); err != nil {
			t.Fatal(err)
		}
	}
	f, err := m.figure("p")
	if err != nil {
		t.Fatal(err)
	}
	faults := strings.Join(knotted(f, "p"), "\n")
	for _, want := range []string{"11 files that all need", "lines of files", "52 methods of knot", "41 exported methods of knot", "17 fields of knot", "10 files that name fields of knot"} {
		if !strings.Contains(faults, want) {
			t.Errorf("%q was not seen in %q", want, faults)
		}
	}
	// A file that needs one way alone is in no circle.
	m = newMeasure(exports)
	for name, text := range map[string]string{"a.go": "package q; func A() { B() }", "b.go": "package q; func B() {}"} {
		if err := m.add(name, text); err != nil {
			t.Fatal(err)
		}
	}
	if f, err = m.figure("q"); err != nil || f.CircleFiles != 0 {
		t.Errorf("one arrow: %+v, %v", f, err)
	}
}
