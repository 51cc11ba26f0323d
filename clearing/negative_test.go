package clearing_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

// refundsIn posts the bills in January, pays January, and refunds some of
// them in February beside the bills of February.
func (f fixture) refundsIn(t *testing.T, january, february []bill) {
	t.Helper()
	for i := range january {
		january[i].id = "A" + string(rune('a'+i))
	}
	f.settle(t, "2025-01", january...)
	f.clear(t, "2025-01")
	if _, err := f.RemitAll(t.Context(), "2025-01", accounts.Month("2025-03").First(), "january"); err != nil {
		t.Fatal(err)
	}
	for i := range february {
		if original := february[i].refundOf; original != "" {
			b := january[original[1]-'a']
			b.id, b.refundOf, b.pooled, b.account = "", original, -b.pooled, -b.account
			february[i] = b
		}
	}
	f.settle(t, "2025-02", february...)
	f.clear(t, "2025-02")
}

func TestNegativeTotalsInTheProvince(t *testing.T) {
	f := open(t)
	f.refundsIn(t, small(), []bill{
		{refundOf: "Aa"}, {refundOf: "Ab"}, // Nanjing is owed 150.00 back
		{insured: wuxi, treating: nanjing, insutype: "310", med: "11", pooled: 10_00},
	})
	// Nanjing: payable -150.00, receivable 10.00. Wuxi: payable 10.00, receivable -100.00.
	const wuxiPays, nanjingGets = "2025-02/in-province/320200/pay", "2025-02/in-province/320100/receive"
	if n := f.notice(t, wuxiPays); n.Amount != 110_00 {
		t.Fatalf("Wuxi pays %s", n.Amount)
	}
	f.pay(t, wuxiPays, in310(4_00)) // its own debt first
	f.mustBe(t, "320200.agency/310/9101.02", -6_00)
	f.mustBe(t, "320200.agency/310/9001.02", -100_00)
	f.pay(t, nanjingGets, in310(3_00))
	f.mustBeWhole(t, false)
	f.pay(t, wuxiPays)
	f.pay(t, "2025-02/in-province/320500/pay")
	f.pay(t, nanjingGets)
	f.mustBe(t, "320100.agency/310/5001", 0)
	f.mustBeWhole(t, true)
}

func TestNegativeTotalsBetweenProvinces(t *testing.T) {
	f := open(t)
	f.refundsIn(t, []bill{
		{insured: nanjing, treating: shanghai, insutype: "310", med: "21", pooled: 70_00},
		{insured: shanghai, treating: nanjing, insutype: "310", med: "21", pooled: 40_00},
	}, []bill{
		{refundOf: "Aa"}, {refundOf: "Ab"},
		{insured: nanjing, treating: beijing, insutype: "310", med: "21", pooled: 20_00},
		{insured: beijing, treating: nanjing, insutype: "310", med: "21", pooled: 10_00},
		{insured: wuxi, treating: beijing, insutype: "310", med: "21", pooled: 5_00},
	})
	const out, in = "2025-02/cross-out/", "2025-02/cross-in/"
	for id, want := range map[string]accounts.Fen{
		out + nanjing + "/receive": 50_00, out + wuxi + "/pay": 5_00, out + shanghai + "/pay": 70_00, out + beijing + "/receive": 25_00,
		in + nanjing + "/pay": 30_00, in + shanghai + "/receive": 40_00, in + beijing + "/pay": 10_00,
	} {
		if n := f.notice(t, id); n.Amount != want {
			t.Errorf("%s is %s, want %s", id, n.Amount, want)
		}
	}
	f.refuse(t, f.payment(out+nanjing+"/receive"), fault.Insufficient, "50.00 is missing")
	f.pay(t, out+shanghai+"/pay", in310(60_00))
	f.pay(t, out+nanjing+"/receive", in310(20_00))
	f.refuse(t, f.payment(in+shanghai+"/receive"), fault.Insufficient, "40.00 is missing")
	f.refuse(t, f.payment(in+nanjing+"/pay"), fault.Insufficient, "10.00 is missing") // Beijing's share needs Beijing's money
	f.pay(t, in+beijing+"/pay")
	f.pay(t, in+nanjing+"/pay", in310(15_00))
	f.mustBeWhole(t, false)
	if _, err := f.RemitAll(t.Context(), "2025-02", small2025, "rest"); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, true)
}

