package ledger

import (
	"bytes"
	"reflect"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
)

// decoded is the entry of a canonical encoding, nil where the bytes are none.
func decoded(data []byte) *Entry {
	var raw rawEntry
	if !raw.decode(data) {
		return nil
	}
	date, err := civil.ParseDate(string(raw.date))
	if _, ok := dayNumber(raw.date); ok != (err == nil && date.IsValid()) {
		panic("dates are read in two ways: " + string(raw.date))
	}
	if err != nil {
		return nil
	}
	e := &Entry{
		Key: string(raw.key), Date: date, Period: accounts.Month(raw.period), Kind: string(raw.kind),
		Summary: string(raw.summary), Source: string(raw.source), Attachments: int(raw.attachments),
		Preparer: string(raw.preparer), Reviewer: string(raw.reviewer),
	}
	if raw.corrects != nil {
		e.Corrects = uuid.NullUUID{UUID: uuid.UUID(raw.corrects), Valid: true}
	}
	for _, l := range raw.lines {
		account, err := accounts.ParseAccount(string(l.account))
		if err != nil {
			return nil
		}
		p := Posting{Account: account, Side: accounts.Debit, Amount: accounts.Fen(l.amount), Dimensions: Dimensions{
			Run: string(l.run), Category: string(l.category), Part: string(l.part), BenefitYear: int(l.benefitYear),
		}}
		if l.credit {
			p.Side = accounts.Credit
		}
		e.Postings = append(e.Postings, p)
	}
	return e
}

func TestEncodingIsReadBackAndNothingElse(t *testing.T) {
	data := appendCanonical(nil, vector(), nil)
	if got := decoded(data); !reflect.DeepEqual(got, vector()) {
		t.Errorf("%+v", got)
	}
	for n := range data {
		if decoded(data[:n]) != nil {
			t.Errorf("the first %d bytes were read as an entry", n)
		}
	}
	for name, malformed := range map[string][]byte{
		"trailing byte":   append(bytes.Clone(data), 0),
		"other version":   append([]byte{2}, data[1:]...),
		"long number":     append(append([]byte{1, byte(len("settlement/A1")) | 0x80, 0}, data[2:]...), 0),
		"third side":      bytes.Replace(data, []byte("\x01D"), []byte("\x01X"), 1),
		"too many lines":  append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}, data...),
		"nothing":         nil,
		"corrects of two": append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, 0),
	} {
		if decoded(malformed) != nil {
			t.Errorf("%s was read as an entry", name)
		}
	}
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add(appendCanonical(nil, vector(), nil))
	f.Add(appendCanonical(nil, &Entry{}, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := decoded(data)
		if e == nil {
			return
		}
		if back := appendCanonical(nil, e, nil); !bytes.Equal(back, data) {
			t.Errorf("%x was read as an entry whose encoding is %x", data, back)
		}
	})
}

func FuzzEntrySurvivesItsEncoding(f *testing.F) {
	f.Add("k", "异地", "320100.agency", "1003", int64(-5), 3, 2025, true)
	f.Fuzz(func(t *testing.T, key, summary, book, subject string, fen int64, attachments, year int, corrects bool) {
		if !isCode(book) || !isCode(subject) {
			t.Skip("validation refuses such accounts")
		}
		e := &Entry{Key: key, Date: civil.Date{Year: 2025, Month: 2, Day: 28}, Period: "2025-02", Summary: summary, Attachments: attachments,
			Corrects: uuid.NullUUID{Valid: corrects},
			Postings: []Posting{{Account: accounts.Account{Book: accounts.Book(book), Fund: "310", Subject: subject}, Side: accounts.Credit,
				Amount: accounts.Fen(fen), Dimensions: Dimensions{BenefitYear: year, Run: key}}}}
		if got := decoded(appendCanonical(nil, e, nil)); !reflect.DeepEqual(got, e) {
			t.Errorf("%+v came back as %+v", e, got)
		}
	})
}
