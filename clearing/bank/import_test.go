package bank_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/clearing/bank"
	"fundledger/internal/fault"
)

func (f fixture) refuse(t testing.TB, content string, kind fault.Kind, texts ...string) {
	t.Helper()
	_, err := f.Import(t.Context(), bank.ImportRequest{By: "clerk", File: "s.tsv", Content: []byte(content)})
	mention(t, err, kind, texts...)
}

var january = []line{{"1", day(2), 10_00, "A"}, {"2", day(3), -4_00, "B"}, {"3", day(3), 1_00, "C"}}

func TestTheSameStatementTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	content := paper(5_00, day(1), day(31), january...)
	first := f.read(t, content)
	if s := first.Statements[0]; first.Replayed || s.Added != 3 || s.Closing != 12_00 || s.From != day(1) || s.ImportedBy != "clerk" {
		t.Errorf("%+v", first)
	}
	again := f.read(t, content)
	if s := again.Statements[0]; !again.Replayed || s.Added != 0 || s.Known != 3 || s.ImportedBy != "clerk" {
		t.Errorf("%+v", again)
	}
	// Written in another way it is the same.
	csv := strings.ReplaceAll(content, "\t", ",")
	if again := f.read(t, "\ufeff"+strings.ReplaceAll(csv, "\n", "\r\n")); !again.Replayed {
		t.Errorf("%+v", again)
	}
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	w, err := archive.Create("inner.tsv")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, content)
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if again := f.read(t, packed.String()); !again.Replayed {
		t.Errorf("%+v", again)
	}
	// A part of it, of a day, is known too; the balance of the day must be the same.
	if part := f.read(t, paper(15_00, day(3), day(3), january[1:]...)); part.Replayed || part.Statements[0].Known != 2 || part.Statements[0].Gaps != nil {
		t.Errorf("%+v", part)
	}
}

func TestOtherContentIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.read(t, paper(5_00, day(1), day(10), january...))
	other := func(change func([]line)) []line {
		lines := append([]line{}, january...)
		change(lines)
		return lines
	}
	f.refuse(t, paper(5_00, day(1), day(10), other(func(l []line) { l[1].amount = -3_00 })...), fault.AlreadyExists,
		"serial 2 of 3201-0001 stands with other content", "4.00", "3.00")
	f.refuse(t, paper(5_00, day(1), day(10), other(func(l []line) { l[1].on = day(4) })...), fault.AlreadyExists, "serial 2", "2025-01-03", "2025-01-04")
	f.refuse(t, paper(5_00, day(1), day(10), january[:2]...), fault.AlreadyExists, "lacks serial 3")
	f.refuse(t, paper(5_00, day(1), day(10), append(other(func([]line) {}), line{"4", day(5), 1_00, ""})...), fault.AlreadyExists, "has no serial 4 on 2025-01-05")
	f.refuse(t, paper(6_00, day(1), day(10), january...), fault.AlreadyExists, "balance of 3201-0001 before 2025-01-01 is 5.00", "6.00 here")
	f.refuse(t, paper(11_00, day(10), day(20)), fault.AlreadyExists, "balance of 3201-0001 before 2025-01-10 is 12.00")
	// The serial number of January comes again in February.
	f.refuse(t, paper(12_00, day(11), day(20), line{"1", day(12), 10_00, "A"}), fault.AlreadyExists, "serial 1")
	statements, gaps, err := f.Statements(t.Context(), number)
	if err != nil || len(statements) != 1 || len(gaps) != 0 {
		t.Errorf("%+v %+v %v", statements, gaps, err)
	}
}

