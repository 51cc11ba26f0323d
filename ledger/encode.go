package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strconv"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// entrySpace is the UUID name space of entry ids.
var entrySpace = uuid.MustParse("6f1d7a52-3c0e-5b8a-9d4e-2b7f0c6a91e3")

// EntryID derives the id of an entry from its idempotency key: a version 8
// UUID of the SHA-256 of name space and key.
func EntryID(key string) uuid.UUID {
	return entryID(append(make([]byte, 0, len(entrySpace)+maxKey), entrySpace[:]...), key)
}

// entryID hashes the key behind the name space that the buffer holds.
func entryID[T string | []byte](space []byte, key T) uuid.UUID {
	sum := sha256.Sum256(append(space, key...))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 8<<4
	id[8] = id[8]&0x3f | 0x80
	return id
}

// encodingVersion is the first byte of the canonical encoding.
const encodingVersion = 1

// appendCanonical appends the canonical encoding of the entry: version byte,
// then each field in the order of the struct; texts with their length before
// them, numbers as varints. Two entries are the same if and only if their
// encodings are. It is pinned by golden vectors.
// The accounts' texts may be given, where the caller has them.
func appendCanonical(b []byte, e *Entry, names []string) []byte {
	b = append(b, encodingVersion)
	b = appendText(b, e.Key)
	var date [len("2006-01-02")]byte
	b = appendText(b, accounts.AppendDate(date[:0], e.Date))
	b = appendText(b, string(e.Period))
	b = appendText(b, e.Kind)
	b = appendText(b, e.Summary)
	b = appendText(b, e.Source)
	b = binary.AppendVarint(b, int64(e.Attachments))
	b = appendText(b, e.Preparer)
	b = appendText(b, e.Reviewer)
	if e.Corrects.Valid {
		b = append(append(b, 1), e.Corrects.UUID[:]...)
	} else {
		b = append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Postings)))
	for i := range e.Postings {
		p := &e.Postings[i]
		if names != nil {
			b = appendText(b, names[i])
		} else {
			b = appendText(b, p.Account.String())
		}
		b = appendText(b, string(p.Side))
		b = binary.AppendVarint(b, int64(p.Amount))
		b = appendText(b, p.Run)
		b = appendText(b, p.Category)
		b = appendText(b, p.Part)
		b = binary.AppendVarint(b, int64(p.BenefitYear))
	}
	return b
}

func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// digest is the SHA-256 of the canonical encoding.
func digest(e *Entry) []byte {
	sum := sha256.Sum256(appendCanonical(make([]byte, 0, 512+100*len(e.Postings)), e, nil))
	return sum[:]
}

// leg is a posting as it stands inside the entry's row. Version is the
// version that the account's floor balance had after the batch; 0 where the
// account has no floor.
type leg struct {
	Account     string `json:"a"`
	Side        string `json:"s"`
	Amount      int64  `json:"m"` // fen
	Run         string `json:"r,omitempty"`
	Category    string `json:"c,omitempty"`
	Part        string `json:"p,omitempty"`
	BenefitYear int    `json:"y,omitempty"`
	Version     int64  `json:"v,omitempty"`
}

// appendLegs writes the legs as JSON. Validation has seen to it that no text
// in a posting needs escaping.
func appendLegs(b []byte, postings []Posting, keys []string, versions map[string]int64) []byte {
	b = append(b, '[')
	for i := range postings {
		p := &postings[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `{"a":"`...), keys[i]...)
		b = append(append(b, `","s":"`...), p.Side...)
		b = strconv.AppendInt(append(b, `","m":`...), int64(p.Amount), 10)
		b = appendOptional(b, `,"r":"`, p.Run)
		b = appendOptional(b, `,"c":"`, p.Category)
		b = appendOptional(b, `,"p":"`, p.Part)
		if p.BenefitYear != 0 {
			b = strconv.AppendInt(append(b, `,"y":`...), int64(p.BenefitYear), 10)
		}
		if v := versions[keys[i]]; v != 0 {
			b = strconv.AppendInt(append(b, `,"v":`...), v, 10)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendOptional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return append(append(append(b, name...), value...), '"')
}

func decodeLegs(data []byte) ([]leg, error) {
	var legs []leg
	if err := json.Unmarshal(data, &legs); err != nil {
		return nil, fault.New(fault.Internal, "the lines of an entry cannot be read: %w", err)
	}
	return legs, nil
}

func (l leg) posting() (Posting, error) {
	account, err := accounts.ParseAccount(l.Account)
	return Posting{
		Account: account, Side: accounts.Side(l.Side), Amount: accounts.Fen(l.Amount),
		Dimensions: Dimensions{Run: l.Run, Category: l.Category, Part: l.Part, BenefitYear: l.BenefitYear},
	}, err
}
