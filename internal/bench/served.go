package bench

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"fundledger/accounts"
	"fundledger/internal/calls"
	"fundledger/internal/config"
	"fundledger/internal/fault"
	"fundledger/internal/rpc"
	"fundledger/ledger"
	"fundledger/proto/client"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// served is a server in this process, with all that a call passes there, and a
// client of it over TCP.
type served struct {
	*client.Client
	calls *calls.Log
	end   context.CancelFunc
	ended chan error
}

// unlimited is a rate that no caller of a benchmark reaches.
const unlimited = 1_000_000_000

func serve(b *books) (*served, error) {
	settings, _, err := config.Load(config.Given{Env: func(string) string { return "" }, Flags: map[string]string{
		"dev": "true", "limits.requests_per_second": strconv.Itoa(unlimited), "limits.burst": strconv.Itoa(unlimited),
	}})
	if err != nil {
		return nil, err
	}
	s := &served{calls: calls.NewLog(b.app)}
	server, err := rpc.New(rpc.Deps{
		Journal: b.journal, Book: b.rules, Store: b.app, CallLog: s.calls, Ready: b.app.Pool.Ping,
		Log:     slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	}, settings)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "no address to serve at: %w", err)
	}
	if s.Client, err = client.New(client.Options{Servers: []string{"http://" + listener.Addr().String()}}); err != nil {
		return nil, err
	}
	s.ended = make(chan error, 1)
	var ctx context.Context
	ctx, s.end = context.WithCancel(context.Background())
	go func() { s.ended <- server.Serve(ctx, listener) }()
	return s, nil
}

// close ends the server, if there is one, when all calls are recorded.
func (s *served) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.Close()
	s.end()
	return errors.Join(<-s.ended, s.calls.Flush(context.WithoutCancel(ctx)))
}

// post posts entries as Journal.Post does, by one call: of a single entry Post,
// else PostBatch.
func (s *served) post(ctx context.Context, entries []ledger.Entry) error {
	given := make([]*ledgerv1.NewEntry, len(entries))
	for i := range entries {
		given[i] = newEntry(&entries[i])
	}
	if len(given) == 1 {
		answer, err := s.Ledger.Post(ctx, &ledgerv1.PostRequest{Entry: given[0]})
		if err == nil && answer.GetReplayed() {
			err = alreadyThere(entries[0].Key)
		}
		return err
	}
	answer, err := s.Ledger.PostBatch(ctx, &ledgerv1.PostBatchRequest{Entries: given})
	if err != nil {
		return err
	}
	for i, r := range answer.GetResults() {
		switch {
		case r.GetError() != nil:
			return fault.New(fault.Internal, "%s is refused: %s", entries[i].Key, r.GetError().GetMessage())
		case r.GetReplayed():
			return alreadyThere(entries[i].Key)
		}
	}
	return nil
}

// servedKind stands for that of transfers, which are manual entries: these need a
// second person.
const servedKind = "adjustment"

func newEntry(e *ledger.Entry) *ledgerv1.NewEntry {
	made := &ledgerv1.NewEntry{
		IdempotencyKey: e.Key, Date: e.Date.String(), Period: string(e.Period), Kind: servedKind, Summary: e.Summary, Source: e.Source,
		Postings: make([]*ledgerv1.Posting, len(e.Postings)),
	}
	for i, p := range e.Postings {
		side := typev1.Side_SIDE_DEBIT
		if p.Side == accounts.Credit {
			side = typev1.Side_SIDE_CREDIT
		}
		made.Postings[i] = &ledgerv1.Posting{Account: p.Account.String(), Side: side, Amount: p.Amount.String()}
	}
	return made
}
