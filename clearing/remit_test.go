package clearing_test

import (
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

const (
	nanjing, wuxi, suzhou = "320100", "320200", "320500"
	beijing, shanghai     = "110000", "310000"
)

// small is a month in which Nanjing owes 100.00 net, Wuxi gets 70.00 and
// Suzhou 30.00, all in fund 310.
func small() []bill {
	return []bill{
		{insured: nanjing, treating: wuxi, insutype: "310", med: "11", pooled: 60_00, account: 40_00},
		{insured: nanjing, treating: suzhou, insutype: "310", med: "21", pooled: 50_00},
		{insured: wuxi, treating: nanjing, insutype: "310", med: "14", pooled: 30_00},
		{insured: suzhou, treating: nanjing, insutype: "310", med: "41", account: 20_00},
	}
}

const (
	nanjingPays = "2025-01/in-province/320100/pay"
	wuxiGets    = "2025-01/in-province/320200/receive"
	suzhouGets  = "2025-01/in-province/320500/receive"
)

func TestNetClearingIsPaidInParts(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	f.clear(t, "2025-01")
	f.mustBe(t, "320100.agency/310/9101.02", -150_00)
	f.mustBe(t, "320100.agency/310/9101.01", 0)

	f.pay(t, nanjingPays, in310(40_00))
	// The first payment offsets the whole receivable: 50.00 + 40.00 discharged.
	f.mustBe(t, "320100.agency/310/9101.02", -60_00)
	f.mustBe(t, "320100.agency/310/9001.02", 0)
	f.mustBe(t, "320100.agency/310/5001", 90_00)
	f.mustBe(t, "320100.agency/310/1101.03", -50_00)
	f.mustBe(t, home+".agency/310/2001.02.01/320100", -40_00)
	if n := f.notice(t, nanjingPays); n.Open != 60_00 || n.Lines[0].Paid != 40_00 || len(n.Paid) != 1 {
		t.Errorf("the notice stands at %+v", n)
	}
	f.mustBeWhole(t, false)

	f.pay(t, suzhouGets)
	f.mustBe(t, home+".agency/310/2001.02.01/320100", -10_00)
	f.mustBe(t, "320500.agency/310/5001.05", 20_00)
	f.pay(t, nanjingPays)
	// Expense stands gross, by category: 60.00 of 11, 40.00 from accounts, 50.00 of 21.
	f.mustBe(t, "320100.agency/310/5001.02", 60_00)
	f.mustBe(t, "320100.agency/310/5001.05", 40_00)
	f.mustBe(t, "320100.agency/310/5001.01", 50_00)
	f.pay(t, wuxiGets)
	f.mustBeWhole(t, true)
}

func TestPoolPaysCreditorsAndIsRefilled(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	f.clear(t, "2025-01")
	f.refuse(t, f.payment(wuxiGets), fault.Insufficient, wuxiGets, "fund 310", "70.00 was asked (70.00 open)",
		"holds 0.00 of this run", "pool can give 0.00", "70.00 is missing")

	f.event(t, "prepayment.paid.in_province", map[string]string{"I": suzhou, "P": home}, 50_00)
	f.refuse(t, f.payment(wuxiGets), fault.Insufficient, "pool can give 50.00", "20.00 is missing")
	f.pay(t, wuxiGets, in310(45_00))
	f.mustBe(t, home+".agency/310/2001.04.01", 45_00)
	f.mustBeWhole(t, false)
	f.refuse(t, f.payment(suzhouGets), fault.Insufficient, "pool can give 5.00", "25.00 is missing")

	f.pay(t, nanjingPays, in310(30_00)) // refills, nothing is left to hold
	f.mustBe(t, home+".agency/310/2001.04.01", 15_00)
	f.mustBe(t, home+".agency/310/2001.02.01/320100", 0)
	f.pay(t, nanjingPays)
	f.mustBe(t, home+".agency/310/2001.04.01", 0)
	f.mustBe(t, home+".agency/310/2001.02.01/320100", -55_00)
	f.pay(t, wuxiGets)
	f.pay(t, suzhouGets)
	f.mustBeWhole(t, true)
}

// The first money of a later run does not refill what an earlier one has used.
func TestReceiptRefillsItsOwnRunOnly(t *testing.T) {
	f := open(t)
	f.event(t, "prepayment.paid.in_province", map[string]string{"I": suzhou, "P": home}, 100_00)
	for _, month := range []accounts.Month{"2025-01", "2025-02"} {
		f.settle(t, month, small()...)
		f.clear(t, month)
	}
	f.pay(t, wuxiGets)
	f.pay(t, "2025-02/in-province/320100/pay")
	f.mustBe(t, home+".agency/310/2001.04.01", 70_00)
	f.mustBe(t, home+".agency/310/2001.02.01/320100", -100_00)
	f.mustBeWhole(t, false)
	for _, month := range []accounts.Month{"2025-01", "2025-02"} {
		if _, err := f.RemitAll(t.Context(), month, month.Add(3).First(), "rest"); err != nil {
			t.Fatal(err)
		}
	}
	f.mustBeWhole(t, true)
}

func TestRefusalsOfPayments(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	f.clear(t, "2025-01")
	refuse := func(kind fault.Kind, change func(*clearing.Payment), texts ...string) {
		t.Helper()
		p := f.payment(nanjingPays)
		change(&p)
		f.refuse(t, p, kind, texts...)
	}
	refuse(fault.Insufficient, func(p *clearing.Payment) { p.Lines = []clearing.Line{in310(100_01)} },
		nanjingPays, "fund 310", "100.01 was asked and 100.00 is open", "0.01 is more than is owed")
	refuse(fault.Invalid, func(p *clearing.Payment) { p.Lines = []clearing.Line{in310(-1)} }, "the sign is not that of the notice")
	refuse(fault.Invalid, func(p *clearing.Payment) { p.Lines = []clearing.Line{in310(0)} }, "0.00 pays nothing")
	refuse(fault.Invalid, func(p *clearing.Payment) { p.Lines = []clearing.Line{in310(1), in310(2)} }, "fund 310 is given twice")
	refuse(fault.NotFound, func(p *clearing.Payment) { p.Lines = []clearing.Line{{Fund: "390", Amount: 1}} }, "has no amount in fund 390")
	refuse(fault.NotFound, func(p *clearing.Payment) { p.Notice = "2025-01/in-province/320400/pay" }, "no notice 2025-01/in-province/320400/pay")
	refuse(fault.Invalid, func(p *clearing.Payment) { p.Counterparty = shanghai }, "not paid by counterparty")
	refuse(fault.Invalid, func(p *clearing.Payment) { p.Reference = "" }, "needs the bank's reference")
	refuse(fault.Invalid, func(p *clearing.Payment) { p.Date = p.Date.AddDays(-100) }, "lies before notice")
	f.pay(t, nanjingPays)
	refuse(fault.Insufficient, func(p *clearing.Payment) {}, "nothing is open on notice "+nanjingPays)
	refuse(fault.Insufficient, func(p *clearing.Payment) { p.Lines = []clearing.Line{in310(1)} }, "0.01 was asked and 0.00 is open")
	f.mustBeWhole(t, false)
}

// A city whose bank account is too small is refused by the journal, and
// nothing of the payment stays.
func TestPayerNeedsTheMoney(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", bill{insured: nanjing, treating: wuxi, insutype: "310", med: "21", pooled: 10_000_000_01})
	f.clear(t, "2025-01")
	f.refuse(t, f.payment(nanjingPays), fault.Insufficient, "320100.")
	if n := f.notice(t, nanjingPays); n.Open != 10_000_000_01 {
		t.Errorf("%s is open after the refusal", n.Open)
	}
	f.mustBeWhole(t, false)
}

func TestSameReferenceIsOneRemittance(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	f.clear(t, "2025-01")
	p := f.payment(nanjingPays, in310(40_00))
	first, err := f.Remit(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Remit(t.Context(), p)
	if err != nil || !again.Replayed || again.Entries[0] != first.Entries[0] || again.Lines[0] != first.Lines[0] {
		t.Fatalf("the replay gives %+v, %v", again, err)
	}
	if n := f.notice(t, nanjingPays); n.Open != 60_00 {
		t.Errorf("%s is open after the replay", n.Open)
	}
	p.Lines = []clearing.Line{in310(41_00)}
	f.refuse(t, p, fault.AlreadyExists, "recorded already", "amounts is \"310=40.00\" there, \"310=41.00\" here")
	all := f.payment(nanjingPays)
	f.pay(t, wuxiGets, in310(40_00))
	for range 2 {
		r, err := f.Remit(t.Context(), all)
		if err != nil || r.Lines[0].Amount != 60_00 {
			t.Fatalf("all that is open gives %+v, %v", r, err)
		}
	}
	f.mustBeWhole(t, false)
}

func TestCrossProvinceMoneyPassesThroughTheProvince(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01",
		bill{insured: nanjing, treating: shanghai, insutype: "310", med: "21", pooled: 70_00},
		bill{insured: nanjing, treating: beijing, insutype: "310", med: "11", pooled: 20_00, account: 10_00},
		bill{insured: wuxi, treating: shanghai, insutype: "390", med: "21", pooled: 5_00},
		bill{insured: shanghai, treating: wuxi, insutype: "310", med: "21", pooled: 40_00},
		bill{insured: beijing, treating: wuxi, insutype: "310", med: "21", pooled: 10_00},
		bill{insured: beijing, treating: suzhou, insutype: "310", med: "21", pooled: 8_00})
	f.clear(t, "2025-01")
	const out, in = "2025-01/cross-out/", "2025-01/cross-in/"
	f.refuse(t, f.payment(out+shanghai+"/receive"), fault.Insufficient, "holds 0.00 of this run", "70.00 is missing")
	f.pay(t, out+nanjing+"/pay", in310(50_00))
	f.mustBe(t, "320100.agency/310/9101.02/310000", -35_00) // half of 70.00
	f.pay(t, out+shanghai+"/receive", in310(45_00))
	f.refuse(t, f.payment(out+beijing+"/receive"), fault.Insufficient, "holds 5.00", "25.00 is missing")
	f.mustBeWhole(t, false)

	f.refuse(t, f.payment(in+wuxi+"/receive"), fault.Insufficient, "holds 0.00", "pool can give 0.00")
	f.event(t, "prepayment.received.cross", map[string]string{"P": home, "X": shanghai}, 100_00)
	one := f.payment(in + wuxi + "/receive")
	one.Counterparty = shanghai
	if _, err := f.Remit(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	f.mustBe(t, home+".agency/310/2001.04.02/310000", 40_00)
	f.mustBe(t, home+".finance/310/2001.04/310000", 40_00)
	f.mustBe(t, "320200.agency/310/9001.02/110000", 10_00)
	f.pay(t, in+shanghai+"/pay")
	f.mustBe(t, home+".agency/310/2001.04.02/310000", 0)
	f.mustBe(t, home+".agency/310/2001.02.02/310000", 0)
	f.mustBeWhole(t, false)
	if _, err := f.RemitAll(t.Context(), "2025-01", small2025, "all"); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, true)
}

var small2025 = accounts.Month("2025-04").First()

func TestRemitAllGoesOnWhereItStopped(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	f.clear(t, "2025-01")
	for i, want := range []int{3, 0} {
		made, err := f.RemitAll(t.Context(), "2025-01", small2025, "all")
		if err != nil || len(made) != want {
			t.Fatalf("call %d made %d remittances: %v", i, len(made), err)
		}
	}
	if !strings.HasPrefix(f.notice(t, wuxiGets).Paid[0].Reference, "all:") {
		t.Error("the reference does not begin with the given one")
	}
	f.mustBeWhole(t, true)
}

func TestWhatWasRemittedUnderAReferenceIsFoundByIt(t *testing.T) {
	t.Parallel()
	f := cleared(t)
	f.pay(t, nanjingPays, in310(1_00)) // of no RemitAll
	under := func(reference string) []*clearing.Remittance {
		t.Helper()
		list, err := f.RemittedUnder(t.Context(), "2025-01", small2025, reference)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := under("a:b"); len(list) != 0 {
		t.Errorf("%v", list)
	}
	made, err := f.RemitAll(t.Context(), "2025-01", small2025, "a:b")
	if err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]int{"a:b": len(made), "a": 0, "a:": 0, "a:b:": 0, "%": 0, "": 0} {
		if list := under(reference); len(list) != want {
			t.Errorf("under %q: %d, want %d", reference, len(list), want)
		}
	}
	_, err = f.RemittedUnder(t.Context(), "2025-01", small2025.AddDays(1), "a:b")
	mention(t, err, fault.AlreadyExists, `reference "a:b" stands with a remittance`)
	_, err = f.RemittedUnder(t.Context(), "2025-02", small2025, "a:b")
	mention(t, err, fault.NotFound, "no notices of service month 2025-02")
}
