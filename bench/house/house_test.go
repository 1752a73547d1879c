package main

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module           = modulePath
	root             = "../.." // of the module, seen from this folder
	maxFileLines     = 600
	maxFunctionLines = 70
)

// A room is a folder of the import plan, and with it every folder below that
// has no room of its own. Packages of one room may import each other.
type room struct {
	ours   []string // rooms it may import
	tests  []string // rooms its tests may import besides
	theirs []string // third-party packages it may import, tests included
}

var (
	names     = []string{"github.com/puzpuzpuz/xsync/v3", "github.com/tidwall/btree"}
	globe     = []string{"github.com/paulmach/orb", "github.com/paulmach/orb/geo", "github.com/paulmach/orb/planar"}
	histogram = []string{"github.com/HdrHistogram/hdrhistogram-go"}
	// prom are the modules of allocator/metrics, which nothing else may link. Its tests
	// also scrape and lint.
	prom     = []string{"github.com/prometheus/client_golang", "github.com/prometheus/client_model"}
	metering = []string{"github.com/prometheus/client_golang/prometheus", "github.com/prometheus/client_model/go"}
	scrapes  = []string{"github.com/prometheus/client_golang/prometheus/promhttp", "github.com/prometheus/client_golang/prometheus/testutil"}
	trials   = []string{"pgregory.net/rapid", "github.com/anishathalye/porcupine", "go.uber.org/goleak"}

	// linked is what a program behind the door may carry besides the standard
	// library and this module.
	linked = slices.Concat(names, globe)
)

