package devdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// oldestPostgres is the oldest major version that is tested.
const oldestPostgres = 15

// portAttempts bounds how often another port is tried when one that was free
// has been taken before the server could bind it.
const portAttempts = 20

// binaries are the two programs of one PostgreSQL.
type binaries struct {
	initdb, postgres string
	version          int
}

// findPostgres looks in PATH and where packages put them, newest first.
func findPostgres() (binaries, bool) {
	var dirs []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
		"/usr/local/bin", "/usr/local/opt/postgresql*/bin", "/opt/homebrew/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern)
		slices.Reverse(found)
		dirs = append(dirs, found...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append([]string{filepath.Dir(path)}, dirs...)
	}
	for _, dir := range dirs {
		b := binaries{initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
		if _, err := os.Stat(b.initdb); err != nil {
			continue
		}
		if b.version = majorVersion(b.postgres); b.version >= oldestPostgres {
			return b, true
		}
	}
	return binaries{}, false
}

var versionNumber = regexp.MustCompile(`\d+`)

func majorVersion(postgres string) int {
	out, err := exec.Command(postgres, "--version").Output()
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(versionNumber.FindString(string(out)))
	return n
}

func startPostgres(ctx context.Context, options Options, bin binaries) (*Server, error) {
	dir, err := newTempDir()
	if err != nil {
		return nil, err
	}
	runAs := serverAccount()
	data := filepath.Join(dir.path, "data")
	if err := initCluster(ctx, bin, runAs, data); err != nil {
		return nil, errors.Join(startFault(bin.initdb, err), dir.remove())
	}
	for attempt := 1; ; attempt++ {
		server, err := runPostgres(ctx, options, bin, runAs, dir, data)
		if err == nil {
			options.Log(fmt.Sprintf("database: PostgreSQL %d (%s) in a temporary cluster", bin.version, bin.postgres))
			return server, nil
		}
		if attempt == portAttempts || !strings.Contains(err.Error(), "could not bind") {
			return nil, errors.Join(startFault(bin.postgres, err), dir.remove())
		}
	}
}

// initCluster sorts text by bytes, as CockroachDB does.
func initCluster(ctx context.Context, bin binaries, runAs *account, data string) error {
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if err := runAs.own(data); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, bin.initdb, "--pgdata="+data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	command.Dir = data
	runAs.run(command)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func runPostgres(ctx context.Context, options Options, bin binaries, runAs *account, dir *tempDir, data string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	for _, setting := range settings(options) {
		args = append(args, "-c", setting)
	}
	command := exec.Command(bin.postgres, args...)
	command.Dir = data
	runAs.run(command)
	process, err := startProcess(command, dir, syscall.SIGQUIT) // to the postmaster, which takes its children along
	if err != nil {
		return nil, err
	}
	err = process.await(ctx, startPatience, func() bool { return isReady(data, process.command.Process.Pid) })
	if err != nil {
		return nil, errors.Join(err, process.stop())
	}
	url, err := prepare(ctx, fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port))
	if err != nil {
		return nil, errors.Join(err, process.stop())
	}
	return &Server{URL: url, process: process, dir: dir}, nil
}

// settings fit a small machine that runs several test servers, and a benchmark
// that needs every commit on disk.
func settings(options Options) []string {
	list := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
		"shared_buffers=256MB", "max_wal_size=4GB", "checkpoint_timeout=30min", "jit=off",
		"max_parallel_workers_per_gather=0", // needs no shared memory file system
		"max_pred_locks_per_transaction=1024", "max_pred_locks_per_page=64",
	}
	if options.Durable {
		return append(list, "fsync=on", "synchronous_commit=on")
	}
	return append(list, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
}

// isReady reads the state that the server writes beside its data, so that no
// other server that has taken the same port can be mistaken for it.
func isReady(data string, pid int) bool {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) >= 8 && strings.TrimSpace(lines[0]) == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
