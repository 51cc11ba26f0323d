package rpc

import (
	"strings"

	"google.golang.org/protobuf/proto"

	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// plain tells at a glance that a request to post keeps to the rules of form.
// These are programs that stand in the contract, and take ten times as long over
// an entry as all else that is done with it before it is posted. Where plain is
// not sure it says no, and the rules decide and say what is wrong. What it takes
// the rules take too, which a test proves.
func plain(message proto.Message) bool {
	switch request := message.(type) {
	case *ledgerv1.PostRequest:
		return plainEntry(request.GetEntry())
	case *ledgerv1.PostBatchRequest:
		for _, e := range request.GetEntries() {
			if !plainEntry(e) {
				return false
			}
		}
		return within(len(request.GetEntries()), 1, 10_000)
	}
	return false
}

func within(n, least, most int) bool { return n >= least && n <= most }

func plainEntry(e *ledgerv1.NewEntry) bool {
	if e == nil || !within(len(e.GetIdempotencyKey()), 1, 200) || !plainDay(e.GetDate()) || !plainMonth(e.GetPeriod()) || !plainCode(e.GetKind()) ||
		!within(len(e.GetSummary()), 1, 500) || len(e.GetSource()) > 500 || !within(int(e.GetAttachments()), 0, 100_000) ||
		e.GetCorrects() != "" || !within(len(e.GetPostings()), 1, 5000) {
		return false
	}
	for _, p := range e.GetPostings() {
		if p == nil || !plainAccount(p.GetAccount()) || (p.GetSide() != typev1.Side_SIDE_DEBIT && p.GetSide() != typev1.Side_SIDE_CREDIT) ||
			!plainAmount(p.GetAmount()) || !plainPath(p.GetRun()) || (p.GetCategory() != "" && !plainCode(p.GetCategory())) ||
			(p.GetPart() != "" && !plainCode(p.GetPart())) || !within(int(p.GetBenefitYear()), 0, 9999) {
			return false
		}
	}
	return true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// plainMonth takes the months of a century.
func plainMonth(s string) bool {
	return len(s) == 7 && s[:2] == "20" && digits(s[2:4]) && s[4] == '-' && digits(s[5:]) && s[5:] >= "01" && s[5:] <= "12"
}

// plainDay takes all days but the 29th of February.
func plainDay(s string) bool {
	if len(s) != 10 || !plainMonth(s[:7]) || s[7] != '-' || !digits(s[8:]) {
		return false
	}
	last := "31"
	switch s[5:7] {
	case "02":
		last = "28"
	case "04", "06", "09", "11":
		last = "30"
	}
	return s[8:] >= "01" && s[8:] <= last
}

// plainAmount takes up to 13 digits of yuan.
func plainAmount(s string) bool {
	s = strings.TrimPrefix(s, "-")
	yuan := len(s) - len(".00")
	if !within(yuan, 1, 13) || s[yuan] != '.' || !digits(s[:yuan]) || !digits(s[yuan+1:]) {
		return false
	}
	return s != "0.00" && (s[0] != '0' || yuan == 1)
}

func plainCode(s string) bool { return within(len(s), 1, 100) && coded(s) }

// coded tells whether all characters are those of codes.
func coded(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// plainPath takes codes divided by slashes, or nothing.
func plainPath(s string) bool {
	if s == "" {
		return true
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || !coded(part) {
			return false
		}
	}
	return len(s) <= 200
}

func plainAccount(s string) bool {
	book, rest, _ := strings.Cut(s, "/")
	if len(book) < 7 || !digits(book[:6]) || (book[6:] != ".agency" && book[6:] != ".finance") {
		return false
	}
	return rest != "" && within(strings.Count(rest, "/"), 1, 2) && plainPath(rest) && len(s) <= 200
}