var plan = map[string]room{
	".":                             {},
	"geo":                           {theirs: globe},
	"reservation":                   {ours: []string{"reservation/lock", "reservation/history", "reservation/life", "reservation/latency", "reservation/excerpt", "reservation/log", "reservation/internal/audit", "reservation/internal/book", "reservation/internal/commit", "reservation/internal/journal", "reservation/internal/recovery", "reservation/internal/state", "reservation/internal/storage", "reservation/internal/stock"}, tests: []string{"reservation/log/logtest"}, theirs: names},
	"reservation/lock":              {},
	"reservation/log":               {ours: []string{"reservation/lock"}, tests: []string{"reservation/log/logtest"}},
	"reservation/log/logtest":       {ours: []string{"reservation/lock", "reservation/log"}},
	"reservation/excerpt":           {},
	"reservation/life":              {},
	"reservation/latency":           {},
	"reservation/history":           {ours: []string{"reservation/life"}},
	"reservation/internal/audit":    {ours: []string{"reservation/life", "reservation/history", "reservation/internal/book", "reservation/internal/commit", "reservation/internal/recovery", "reservation/internal/state", "reservation/internal/stock"}, tests: []string{"reservation/log"}},
	"reservation/internal/book":     {ours: []string{"reservation/life", "reservation/lock", "reservation/internal/book/index", "reservation/internal/book/slab", "reservation/internal/book/wheel", "reservation/internal/commit"}, theirs: names},
	"reservation/internal/commit":   {ours: []string{"reservation/lock", "reservation/latency", "reservation/log"}, tests: []string{"reservation/internal/journal", "reservation/log/logtest"}},
	"reservation/internal/journal":  {ours: []string{"reservation/lock", "reservation/log"}, tests: []string{"reservation/internal/commit", "reservation/log/logtest"}},
	"reservation/internal/storage":  {ours: []string{"reservation/lock", "reservation/log", "reservation/internal/journal"}, tests: []string{"reservation/log/logtest"}},
	"reservation/internal/state":    {ours: []string{"reservation/lock", "reservation/life", "reservation/history", "reservation/internal/book", "reservation/internal/stock"}, theirs: names},
	"reservation/internal/recovery": {ours: []string{"reservation/life", "reservation/history", "reservation/log", "reservation/internal/book", "reservation/internal/commit", "reservation/internal/state", "reservation/internal/stock"}},
	"reservation/internal/stock":    {ours: []string{"reservation/lock"}, theirs: names},
	"bench/scaletest":               {},
	"bench/house":                   {},
	"allocator/hours":               {},
	"allocator/sourcing":            {ours: []string{"geo", "allocator/hours"}},
	"allocator":                     {ours: []string{"geo", "allocator/hours", "reservation", "reservation/history", "reservation/latency", "reservation/life", "reservation/lock", "reservation/log", "reservation/excerpt", "allocator/sourcing", "allocator/walk", "allocator/internal/acceptance", "allocator/internal/cooldown", "allocator/internal/gate", "allocator/internal/notes", "allocator/internal/orders", "allocator/internal/plan", "allocator/internal/topology", "allocator/internal/route", "allocator/internal/calendar", "allocator/internal/channels", "allocator/internal/goods"}, tests: []string{"reservation/life", "reservation/log/logtest"}, theirs: names},
	"allocator/walk":                {ours: []string{"reservation/life"}},
	"allocator/metrics":             {ours: []string{"allocator", "reservation/latency", "geo"}, theirs: slices.Concat(metering, scrapes)},
	"allocator/internal/acceptance": {ours: []string{"reservation/lock"}, theirs: names},
	"allocator/internal/cooldown":   {ours: []string{"reservation", "reservation/history", "reservation/lock", "reservation/excerpt"}, theirs: names},
	"allocator/internal/cover":      {},
	"allocator/internal/gate":       {ours: []string{"reservation", "reservation/history", "reservation/lock"}},
	"allocator/internal/topology":   {ours: []string{"geo", "allocator/hours", "allocator/sourcing", "allocator/internal/gate", "reservation", "reservation/excerpt", "reservation/lock"}},
	"allocator/internal/notes":      {ours: []string{"allocator/sourcing", "allocator/internal/topology", "reservation"}},
	"allocator/internal/orders":     {ours: []string{"allocator/sourcing", "allocator/internal/calendar", "allocator/internal/gate", "allocator/internal/goods", "allocator/internal/plan", "reservation"}, tests: []string{"geo", "allocator/internal/channels", "allocator/internal/cooldown", "allocator/internal/topology", "reservation/history"}},
	"allocator/internal/plan":       {ours: []string{"geo", "allocator/sourcing", "allocator/internal/calendar", "allocator/internal/channels", "allocator/internal/cooldown", "allocator/internal/cover", "allocator/internal/gate", "allocator/internal/goods", "allocator/internal/topology", "reservation"}, tests: []string{"reservation/history"}},
	"allocator/internal/route":      {ours: []string{"geo", "allocator/sourcing", "allocator/internal/gate", "allocator/internal/topology", "reservation", "reservation/history"}},
	"allocator/internal/calendar":   {ours: []string{"reservation", "reservation/history", "reservation/lock", "reservation/excerpt"}},
	"allocator/internal/channels":   {ours: []string{"reservation", "reservation/history", "reservation/lock", "reservation/excerpt"}},
	"allocator/internal/goods":      {ours: []string{"reservation", "reservation/history", "reservation/lock", "reservation/excerpt"}},
	"bench":                         {ours: []string{"allocator", "geo"}, theirs: slices.Concat(histogram, names, globe)},
	"bench/cmd/ccbench":             {ours: []string{"bench", "allocator", "geo"}, theirs: slices.Concat(histogram, names, globe)},
	"examples/durable":              {ours: []string{"allocator", "geo"}},
	"examples/quickstart":           {ours: []string{"allocator", "geo"}},
	"examples/replay":               {ours: []string{"allocator", "geo", "allocator/hours", "allocator/sourcing"}},

	// Beneath the book.
	"reservation/internal/book/index": {},
	"reservation/internal/book/slab":  {},
	"reservation/internal/book/wheel": {ours: []string{"reservation/internal/book/slab"}},
}

