.PHONY: test lint generate bench demo

test:
	go test ./...

lint:
	test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

generate:
	CGO_ENABLED=0 go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

bench:
	go run ./cmd/fundledger bench
	go run ./cmd/fundledger bench main

demo:
	go run ./cmd/fundledger demo
