package ledger

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

const (
	maxQueued     = 50_000           // entries waiting; more are pushed back
	commitEntries = 2_000            // entries of one commit
	commitSlots   = 2                // commits under way at once: one prepares while the other waits for the disk
	besideEntries = 100              // waiting, before a second commit goes beside the first: of two small ones each costs as much as both together
	commitTimeout = 30 * time.Second // of one commit
	maxPosts      = 3                // how often a commit that is unknown and not there is tried again
	maxLooks      = 4                // over how many connections it is asked what has become of a commit
)

// Post appends entries, each by itself: a refused one leaves the others
// alone. The results stand in the order of the entries; see PostTx for their
// errors. Callers that post at the same time share one commit. The error is
// Exhausted when too much is waiting already (try again after a moment), or
// Unavailable when the outcome is unknown (send the same keys again).
func (j *Journal) Post(ctx context.Context, entries ...Entry) ([]Result, error) {
	return j.commits.post(ctx, j, entries, false, nil)
}

// PostAtomic appends entries that stand or fall together: when one is
// refused, every result carries its reason.
func (j *Journal) PostAtomic(ctx context.Context, entries ...Entry) ([]Result, error) {
	return j.commits.post(ctx, j, entries, true, nil)
}

// commits is the queue in which callers meet. It has no goroutine of its own:
// a caller that finds a free slot leads, commits what is waiting, its own
// entries included, and hands the slot to the caller that has waited longest.
// So nothing is left to drain when the last caller returns.
type commits struct {
	mu      sync.Mutex
	waiting []*request
	entries int // waiting
	leaders int

	floors turn
}

// turn lets the commits of this process that move floors go one at a time: two
// at once would mostly meet in the same floors, or in the pages on which their
// keys are looked up, and one of them would be done in vain. It is taken
// before the transaction sees anything, so that it sees what the last one wrote.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "other postings on accounts with floors took too long: send the same keys again: %w", ctx.Err())
	}
}

func (t turn) end() { <-t }

type request struct {
	entries []Entry
	atomic  bool
	call    *Call         // by which they were given; nil: by none
	lead    chan struct{} // closed when the request's caller is to lead
	done    chan struct{} // closed when results or err are set
	results []Result
	err     error
}

func (c *commits) post(ctx context.Context, j *Journal, entries []Entry, atomic bool, call *Call) ([]Result, error) {
	if len(entries) > maxBatch {
		return nil, fault.New(fault.Invalid, "at most %d entries in one call, got %d", maxBatch, len(entries))
	}
	r := &request{entries: entries, atomic: atomic, call: call, lead: make(chan struct{}), done: make(chan struct{})}
	if err := c.enter(r); err != nil {
		return nil, err
	}
	select {
	case <-r.done:
	case <-r.lead:
	case <-ctx.Done():
		if c.withdraw(r) {
			return nil, ctx.Err()
		}
		select { // too late: a leader has it, or it is to lead
		case <-r.done:
		case <-r.lead:
		}
	}
	if isClosed(r.lead) { // even when another leader was faster: the slot must be passed on
		c.leadUntil(ctx, j, r)
	}
	return r.results, r.err
}

func (c *commits) enter(r *request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries > 0 && c.entries+len(r.entries) > maxQueued {
		return fault.New(fault.Exhausted, "%d entries wait to be posted: try again after a moment", c.entries).With("retry_after", "1s")
	}
	c.waiting = append(c.waiting, r)
	c.entries += len(r.entries)
	if c.leaders == 0 || c.leaders < commitSlots && c.entries >= besideEntries {
		c.leaders++
		close(r.lead)
	}
	return nil
}

// withdraw takes back a request that nobody leads or has taken.
func (c *commits) withdraw(r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if isClosed(r.lead) {
		return false
	}
	for i, w := range c.waiting {
		if w == r {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			c.entries -= len(r.entries)
			return true
		}
	}
	return false
}