// core names the rooms that have no clock, goroutine, I/O, logger or random
// source: time enters once, at the door, and is passed down.
// What opens a directory or streams a snapshot stands in files of its own.
var core = []string{"geo", "allocator/hours", "allocator/sourcing", "allocator/internal/cooldown", "allocator/internal/cover", "allocator/internal/notes", "allocator/internal/orders", "allocator/internal/plan", "allocator/internal/route", "allocator/internal/calendar", "allocator/internal/channels", "allocator/internal/goods", "allocator/metrics", "allocator/walk", "reservation", "reservation/history", "reservation/latency", "reservation/life", "reservation/excerpt", "reservation/internal/state", "reservation/internal/stock", "reservation/internal/book/index", "reservation/internal/book/slab", "reservation/internal/book/wheel"}

// exceptions are imports that a rule of the core would report, and why each
// may stand.
var exceptions = map[string]string{
	"reservation/internal/book/hash.go crypto/rand": "a secret of the hash; it decides where a record lies, never what an answer says",
	"reservation/digest.go crypto/rand":             "the key of the digests, drawn once and recorded; no answer depends on which it is",
	"reservation/ledger.go log/slog":                "an option that is passed on to the journal",
	"reservation/open.go io":                        "recovery reads a snapshot as a stream",
	"reservation/snapshot.go io":                    "a snapshot is written as a stream",
}

// exportedLimit is how many lines of go doc -short a package may have. What is
// internal has no outside readers; the ledger has a noun for each part of a
// reservation's whole life, with the form of an order and the refusal that names it;
// the door has those, one for a part of an order and for what an event is for it, and
// what a retailer sets, and the state of an order; the table of the life has states,
// those of an order worked out from them, verbs and what a row can say, and sourcing has a filter for each thing that a site says of itself.
func exportedLimit(dir string) int {
	switch {
	case dir == "allocator":
		return 77
	case dir == "reservation":
		return 52
	case dir == "reservation/life":
		return 33
	case dir == "allocator/sourcing":
		return 26
	case strings.Contains(dir, "internal/"):
		return 40
	}
	return 25
}

// A source is one file of the module; file is nil unless it is Go.
type source struct {
	path string // from the module's root, with slashes
	text string
	fset *token.FileSet
	file *ast.File
}

func newSource(t *testing.T, name, text string) source {
	t.Helper()
	s := source{path: name, text: text, fset: token.NewFileSet()}
	if strings.HasSuffix(name, ".go") {
		file, err := parser.ParseFile(s.fset, name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s.file = file
	}
	return s
}

func (s source) dir() string { return path.Dir(s.path) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) isMain() bool { return s.file.Name.Name == "main" }

// isTrial reports whether users never compile the file: a test, what only tests
// import, or code that only a build with one of our own tags sees.
func (s source) isTrial() bool {
	foreign := func(tag string) bool { return tag != "interleave" }
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if c.Pos() > s.file.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			expr, err := constraint.Parse(c.Text)
			if err == nil && !expr.Eval(foreign) {
				return true
			}
		}
	}
	return s.isTest() || s.dir() == "bench/scaletest"
}

func (s source) at(pos token.Pos) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(pos).Line) + ": "
}

// imports maps the name a file calls a package by to the package's path.
func (s source) imports() map[string]string {
	found := make(map[string]string)
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(p)
		if major := regexp.MustCompile(`^v[0-9]+$`); major.MatchString(name) {
			name = path.Base(path.Dir(p))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		found[name] = p
	}
	return found
}

// A use is a name of another package that a file mentions.
type use struct {
	pos       token.Pos
	pkg, name string
}

func (s source) uses() []use {
	var found []use
	imports := s.imports()
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && imports[x.Name] != "" {
				found = append(found, use{sel.Pos(), imports[x.Name], sel.Sel.Name})
			}
		}
		return true
	})
	return found
}

