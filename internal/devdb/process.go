package devdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// stopPatience is how long a server may take to end before it is killed.
const stopPatience = 20 * time.Second

// process is a running server whose output goes to a file.
type process struct {
	command *exec.Cmd
	log     string
	done    chan struct{} // closed when it has ended
	err     error         // why, after done
}

// startProcess runs the command so that it ends with us, however we end: the
// last signal ends it where we cannot any more. On
// Linux the kernel ties the child to the thread that started it, so one
// goroutine keeps that thread until the child is gone.
func startProcess(command *exec.Cmd, dir *tempDir, last syscall.Signal) (*process, error) {
	log, err := os.Create(filepath.Join(dir.path, "server.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	endWithParent(command, last)
	p := &process{command: command, log: log.Name(), done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			p.err = command.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// await polls until ready says so, the process ends or time is up.
func (p *process) await(ctx context.Context, patience time.Duration, ready func() bool) error {
	timeout := time.After(patience)
	for !ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("it ended at once (%v): %s", p.err, p.lastLines())
		case <-timeout:
			return fmt.Errorf("it is not ready after %s: %s", patience, p.lastLines())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// stop ends the server without waiting for its clients.
func (p *process) stop() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.command.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(err, p.command.Process.Kill())
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopPatience):
		err := p.command.Process.Kill()
		<-p.done
		return err
	}
}

func (p *process) lastLines() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const most = 2000
	return string(bytes.TrimSpace(text[max(0, len(text)-most):]))
}
