package prepayment_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
)

func (f fixture) national(t testing.TB, kind prepayment.NationalKind, content string) *prepayment.NationalList {
	t.Helper()
	list, err := f.ImportNational(t.Context(), prepayment.NationalImport{Kind: kind, File: "national.tsv", Content: []byte(content), Date: day("2025-03-28"), By: "maker"})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func acceptance(list string) prepayment.NationalAcceptance {
	return prepayment.NationalAcceptance{List: list, Date: day("2025-03-29"), By: "checker", Reason: "以国家为准", Key: "accept-" + list}
}

func (f fixture) accept(t testing.TB, list string) {
	t.Helper()
	l, err := f.AcceptNational(t.Context(), acceptance(list))
	if err != nil || !l.Accepted || l.Replayed {
		t.Fatal(l, err)
	}
}

func (f fixture) remit(t testing.TB, notice, reference string, lines ...clearing.Line) (*clearing.Remittance, error) {
	t.Helper()
	return f.clearing.Remit(t.Context(), clearing.Payment{Notice: notice, Lines: lines, Date: day("2025-05-06"), Reference: reference})
}

func (f fixture) remitted(t testing.TB, notice, reference string, want accounts.Fen) {
	t.Helper()
	r, err := f.remit(t, notice, reference)
	if err != nil || r.Lines[0].Amount != want {
		t.Fatalf("%s: %+v %v", notice, r, err)
	}
}

const listHeader = "month\tprovince\tfund\tpayable\treceivable\n"

func TestProvinceIsPaidByTheNationalFigure(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-02", bill{nanjing, shanghai, 95_00}, bill{beijing, suzhou, 30_00})
	early := f.national(t, prepayment.ClearingList, listHeader+"2025-02\t310000\t310\t90.00\t0.00\n2025-02\t110000\t310\t0.00\t30.00\n")
	if early.Uncomparing == "" || len(early.Comparison) != 0 {
		t.Errorf("%+v", early)
	}
	_, err := f.AcceptNational(t.Context(), acceptance(early.ID))
	mention(t, err, fault.Precondition, "cannot be accepted yet")
	f.cleared(t, "2025-02")
	list, err := f.Prepayments.National(t.Context(), early.ID)
	if err != nil || len(list.Comparison) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	if d := list.Comparison[0]; d.Province != shanghai || d.Figure != "payable" || d.Ours != 95_00 || d.National != 90_00 || d.Difference != -5_00 || d.Line != 2 {
		t.Errorf("%+v", d)
	}
	const february = "2025-02/cross-out/310000/receive"
	f.remitted(t, "2025-02/cross-out/320100/pay", "city", 95_00)
	_, err = f.remit(t, february, "too early")
	mention(t, err, fault.Precondition, "90.00", "95.00", "accepted first")
	f.remitted(t, "2025-02/cross-in/110000/pay", "as both say", 30_00)

	maker := acceptance(early.ID)
	maker.By = "maker"
	_, err = f.AcceptNational(t.Context(), maker)
	mention(t, err, fault.Permission, "maker")
	without := acceptance(early.ID)
	without.Reason = ""
	_, err = f.AcceptNational(t.Context(), without)
	mention(t, err, fault.Invalid, "reason")
	f.accept(t, early.ID)
	if again, err := f.AcceptNational(t.Context(), acceptance(early.ID)); err != nil || !again.Replayed {
		t.Errorf("%+v %v", again, err)
	}
	_, err = f.remit(t, february, "more", clearing.Line{Fund: "310", Amount: 90_01})
	mention(t, err, fault.Insufficient, "90.00 may still be paid", "0.01 is more")
	f.remitted(t, february, "february", 90_00)
	_, err = f.remit(t, february, "rest")
	mention(t, err, fault.Insufficient, "0.00 may still be paid")

	// March: the national list has what it lacked in February.
	f.settle(t, "2025-03", bill{nanjing, shanghai, 20_00})
	f.cleared(t, "2025-03")
	f.remitted(t, "2025-03/cross-out/320100/pay", "city in march", 20_00)
	march := f.national(t, prepayment.ClearingList, listHeader+"2025-03\t310000\t310\t25.00\t0.00\n")
	f.accept(t, march.ID)
	f.remitted(t, "2025-03/cross-out/310000/receive", "march", 20_00)
	f.remitted(t, february, "rest", 5_00)
	if made, err := f.clearing.RemitAll(t.Context(), "2025-02", day("2025-05-06"), "all"); err != nil || len(made) != 1 { // the city of Beijing's patient
		t.Errorf("%+v %v", made, err)
	}
	for _, account := range []string{home + ".agency/310/2001.02", home + ".agency/310/9202.02", home + ".agency/310/9993"} {
		f.mustBe(t, account, 0)
	}
	f.mustBeWhole(t)
}

func TestOneWaitingProvinceHoldsNobodyElseUp(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-02", bill{nanjing, shanghai, 95_00}, bill{nanjing, beijing, 30_00})
	f.cleared(t, "2025-02")
	f.national(t, prepayment.ClearingList, listHeader+"2025-02\t310000\t310\t90.00\t0.00\n2025-02\t110000\t310\t30.00\t0.00\n")
	made, err := f.clearing.RemitAll(t.Context(), "2025-02", day("2025-05-06"), "all")
	mention(t, err, fault.Precondition, "310000")
	if len(made) != 2 { // Nanjing pays, Beijing is paid
		t.Errorf("%+v", made)
	}
	f.mustBeWhole(t)
}

func TestLaterListTakesThePlaceOfAnEarlierOne(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-02", bill{nanjing, shanghai, 95_00})
	f.cleared(t, "2025-02")
	wrong := f.national(t, prepayment.ClearingList, listHeader+"2025-02\t310000\t310\t90.00\t0.00\n")
	right := f.national(t, prepayment.ClearingList, listHeader+"2025-02\t310000\t310\t95.00\t0.00\n")
	if right.Replayed || len(right.Comparison) != 0 {
		t.Errorf("%+v", right)
	}
	if again := f.national(t, prepayment.ClearingList, listHeader+"2025-02\t310000\t310\t90.00\t0.00\n"); !again.Replayed || again.InForce {
		t.Errorf("%+v", again)
	}
	_, err := f.AcceptNational(t.Context(), acceptance(wrong.ID))
	mention(t, err, fault.Precondition, "taken the place")
	f.remitted(t, "2025-02/cross-out/320100/pay", "city", 95_00)
	f.remitted(t, "2025-02/cross-out/310000/receive", "province", 95_00) // agrees, so nobody needs to accept it
}

func TestPlanHasTheNationalQuotas(t *testing.T) {
	t.Parallel()
	f := open(t)
	request := prepayment.PlanRequest{Year: 2025, Scheme: prepayment.CrossProvince, File: f.yearly(t, 2025), By: "clerk"}
	list := f.national(t, prepayment.QuotaNotice, "year\tprovince\tfund\tquota\tadjustment\n2025\t310000\t310\t120.01\t120.01\n2025\t110000\t310\t8.00\t8.00\n")
	_, err := f.MakePlan(t.Context(), request)
	mention(t, err, fault.Precondition, list.ID, "nobody has accepted")
	f.accept(t, list.ID)
	plan, err := f.MakePlan(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.National) != 2 || plan.National[1].Ours != 100_00 || plan.National[1].National != 120_01 {
		t.Errorf("%+v", plan.National)
	}
	for id, amount := range map[string]accounts.Fen{"2025/cross-province/310000/receive": 120_01, "2025/cross-province/110000/receive": 8_00,
		"2025/cross-province/320100/pay": 96_01, "2025/cross-province/320500/pay": 32_00} {
		if n := f.notice(t, id); n.Amount != amount {
			t.Errorf("%s is %s, want %s", id, n.Amount, amount)
		}
	}
	late := f.national(t, prepayment.QuotaNotice, "year\tprovince\tfund\tquota\tadjustment\n2025\t310000\t310\t1.00\t1.00\n")
	_, err = f.AcceptNational(t.Context(), acceptance(late.ID))
	mention(t, err, fault.Precondition, "made already")
}

func TestTopUpIsApprovedAtTheNationalAmount(t *testing.T) {
	t.Parallel()
	f := prepaid(t)
	id := f.red(t, "2025-02", 95_00)
	if _, err := f.Propose(t.Context(), f.step(id, "2025-03-31", "maker", 60_00)); err != nil {
		t.Fatal(err)
	}
	list := f.national(t, prepayment.ApprovedTopUps, "month\tprovince\tfund\tamount\n2025-02\t310000\t310\t50.00\n")
	if len(list.Comparison) != 1 || list.Comparison[0].Ours != 60_00 {
		t.Errorf("%+v", list.Comparison)
	}
	_, err := f.Approve(t.Context(), f.step(id, "2025-04-01", "checker", 60_00))
	mention(t, err, fault.Precondition, "60.00 is to be approved", "50.00")
	if _, err := f.Approve(t.Context(), f.step(id, "2025-04-01", "checker", 50_00)); err != nil {
		t.Error(err)
	}
}

func TestNationalFilesNameTheBadField(t *testing.T) {
	t.Parallel()
	f := open(t)
	for name, c := range map[string]struct {
		kind          prepayment.NationalKind
		content, want string
	}{
		"unknown kind":       {"list", "", "none of the national lists"},
		"empty":              {prepayment.ClearingList, "", "national.tsv:1:month"},
		"no rows":            {prepayment.ClearingList, listHeader, "national.tsv:1:month: the list has no rows"},
		"no payable":         {prepayment.ClearingList, "month\tprovince\tfund\treceivable\n", "national.tsv:1:payable"},
		"a month":            {prepayment.ClearingList, listHeader + "2025\t310000\t310\t1.00\t0.00\n", "national.tsv:2:month"},
		"two months":         {prepayment.ClearingList, listHeader + "2025-02\t310000\t310\t1.00\t0.00\n2025-03\t310000\t390\t1.00\t0.00\n", "national.tsv:3:month"},
		"a city":             {prepayment.ClearingList, listHeader + "2025-02\t320100\t310\t1.00\t0.00\n", "national.tsv:2:province"},
		"unknown fund":       {prepayment.ClearingList, listHeader + "2025-02\t310000\t999\t1.00\t0.00\n", "national.tsv:2:fund"},
		"a third decimal":    {prepayment.ClearingList, listHeader + "2025-02\t310000\t310\t1.001\t0.00\n", "national.tsv:2:payable"},
		"nothing":            {prepayment.ClearingList, listHeader + "2025-02\t310000\t310\t1.00\t\n", "national.tsv:2:receivable"},
		"a figure twice":     {prepayment.ClearingList, listHeader + "2025-02\t310000\t310\t1.00\t0.00\n2025-02\t310000\t310\t1.00\t0.00\n", "national.tsv:3:province: province and fund stand in line 2"},
		"a short row":        {prepayment.ClearingList, listHeader + "2025-02\t310000\n", "national.tsv:2:month: the row has 2 fields"},
		"a year":             {prepayment.QuotaNotice, "year\tprovince\tfund\tquota\tadjustment\nMMXXV\t310000\t310\t1.00\t1.00\n", "national.tsv:2:year"},
		"without adjustment": {prepayment.QuotaNotice, "year\tprovince\tfund\tquota\n", "national.tsv:1:adjustment"},
	} {
		_, err := f.ImportNational(t.Context(), prepayment.NationalImport{Kind: c.kind, File: "national.tsv", Content: []byte(c.content), Date: day("2025-03-28"), By: "maker"})
		if err == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mention(t, err, fault.Invalid, c.want)
	}
}
