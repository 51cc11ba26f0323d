package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"fundledger/accounts"
	"fundledger/internal/calls"
	"fundledger/internal/config"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/internal/rpc"
	"fundledger/ledger"
)

// serveCmd serves until it is interrupted, then drains.
type serveCmd struct{ configFlags }

// Help says what happens at the end.
func (c *serveCmd) Help() string {
	return "Connect, gRPC, gRPC-Web and JSON over HTTP on one port. On SIGTERM calls under way are finished, streams end " +
		"with unavailable, and what waits is sealed. Several servers may share a database. fundledger config print shows the settings."
}

func (c *serveCmd) Run(app *app) error {
	settings, _, err := c.load(app)
	if err != nil {
		return err
	}
	if err := settings.Check(); err != nil {
		return err
	}
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(settings.Log.Level)); err != nil {
		return fault.New(fault.Invalid, "log.level: %w", err)
	}
	log := slog.New(slog.NewJSONHandler(app.errOut, &slog.HandlerOptions{Level: level}))
	measured, err := newTelemetry(app.ctx, settings.Telemetry)
	if err != nil {
		return err
	}
	defer measured.close(log)
	db, err := postgres.Open(app.ctx, settings.DatabaseURL, measured.sql())
	if err != nil {
		return err
	}
	defer db.Close()
	if err := measured.pool(db.Pool); err != nil {
		return err
	}
	book, err := accounts.Load(app.ctx, db)
	if err != nil {
		return err
	}
	journal := ledger.New(db, book)
	recorded := calls.NewLog(db)
	server, err := rpc.New(rpc.Deps{
		Journal: journal, Book: book, Store: db, CallLog: recorded,
		Ready: db.Pool.Ping, Log: log, Traces: measured.traces, Metrics: measured.metrics,
	}, settings)
	if err != nil {
		return err
	}
	err = serve(app.ctx, settings, server, journal, measured, log)
	return errors.Join(err, flush(app.ctx, recorded))
}

// lastWords is how long what came of the last calls may take to be recorded.
const lastWords = 10 * time.Second

// flush waits for the outcomes of calls that are still to be recorded.
func flush(ctx context.Context, recorded *calls.Log) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := recorded.Flush(ctx); err != nil {
		return fault.New(fault.Unavailable, "what came of the last calls could not be recorded: %w", err)
	}
	return nil
}

// serve runs service, jobs, sealer, sweeper and metrics until the context ends or one of them
// fails. The sealer ends last, so that it seals what was posted last.
func serve(ctx context.Context, settings *config.Config, server *rpc.Server, journal *ledger.Journal, measured *telemetry, log *slog.Logger) error {
	listener, err := listen(ctx, "listen", settings.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	var admin net.Listener
	if settings.AdminListen != "" {
		if admin, err = listen(ctx, "admin_listen", settings.AdminListen); err != nil {
			return err
		}
		defer admin.Close()
		log.Info("serves metrics", "address", admin.Addr().String())
	}
	group, ctx := errgroup.WithContext(ctx)
	behind, finish := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		defer finish()
		log.Info("serves", "address", listener.Addr().String(), "tls", settings.TLS.Certificate != "")
		return serveAndWork(ctx, server, listener)
	})
	group.Go(func() error { server.FollowRules(behind); return nil })
	if admin != nil {
		group.Go(func() error { return serveAdmin(behind, admin, server.AdminHandler(measured.handler())) })
	}
	if settings.Sealer.Enabled {
		group.Go(func() error { return seal(behind, settings.Sealer.Name, journal, measured, log) })
	}
	if settings.Sweeper.Interval > 0 {
		group.Go(func() error {
			return journal.RunSweeper(ctx, ledger.SweeperOptions{
				Interval: settings.Sweeper.Interval, Log: log, Meter: measured.metrics.Meter("fundledger/ledger"),
			})
		})
	}
	return group.Wait()
}

// serveAndWork serves and does jobs until the context ends or serving does.
func serveAndWork(ctx context.Context, server *rpc.Server, listener net.Listener) error {
	working, ctx := errgroup.WithContext(ctx)
	working.Go(func() error { return server.Work(ctx) })
	working.Go(func() error { return server.Serve(ctx, listener) })
	return working.Wait()
}

func listen(ctx context.Context, key, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "%s: %w", key, err)
	}
	return listener, nil
}

func seal(ctx context.Context, name string, journal *ledger.Journal, measured *telemetry, log *slog.Logger) error {
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fault.New(fault.Invalid, "this host has no name: set sealer.name: %w", err)
		}
		name = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	return journal.RunSealer(ctx, ledger.SealerOptions{Name: name, Log: log, Meter: measured.metrics.Meter("fundledger/ledger")})
}

// adminPatience is for a request for metrics.
const adminPatience = 10 * time.Second

func serveAdmin(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadTimeout: adminPatience, WriteTimeout: 2 * adminPatience}
	ended := context.AfterFunc(ctx, func() { server.Close() })
	defer ended()
	if err := server.Serve(listener); ctx.Err() == nil {
		return fault.New(fault.Unavailable, "metrics cannot be served: %w", err)
	}
	return nil
}
