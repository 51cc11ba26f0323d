package ledger

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// checkCorrections: entries that correct others are linked to them, and
// reversals are the red-letter lines of no more than their originals.
const checkCorrections = "corrections"

// linkPage is how many links are compared at a time, with the entries of both ends.
const linkPage = 500

// compareCorrections compares the links with the entries. Entries that wait
// for their place have links too; those walked must all have theirs.
func (c *checker) compareCorrections(ctx context.Context, q *db.Queries) error {
	after := db.PageOfCorrectionsParams{Page: linkPage}
	left := map[uuid.UUID][]accounts.Fen{} // of the original whose links are being read
	for {
		links, err := q.PageOfCorrections(ctx, after)
		if err != nil {
			return err
		}
		var ids []uuid.UUID
		for _, l := range links {
			ids = append(ids, l.Original, l.Correction)
		}
		records, err := readEntries(ctx, q, ids)
		if err != nil {
			return err
		}
		for _, l := range links {
			after.Original, after.Correction = l.Original, l.Correction
			c.items[checkCorrections]++
			delete(c.correcting, l.Correction)
			original, correction := records[l.Original], records[l.Correction]
			switch {
			case original == nil || correction == nil || correction.Corrects.UUID != l.Original:
				c.find(checkCorrections, "", l.Correction.String(), "it is said to correct entry %s, and the journal does not say so", l.Original)
			case correction.Kind == reversalKind || l.Amounts != nil:
				if left[l.Original] == nil {
					clear(left)
					left[l.Original] = wholeOf(original)
				}
				c.reversal(original, correction, l.Amounts, left[l.Original])
			}
		}
		if len(links) < linkPage {
			break
		}
	}
	for correction, original := range c.correcting {
		c.find(checkCorrections, "", correction.String(), "it corrects entry %s, which is not linked to it", original)
	}
	return nil
}

func wholeOf(r *Record) []accounts.Fen {
	amounts := make([]accounts.Fen, len(r.Postings))
	for i, p := range r.Postings {
		amounts[i] = p.Amount
	}
	return amounts
}

// reversal checks one reversal against its original and takes it from what is left.
func (c *checker) reversal(original, correction *Record, stored []byte, left []accounts.Fen) {
	amounts, err := decodeAmounts(correction.ID, stored)
	if err != nil || len(amounts) != len(left) {
		c.find(checkCorrections, firstAccount(correction), correction.ID.String(), "it does not say how much it takes back of each posting of entry %s", original.ID)
		return
	}
	var lines []Posting
	for i, amount := range amounts {
		p := original.Postings[i]
		if amount != 0 {
			if (amount < 0) != (p.Amount < 0) || abs(amount) > abs(left[i]) {
				c.find(checkCorrections, p.Account.String(), correction.ID.String(), "it takes back %s of posting %d of entry %s, of which %s is left", amount, i+1, original.ID, left[i])
			}
			left[i] -= amount
			p.Amount = -amount
			lines = append(lines, p)
		}
	}
	if !slices.Equal(lines, correction.Postings) {
		c.find(checkCorrections, firstAccount(correction), correction.ID.String(), "its lines are not the red-letter lines of entry %s", original.ID)
	}
	if original.Period.Year() != correction.Period.Year() {
		c.find(checkCorrections, firstAccount(correction), correction.ID.String(), "it counts in %s and reverses entry %s of another fiscal year", correction.Period, original.ID)
	}
}
