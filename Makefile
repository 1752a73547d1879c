# Every command of the project. Needs Go 1.25 or later and nothing else.
#
# How much the tests try is said by one variable, which bench/scaletest reads.
# go test ./... runs what finds most faults in a minute; CLICKCOLLECT_FULL=1 makes
# every test run with all of its counts, and the canaries build each package with
# its deliberate bugs. make test is the first, make full the second; what takes
# hours is behind flags of single tests and is make long. Nothing that test leaves
# out is in long alone: .ci/run has both test and full.
#
# A change that adds to test or to .ci/run says in its commit how many seconds: on
# two quiet processors test has 3 minutes, with nothing built before, and .ci/run
# has 40. CONTRIBUTING says what each target takes.

GO          ?= go
FUZZRUNS    ?= 100000
SLOWRUNS    ?= 20000
BENCHTIME   ?= 1s
BENCH       ?= .
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What only a debugger reads is neither compiled nor linked: a seventh of the time of
# compiling, and a fifth of linking half a hundred test programs. It is in GOFLAGS so
# that all targets, and the tests that build deliberate bugs, find what one has built;
# a go command by hand builds its own.
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -gcflags=all=-dwarf=false -ldflags=-w)

.DEFAULT_GOAL := help
.PHONY: help demo test full locks check fmt vet staticcheck house race cross fuzz bench load doctor microbench peers rivals cover kills suite long

FULL = CLICKCOLLECT_FULL=1 $(GO) test -vet=off

# What links the stock, where the yields are: all else is the same program with the tag.
YIELDS = ./reservation ./reservation/internal/stock ./reservation/internal/state ./reservation/internal/recovery ./reservation/internal/audit

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## a week of real orders over 1,246 real stores; writes a map
	$(GO) run ./examples/replay

# vet is a target of its own: in go test it would look at the standard library
# too, the first time, and at some of what vet looks at. The first line compiles, and
# says what.
test: ## every test, the quick counts; the lock-free core also with yields between its atomic steps
	$(GO) build -v ./allocator ./bench
	$(GO) test -vet=off ./...
	$(GO) test -vet=off -tags interleave ./reservation/internal/stock

full: ## every test, all counts; canaries that build each deliberate bug
	$(FULL) -timeout 20m ./...
	$(FULL) -timeout 20m -tags interleave $(YIELDS)

# Where files are that are built with those tags alone, or without them.
TAGGED = ./allocator ./reservation ./reservation/lock ./reservation/internal/book ./reservation/internal/stock

locks: ## the tests with locks that panic when they are taken out of order
	$(GO) test -vet=off -tags lockorder ./reservation/... ./allocator

check: fmt vet staticcheck house full locks cross ## what a change has to pass

fmt: ## fails if gofmt would change a file
	@files=$$(gofmt -l .) && test -z "$$files" || { echo "gofmt would change:"; echo "$$files"; exit 1; }

vet: ## go vet, also with the yields and with the checked locks
	$(GO) vet ./...
	$(GO) vet -tags interleave,lockorder $(TAGGED)

staticcheck: ## staticcheck, pinned; downloads it the first time
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(STATICCHECK) -tags interleave,lockorder $(TAGGED)

house: ## the rules of the house alone: import plan, knots, sizes, comments, README
	$(GO) test -count=1 -run '^(TestHouse|TestLinked|TestYields|TestTags|TestKnots|TestKnotIsSeen)$$' ./bench/house

race: ## all tests under the race detector
	$(GO) test -race -short -vet=off -timeout 15m ./...

cross: ## vet for 32 bit, Windows and macOS; the short tests on 386 where that runs
	@set -e; for target in linux/386 linux/arm windows/amd64 darwin/arm64; do \
		echo "build and vet $$target"; \
		export CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/}; \
		$(GO) build ./... && $(GO) vet ./... && (cd bench/peers && $(GO) vet ./...); \
	done
	@set -e; export CGO_ENABLED=0 GOARCH=386; \
	if $(GO) test -run '^$$' ./allocator/hours >/dev/null 2>&1; then \
		echo "test linux/386"; $(GO) test -short ./...; \
	else echo "this kernel runs no 386 binaries: not tested there"; fi

