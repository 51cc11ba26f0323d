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
// order; what belongs together and stands far apart is sorted, in a temporary
// file where it is much. Memory grows with the number of accounts, not of
// entries. The error
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
		index: 1, rules: newBundleRules(header), replay: newReplay(header, report, keys),
	}
	defer v.replay.close()
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

	index   int    // of the frame that was read last
	held    *frame // the first one behind the periods
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
	if err := v.periods(ctx); err != nil {
		return err
	}
	var running sync.WaitGroup
	total := v.workers + ahead
	free, work, ordered := make(chan *block, total), make(chan *block, total), make(chan *block, total)
	for range total {
		free <- &block{done: make(chan bool, 1)}
	}
	workers := make([]*blockCheck, v.workers)
	for i := range workers {
		var err error
		if workers[i], err = newBlockCheck(v.rules, v.replay.notes); err != nil {
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
			v.unreadable(b.index)
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

// periods takes the frames of periods, which the entries are checked by.
func (v *verification) periods(ctx context.Context) error {
	r, err := newFrameReader()
	if err != nil {
		return err
	}
	defer r.close()
	var f frame
	for v.next(ctx, &f) {
		if f.kind != framePeriods {
			v.held = &f
			break
		}
		v.replay.items[checkFormat]++
		content, ok := r.open(&f)
		c := cursor{rest: content}
		for ok && !c.bad && len(c.rest) > 0 {
			if h := readMonthHistory(&c); !c.bad {
				v.replay.period(&h)
				v.rules.period(&h)
			}
		}
		if !ok || c.bad {
			v.unreadable(v.index)
		}
	}
	return v.failed
}

func (v *verification) unreadable(index int) {
	v.replay.damaged("frame %d cannot be read: its content is not what was written", index)
}

// next reads the next frame, or tells that there is none.
func (v *verification) next(ctx context.Context, f *frame) bool {
	if v.failed = ctx.Err(); v.failed != nil || v.damaged != "" {
		return false
	}
	switch err := readFrame(v.in, f); {
	case errors.Is(err, io.EOF):
		return false
	case errors.Is(err, errDamaged):
		v.damaged = fmt.Sprintf("frame %d and what follows it cannot be read", v.index+1)
		return false
	case err != nil:
		v.failed = err
		return false
	}
	v.index++
	return true
}

// read hands on one frame after the other, as long as they come in their order.
func (v *verification) read(ctx context.Context, free <-chan *block, hand func(*block)) {
	stage := 0
	for {
		b := <-free
		if v.held != nil {
			b.frame, v.held = *v.held, nil
		} else if !v.next(ctx, &b.frame) {
			return
		}
		s, known := frameStages[b.kind]
		if !known || s < stage || stage == frameStages[frameEnd] {
			v.damaged = fmt.Sprintf("frame %d does not belong there: what follows is not read", v.index)
			return
		}
		stage, b.index = s, v.index
		hand(b)
	}
}

// frameStages is the order in which frames come after those of periods.
var frameStages = map[byte]int{frameCheckpoints: 1, frameEntries: 1, frameBalances: 2, frameFloors: 3, framePendings: 4, frameEnd: 5}
