# Two commands do everything on a machine with Go, git and make:
#   make test    every test, with the race detector
#   make check   formatting, vet, linters, known vulnerabilities, tidiness

GO    ?= go
TOOLS := $(GO) tool -modfile=tools/go.mod

.PHONY: test check fuzz cc

# The race detector needs cgo and a C compiler; the product itself needs neither.
test: cc
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

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
