package settlement_test

import (
	"fmt"
	"slices"
	"testing"

	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
)

// exceptions lists all pages as setl_id:kind.
func (f fixture) exceptions(t testing.TB, query settlement.ExceptionQuery) (list []string, full []settlement.Exception) {
	t.Helper()
	for query.PageSize = 2; ; {
		page, err := f.Exceptions(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Exceptions {
			list = append(list, e.SetlID+":"+e.Kind)
		}
		full = append(full, page.Exceptions...)
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return list, full
		}
	}
}

func TestExceptionsAreListedByKindRegionAndState(t *testing.T) {
	t.Parallel()
	f := open(t)
	elsewhere := func(id string, changes ...string) map[string]string {
		return bill(id, append([]string{"insu_admdvs", "320700", "mdtrtarea_admvs", "320600"}, changes...)...)
	}
	february := []string{"setl_time", "2025-02-03T09:00:00+08:00", "begndate", "2025-02-01", "enddate", "2025-02-02"}
	center := []map[string]string{bill("A1"), bill("A1"), bill("A2"), elsewhere("A3"), elsewhere("A4", february...), refund("R1", "NONE", "10.00"), bill("A5")}
	treating := []map[string]string{bill("A1"), bill("A2", "fixmedins_code", "H2"), elsewhere("A3", "psn_cash_pay", "99.00"), elsewhere("A4", february...), refund("R1", "NONE", "10.00")}
	insured := []map[string]string{bill("A1"), bill("A2"), elsewhere("A3"), refund("R1", "NONE", "10.00"), bill("A5")}
	f.load(t, settlement.Center, file(t, "c.tsv", text(center...)))
	f.load(t, settlement.Treating, file(t, "t.tsv", text(treating...)))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(insured...)))
	f.load(t, settlement.Treating, file(t, "bad.tsv", text(bill("B1", "insu_admdvs", "999999"))))
	f.reconcile(t, "2025-01")
	f.reconcile(t, "2025-02")
	own := bill("A1")
	for _, c := range []struct {
		query settlement.ExceptionQuery
		want  string
	}{
		{settlement.ExceptionQuery{}, "[A2:fields_differ A3:components_do_not_sum A5:missing_treating B1:unknown_region R1:refund_waiting A4:missing_insured]"},
		{settlement.ExceptionQuery{Month: "2025-02"}, "[A4:missing_insured]"},
		{settlement.ExceptionQuery{Kind: "missing_treating"}, "[A5:missing_treating]"},
		{settlement.ExceptionQuery{Kind: settlement.KindRefundWaiting}, "[R1:refund_waiting]"},
		{settlement.ExceptionQuery{Kind: settlement.KindDuplicateRow}, "[A1:duplicate_row_ignored]"},
		{settlement.ExceptionQuery{Region: "320600"}, "[A3:components_do_not_sum A4:missing_insured]"},
		{settlement.ExceptionQuery{Regions: []string{"320700"}}, "[A3:components_do_not_sum A4:missing_insured]"},
		{settlement.ExceptionQuery{Regions: []string{own["insu_admdvs"]}, Kind: settlement.KindDuplicateRow}, "[A1:duplicate_row_ignored]"},
		{settlement.ExceptionQuery{Regions: []string{"320700"}, Kind: settlement.KindDuplicateRow}, "[]"},
		{settlement.ExceptionQuery{Regions: []string{"320700"}, Region: own["insu_admdvs"]}, "[]"},
		{settlement.ExceptionQuery{Regions: []string{}}, "[]"},
		{settlement.ExceptionQuery{Resolved: true}, "[]"},
	} {
		if got, _ := f.exceptions(t, c.query); fmt.Sprint(got) != c.want {
			t.Errorf("%+v:\n%v\nwant\n%s", c.query, got, c.want)
		}
	}
	_, waiting := f.exceptions(t, settlement.ExceptionQuery{Kind: settlement.KindRefundWaiting})
	if w := waiting[0]; w.Original != "NONE" || !w.Refund || w.Insured != own["insu_admdvs"] || !w.Found.IsZero() || w.Detail == "" {
		t.Errorf("%+v", w)
	}
	f.load(t, settlement.Treating, file(t, "late.tsv", text(bill("A5"))))
	f.reconcile(t, "2025-01")
	resolved, full := f.exceptions(t, settlement.ExceptionQuery{Resolved: true})
	if fmt.Sprint(resolved) != "[A5:missing_treating]" || full[0].ResolvedBy != "late.tsv" || full[0].Resolved.IsZero() || full[0].Found.IsZero() {
		t.Errorf("%+v", full)
	}
	_, err := f.Exceptions(t.Context(), settlement.ExceptionQuery{PageToken: "x"})
	mustFail(t, err, fault.Invalid, "was not given out by a list of exceptions")
	_, err = f.Exceptions(t.Context(), settlement.ExceptionQuery{AtLeast: 99})
	mustFail(t, err, fault.NotFound, "99 was asked")
}

