package settlement

import (
	"sync"
	"time"

	"fundledger/accounts"
	"fundledger/ledger"
)

// Settlements imports, reconciles and reports the settlements of one
// deployment. It is safe for concurrent use, by several processes on one
// database too.
type Settlements struct {
	store   accounts.Store
	journal *ledger.Journal
	book    *accounts.Rulebook
	rules   *rules
	// collisions: rows about records that exist already are handled one batch
	// at a time, since they read what their neighbours write.
	collisions sync.Mutex
}

// New returns the settlements that are posted to the journal under the rules
// of the book.
func New(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook) *Settlements {
	return &Settlements{store: store, journal: journal, book: book, rules: newRules(book)}
}

// Side is who reports a settlement.
type Side string

const (
	Treating Side = "treating" // 就医地
	Center   Side = "center"   // 省或国家平台
	Insured  Side = "insured"  // 参保地
)

// Sides are the three sides. Where one of them speaks for a record, the centre
// is asked first, then the treating side, then the insured side.
func Sides() []Side { return []Side{Center, Treating, Insured} }

// shanghai is the time zone in which a settlement's date and month are counted.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)
