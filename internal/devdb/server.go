package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/testserver"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
)

// startPatience is generous, because many test packages may start a server at
// once on few processors.
const startPatience = 3 * time.Minute

// databaseName is the database that a started server gets.
const databaseName = "fundledger"

// Options say which database is wanted. The zero value is a fast one that
// does not survive a crash of the machine.
type Options struct {
	// URL of a server that runs already: it is taken as it is.
	URL string
	// Log receives one line that says which database was taken, and one
	// before each step that may take long. Nil is silence.
	Log func(string)
	// Durable makes every commit wait for the disk, as in production.
	Durable bool
}

// Server is a database server that tests and demos may fill as they like.
type Server struct {
	// URL opens the database "fundledger" as its owner (or is Options.URL).
	URL     string
	process *process // nil when the server is not ours
	dir     *tempDir
}

// Start takes, in this order: the given URL; a cockroach binary
// (COCKROACH_BINARY or PATH); the binaries of a local PostgreSQL; as root on
// Debian PostgreSQL from its packages; a download of CockroachDB. It returns
// Unavailable, saying what to install, when none of them works.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Log == nil {
		options.Log = func(string) {}
	}
	if options.URL != "" {
		options.Log("database: the server of the given URL")
		return &Server{URL: options.URL}, nil
	}
	sweep()
	if binary := findCockroach(); binary != "" {
		return startCockroach(ctx, options, binary)
	}
	if bin, ok := findPostgres(); ok {
		return startPostgres(ctx, options, bin)
	}
	aptErr := installPostgres(ctx, options)
	if bin, ok := findPostgres(); ok {
		return startPostgres(ctx, options, bin)
	}
	options.Log("database: neither cockroach nor PostgreSQL is installed, downloading CockroachDB (some 100 MB)")
	binary, err := testserver.DownloadBinary(&testserver.TestConfig{}, "", false)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "no database was found or could be fetched: install PostgreSQL 15 or newer (initdb and postgres), or put cockroach into the PATH or its path into COCKROACH_BINARY, or give the URL of a running server: %w", errors.Join(aptErr, err))
	}
	return startCockroach(ctx, options, binary)
}

// Stop ends a server that Start has started, and removes its files.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	err := s.process.stop()
	return errors.Join(err, s.dir.remove())
}

func findCockroach() string {
	if binary := os.Getenv("COCKROACH_BINARY"); binary != "" {
		return binary
	}
	binary, err := exec.LookPath("cockroach")
	if err != nil {
		return ""
	}
	return binary
}

// startCockroach lets the server choose its port and tell it in a file.
func startCockroach(ctx context.Context, options Options, binary string) (*Server, error) {
	dir, err := newTempDir()
	if err != nil {
		return nil, err
	}
	store := "type=mem,size=0.2"
	if options.Durable {
		store = "path=" + filepath.Join(dir.path, "store")
	}
	urlFile := filepath.Join(dir.path, "url")
	command := exec.Command(binary, "start-single-node", "--insecure", "--store="+store,
		"--listen-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--listening-url-file="+urlFile,
		"--cache=256MiB", "--max-sql-memory=512MiB", "--logtostderr=WARNING")
	command.Dir = dir.path
	command.Env = append(os.Environ(), "COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING=1")
	process, err := startProcess(command, dir, syscall.SIGKILL) // it dumps its stacks at SIGQUIT and goes on
	if err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	server := &Server{process: process, dir: dir}
	err = process.await(ctx, startPatience, func() bool {
		text, err := os.ReadFile(urlFile)
		server.URL = strings.TrimSpace(string(text))
		return err == nil && server.URL != ""
	})
	if err == nil {
		server.URL, err = prepare(ctx, server.URL, "SET CLUSTER SETTING diagnostics.reporting.enabled = false")
	}
	if err != nil {
		return nil, errors.Join(startFault(binary, err), server.Stop())
	}
	options.Log(fmt.Sprintf("database: CockroachDB (%s) in a temporary single node", binary))
	return server, nil
}

// prepare makes the database in a fresh server and returns its URL.
func prepare(ctx context.Context, url string, settings ...string) (string, error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	for _, statement := range append(settings, "CREATE DATABASE "+databaseName) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	return withDatabase(url, databaseName)
}

// connect waits until the server takes connections.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func startFault(binary string, err error) error {
	return fault.New(fault.Unavailable, "the database %s does not start: %w", binary, err)
}