func TestFaultsOfAStatementAreNamedByLineAndField(t *testing.T) {
	t.Parallel()
	f := open(t)
	good := paper(5_00, day(1), day(10), january...)
	for name, c := range map[string]struct {
		before, after string
		says          []string
	}{
		"closing":        {"#closing\t12.00", "#closing\t13.00", []string{"s.tsv:5:#closing", "opening 5.00 and movements 7.00 come to 12.00", "1.00 too much"}},
		"running":        {"A\t15.00", "A\t15.01", []string{"s.tsv:7:balance", "15.01 after serial 1, the lines before come to 15.00"}},
		"no opening":     {"#opening\t5.00\n", "", []string{"s.tsv:1:#opening", "is missing"}},
		"two openings":   {"#opening\t5.00\n", "#opening\t5.00\n#opening\t5.00\n", []string{"s.tsv:5:#opening: stands twice"}},
		"three decimals": {"\t10.00\t", "\t10.001\t", []string{"s.tsv:7:amount"}},
		"thousands":      {"\t10.00\t", "\t1,0.00\t", []string{"s.tsv:7:amount"}},
		"zero":           {"\t10.00\t", "\t0.00\t", []string{"s.tsv:7:amount: is 0.00"}},
		"side":           {"\tC\t10.00", "\tX\t10.00", []string{`s.tsv:7:side: "X" is neither C`}},
		"date":           {"2025-01-02\t1\t", "2025-1-2\t1\t", []string{"s.tsv:7:date"}},
		"outside":        {"2025-01-02\t1\t", "2025-01-12\t1\t", []string{"s.tsv:7:date: 2025-01-12 lies outside"}},
		"serial":         {"2025-01-02\t1\t", "2025-01-02\t\t", []string{"s.tsv:7:serial: is missing"}},
		"serial twice":   {"2025-01-02\t1\t", "2025-01-02\t2\t", []string{"s.tsv:8:serial: 2 stands in line 7 already"}},
		"two accounts":   {"3201-0001\t2025-01-02", "3201-0002\t2025-01-02", []string{"s.tsv:7:account: 3201-0002, the statement is of 3201-0001"}},
		"columns":        {"\tserial\t", "\tnumber\t", []string{"lacks the columns serial"}},
		"fields":         {"\tA\t15.00", "\tA", []string{"s.tsv:7:", "9 fields, the header has 10"}},
		"several":        {"\t10.00\t", "\tx\t", []string{"s.tsv:7:amount"}},
		"empty":          {good, "", []string{"has no header line"}},
		"days":           {"#to\t2025-01-10", "#to\t2024-01-10", []string{"lies before 2025-01-01"}},
		"no zip":         {good, "PK\x03\x04", []string{"no zip archive of exactly one file"}},
	} {
		content := strings.Replace(good, c.before, c.after, 1)
		if content == good {
			t.Fatalf("%s changes nothing", name)
		}
		f.refuse(t, content, fault.Invalid, c.says...)
	}
	f.refuse(t, strings.ReplaceAll(good, number, "9999"), fault.NotFound, "there is no bank account 9999")
	f.refuse(t, paper(0, civil.Date{Year: 2023, Month: 1, Day: 1}, day(1)), fault.NotFound, "does not hold on 2023-01-01")
	if statements, _, err := f.Statements(t.Context(), number); err != nil || len(statements) != 0 {
		t.Errorf("%+v %v", statements, err)
	}
	// Banks list from the newest line too, and tell a running balance or not.
	lines := strings.Split(strings.TrimSuffix(good, "\n"), "\n")
	for i, j := 6, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	if report := f.read(t, strings.Join(lines, "\n")); report.Statements[0].Added != 3 {
		t.Errorf("%+v", report)
	}
}

func TestTwoImportersAtOnceKeepAStatementOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	content := paper(5_00, day(1), day(31), january...)
	added := make([]int, 4)
	var all sync.WaitGroup
	for i := range added {
		all.Go(func() {
			report, err := f.Import(t.Context(), bank.ImportRequest{Key: fmt.Sprint("k", i), By: "clerk", File: "s.tsv", Content: []byte(content)})
			if err != nil {
				t.Error(err)
				return
			}
			added[i] = report.Statements[0].Added
		})
	}
	all.Wait()
	if sum := added[0] + added[1] + added[2] + added[3]; sum != 3 {
		t.Errorf("added %v", added)
	}
	page, err := f.Lines(t.Context(), bank.LineQuery{Account: number, PageSize: 2})
	if err != nil || len(page.Lines) != 2 || page.Lines[0].Serial != "1" || page.Lines[0].Balance.String() != "15.00" {
		t.Fatalf("%+v %v", page, err)
	}
	rest, err := f.Lines(t.Context(), bank.LineQuery{Account: number, PageSize: 2, PageToken: page.NextPageToken})
	if err != nil || len(rest.Lines) != 1 || rest.NextPageToken != "" {
		t.Errorf("%+v %v", rest, err)
	}
	// The key is for one content.
	_, err = f.Import(t.Context(), bank.ImportRequest{Key: "k1", By: "clerk", File: "s.tsv", Content: []byte(paper(12_00, day(32), day(33)))})
	mention(t, err, fault.AlreadyExists, `key "k1"`)
}

