package settlement

import (
	"bytes"
	"strings"
	"testing"

	"fundledger/accounts"
)

// sampleLine is a valid row, its columns in the order of fieldNames.
const sampleLine = "A3207002501010000001\tS1\tP26a4f69d17d3\t390\t320700\t310000\tH31000000002\t11\t11\t2025-01-01\t2025-01-01\t2025-01-01T15:38:44+08:00\t25.10\t22.34\t22.34\t0.00\t0.00\t0.00\t0.00\t0.00\t0.00\t0.00\t2.76\t0\tnull"

func testParser(t testing.TB) *parser {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	p := &parser{rules: newRules(book), width: fieldCount}
	for i := range p.columns {
		p.columns[i] = i
	}
	return p
}

// FuzzParse: whatever a line holds, it becomes a record whose text gives the
// same record again, or it is rejected with a reason; and nothing that may
// name a person is kept.
func FuzzParse(f *testing.F) {
	p := testParser(f)
	f.Add(sampleLine)
	f.Add(strings.Replace(sampleLine, "P26a4f69d17d3", "32010219900307123X", 1))
	f.Add(strings.Replace(sampleLine, "0\tnull", "1\tA1", 1))
	f.Add("")
	f.Add("\t\t\xff")
	f.Fuzz(func(t *testing.T, line string) {
		r := p.parse(2, line)
		if len(r.digest) != 32 || (r.record == nil) == (r.fault == nil) {
			t.Fatalf("%q: %+v", line, r)
		}
		if r.record == nil {
			if r.fault.kind == "" || r.fault.reason == "" {
				t.Errorf("%q is rejected without a reason", line)
			}
			for _, text := range []string{r.content, r.fault.reason} {
				for i := range len(text) {
					if text[i] < ' ' && text[i] != '\t' {
						t.Errorf("%q keeps a control character", line)
					}
				}
			}
			return
		}
		if !isPersonHash(r.record.psnNo) {
			t.Errorf("%q stores %q", line, r.record.psnNo)
		}
		if rec := r.record; rec.parts.sum()+rec.cash != rec.medfee {
			t.Errorf("%q does not add up", line)
		}
		again := p.parse(2, r.record.text())
		if again.record == nil || !bytes.Equal(again.digest, r.digest) {
			t.Errorf("%q is not read again from its own text: %+v", line, again.fault)
		}
	})
}

func TestPersonHashes(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"P26a4f69d17d3": true, "Pabcdefabcdef": true, "P123456789012": true, "DEADBEEFDEAD": true, "a123456789012345": true,
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08": true,
		"320102199003071233": false, "32010219900307123X": false, "32010219900307123x": false,
		"320102900307123": false, "P32010219900307123X": false, "3201-0219-9003-0712-3X": false,
		"13812345678": false, "ZhangSanFeng": false, "张三": false, "P1": false, "P3201-0219-9003-0712-33": false, "P2 6a4f69": false, "": false,
	} {
		if isPersonHash(text) != ok {
			t.Errorf("isPersonHash(%q) = %v", text, !ok)
		}
	}
}

func TestOverdueByJ49(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		service, run accounts.Month
		overdue      bool
	}{
		{"2025-01", "2025-02", false}, {"2025-01", "2025-03", false}, {"2025-01", "2025-04", true},
		{"2024-12", "2025-02", false}, {"2024-12", "2025-03", true},
	} {
		limits, err := deferralLimits(book, c.run)
		if err != nil {
			t.Fatal(err)
		}
		if limits.lateness(c.service, c.run).Overdue() != c.overdue {
			t.Errorf("%s in the run of %s", c.service, c.run)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	p := testParser(b)
	for b.Loop() {
		if r := p.parse(2, sampleLine); r.fault != nil {
			b.Fatal(r.fault)
		}
	}
}