// What comes to nothing is discharged when the run is frozen, except where one
// province's money must first come to pay another one's refund.
func TestTotalsOfZero(t *testing.T) {
	f := open(t)
	f.refundsIn(t, []bill{
		{insured: nanjing, treating: shanghai, insutype: "310", med: "21", pooled: 70_00},
		{insured: shanghai, treating: nanjing, insutype: "310", med: "21", pooled: 40_00},
	}, []bill{
		{refundOf: "Aa"}, {refundOf: "Ab"},
		{insured: nanjing, treating: beijing, insutype: "310", med: "11", pooled: 70_00},
		{insured: beijing, treating: nanjing, insutype: "310", med: "21", pooled: 40_00},
		{insured: wuxi, treating: suzhou, insutype: "310", med: "21", pooled: 9_00},
		{insured: suzhou, treating: wuxi, insutype: "310", med: "21", pooled: 9_00},
	})
	f.mustBe(t, "320200.agency/310/5001", 9_00)
	f.mustBe(t, "320200.agency/310/9101.02", 0)
	f.mustBe(t, "320100.agency/310/9101.02", 0)
	f.mustBe(t, "320100.agency/310/9001.02/110000", 40_00)
	f.mustBeWhole(t, false)
	const waits = "2025-02/cross-in/320100/receive"
	if n := f.notice(t, waits); n.Amount != 0 || n.Closed() {
		t.Fatalf("the notice of 0.00 is %+v", n)
	}
	f.refuse(t, f.payment(waits), fault.Insufficient, "40.00 is missing")
	f.pay(t, "2025-02/cross-in/110000/pay")
	f.pay(t, waits)
	f.mustBe(t, home+".agency/310/2001.02.02/310000", -40_00)
	f.pay(t, "2025-02/cross-in/310000/receive")
	if _, err := f.RemitAll(t.Context(), "2025-02", small2025, "rest"); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, true)
}

// Two cities that each wait for money the other one's refund sets free.
func TestRemitAllBreaksARingOfRefunds(t *testing.T) {
	f := open(t)
	f.refundsIn(t, []bill{
		{insured: shanghai, treating: nanjing, insutype: "310", med: "21", pooled: 20_00},
		{insured: beijing, treating: wuxi, insutype: "310", med: "21", pooled: 5_00},
	}, []bill{
		{refundOf: "Aa"}, {refundOf: "Ab"},
		{insured: beijing, treating: nanjing, insutype: "310", med: "21", pooled: 5_00},
		{insured: shanghai, treating: wuxi, insutype: "310", med: "21", pooled: 20_00},
	})
	for _, id := range []string{"2025-02/cross-in/320100/pay", "2025-02/cross-in/320200/receive"} {
		f.refuse(t, f.payment(id), fault.Insufficient)
	}
	made, err := f.RemitAll(t.Context(), "2025-02", small2025, "ring")
	if err != nil {
		t.Fatal(err)
	}
	if len(made) < 3 {
		t.Errorf("%d remittances", len(made))
	}
	f.mustBeWhole(t, true)
}

func TestCounterpartyAmountHasTheSignOfItsShare(t *testing.T) {
	f := open(t)
	f.refundsIn(t, []bill{{insured: shanghai, treating: nanjing, insutype: "310", med: "21", pooled: 20_00}}, []bill{
		{refundOf: "Aa"},
		{insured: beijing, treating: nanjing, insutype: "310", med: "21", pooled: 50_00},
	})
	const gets = "2025-02/cross-in/320100/receive"
	p := f.payment(gets, in310(20_00))
	p.Counterparty = shanghai
	f.refuse(t, p, fault.Invalid, "20.00 was asked and -20.00 is open", "the sign")
	p.Lines = []clearing.Line{in310(-20_00)}
	if _, err := f.Remit(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, false)
	if n := f.notice(t, gets); n.Open != 50_00 {
		t.Errorf("%s is open", n.Open)
	}
	if _, err := f.RemitAll(t.Context(), "2025-02", small2025, "rest"); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, true)
}