// leadUntil commits until r is done, then passes the slot on.
func (c *commits) leadUntil(ctx context.Context, j *Journal, r *request) {
	// The commit serves other callers too: one who gives up must not take it along.
	ctx = context.WithoutCancel(ctx)
	for !isClosed(r.done) {
		c.letIn()
		if batch := c.take(); len(batch) > 0 {
			j.commit(ctx, batch)
		} else {
			<-r.done // another leader has it
		}
	}
	c.pass()
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (c *commits) take() (batch []*request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for len(c.waiting) > 0 && (n == 0 || n+len(c.waiting[0].entries) <= commitEntries) {
		batch = append(batch, c.waiting[0])
		n += len(c.waiting[0].entries)
		c.waiting = c.waiting[1:]
	}
	c.entries -= n
	return batch
}

// letIn waits while callers come in: those whose entries have just been
// committed are about to come back.
func (c *commits) letIn() {
	for before := -1; ; {
		c.mu.Lock()
		waiting := len(c.waiting)
		c.mu.Unlock()
		if waiting <= before {
			return
		}
		before = waiting
		runtime.Gosched()
	}
}

// pass hands the slot to the request that has waited longest, if any is to go
// on beside the other leaders.
func (c *commits) pass() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.waiting {
		if c.leaders > 1 && c.entries < besideEntries {
			break
		}
		if !isClosed(w.lead) {
			close(w.lead)
			return
		}
	}
	c.leaders--
}

// commit posts the requests in one transaction and gives each its results.
func (j *Journal) commit(ctx context.Context, batch []*request) {
	var entries []Entry
	var groups []int
	var shares []share
	atomic := slices.ContainsFunc(batch, func(r *request) bool { return r.atomic })
	for i, r := range batch {
		if r.call != nil {
			shares = append(shares, share{r.call, len(entries), len(entries) + len(r.entries)})
		}
		entries = append(entries, r.entries...)
		for k := 0; atomic && k < len(r.entries); k++ {
			group := (i + 1) << 32
			if !r.atomic {
				group += k
			}
			groups = append(groups, group)
		}
	}
	results, err := j.postAndLookAgain(ctx, &posting{journal: j, entries: entries, groups: groups, shares: shares})
	j.wakeSealer()
	for _, r := range batch {
		if err == nil {
			r.results, results = results[:len(r.entries):len(r.entries)], results[len(r.entries):]
		}
		r.err = err
		close(r.done)
	}
}

// postAndLookAgain resolves a commit of unknown outcome by looking the keys
// up, and posts again only when they are not there.
func (j *Journal) postAndLookAgain(ctx context.Context, p *posting) (results []Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	for again := 1; ; again++ {
		p.prepare()
		if err = j.postPrepared(ctx, p); errors.Is(err, errRenewed) {
			again--
			continue
		}
		if fault.KindOf(err) != fault.Unavailable {
			for _, call := range p.written {
				call.written = err == nil
			}
			return p.results, err
		}
		switch stand, lookErr := j.stand(ctx, p.entries, p.results); {
		case lookErr != nil:
			return nil, err
		case stand:
			return p.results, nil
		case again == maxPosts:
			return nil, err
		}
	}
}

// postPrepared posts in a transaction of its own. Months are presumed open and
// keys new, where nothing depends on it: then entries that move no floor take
// one statement. Where that has written nothing, it looks first.
func (j *Journal) postPrepared(ctx context.Context, p *posting) error {
	looks, floors := p.needsLooks(), p.movesFloors()
	if !looks && !floors {
		failed := false
		err := j.store.Single(ctx, func(w accounts.Reader) (err error) {
			if failed {
				return errLookFirst
			}
			err = p.post(ctx, db.New(w), presuming)
			failed = err != nil
			return err
		})
		if !errors.Is(err, errLookFirst) {
			return err
		}
		looks = true
	}
	if floors {
		if err := j.commits.floors.take(ctx); err != nil {
			return err
		}
		defer j.commits.floors.end()
	}
	for {
		err := j.store.InTx(ctx, func(tx pgx.Tx) error {
			how := presuming
			if looks || j.looks.Load() > 0 {
				how = looking
			}
			return p.post(ctx, db.New(tx), how)
		})
		if !errors.Is(err, errLookFirst) {
			return err
		}
		looks = true
	}
}

// stand tells whether every entry that the results call posted stands in the
// journal with its content. One may have been posted by somebody else, so it
// takes all of them to know that nothing is missing.
func (j *Journal) stand(ctx context.Context, entries []Entry, results []Result) (bool, error) {
	want := map[uuid.UUID][]byte{}
	for i, r := range results {
		if r.Err == nil && !r.Replayed {
			want[r.ID] = digest(&entries[i])
		}
	}
	if len(want) == 0 {
		return false, nil
	}
	var rows []db.FindEntriesRow
	var err error
	for look := 1; ; look++ {
		err = j.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
			rows, err = db.New(tx).FindEntries(ctx, slices.Collect(maps.Keys(want)))
			return err
		})
		if fault.KindOf(err) != fault.Unavailable || look == maxLooks {
			break
		}
	}
	for _, row := range rows {
		if bytes.Equal(row.Digest, want[row.ID]) {
			delete(want, row.ID)
		}
	}
	return len(want) == 0, err
}