func TestASettlementTellsItsStory(t *testing.T) {
	t.Parallel()
	f := open(t)
	story := func(id string) *settlement.Settlement {
		t.Helper()
		s, _, err := f.Settlement(t.Context(), id, 0)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	f.loadAll(t, "all.tsv", bill("A1"), refund("R1", "A1", "20.00"), refund("R2", "A1", "999.00"))
	f.load(t, settlement.Center, file(t, "c.tsv", text(bill("A2"), bill("A3"), bill("A4", "hifp_pay", "1.00"))))
	f.load(t, settlement.Treating, file(t, "t.tsv", text(bill("A2", "psn_cash_pay", "x"), bill("A3"), bill("A3", "fixmedins_code", "H9"))))
	if s := story("A1"); s.State != settlement.StateImported || len(s.Sides) != 3 || len(s.Entries) != 0 || s.Month != "2025-01" {
		t.Errorf("%+v", s)
	}
	f.reconcile(t, "2025-01")
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, at, err := f.Settlement(t.Context(), "A1", 1)
	if err != nil || s.State != settlement.StatePosted || at < 2 || !slices.Equal(s.Refunds, []string{"R1", "R2"}) || s.Exception != nil {
		t.Errorf("%+v at %d %v", s, at, err)
	}
	if len(s.Entries) != 1 || s.Entries[0].ID != ledger.EntryID("settlement/A1") || s.Entries[0].Position == 0 || len(s.Entries[0].Vouchers) != 0 {
		t.Errorf("%+v", s.Entries)
	}
	c := s.Sides[1]
	if c.Side != settlement.Center || c.File != "all.tsv" || c.Line != 2 || c.Content == nil || c.RejectedAs != "" {
		t.Errorf("%+v", c)
	}
	parts := c.Content.Hifp + c.Content.Cvlserv + c.Content.Hifes + c.Content.Hifmi + c.Content.Hifob + c.Content.Maf + c.Content.Oth
	if parts != c.Content.FundPay || parts+c.Content.Account+c.Content.Cash != c.Content.Total || s.Remaining != parts+c.Content.Account-20_00 {
		t.Errorf("%+v, %s remain", c.Content, s.Remaining)
	}
	if got := s.Regions(); !slices.Equal(got, []string{c.Content.Insured, c.Content.Treating}) && !slices.Equal(got, []string{c.Content.Treating, c.Content.Insured}) {
		t.Error(got)
	}
	if s := story("R1"); s.State != settlement.StatePosted || len(s.Entries) != 1 || s.Remaining != 0 || len(s.Refunds) != 0 {
		t.Errorf("%+v", s)
	}
	if s := story("R2"); s.State != settlement.StateWaiting || s.Exception == nil || s.Exception.Kind != settlement.KindRefundWaiting || s.Exception.Original != "A1" {
		t.Errorf("%+v", s)
	}
	rejected := story("A2")
	if rejected.State != settlement.StateException || len(rejected.Sides) != 2 || rejected.Sides[0].RejectedAs != settlement.InvalidAmount ||
		rejected.Sides[0].Reason == "" || rejected.Sides[0].Content != nil || rejected.Sides[1].Content == nil || rejected.Exception.Kind != settlement.InvalidAmount {
		t.Errorf("%+v", rejected)
	}
	if s := story("A3"); s.State != settlement.StateException || s.Sides[0].RejectedAs != settlement.KindConflictingRow || s.Sides[0].Content == nil {
		t.Errorf("%+v", s)
	}
	if s := story("A4"); s.State != settlement.StateException || len(s.Regions()) != 0 || s.Remaining != 0 {
		t.Errorf("%+v", s)
	}
	if _, err := f.db.Pool.Exec(t.Context(), "UPDATE accepted_blocks SET run_id = '2025-01/in-province' WHERE 'A1' = ANY(setl_ids)"); err != nil {
		t.Fatal(err)
	}
	if s = story("A1"); s.Run != "2025-01/in-province" {
		t.Errorf("%+v", s)
	}
	_, _, err = f.Settlement(t.Context(), "NONE", 0)
	mustFail(t, err, fault.NotFound, "no file has a row of settlement NONE")
}

// TestAReportOfRegionsTellsNothingOfOthers compares each city's report with what
// the whole one and the lists tell of it.
func TestAReportOfRegionsTellsNothingOfOthers(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.load(t, settlement.Center, file(t, "c.tsv", text(bill("A1"), bill("A1"), bill("A2"), refund("R1", "NONE", "10.00"),
		bill("B1", "insu_admdvs", "320700", "mdtrtarea_admvs", "320600"), bill("B2", "insu_admdvs", "320700", "mdtrtarea_admvs", "320600"))))
	f.load(t, settlement.Treating, file(t, "t.tsv", text(bill("A1"), bill("A2", "fixmedins_code", "H2"), refund("R1", "NONE", "10.00"),
		bill("B1", "insu_admdvs", "320700", "mdtrtarea_admvs", "320600"))))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(bill("A1"), bill("A2"), refund("R1", "NONE", "10.00"),
		bill("B1", "insu_admdvs", "320700", "mdtrtarea_admvs", "320600"), bill("B2", "insu_admdvs", "320700", "mdtrtarea_admvs", "320600"))))
	f.load(t, settlement.Treating, file(t, "bad.tsv", text(bill("X1", "insu_admdvs", "999999"))))
	f.reconcile(t, "2025-01")
	report := func(regions []string) *settlement.MonthReport {
		t.Helper()
		r, err := f.MonthReportOf(t.Context(), "2025-01", regions)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	own := bill("A1")
	all, a, b, both, none := report(nil), report([]string{own["insu_admdvs"]}), report([]string{"320600"}),
		report([]string{own["mdtrtarea_admvs"], "320700"}), report([]string{})
	heads := func(r *settlement.MonthReport) string {
		return fmt.Sprint(r.Records, r.MatchedRecords, r.MatchedAmount, r.Exceptions, len(r.InProvince), len(r.InProvinceNet))
	}
	if none.Records != 0 || none.MatchedRecords != 0 || none.MatchedAmount != 0 || len(none.Exceptions)+len(none.ExceptionIDs)+len(none.InProvince)+len(none.InProvinceNet) != 0 {
		t.Errorf("%+v", none)
	}
	if a.MatchedRecords+b.MatchedRecords != all.MatchedRecords || a.MatchedAmount+b.MatchedAmount != all.MatchedAmount || a.Records+b.Records+1 != all.Records {
		t.Errorf("all %s, of two %s and %s", heads(all), heads(a), heads(b))
	}
	if fmt.Sprint(b.ExceptionIDs) != "map[missing_treating:[B2]]" || b.MatchedRecords != 1 || b.Records != 2 || len(b.InProvinceNet) == 0 {
		t.Errorf("%s: %+v", heads(b), b)
	}
	if fmt.Sprint(a.Exceptions) != "map[duplicate_row_ignored:1 fields_differ:1]" || a.MatchedRecords != 2 || a.Records != 2 {
		t.Errorf("%s: %+v", heads(a), a)
	}
	if fmt.Sprint(all.Exceptions) != "map[duplicate_row_ignored:1 fields_differ:1 missing_treating:1 unknown_region:1]" {
		t.Errorf("%+v", all.Exceptions)
	}
	for _, n := range both.InProvinceNet {
		if n.City != own["mdtrtarea_admvs"] && n.City != "320700" || !slices.Contains(all.InProvinceNet, n) {
			t.Errorf("%+v", n)
		}
	}
	if both.MatchedAmount != all.MatchedAmount || fmt.Sprint(both.InProvince) != fmt.Sprint(all.InProvince) {
		t.Errorf("%+v\n%+v", both, all)
	}
}
