package ledger

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"fundledger/accounts"
)

func TestBlocksAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lines := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) accountLine {
			return accountLine{
				position: Position(rapid.Int64Min(1).Draw(r, "position")), leg: rapid.IntRange(0, maxPostings).Draw(r, "leg"),
				date: civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 3000).Draw(r, "day")),
				side: rapid.SampledFrom([]accounts.Side{accounts.Debit, accounts.Credit}).Draw(r, "side"), amount: accounts.Fen(rapid.Int64().Draw(r, "fen")),
				entry: uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "entry")),
			}
		}), 0, 5).Draw(r, "lines")
		var debit, credit accounts.Fen
		text := []byte(encodeLines(lines, &debit, &credit))
		for _, form := range [][]byte{text, bytes.ReplaceAll(text, []byte(","), []byte(", "))} { // as written, as jsonb shows it
			if back, err := decodeLines(form); err != nil || !slices.Equal(back, lines) {
				r.Fatalf("%s came back as %+v (%v)", form, back, err)
			}
		}
	})
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add([]byte(`[[7, 0, "2025-01-31", "D", -5, "6f1d7a52-3c0e-5b8a-9d4e-2b7f0c6a91e3"]]`))
	f.Add([]byte(`[[7,0,"2025-01-31","D",5,"6f1d7a52-3c0e-5b8a-9d4e-2b7f0c6a91e3"]`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, err := decodeLines(data)
		if err != nil {
			return
		}
		var rows [][]any // what is read is JSON, and nothing is left out
		if err := json.Unmarshal(data, &rows); err == nil && len(rows) != len(lines) {
			t.Errorf("%q: %d lines of %d", data, len(lines), len(rows))
		}
	})
}