// goFiles yields the Go files of the list.
func goFiles(files []source) []source {
	return slices.DeleteFunc(slices.Clone(files), func(s source) bool { return s.file == nil })
}

// readModule reads every text file of this module. Nested modules, hidden
// folders other than .ci, and testdata have their own rules or none.
func readModule(t *testing.T) []source {
	t.Helper()
	var files []source
	err := filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			_, nested := os.Stat(filepath.Join(at, "go.mod"))
			if name != "." && (nested == nil || base == "testdata" || base != ".ci" && base[0] == '.') {
				return filepath.SkipDir
			}
			return nil
		}
		texts := []string{".go", ".md", ".mod", ".txt", ".json", ".csv", ".svg", ".html", ""}
		if !slices.Contains(texts, filepath.Ext(base)) || base[0] == '.' {
			return nil
		}
		text, err := os.ReadFile(at)
		files = append(files, newSource(t, filepath.ToSlash(name), string(text)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A canary is a small file that breaks a rule: the rule has to name want.
type canary struct{ path, text, want string }

// rules are the rules of the house, each with what it must report.
var rules = []struct {
	name     string
	check    func([]source) []string
	canaries []canary
}{
	{"rooms", rooms, []canary{{"geo/x_test.go", "package geo", "the room geo is empty"}}},
	{"imports", importPlan, []canary{
		{"attic/x.go", "package attic", "no such room"},
		{"geo/x.go", `package geo; import "` + module + `/allocator"`, "geo may not import"},
		{"reservation/x_test.go", `package reservation_test; import "` + module + `/geo"`, "reservation may not import"},
		{"examples/replay/x.go", `package main; import "` + module + `/reservation"`, "examples/replay may not import"},
		{"examples/replay/x.go", `package main; import "` + module + `/examples/quickstart"`, "examples/replay may not import"},
		{"geo/x.go", `package geo; import "github.com/paulmach/orb/geojson"`, "orb/geojson"},
		{"allocator/x.go", `package allocator; import "pgregory.net/rapid"`, "rapid"},
		{"allocator/x.go", `package allocator; import "github.com/prometheus/client_golang/prometheus"`, "allocator may not import github.com/prometheus"},
		{"allocator/x_test.go", `package allocator; import "github.com/stretchr/testify/assert"`, "testify"},
		{"bench/x.go", `package bench; import "testing"`, "bench may not import testing"},
	}},
	{"core", pureCore, []canary{
		{"geo/x.go", `package geo; import "os"; var _ = os.Open`, "may not import os"},
		{"reservation/x.go", `package reservation; import clock "time"; var _ = clock.Now()`, "time.Now"},
		{"reservation/internal/stock/x.go", "package stock; func f() { go f() }", "goroutine"},
	}},
	{"nothing-global", nothingGlobal, []canary{
		{"geo/x.go", "package geo; func init() {}", "init function"},
		{"bench/x.go", `package bench; import "os"; func f() { os.Exit(1) }`, "os.Exit"},
		{"bench/x.go", `package bench; import "os"; var out = os.Stderr`, "os.Stderr"},
		{"bench/x.go", `package bench; import "flag"; func f() { flag.Parse() }`, "flag.Parse"},
		{"allocator/x.go", `package allocator; import "log"; func f() { log.Print() }`, "log.Print"},
		{"allocator/x.go", "package allocator; func f() { println() }", "println"},
		{"allocator/x.go", "package allocator; var open = make(map[string]int)", "package-level state"},
		{"allocator/x.go", `package allocator; import "sync/atomic"; var n atomic.Int64`, "package-level state"},
		{"allocator/x.go", "package allocator; var Hook func()", "package-level state"},
		{"allocator/x.go", `package allocator; import "` + module + `/reservation/lock"; var mu lock.Mutex`, "package-level state"},
	}},
	{"seeds", explicitSeeds, []canary{
		{"bench/x_test.go", `package bench; import "math/rand/v2"; var n = rand.IntN(3)`, "no seed"},
		{"bench/x.go", `package bench; import "math/rand"; var r *rand.Rand`, "math/rand"},
		{"allocator/x_test.go", `package allocator; import "time"; func f() { time.Sleep(1) }`, "time.Sleep"},
	}},
	{"counts", counts, []canary{
		{"geo/x_test.go", `package geo; import "testing"; func TestX(*testing.T) { _ = testing.Short() }`, "testing.Short"},
		{"geo/x.go", `package geo; import "` + module + `/bench/scaletest"; var _ = scaletest.Full()`, "geo may not ask"},
	}},
	{"one-order", oneOrder, []canary{
		{"geo/x.go", `package geo; import "sync"; type T struct { mu sync.Mutex }`, "sync.Mutex has no place"},
		{"reservation/x.go", `package reservation; import s "sync"; var m s.RWMutex`, "sync.RWMutex has no place"},
		{"reservation/internal/journal/x.go", `package journal; import "sync"; var c = sync.NewCond(nil)`, "sync.NewCond has no place"},
		{"reservation/lock/rank.go", "package lock; const (\n// Old is in geo: nothing.\nOld Rank = 1\n)", "no lock has the rank Old"},
		{"reservation/lock/rank.go", "package lock; const (\nOld Rank = 1\n)", "nobody says where the rank Old is"},
	}},
	{"mutants", mutants, []canary{
		{"geo/x.go", "//go:build mutant_x\n\npackage geo", "a deliberate bug has a tag of the build"},
		{"geo/x_test.go", "//go:build !mutant_y\n\npackage geo", "a deliberate bug has a tag of the build"},
		{"geo/x.go", "package geo\n\nfunc f() bool { return mutant == mutantX }", "a deliberate bug is in the code"},
	}},
	{"sizes", sizes, []canary{
		{"geo/x.go", "package geo\n" + strings.Repeat("//\n", maxFileLines), "601 lines"},
		{"geo/x.go", "package geo\nfunc f() {" + strings.Repeat("\n", maxFunctionLines) + "}", "71 lines"},
		{"geo/x.go", "package geo\nvar f = func() {" + strings.Repeat("\n", maxFunctionLines) + "}", "71 lines"},
	}},
	{"exported", exportedNames, []canary{
		{"geo/x.go", "package geo; type (" + strings.Repeat("T int;", 26) + ")", "26 exported names"},
		{"allocator/x.go", "package allocator\n" + strings.Repeat("const C, V = 1, 2\n", 78), "78 exported names"},
	}},
	{"comments", docComments, []canary{
		{"geo/x.go", "package geo", "no package comment"},
		{"geo/x.go", "package geo; func (m Meters) Feet() {}", "Feet has no comment"},
		{"geo/x.go", "package geo; type Point struct{}", "Point has no comment"},
		{"geo/x.go", "package geo; const Limit = 1", "Limit has no comment"},
		{"allocator/x.go", "package allocator; type Options struct { MaxLines int }", "field of Options"},
	}},
	{"examples", doorExamples, []canary{
		{"allocator/x.go", "package allocator; func (a *Allocator) Lend() {}", "ExampleAllocator_Lend"},
		{"allocator/x.go", "package allocator; func Open() {}", "ExampleOpen"},
	}},
	{"go.mod", goMod, []canary{
		{"go.mod", "go 1.26.0\n", "go 1.26.0"},
		{"go.mod", "tool example.org/x\n", "tool line"},
		{"go.mod", "tool (\n\texample.org/x\n)\n", "tool line"},
		{"go.mod", "require example.org/x v1.0.0\n", "nobody gave us example.org/x"},
	}},
	{"readme", readme, []canary{
		{"README.md", "```go\npackage main\n```\n", "differs from"},
		{"examples/quickstart/main.go", "package main", "differs from"},
		{"README.md", strings.Repeat("\n", 40) + "oversold", "do not say oversold"},
	}},
	{"own-text", ownText, []canary{
		{"README.md", "see " + "/" + "work/x", "speaks of"},
		{"Makefile", "see ../" + "shared", "speaks of"},
		{"geo/x.go", "package geo // see design" + ".md", "speaks of"},
	}},
}

// TestHouse holds the module to its rules, and each rule to its canaries.
func TestHouse(t *testing.T) {
	files := readModule(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if len(r.canaries) == 0 {
				t.Error("the rule has no canary")
			}
			for _, c := range r.canaries {
				faults := r.check([]source{newSource(t, c.path, c.text)})
				if !strings.Contains(strings.Join(faults, "\n"), c.want) {
					t.Errorf("the canary %q lives: want a fault with %q, got %q", c.text, c.want, faults)
				}
			}
			for _, fault := range r.check(files) {
				t.Error(fault)
			}
		})
	}
}

