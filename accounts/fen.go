package accounts

import (
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"fundledger/internal/fault"
)

// Fen is an amount of money in fen (分), a hundredth of a yuan. Outside the
// program it is always written in yuan with two decimals.
type Fen int64

// maxFen bounds one amount (ten trillion yuan), so that sums of amounts stay
// far from the end of int64.
const maxFen = Fen(1_000_000_000_000_000)

// ParseYuan reads yuan with at most two decimals, such as "12", "12.3" or
// "-12.34". Anything else (a third decimal, a thousands separator, an
// exponent, white space) is an Invalid error.
func ParseYuan(s string) (Fen, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || len(frac) > 2 || (point && frac == "") || len(whole) > 14 || !isDigits(whole) || !isDigits(frac) {
		return 0, fault.New(fault.Invalid, "%q is not an amount in yuan with at most two decimals", s)
	}
	frac = (frac + "00")[:2]
	n, err := strconv.ParseInt(whole+frac, 10, 64)
	if err != nil || Fen(n) > maxFen {
		return 0, fault.New(fault.Invalid, "amount %q is too large", s)
	}
	if negative {
		n = -n
	}
	return Fen(n), nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// String writes yuan with two decimals: "-12.34".
func (f Fen) String() string {
	b := make([]byte, 0, 24)
	u := uint64(f)
	if f < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/100, 10)
	return string(append(b, '.', byte('0'+u%100/10), byte('0'+u%10)))
}

// Decimal returns the amount in yuan.
func (f Fen) Decimal() decimal.Decimal { return decimal.New(int64(f), -2) }

// RoundYuan turns yuan into fen, half a fen away from zero (half up for
// amounts that are not negative).
func RoundYuan(d decimal.Decimal) Fen { return Fen(d.Shift(2).Round(0).IntPart()) }

// MarshalText writes yuan; JSON therefore carries a string with two decimals.
func (f Fen) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads yuan.
func (f *Fen) UnmarshalText(text []byte) (err error) {
	*f, err = ParseYuan(string(text))
	return err
}

// Value gives the database the amount in fen.
func (f Fen) Value() (driver.Value, error) { return int64(f), nil }
