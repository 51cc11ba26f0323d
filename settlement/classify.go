package settlement

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/settlement/internal/db"
)

// Kinds of an exception besides those of rejected rows, and of rows that are
// reported without being one.
const (
	KindMissingCenter   = "missing_center"
	KindMissingTreating = "missing_treating"
	KindMissingInsured  = "missing_insured"
	KindAmountDiffers   = "amount_differs"
	KindFieldsDiffer    = "fields_differ"
	KindConflictingRow  = "conflicting_row"
	KindDuplicateRow    = "duplicate_row_ignored"
)

var missingKind = map[Side]string{Center: KindMissingCenter, Treating: KindMissingTreating, Insured: KindMissingInsured}

// sides is what the three sides say of one settlement, in the order of Sides.
type sides [3]*db.ReadSidesRow

func (s *sides) add(r *db.ReadSidesRow) { s[slices.Index(Sides(), Side(r.Side))] = r }

// month is the service month of the first side that knows it: the month in
// which the settlement is reconciled.
func (s *sides) month() accounts.Month {
	for _, r := range s {
		if r != nil && r.ServiceMonth != "" {
			return accounts.Month(r.ServiceMonth)
		}
	}
	return ""
}

// refund is what the first side says.
func (s *sides) refund() bool {
	for _, r := range s {
		if r != nil {
			return r.Refund
		}
	}
	return false
}

// kind classifies the settlement without its content: "" for one that is equal
// on all sides, KindFieldsDiffer for any difference. Of several faults the
// first counts: withdrawn, rejected, conflicting, missing, each in the order of Sides.
func (s *sides) kind() string {
	if withdrawn, others := s.withdrawn(); withdrawn {
		if others {
			return KindWithdrawalPending
		}
		return ""
	}
	for _, r := range s {
		if r != nil && r.Status == statusRejected {
			return r.Kind
		}
	}
	for _, r := range s {
		if r != nil && r.Status == statusConflicting {
			return KindConflictingRow
		}
	}
	for i, r := range s {
		if r == nil {
			return missingKind[Sides()[i]]
		}
	}
	if !bytes.Equal(s[0].Digest, s[1].Digest) || !bytes.Equal(s[0].Digest, s[2].Digest) {
		return KindFieldsDiffer
	}
	return ""
}

// withdrawn tells whether any side has withdrawn its record, and whether others
// still have theirs.
func (s *sides) withdrawn() (some, others bool) {
	for _, r := range s {
		if r != nil {
			some = some || r.Status == statusWithdrawn
			others = others || r.Status != statusWithdrawn
		}
	}
	return some, others
}

// touches tells whether any side's record is of one of the files.
func (s *sides) touches(files []uuid.UUID) bool {
	return slices.ContainsFunc(s[:], func(r *db.ReadSidesRow) bool { return r != nil && slices.Contains(files, r.FileID) })
}

// places says where each side's record stands.
func (s *sides) places(files map[uuid.UUID]db.LoadOrdersRow) string {
	var list []string
	for i, r := range s {
		if r == nil {
			list = append(list, fmt.Sprintf("%s nothing", Sides()[i]))
			continue
		}
		place := fmt.Sprintf("%s %s:%d", r.Side, files[r.FileID].Name, r.Line)
		if r.Status != statusValid {
			place += " " + r.Status
		}
		list = append(list, place)
	}
	return strings.Join(list, ", ")
}

// compareSides names the fields in which the sides differ, with their values
// where these are amounts, and tells whether an amount or the refund flag is
// among them.
func compareSides(records map[Side]*record) (kind, detail string) {
	center := records[Center].texts()
	treating, insured := records[Treating].texts(), records[Insured].texts()
	kind = KindFieldsDiffer
	var list []string
	for field, value := range center {
		if value == treating[field] && value == insured[field] {
			continue
		}
		if !isAmount(field) {
			list = append(list, fieldNames[field])
			continue
		}
		kind = KindAmountDiffers
		list = append(list, fmt.Sprintf("%s (center %s, treating %s, insured %s)", fieldNames[field], value, treating[field], insured[field]))
	}
	return kind, strings.Join(list, ", ") + " differ"
}
