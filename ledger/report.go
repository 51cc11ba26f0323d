package ledger

import "fmt"

// Finding is one thing that is not as it must be.
type Finding struct {
	Check   string `json:"check"`
	Account string `json:"account,omitempty"`
	Entry   string `json:"entry,omitempty"`
	Message string `json:"message"`
}

// CheckResult tells how many items one check looked at and how many findings it made.
type CheckResult struct {
	Name     string `json:"name"`
	Items    int64  `json:"items"`
	Findings int    `json:"findings"`
}

// CheckReport is what a check did and found. Of each check at most
// MaxFindings are listed; the result of the check counts all.
type CheckReport struct {
	Position Position      `json:"position"`
	Signed   Position      `json:"signed"`           // the last position of which a checkpoint with a verified signature holds
	Behind   int64         `json:"behind,omitempty"` // entries posted when a bundle was taken that had no place up to its position
	Rules    string        `json:"rules,omitempty"`
	Entries  int64         `json:"entries"`
	Postings int64         `json:"postings"`
	Checks   []CheckResult `json:"checks"`
	Findings []Finding     `json:"findings"`

	found map[string]int
}

// MaxFindings is how many findings of one check are listed.
const MaxFindings = 1000

// The checks of the journal itself, of a database and of a bundle.
const (
	checkFormat   = "bundle format"    // what the bundle consists of can be read and is all there
	checkSequence = "sequence"         // every entry has one place, without gaps, and its batch still names it
	checkIDs      = "entry ids"        // each is that of its key, and none comes twice
	checkContent  = "entry content"    // what is stored is what was posted
	checkPeriods  = "periods"          // no entry counts in a month before its books open
	checkBalance  = "entry balance"    // zero per book, fund and layer
	checkFloors   = "floors"           // no floor is crossed at any position; the stored balances agree
	checkTree     = "merkle tree"      // the hashes are those of the sealed entries
	checkNotes    = "checkpoints"      // their roots are those of the entries, their signatures those of the keys
	checkVouchers = "voucher numbers"  // gapless per book and month, one for each book of a cash entry
	checkBalances = "account balances" // projected balances against the legs
	checkLines    = "account lines"    // projected lines against the legs
	checkTurnover = "daily turnover"   // projected turnover by day against the legs
)

// OK tells whether nothing was found.
func (r *CheckReport) OK() bool { return len(r.Findings) == 0 }

func (r *CheckReport) find(check, account, entry, format string, args ...any) {
	r.add(Finding{check, account, entry, fmt.Sprintf(format, args...)})
}

func (r *CheckReport) add(f Finding) {
	if r.found == nil {
		r.found = map[string]int{}
	}
	r.found[f.Check]++
	if r.found[f.Check] <= MaxFindings {
		r.Findings = append(r.Findings, f)
	}
}

// list adds results of checks with the items that they looked at.
func (r *CheckReport) list(items map[string]int64, names ...string) {
	for _, name := range names {
		r.Checks = append(r.Checks, CheckResult{Name: name, Items: items[name]})
	}
}

// count gives each result its number of findings.
func (r *CheckReport) count() {
	for i := range r.Checks {
		r.Checks[i].Findings = r.found[r.Checks[i].Name]
	}
}
