package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"fundledger/accounts"
	"fundledger/internal/calls"
	"fundledger/internal/config"
	"fundledger/internal/devdb"
	"fundledger/internal/postgres"
	"fundledger/internal/rpc"
	"fundledger/ledger"
	"fundledger/proto/client"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

func TestMain(m *testing.M) { devdb.Main(m) }

const (
	bank    = "320100.agency/310/1003"
	incomes = "320100.agency/310/4001"
)

// service is a database with books open from 2025-01, and the servers on it.
type service struct {
	db      *postgres.DB
	book    *accounts.Rulebook
	journal *ledger.Journal
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{db: devdb.Test(t)}
	if _, err := accounts.Setup(t.Context(), s.db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.book, err = accounts.Load(t.Context(), s.db); err != nil {
		t.Fatal(err)
	}
	s.journal = ledger.New(s.db, s.book)
	if _, err := s.journal.OpenBooks(t.Context(), "2025-01", "setup", s.book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	return s
}

// serve runs a server until the test ends or it is stopped.
func (s *service) serve(t testing.TB) (url string, stop func()) {
	t.Helper()
	settings, _, err := config.Load(config.Given{Env: func(string) string { return "" }, Flags: map[string]string{
		"dev": "true", "database_url": "postgres://in-the-fixture", "limits.burst": "100000", "limits.requests_per_second": "100000",
	}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := rpc.New(rpc.Deps{
		Journal: ledger.New(s.db, s.book), Book: s.book, Store: s.db, Ready: s.db.Pool.Ping, CallLog: calls.NewLog(s.db), Log: slog.New(slog.DiscardHandler),
	}, settings)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		working := make(chan error, 1)
		go func() { working <- server.Work(ctx) }()
		err := server.Serve(ctx, listener)
		end()
		ended <- errors.Join(err, <-working)
	}()
	stop = sync.OnceFunc(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("the server ended: %v", err)
		}
	})
	t.Cleanup(stop)
	return "http://" + listener.Addr().String(), stop
}

// seals gives entries their place while the test runs, as a sealer does.
func (s *service) seals(t testing.TB) {
	ctx, end := context.WithCancel(context.Background())
	var sealing sync.WaitGroup
	sealing.Go(func() {
		for ctx.Err() == nil {
			if _, err := s.journal.CatchUp(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("sealing: %v", err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	t.Cleanup(func() { end(); sealing.Wait() })
}

// whole fails unless the journal is, and has so many entries.
func (s *service) whole(t testing.TB, entries int64) {
	t.Helper()
	if _, err := s.journal.CatchUp(t.Context()); err != nil {
		t.Error(err)
	}
	report, err := s.journal.Check(t.Context())
	if err != nil || !report.OK() || report.Entries != entries {
		t.Errorf("%d entries are wanted: %v %+v", entries, err, report)
	}
}

// newClient is a client whose connections are closed with the test.
func newClient(t testing.TB, options client.Options) *client.Client {
	t.Helper()
	c, err := client.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func entry(key string) *ledgerv1.NewEntry {
	line := func(account string, side typev1.Side) *ledgerv1.Posting {
		return &ledgerv1.Posting{Account: account, Side: side, Amount: "1.00"}
	}
	return &ledgerv1.NewEntry{
		IdempotencyKey: key, Date: "2025-01-15", Period: "2025-01", Kind: "adjustment", Summary: "试验",
		Postings: []*ledgerv1.Posting{line(bank, typev1.Side_SIDE_DEBIT), line(incomes, typev1.Side_SIDE_CREDIT)},
	}
}

func entries(keys ...string) (made []*ledgerv1.NewEntry) {
	for _, key := range keys {
		made = append(made, entry(key))
	}
	return made
}

// post posts entries with the keys 0, 1, ….
func post(t testing.TB, c *client.Client, n int) {
	t.Helper()
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprint(i))
	}
	answer, err := c.Ledger.PostBatch(t.Context(), &ledgerv1.PostBatchRequest{Entries: entries(keys...), Atomic: true})
	if err != nil || answer.GetResults()[0].GetError() != nil {
		t.Fatalf("%v %v", answer, err)
	}
}
