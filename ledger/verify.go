package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"fundledger/internal/fault"
)

// VerifyBundle proves a bundle that ExportBundle has written, without any
// database: it replays every entry and reports what Check reports, with the
// signatures of the checkpoints as Verify does. Frames are read, decoded and
// hashed on all processors, floors, vouchers and the tree are followed in
// order; memory grows with the number of accounts, not of entries. The error
// is a failure to read, Invalid where the input is not a bundle or its header
// is damaged; what is wrong with the books is in the findings.
func VerifyBundle(ctx context.Context, in io.Reader, keys ...note.Verifier) (*CheckReport, error) {
	header, err := readHeader(in)
	if err != nil {
		return nil, err
	}
	rules, err := json.Marshal(header.Subjects)
	if err != nil {
		return nil, err
	}
	report := &CheckReport{Position: header.Position, Rules: fmt.Sprintf("sha256:%x", sha256.Sum256(rules))}
	v := &verification{
		in: in, workers: runtime.GOMAXPROCS(0),
		rules: newBundleRules(header), replay: newReplay(header, report, keys),
	}
	defer v.replay.ids.close()
	if err := v.run(ctx); err != nil {
		return nil, err
	}
	return report, nil
}

func readHeader(in io.Reader) (bundleHeader, error) {
	noBundle := func(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }
	if err := readMagic(in); errors.Is(err, errDamaged) {
		return bundleHeader{}, noBundle("the input is not a bundle of version 1: it does not begin with %q", bundleMagic)
	} else if err != nil {
		return bundleHeader{}, err
	}
	var f frame
	if err := readFrame(in, &f); errors.Is(err, errDamaged) || errors.Is(err, io.EOF) || (err == nil && f.kind != frameHeader) {
		return bundleHeader{}, noBundle("bundle format: the header of the bundle is damaged, so that nothing in it can be checked")
	} else if err != nil {
		return bundleHeader{}, err
	}
	r, err := newFrameReader()
	if err != nil {
		return bundleHeader{}, err
	}
	defer r.close()
	content, ok := r.open(&f)
	header, known := parseHeader(content)
	if !ok || !known {
		return bundleHeader{}, noBundle("bundle format: the header of the bundle is damaged, so that nothing in it can be checked")
	}
	return header, nil
}

// verification is one run of VerifyBundle.
type verification struct {
	in      io.Reader
	workers int
	rules   *bundleRules
	replay  *replay

	failed  error  // the input failed
	damaged string // why the frames after the last one could not be read
}

// block is a frame on its way through the verification.
type block struct {
	frame
	index int
	done  chan bool // takes whether the content could be read
	checkedBlock
}

// ahead is how many frames are read beyond those that are being worked on.
const ahead = 2

func (v *verification) run(ctx context.Context) error {
	var running sync.WaitGroup
	total := v.workers + ahead
	free, work, ordered := make(chan *block, total), make(chan *block, total), make(chan *block, total)
	for range total {
		free <- &block{done: make(chan bool, 1)}
	}
	workers := make([]*blockCheck, v.workers)
	for i := range workers {
		var err error
		if workers[i], err = newBlockCheck(v.rules); err != nil {
			return err
		}
		defer workers[i].frames.close()
	}
	defer running.Wait() // before the decoders are closed
	running.Go(func() {
		defer close(ordered)
		defer close(work)
		v.read(ctx, free, func(b *block) {
			work <- b
			ordered <- b
		})
	})
	for _, w := range workers {
		running.Go(func() {
			for b := range work {
				b.done <- w.check(b)
			}
		})
	}
	for b := range ordered {
		if <-b.done {
			v.replay.block(b, workers)
		} else {
			v.replay.damaged("frame %d cannot be read: its content is not what was written", b.index)
		}
		free <- b
	}
	if v.failed != nil {
		return v.failed
	}
	if v.damaged != "" {
		v.replay.damaged("%s", v.damaged)
	}
	return v.replay.end(workers)
}

// read hands on one frame after the other, as long as they come in their order.
func (v *verification) read(ctx context.Context, free <-chan *block, next func(*block)) {
	stage := 0
	for index := 2; ; index++ {
		b := <-free
		if v.failed = ctx.Err(); v.failed != nil {
			return
		}
		switch err := readFrame(v.in, &b.frame); {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, errDamaged):
			v.damaged = fmt.Sprintf("frame %d and what follows it cannot be read", index)
			return
		case err != nil:
			v.failed = err
			return
		}
		s, known := frameStages[b.kind]
		if !known || s < stage || stage == frameStages[frameEnd] {
			v.damaged = fmt.Sprintf("frame %d does not belong there: what follows is not read", index)
			return
		}
		stage, b.index = s, index
		next(b)
	}
}

// frameStages is the order in which frames come after the header.
var frameStages = map[byte]int{frameCheckpoints: 1, frameEntries: 1, frameBalances: 2, frameFloors: 3, frameEnd: 4}
