# Two commands do everything on a machine with Go, git and make:
#   make test    every test, with the race detector
#   make check   formatting, vet, linters, known vulnerabilities, tidiness
# To look at it: make demo. For figures: make bench-sqlite. For patience: make e2e-long, make fuzz.

GO    ?= go
TOOLS := $(GO) tool -modfile=tools/go.mod

.PHONY: test check fuzz cc build demo bench-sqlite e2e-long

# The race detector needs cgo and a C compiler; the product itself needs neither. SQLite, as it
# was translated from C, is left out of it: it is ten times slower watched, and not ours.
RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
test: cc
	CGO_ENABLED=1 $(GO) test $(RACE) -timeout 20m ./...

cc:
	@command -v cc >/dev/null || command -v gcc >/dev/null || { \
	  echo "make: installing gcc for the race detector"; \
	  apt-get update -q && apt-get install -y -q gcc libc6-dev; }

check:
	@out=$$($(TOOLS) gofumpt -l .); test -z "$$out" || { echo "gofumpt would change:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=0 GOOS=darwin $(GO) vet ./...
	CGO_ENABLED=0 GOOS=windows $(GO) vet ./...
	$(TOOLS) staticcheck ./...
	@if curl -sfm 10 -o /dev/null https://vuln.go.dev/index/db.json; then $(TOOLS) govulncheck ./...; \
	  else echo "govulncheck: skipped, its database cannot be reached from here"; fi
	$(GO) mod tidy -diff
	cd tools && $(GO) mod tidy -diff

# Every decoder, for FUZZTIME each.
FUZZTIME ?= 10s
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; done; done

build:
	CGO_ENABLED=0 $(GO) build -o bin/syncline ./cmd/syncline

# The main job, shown: two databases, edits at both sides, a conflict. The play folder stays.
demo: build
	@sh e2e/demo.sh

# What make test does a little of, at length: the Chinook database edited at random at both
# sides, with kills in between; runs that end at every single operation; runs of every mode.
ROUNDS ?= 200
e2e-long:
	SYNCLINE_E2E_ROUNDS=$(ROUNDS) $(GO) test -count 1 -v -timeout 60m -run 'TestRandomRounds' ./e2e
	SYNCLINE_LONG=1 $(GO) test -count 1 -v -timeout 60m -run 'TestInterrupted|TestModesInAnyOrder' .

# Figures as ratios within one run: ROWS rows, medians of RUNS, as JSON with JSON=1.
ROWS ?= 1000000
RUNS ?= 3
bench-sqlite: build
	@command -v sqlite3 >/dev/null || { \
	  echo "make: installing sqlite3, which the first copy is measured against"; \
	  apt-get update -q && apt-get install -y -q sqlite3; }
	@CGO_ENABLED=0 $(GO) run ./bench/sqlite -binary bin/syncline -rows $(ROWS) -runs $(RUNS) $(if $(JSON),-json)
