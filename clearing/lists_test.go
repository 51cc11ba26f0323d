package clearing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/clearing"
	"fundledger/internal/fault"
)

// cleared is a month with bills of every kind, cleared.
func cleared(t testing.TB) fixture {
	t.Helper()
	f := open(t)
	f.settle(t, "2025-01", append(small(),
		bill{insured: nanjing, treating: shanghai, insutype: "310", med: "21", pooled: 70_00},
		bill{insured: shanghai, treating: nanjing, insutype: "310", med: "21", pooled: 40_00})...)
	f.clear(t, "2025-01")
	return f
}

func noticeIDs(t testing.TB, f fixture, query clearing.NoticeQuery) (ids []string) {
	t.Helper()
	for query.PageSize = 2; ; {
		page, err := f.PageOfNotices(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Notices {
			ids = append(ids, n.ID)
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return ids
		}
	}
}

func TestNoticesAreListedByWhatIsAskedOfThem(t *testing.T) {
	t.Parallel()
	f := cleared(t)
	all, err := f.Notices(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	f.pay(t, nanjingPays)
	date := civil.Date{Year: 2025, Month: 3, Day: 7}
	paid := f.notice(t, nanjingPays)
	for _, c := range []struct {
		query clearing.NoticeQuery
		fits  func(clearing.Notice) bool
	}{
		{clearing.NoticeQuery{}, func(clearing.Notice) bool { return true }},
		{clearing.NoticeQuery{Month: "2025-02"}, func(clearing.Notice) bool { return false }},
		{clearing.NoticeQuery{Month: "2025-01", Kind: clearing.CrossOut}, func(n clearing.Notice) bool { return n.Run == "2025-01/cross-out" }},
		{clearing.NoticeQuery{Run: "2025-01/in-province"}, func(n clearing.Notice) bool { return n.Run == "2025-01/in-province" }},
		{clearing.NoticeQuery{Party: nanjing}, func(n clearing.Notice) bool { return n.Party == nanjing }},
		{clearing.NoticeQuery{Direction: clearing.Receive}, func(n clearing.Notice) bool { return n.Direction == clearing.Receive }},
		{clearing.NoticeQuery{OpenOnly: true}, func(n clearing.Notice) bool { return n.ID != nanjingPays }},
		{clearing.NoticeQuery{DueUntil: date}, func(n clearing.Notice) bool { return n.Due.IsZero() || !n.Due.After(date) }},
		{clearing.NoticeQuery{Regions: []string{nanjing}}, func(n clearing.Notice) bool { return n.Party == nanjing }},
		{clearing.NoticeQuery{Regions: []string{home}}, func(n clearing.Notice) bool { return n.Party == shanghai }},
		{clearing.NoticeQuery{Regions: []string{nanjing}, Party: wuxi}, func(clearing.Notice) bool { return false }},
		{clearing.NoticeQuery{Regions: []string{}}, func(clearing.Notice) bool { return false }},
	} {
		var want []string
		for _, n := range all {
			if c.fits(n) {
				want = append(want, n.ID)
			}
		}
		if got := noticeIDs(t, f, c.query); !slices.Equal(got, want) {
			t.Errorf("%+v:\n%v\nwant\n%v", c.query, got, want)
		}
	}
	page, err := f.PageOfNotices(t.Context(), clearing.NoticeQuery{Party: nanjing, Run: "2025-01/in-province"})
	if err != nil || len(page.Notices) != 1 || page.Notices[0].Open != 0 || page.Notices[0].Amount != paid.Amount || len(page.Notices[0].Paid) != 0 || !page.Notices[0].Closed() {
		t.Errorf("%+v %v", page, err)
	}
	n, at, err := f.Notice(t.Context(), nanjingPays, 1)
	if err != nil || at < 1 || fmt.Sprint(n) != fmt.Sprint(paid) || len(n.Paid) != 1 {
		t.Errorf("%+v\nwant\n%+v at %d, %v", n, paid, at, err)
	}
	_, _, err = f.Notice(t.Context(), "none", 0)
	mention(t, err, fault.NotFound, "there is no notice none")
	_, err = f.PageOfNotices(t.Context(), clearing.NoticeQuery{PageToken: "x"})
	mention(t, err, fault.Invalid, "was not given out by a list of notices")
	_, err = f.PageOfNotices(t.Context(), clearing.NoticeQuery{AtLeast: 9999})
	mention(t, err, fault.NotFound, "9999 was asked")
}

func TestRemittancesAreListedAsRecorded(t *testing.T) {
	t.Parallel()
	f := cleared(t)
	first := f.pay(t, nanjingPays, in310(1_00))
	second := f.pay(t, nanjingPays)
	abroad := f.pay(t, "2025-01/cross-in/"+shanghai+"/pay")
	list := func(query clearing.RemittanceQuery) (refs []string) {
		t.Helper()
		for query.PageSize = 1; ; {
			page, err := f.Remittances(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Remittances {
				refs = append(refs, r.Reference)
				for _, made := range []*clearing.Remittance{first, second, abroad} {
					if made.Reference == r.Reference && fmt.Sprint(*made) != fmt.Sprint(*r) {
						t.Errorf("%+v, made was %+v", *r, *made)
					}
				}
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return refs
			}
		}
	}
	a, b, x := first.Reference, second.Reference, abroad.Reference
	for _, c := range []struct {
		query clearing.RemittanceQuery
		want  []string
	}{
		{clearing.RemittanceQuery{}, []string{x, a, b}},
		{clearing.RemittanceQuery{Month: "2025-02"}, nil},
		{clearing.RemittanceQuery{Run: "2025-01/cross-in"}, []string{x}},
		{clearing.RemittanceQuery{Notice: nanjingPays}, []string{a, b}},
		{clearing.RemittanceQuery{Party: shanghai}, []string{x}},
		{clearing.RemittanceQuery{Reference: b}, []string{b}},
		{clearing.RemittanceQuery{From: first.Date.AddDays(1)}, nil},
		{clearing.RemittanceQuery{From: first.Date, To: first.Date}, []string{x, a, b}},
		{clearing.RemittanceQuery{To: first.Date.AddDays(-1)}, nil},
		{clearing.RemittanceQuery{Regions: []string{nanjing}}, []string{a, b}},
		{clearing.RemittanceQuery{Regions: []string{home}}, []string{x}},
		{clearing.RemittanceQuery{Regions: []string{wuxi}}, nil},
	} {
		if got := list(c.query); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.query, got, c.want)
		}
	}
	_, err := f.Remittances(t.Context(), clearing.RemittanceQuery{PageToken: "x"})
	mention(t, err, fault.Invalid, "was not given out by a list of remittances")
}

func TestRunsAreListedInTheOrderOfTheirClearing(t *testing.T) {
	t.Parallel()
	f := cleared(t)
	f.settle(t, "2025-02", small()...)
	f.clear(t, "2025-02")
	list := func(query clearing.RunQuery) string {
		t.Helper()
		var ids []string
		for query.PageSize = 2; ; {
			page, err := f.PageOfRuns(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Runs {
				ids = append(ids, r.ID)
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return strings.Join(ids, " ")
			}
		}
	}
	for _, c := range []struct {
		query clearing.RunQuery
		want  string
	}{
		{clearing.RunQuery{}, "2025-01/in-province 2025-01/cross-out 2025-01/cross-in 2025-02/in-province 2025-02/cross-out 2025-02/cross-in"},
		{clearing.RunQuery{Month: "2025-02"}, "2025-02/in-province 2025-02/cross-out 2025-02/cross-in"},
		{clearing.RunQuery{Kind: clearing.CrossOut, State: clearing.Frozen}, "2025-01/cross-out 2025-02/cross-out"},
		{clearing.RunQuery{State: clearing.Collecting}, ""},
	} {
		if got := list(c.query); got != c.want {
			t.Errorf("%+v: %s, want %s", c.query, got, c.want)
		}
	}
	_, err := f.PageOfRuns(t.Context(), clearing.RunQuery{PageToken: "x"})
	mention(t, err, fault.Invalid, "was not given out by a list of runs")
}

func TestARunShowsItsTablesToWhoMaySeeThem(t *testing.T) {
	t.Parallel()
	f := cleared(t)
	documents, err := f.Documents(t.Context(), "2025-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		run, _, err := f.RunTables(t.Context(), d.Run.ID, nil, 1)
		if err != nil || run.Run != d.Run || run.Notices != int64(len(d.Notices)) {
			t.Errorf("%+v %v", run, err)
		}
		single, err := f.RunDocuments(t.Context(), d.Run.ID)
		if err != nil || fmt.Sprint(single.Notices, single.Carried) != fmt.Sprint(d.Notices, d.Carried) {
			t.Errorf("%+v %v", single, err)
		}
		own, _, err := f.RunTables(t.Context(), d.Run.ID, []string{nanjing}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if d.Run.Kind == clearing.InProvince {
			if fmt.Sprint(*run.Balance) != fmt.Sprint(*d.Balance) || run.Detail != nil || len(run.Balance.Rows) < 2 {
				t.Errorf("%+v", run)
			}
			if b := own.Balance; len(b.Rows) == 0 || b.Funds != nil || b.Total != (clearing.BalanceRow{}) ||
				slices.ContainsFunc(b.Rows, func(r clearing.BalanceRow) bool { return r.City != nanjing }) {
				t.Errorf("%+v", b)
			}
			continue
		}
		if fmt.Sprint(*run.Detail) != fmt.Sprint(*d.Detail) || run.Balance != nil || len(run.Detail.Rows) == 0 {
			t.Errorf("%+v", run)
		}
		if none, _, err := f.RunTables(t.Context(), d.Run.ID, []string{wuxi}, 0); err != nil || len(none.Detail.Rows)+len(none.Detail.Cities) != 0 || none.Detail.Total != (clearing.DetailTotal{}) {
			t.Errorf("%+v %v", none, err)
		}
	}
	_, _, err = f.RunTables(t.Context(), "none", nil, 0)
	mention(t, err, fault.NotFound, "there is no clearing run none")
	_, err = f.RunDocuments(t.Context(), "none")
	mention(t, err, fault.NotFound, "there is no clearing run none")
}

func TestCarriedOverRecordsAreListedOldestFirst(t *testing.T) {
	t.Parallel()
	f := open(t)
	old := f.settle(t, "2024-10", bill{insured: nanjing, treating: wuxi, insutype: "310", med: "21", pooled: 1_00}, bill{insured: wuxi, treating: suzhou, insutype: "310", med: "21", pooled: 2_00})
	late := f.settle(t, "2025-01", bill{insured: suzhou, treating: wuxi, insutype: "310", med: "21", pooled: 3_00})
	f.settle(t, "2025-02", small()...)
	f.clear(t, "2025-02")
	list := func(query clearing.CarriedOverQuery) (ids []string) {
		t.Helper()
		query.Run = "2025-02/in-province"
		for query.PageSize = 1; ; {
			page, err := f.CarriedOver(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				ids = append(ids, r.SetlID)
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return ids
			}
		}
	}
	for _, c := range []struct {
		query clearing.CarriedOverQuery
		want  []string
	}{
		{clearing.CarriedOverQuery{}, append(slices.Clone(old), late...)},
		{clearing.CarriedOverQuery{OverdueOnly: true}, old},
		{clearing.CarriedOverQuery{Regions: []string{suzhou}}, []string{old[1], late[0]}},
		{clearing.CarriedOverQuery{Regions: []string{nanjing}}, old[:1]},
		{clearing.CarriedOverQuery{Regions: []string{}}, nil},
	} {
		if got := list(c.query); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.query, got, c.want)
		}
	}
	run, _, err := f.RunTables(t.Context(), "2025-02/in-province", nil, 0)
	if err != nil || run.CarriedOver != 3 || run.Overdue != 2 {
		t.Errorf("%+v %v", run, err)
	}
	_, err = f.CarriedOver(t.Context(), clearing.CarriedOverQuery{Run: "none"})
	mention(t, err, fault.NotFound, "there is no clearing run none")
	_, err = f.CarriedOver(t.Context(), clearing.CarriedOverQuery{Run: "none", PageToken: "x"})
	mention(t, err, fault.Invalid, "was not given out")
}