# Runs, not seconds: a fuzz run that ends by the clock fails now and then without an
# input that fails (golang/go#75804, mended in Go 1.27), and minimizing one
# interesting input for up to a minute would eat the seconds of its target.
# A package with targets is built once for all of them; others are not built.
# FuzzPlace opens an engine for each input, FuzzReadWeek reads a week of orders,
# FuzzUnderstand reads each text three times.
fuzz: ## every fuzz target for FUZZRUNS (100000) inputs, slow ones for SLOWRUNS (20000)
	@set -e; found=0; top=$$(pwd); built=$$(mktemp -d); trap 'rm -rf "$$built"' EXIT; \
	corpus=$$($(GO) env GOCACHE)/fuzz; \
	for pkg in $$($(GO) list ./...); do \
		dir=$$top$${pkg#$$($(GO) list -m)}; \
		targets=$$(cat "$$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); \
		test -z "$$targets" || $(GO) test -c -vet=off -fuzz . -o "$$built/test" $$pkg; \
		for target in $$targets; do \
			found=$$((found + 1)); echo "$$pkg $$target"; runs=$(FUZZRUNS); \
			case $$target in FuzzPlace|FuzzReadWeek|FuzzUnderstand) runs=$(SLOWRUNS);; esac; \
			(cd "$$dir" && "$$built/test" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzzcachedir "$$corpus/$$pkg" \
				-test.fuzztime $${runs}x -test.fuzzminimizetime 100x); \
		done; \
	done; \
	test $$found -gt 0 || { echo "no fuzz target found"; exit 1; }

bench: ## the whole path against both baselines, in one run
	$(GO) run ./bench/cmd/ccbench

load: ## the canonical case in an open loop: latency against the rate at which orders are due
	$(GO) run ./bench/cmd/ccbench load

doctor: ## engines that lie, and what the suite sees of them
	$(GO) run ./bench/cmd/ccbench doctor

microbench: ## the benchmarks beside the code; BENCH=regexp, BENCHTIME=1s
	$(GO) test -vet=off -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -timeout 60m ./...

peers: ## vet and test bench/peers, the durable rivals: a module of its own
	cd bench/peers && $(GO) vet ./... && $(GO) test -short -vet=off ./...

rivals: ## the same orders into ours, SQLite, a sharded engine with a journal, and the bare disk
	cd bench/peers && $(GO) run ./cmd/ccpeers

cover: ## statement coverage of all packages by all tests
	$(FULL) -timeout 30m -coverpkg ./... -coverprofile cover.out ./...
	$(GO) tool cover -func cover.out | tail -n 1

kills: ## a process that uses all of the door is killed 60 times and every ID is repeated
	$(GO) test -count=1 -timeout 30m -run '^TestKillLoop$$' -v ./allocator -args -kills 60

suite: ## every method of the door at once, under the race detector, for a minute; SUITE=flags
	$(GO) test -race -count=1 -vet=off -timeout 30m -run '^TestDoor$$' -v ./allocator -args -door-calls 80000 $(SUITE)

long: ## the release counts: simulations, models, histories, kills, damages; hours
	$(GO) test -timeout 0 -run 'TestSimulation|TestLedgerAgainstATwin|TestNoPrefix|TestLives|TestOptions|TestEveryIO' ./reservation -args -long
	$(GO) test -timeout 0 -run 'Crash|Damage|TestEveryIO' ./reservation/internal/journal -args -crash-seeds 100000 -damages 20000
	$(GO) test -timeout 0 -run TestPlansAgainstTwin ./allocator -args -plans 3000000
	$(GO) test -timeout 0 -run Kill ./examples/durable -args -long
	$(GO) test -timeout 0 -run TestDoor ./allocator -args -door-calls 100000000
	$(GO) test -timeout 0 -run TestHostileValues ./allocator -args -hostile 1500
	CLICKCOLLECT_APART=1 $(FULL) -timeout 0 -run TestMutants ./...
	$(GO) test -timeout 0 -run TestKillLoop ./allocator -args -kills 500
	$(FULL) -count 10 -timeout 0 ./...
	$(FULL) -count 10 -timeout 0 -tags interleave ./reservation/...
	$(FULL) -count 10 -timeout 0 -race -tags interleave ./...
