package settlement

import (
	"context"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/settlement/internal/db"
)

// Accepted is what a posted settlement says to those who pay and audit it.
type Accepted struct {
	SetlID, Original            string // Original of a refund, else empty
	Insured, Treating, Provider string
	On                          civil.Date // date of the settlement
	Category                    string     // med_type
	Total                       accounts.Fen
	Dues                        []Due // what each fund pays, parts of 0.00 left out
}

// Due is what a fund pays of a settlement, 统筹 and 个人账户 apart.
type Due struct {
	Fund, Part string // Part is "account" for 个人账户, else empty
	Amount     accounts.Fen
}

// AcceptedOf reads posted settlements by id. What no side has a valid record of
// is absent; whether a settlement is posted, its caller knows.
func AcceptedOf(ctx context.Context, tx pgx.Tx, book *accounts.Rulebook, setlIDs []string) (map[string]*Accepted, error) {
	rows, err := db.New(tx).ReadContent(ctx, db.ReadContentParams{SetlIds: setlIDs, Sides: []string{string(Center)}})
	if err != nil {
		return nil, err
	}
	rules := newRules(book)
	found := make(map[string]*Accepted, len(rows))
	for i := range rows {
		rec := recordOf(&rows[i])
		a := &Accepted{SetlID: rec.id, Original: rec.orig, Insured: rec.insured, Treating: rec.treating, Provider: rec.provider,
			On: rec.settledOn(), Category: rec.medType, Total: rec.medfee}
		funds, err := rules.byFund(rec, a.On)
		if err != nil {
			return nil, err
		}
		for _, f := range funds {
			for _, p := range f.parts {
				a.Dues = append(a.Dues, Due{f.fund, p.Part, p.Amount})
			}
		}
		found[rec.id] = a
	}
	return found, nil
}

// SettlementOf returns the settlement that the entry with the idempotency key
// has accepted, or "" where it has accepted none.
func SettlementOf(key string) string {
	id, ok := strings.CutPrefix(key, entryKey(""))
	if !ok {
		return ""
	}
	return id
}
