package accounts_test

import (
	"encoding/json"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

func TestParseYuanTakesAtMostTwoDecimalsAndNothingElse(t *testing.T) {
	for text, want := range map[string]accounts.Fen{
		"0": 0, "12": 1200, "12.3": 1230, "12.34": 1234, "-12.34": -1234, "-0.01": -1, "007.10": 710,
		"10000000000000.00": 1_000_000_000_000_000,
	} {
		if got, err := accounts.ParseYuan(text); err != nil || got != want {
			t.Errorf("ParseYuan(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", ".", ".5", "5.", "1.234", "1,000.00", "1e3", " 1", "1 ", "+1", "--1", "１２", "null", "10000000000000.01", "99999999999999.99", "123456789012345"} {
		if got, err := accounts.ParseYuan(text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParseYuan(%q) = %d, %v; want an invalid error", text, got, err)
		}
	}
}

func TestFenWritesWhatItReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fen := accounts.Fen(rapid.Int64Range(-1_000_000_000_000_000, 1_000_000_000_000_000).Draw(t, "fen"))
		back, err := accounts.ParseYuan(fen.String())
		if err != nil || back != fen {
			t.Fatalf("%d was written %q and read %d, %v", int64(fen), fen, back, err)
		}
		if d, err := decimal.NewFromString(fen.String()); err != nil || !d.Equal(fen.Decimal()) {
			t.Fatalf("%d was written %q, as a decimal %s", int64(fen), fen, fen.Decimal())
		}
		var read accounts.Fen
		text, _ := json.Marshal(fen)
		if err := json.Unmarshal(text, &read); err != nil || read != fen || text[0] != '"' {
			t.Fatalf("%d in JSON is %s, read %d, %v", int64(fen), text, read, err)
		}
	})
	if lowest := accounts.Fen(-1 << 63); lowest.String() != "-92233720368547758.08" {
		t.Errorf("the lowest amount is written %s", lowest)
	}
}

func TestRoundYuanIsHalfUpToTheFen(t *testing.T) {
	for text, want := range map[string]accounts.Fen{"1.005": 101, "1.0049": 100, "0.005": 1, "-1.005": -101, "2": 200} {
		if got := accounts.RoundYuan(decimal.RequireFromString(text)); got != want {
			t.Errorf("RoundYuan(%s) = %d, want %d", text, got, want)
		}
	}
}

func FuzzParseYuan(f *testing.F) {
	for _, seed := range []string{"0", "-0.00", "12.34", "1e9", "99999999999999.99", "-", "1.", "１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fen, err := accounts.ParseYuan(text)
		if err != nil {
			return
		}
		want, err := decimal.NewFromString(text)
		if err != nil || !want.Equal(fen.Decimal()) {
			t.Fatalf("ParseYuan(%q) = %s, decimal says %s, %v", text, fen, want, err)
		}
	})
}