// TestYields compares what the Makefile tests with yields between the atomic steps with
// what links the stock, where they are: a package that is missed there is never tried
// with them.
func TestYields(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-test", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./reservation/...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg, isTest := strings.CutSuffix(words[0], ".test")
		links := func(dep string) bool { return strings.HasPrefix(dep, module+"/reservation/internal/stock") }
		if isTest && slices.ContainsFunc(words[1:], links) {
			want = append(want, "."+strings.TrimPrefix(pkg, module))
		}
	}
	inMakefile(t, "YIELDS", want)
}

// TestTags compares where the Makefile looks for faults with the tags of the yields and
// of the checked locks with where files are that depend on them.
func TestTags(t *testing.T) {
	var want []string
	for _, s := range goFiles(readModule(t)) {
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				tagged := strings.Contains(c.Text, "interleave") || strings.Contains(c.Text, "lockorder")
				if dir := "./" + filepath.ToSlash(filepath.Dir(s.path)); c.Pos() < s.file.Package && constraint.IsGoBuild(c.Text) && tagged && !slices.Contains(want, dir) {
					want = append(want, dir)
				}
			}
		}
	}
	inMakefile(t, "TAGGED", want)
}

// inMakefile compares a list of packages in the Makefile with what it should be.
func inMakefile(t *testing.T, name string, want []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n"+name+" = ")
	line, _, _ := strings.Cut(rest, "\n")
	got := strings.Fields(line)
	slices.Sort(got)
	slices.Sort(want)
	if len(want) < 2 || !slices.Equal(got, want) {
		t.Errorf("%s in the Makefile is %s; want %s", name, got, want)
	}
}

// TestLinked asks the go command what the quick-start carries.
func TestLinked(t *testing.T) {
	check := func(deps string) (faults []string) {
		for line := range strings.Lines(deps) {
			pkg := strings.TrimSpace(line)
			first, _, _ := strings.Cut(pkg, "/")
			inModule := pkg == module || strings.HasPrefix(pkg, module+"/")
			within := func(lib string) bool { return pkg == lib || strings.HasPrefix(pkg, lib+"/internal/") }
			if strings.Contains(first, ".") && !inModule && !slices.ContainsFunc(linked, within) {
				faults = append(faults, "the quick-start links "+pkg)
			}
		}
		return faults
	}
	if len(check("fmt\ngo.mongodb.org/mongo-driver/bson\n")) != 1 {
		t.Error("the canary lives: a database driver was not reported")
	}
	if len(check(metering[0]+"\n")) != 1 {
		t.Error("the canary lives: client_golang was not reported")
	}
	if faults := check("fmt\n" + module + "/geo\n" + names[0] + "/internal/x\n"); faults != nil {
		t.Errorf("what is given was reported: %q", faults)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./examples/quickstart")
	list.Dir = root
	var stderr strings.Builder
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	for _, fault := range check(string(out)) {
		t.Error(fault)
	}
}
