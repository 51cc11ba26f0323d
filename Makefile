.PHONY: test lint generate fresh breaking bench demo

SQLC := CGO_ENABLED=0 go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
BUF := go run github.com/bufbuild/buf/cmd/buf@v1.75.0

test:
	go test ./...

lint:
	test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	$(BUF) lint
	$(BUF) format --diff --exit-code

generate:
	$(SQLC) generate
	$(BUF) generate

# The generated code is what make generate would write.
fresh:
	$(SQLC) diff
	new="$$(mktemp -d)" && trap 'rm -rf "$$new"' EXIT && $(BUF) generate --output "$$new" && diff -r proto/gen "$$new/proto/gen"

# The contracts break nobody who calls by those of AGAINST, a commit.
breaking:
	old="$$(mktemp -d)" && trap 'rm -rf "$$old"' EXIT && git archive "$(AGAINST)" buf.yaml proto | tar -x -C "$$old" && $(BUF) breaking --against "$$old"

bench:
	go run ./cmd/fundledger bench
	go run ./cmd/fundledger bench main

demo:
	go run ./cmd/fundledger demo