// camt is a document of a version; its lines are those of January.
func camt(version, status, party string) string {
	entry := func(serial, on, side, amount, reference string) string {
		return `<Ntry><Amt Ccy="CNY">` + amount + `</Amt><CdtDbtInd>` + side + `</CdtDbtInd><Sts>` + status + `</Sts>
			<BookgDt><Dt>` + on + `</Dt></BookgDt><AcctSvcrRef>` + serial + `</AcctSvcrRef>
			<NtryDtls><TxDtls><Refs><EndToEndId>` + reference + `</EndToEndId></Refs><RltdPties><Dbtr>` + party + `</Dbtr>
			<DbtrAcct><Id><Othr><Id>62001</Id></Othr></Id></DbtrAcct><Cdtr>` + party + `</Cdtr><CdtrAcct><Id><Othr><Id>62001</Id></Othr></Id></CdtrAcct></RltdPties>
			<RmtInf><Ustrd>往来款</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
`
	}
	balance := func(code, amount, on string) string {
		return `<Bal><Tp><CdOrPrtry><Cd>` + code + `</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">` + amount + `</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>` + on + `</Dt></Dt></Bal>`
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.` + version + `"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>1</Id>
<FrToDt><FrDtTm>2025-01-01T00:00:00+08:00</FrDtTm><ToDtTm>2025-01-31T23:59:59+08:00</ToDtTm></FrToDt>
<Acct><Id><Othr><Id>3201-0001</Id></Othr></Id><Ccy>CNY</Ccy></Acct>` + balance("OPBD", "5.00", "2025-01-01") + balance("CLBD", "12.00", "2025-01-31") + `
` + entry("1", "2025-01-02", "CRDT", "10.00", "A") + entry("2", "2025-01-03", "DBIT", "4", "B") + entry("3", "2025-01-03", "CRDT", "1.00000", "C") + `
<Ntry><Amt Ccy="CNY">7.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>` + strings.Replace(status, "BOOK", "PDNG", 1) + `</Sts><AcctSvcrRef>9</AcctSvcrRef></Ntry>
</Stmt></BkToCstmrStmt></Document>`
}

func TestCamt053OfAllVersionsSaysTheSameAsTheTable(t *testing.T) {
	t.Parallel()
	f := open(t)
	first := f.read(t, paper(5_00, day(1), day(31), january...))
	if first.Replayed {
		t.Error("the first is a replay")
	}
	for version, c := range map[string][2]string{
		"02": {"BOOK", "<Nm>某单位</Nm>"}, "04": {"BOOK", "<Nm>某单位</Nm>"}, "08": {"<Cd>BOOK</Cd>", "<Pty><Nm>某单位</Nm></Pty>"}, "13": {"<Cd>BOOK</Cd>", "<Pty><Nm>某单位</Nm></Pty>"},
	} {
		report := f.read(t, camt(version, c[0], c[1]))
		if !report.Replayed || len(report.Statements) != 1 || report.Statements[0].Known != 3 || len(report.Statements[0].Ignored) != 1 {
			t.Errorf("%s: %+v", version, report)
		}
	}
}

func TestFaultsOfCamt053AreNamed(t *testing.T) {
	t.Parallel()
	good := camt("08", "<Cd>BOOK</Cd>", "<Pty><Nm>某单位</Nm></Pty>")
	for name, c := range map[string]struct{ before, after, says string }{
		"another message": {"camt.053.001.08", "camt.052.001.08", "is no camt.053.001"},
		"version 01":      {"camt.053.001.08", "camt.053.001.01", "is no camt.053.001"},
		"currency":        {`<Amt Ccy="CNY">10.00`, `<Amt Ccy="EUR">10.00`, `s.xml:5:Amt/Ccy: "EUR"`},
		"closing":         {">12.00<", ">12.01<", "#closing: opening 5.00"},
		"no closing":      {"CLBD", "XXXX", "no closing one"},
		"side":            {"<CdtDbtInd>DBIT", "<CdtDbtInd>DEBIT", `CdtDbtInd: "DEBIT"`},
		"fractions":       {"1.00000", "1.00100", "s.xml:15:Amt"},
		"number":          {"<AcctSvcrRef>1</AcctSvcrRef>", "", "AcctSvcrRef: is missing"},
		"broken":          {"</BkToCstmrStmt>", "", "cannot be read as XML"},
		"no statement":    {"Stmt>", "Smtt>", "has no statement"},
		"account":         {"<Id>3201-0001</Id>", "<Id></Id>", "Acct/Id: is missing"},
		"date":            {"<Dt>2025-01-02</Dt>", "<Dt>2025-01-42</Dt>", "BookgDt"},
		"encoding":        {`encoding="UTF-8"`, `encoding="GBK"`, "UTF-8"},
	} {
		content := strings.ReplaceAll(good, c.before, c.after)
		if name == "number" || name == "currency" {
			content = strings.Replace(good, c.before, c.after, 1)
		}
		_, err := bank.ReadStatements("s.xml", []byte(content))
		if content == good || fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a bank sends is read or refused, and what is read ties.
func FuzzReadStatements(f *testing.F) {
	f.Add([]byte(paper(5_00, day(1), day(31), january...)))
	f.Add([]byte(camt("08", "<Cd>BOOK</Cd>", "<Pty><Nm>某单位</Nm></Pty>")))
	f.Add([]byte("#opening 0.00\n#closing 0.00\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		statements, err := bank.ReadStatements("f", content)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		for _, s := range statements {
			sum := s.Opening
			for i := range s.Lines {
				sum += s.Lines[i].Signed()
			}
			if sum != s.Closing || s.To.Before(s.From) || s.Account == "" && len(s.Lines) > 0 {
				t.Fatalf("%+v", s)
			}
		}
	})
}
