package settlement

import (
	"context"
	"slices"
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
	Field      string // of the settlement file, such as "hifp_pay"
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
		for part, amount := range rec.parts {
			if amount == 0 {
				continue
			}
			fund, err := rules.fundOf(part, rec.insutype, a.On)
			if err != nil {
				return nil, err
			}
			a.Dues = append(a.Dues, Due{fund, partName(part), partField(part), amount})
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

// KeyOf is the idempotency key of the entry that accepts the settlement.
func KeyOf(setlID string) string { return entryKey(setlID) }

// PartFields are the fields of a settlement file that funds pay.
func PartFields() []string { return slices.Clone(fieldNames[fHifp : fHifp+partCount]) }

// Unaccepted says why settlements are not accepted, of which somebody else
// tells: the exception that is open, or that no side, or not each side, has been compared.
func Unaccepted(ctx context.Context, tx pgx.Tx, setlIDs []string) (map[string]string, error) {
	q := db.New(tx)
	why := make(map[string]string, len(setlIDs))
	for _, id := range setlIDs {
		why[id] = "no file has it"
	}
	sides, err := q.ReadSides(ctx, setlIDs)
	if err != nil {
		return nil, err
	}
	for _, r := range sides {
		why[r.SetlID] = "the three sides have not been compared"
	}
	apart, err := q.ApartAmong(ctx, setlIDs)
	if err != nil {
		return nil, err
	}
	for _, r := range apart {
		if r.State == stateWaiting {
			why[r.SetlID] = "a refund that waits for its original"
		}
	}
	open, err := q.OpenExceptionsAmong(ctx, setlIDs)
	for _, r := range open {
		why[r.SetlID] = "open exception " + r.Kind
	}
	return why, err
}
