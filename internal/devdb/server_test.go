package devdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fundledger/internal/fault"
)

func TestMain(m *testing.M) {
	if os.Getenv("DEVDB_TEST_CHILD") != "" {
		startForever()
	}
	Main(m)
}

// startForever is the child of a test: it tells where its server is and waits
// to be killed.
func startForever() {
	server, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(server.process.command.Process.Pid, server.dir.path)
	select {}
}

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := Test(t), Test(t)
	if a.URL == b.URL {
		t.Fatalf("both tests got %s", a.URL)
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	var lines []string
	server, err := Start(t.Context(), Options{Durable: true, Log: func(s string) { lines = append(lines, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "database: ") {
		t.Errorf("said %q", lines)
	}
	if u, err := url.Parse(server.URL); err != nil || u.Hostname() != "127.0.0.1" || u.Path != "/fundledger" {
		t.Errorf("the URL is %s", server.URL)
	}
	conn, err := connect(t.Context(), server.URL) // a client that stays must not keep it from stopping
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	pid := server.process.command.Process.Pid
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if isAlive(pid) {
		t.Error("the server still runs")
	}
	if _, err := os.Stat(server.dir.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", server.dir.path, err)
	}
}

func TestServerEndsWithAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only the Linux kernel ties a child to its parent")
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "DEVDB_TEST_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	number, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("the child said %q", line)
	}
	child.Process.Kill()
	child.Wait()
	for start := time.Now(); isAlive(pid); time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatal("the server has outlived its process")
		}
	}
	// The next start removes what was left, once it is surely abandoned.
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, ownerFile), old, old); err != nil {
		t.Fatal(err)
	}
	sweep()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func isAlive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestAGivenServerIsTakenAndLeftRunning(t *testing.T) {
	t.Parallel()
	server, err := Start(t.Context(), Options{URL: "postgres://somebody@elsewhere/db"})
	if err != nil || server.URL != "postgres://somebody@elsewhere/db" {
		t.Errorf("%+v %v", server, err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
}

func TestBinaryThatDoesNotStartIsNamedWithItsOutput(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "cockroach")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho the disk is gone >&2; exit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := startCockroach(t.Context(), Options{Log: func(string) {}}, binary)
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), binary) || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("got %v", err)
	}
}
