// Package rpc serves the contracts of proto/fundledger on one port: Connect,
// gRPC, gRPC-Web and plain JSON over HTTP/1.1 and HTTP/2. It knows who calls and
// what the caller may do, maps messages to the domain and back, and holds no
// rule of the domain itself. chain.go shows what every call passes.
package rpc
