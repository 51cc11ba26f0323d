package rpc

import (
	"context"
	"io"
	"os"
	"sync"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// aside is a bundle on its way: written to a file as fast as the database gives
// it, and read behind that as fast as a client takes it, so that a slow client
// holds a piece of the disk and neither memory nor the snapshot.
type aside struct {
	file *os.File
	more chan struct{} // has one when there is more, or the end has come

	mu       sync.Mutex
	written  int64
	marks    []mark
	position ledger.Position // of the bundle
	ended    bool
	err      error

	read int64 // by the one reader
}

// mark says how many entries stand in the bytes before it.
type mark struct {
	at   int64
	done ledger.Position
}

func newAside() (*aside, error) {
	file, err := os.CreateTemp("", "fundledger-bundle-*")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "a bundle cannot be put aside: %w", err)
	}
	_ = os.Remove(file.Name()) // where an open file can be removed, no crash leaves it
	return &aside{file: file, more: make(chan struct{}, 1)}, nil
}

func (a *aside) close() {
	a.file.Close()
	_ = os.Remove(a.file.Name())
}

// Write is for the one who exports, as are progress and end.
func (a *aside) Write(p []byte) (int, error) {
	n, err := a.file.Write(p)
	if err != nil {
		err = fault.New(fault.Exhausted, "a bundle cannot be put aside: %w", err)
	}
	a.change(func() { a.written += int64(n) })
	return n, err
}

func (a *aside) progress(done, of ledger.Position) {
	a.change(func() { a.position, a.marks = of, append(a.marks, mark{a.written, done}) })
}

func (a *aside) end(err error) { a.change(func() { a.ended, a.err = true, err }) }

func (a *aside) change(fn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn()
	select {
	case a.more <- struct{}{}:
	default: // the reader knows
	}
}

// fill waits until the chunk is full or the bundle at its end, and returns what
// is in it, of which position the bundle is, how many entries were written up to
// there, and whether that is all.
func (a *aside) fill(ctx context.Context, chunk []byte) (n int, position, done ledger.Position, all bool, err error) {
	for {
		a.mu.Lock()
		there, ended, failed := a.written-a.read, a.ended, a.err
		a.mu.Unlock()
		if failed != nil {
			return 0, 0, 0, false, failed
		}
		if there >= int64(len(chunk)) || ended {
			n, err = io.ReadFull(io.NewSectionReader(a.file, a.read, there), chunk[:min(there, int64(len(chunk)))])
			a.read += int64(n)
			position, done = a.reached()
			return n, position, done, ended && int64(n) == there, err
		}
		select {
		case <-a.more:
		case <-ctx.Done():
			return 0, 0, 0, false, ctx.Err()
		}
	}
}

// reached is the bundle's position and how many entries stand in what was read.
func (a *aside) reached() (position, done ledger.Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.marks) > 1 && a.marks[1].at <= a.read {
		a.marks = a.marks[1:]
	}
	if len(a.marks) > 0 && a.marks[0].at <= a.read {
		done = a.marks[0].done
	}
	return a.position, done
}
