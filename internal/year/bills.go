package year

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/sample"
	"fundledger/settlement"
)

// bill is a row of a settlement file.
type bill struct {
	header []string
	cells  []string
}

func (b *bill) get(field string) string { return b.cells[slices.Index(b.header, field)] }

func (b *bill) set(field, value string) { b.cells[slices.Index(b.header, field)] = value }

func (b *bill) fen(field string) accounts.Fen {
	amount, err := accounts.ParseYuan(b.get(field))
	if err != nil {
		return 0 // the file has faults on purpose
	}
	return amount
}

func (b *bill) id() string       { return b.get("setl_id") }
func (b *bill) insured() string  { return b.get("insu_admdvs") }
func (b *bill) treating() string { return b.get("mdtrtarea_admvs") }
func (b *bill) provider() string { return b.get("fixmedins_code") }
func (b *bill) refund() bool     { return b.get("refd_setl_flag") == "1" }

// cleared is what funds and accounts pay.
func (b *bill) cleared() accounts.Fen { return b.fen("fund_pay_sumamt") + b.fen("acct_pay") }

func readBills(name string) ([]*bill, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the settlement file cannot be read: %w", err)
	}
	var bills []*bill
	var header []string
	lines := bufio.NewScanner(strings.NewReader(string(data)))
	for lines.Scan() {
		cells := strings.Split(lines.Text(), "\t")
		if header == nil {
			header = cells
			continue
		}
		if len(cells) == len(header) {
			bills = append(bills, &bill{header, cells})
		}
	}
	return bills, lines.Err()
}

// write makes a settlement file and returns its name.
func (r *run) write(name string, bills []*bill) (string, error) {
	text := strings.Join(bills[0].header, "\t") + "\n"
	for _, b := range bills {
		text += strings.Join(b.cells, "\t") + "\n"
	}
	name = filepath.Join(r.Folder, name)
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		return "", fault.New(fault.Unavailable, "the settlement file was not written: %w", err)
	}
	return name, nil
}

func (r *run) load(side settlement.Side, name string) error {
	_, err := r.settlements.Import(r.ctx, side, settlement.PathFile(name), settlement.ImportOptions{})
	return err
}

// give loads the bills as each of the sides has them.
func (r *run) give(name string, bills []*bill, sides ...settlement.Side) error {
	if len(bills) == 0 {
		return nil
	}
	file, err := r.write(name, bills)
	if err != nil {
		return err
	}
	for _, side := range sides {
		if err := r.load(side, file); err != nil {
			return err
		}
	}
	return nil
}

// faults are planted in every month.
var faults = sample.Faults{MissingInsured: 2, MissingTreating: 1, AmountDiffers: 1, ComponentsDoNotSum: 1, DuplicateRow: 1}

// settle loads the month's settlements as the three sides have them, reconciles
// two of its days and then all of it, and corrects what was left open in the
// month before.
func (r *run) settle(month accounts.Month) error {
	if month <= last {
		if err := r.generate(month); err != nil {
			return err
		}
	}
	refunds := r.refundsOf(month)
	if err := r.give(string(month)+"-refunds.tsv", refunds, settlement.Sides()...); err != nil {
		return err
	}
	r.bills[month] = append(r.bills[month], refunds...)
	if len(r.bills[month]) > 0 {
		for _, day := range []int{3, 17} {
			if _, err := r.settlements.ReconcileDay(r.ctx, on(month, day)); err != nil {
				return err
			}
		}
		report, err := r.settlements.Reconcile(r.ctx, month, settlement.ReconcileOptions{})
		if err != nil {
			return err
		}
		r.say("%s: %d settlements agree, %d exceptions are open", month, report.Matched, len(report.OpenExceptions))
	}
	if err := r.correct(month.Add(-1)); err != nil {
		return err
	}
	return r.withdraw(month)
}

func (r *run) generate(month accounts.Month) error {
	folder := filepath.Join(r.Folder, string(month))
	planted := faults
	if _, err := sample.GenerateFiles(sample.Options{Month: month, Settlements: r.Settlements, Seed: r.Seed, Faults: &planted}, folder); err != nil {
		return err
	}
	for _, side := range settlement.Sides() {
		if err := r.load(side, filepath.Join(folder, string(side)+".tsv")); err != nil {
			return err
		}
	}
	bills, err := readBills(filepath.Join(folder, string(settlement.Treating)+".tsv"))
	r.bills[month] = bills
	return err
}

// correct brings what the insured sides had not sent, after the cut-off of its
// month: it is carried over into the next run.
func (r *run) correct(month accounts.Month) error {
	if month < opened || month > last {
		return nil
	}
	page, err := r.settlements.Exceptions(r.ctx, settlement.ExceptionQuery{Month: month, Kind: settlement.KindMissingInsured})
	if err != nil {
		return err
	}
	var late []*bill
	for _, e := range page.Exceptions {
		if at := slices.IndexFunc(r.bills[month], func(b *bill) bool { return b.id() == e.SetlID }); at >= 0 {
			late = append(late, r.bills[month][at])
		}
	}
	if len(late) == 0 {
		return nil
	}
	if err := r.give(string(month)+"-corrected.tsv", late, settlement.Insured); err != nil {
		return err
	}
	_, err = r.settlements.Reconcile(r.ctx, month, settlement.ReconcileOptions{})
	return err
}

// refundsOf are refunds of earlier bills: of the month before, of one that was
// cleared long ago, and of the year before.
func (r *run) refundsOf(month accounts.Month) []*bill {
	of, ok := map[accounts.Month]accounts.Month{"2025-04": "2025-03", "2025-06": "2025-01", "2025-09": "2025-02", "2026-01": "2025-11"}[month]
	if !ok {
		return nil
	}
	var refunds []*bill
	for _, where := range []string{"in", "out", "within"} {
		if b := r.pick(of, where, 20_00); b != nil {
			refunds = append(refunds, refundOf(b, month))
		}
	}
	return refunds
}

// refundOf gives a bill back to exactly zero.
func refundOf(b *bill, month accounts.Month) *bill {
	back := &bill{b.header, slices.Clone(b.cells)}
	for _, field := range append(settlement.PartFields(), "medfee_sumamt", "fund_pay_sumamt", "psn_cash_pay") {
		back.set(field, (-b.fen(field)).String())
	}
	back.set("setl_id", b.id()+"L")
	back.set("refd_setl_flag", "1")
	back.set("orig_setl_id", b.id())
	back.set("setl_time", fmt.Sprintf("%sT10:00:00+08:00", on(month, 17)))
	return back
}

// withdraw takes a settlement back that all sides have sent by mistake (冲正).
func (r *run) withdraw(month accounts.Month) error {
	if month != "2025-05" {
		return nil
	}
	b := r.pick("2025-04", "within", 20_00)
	if b == nil {
		return fault.New(fault.Internal, "there is no settlement to withdraw")
	}
	r.chosen["withdrawn"] = b
	for i, side := range settlement.Sides() {
		text := "setl_id\tdate\treason\tdocument\n" + b.id() + "\t" + on(month, 12+i).String() + "\t重复上传\t冲正〔2025〕1号\n"
		if _, err := r.settlements.Withdraw(r.ctx, side, fmt.Sprintf("withdrawn-%s.tsv", side), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// pick chooses a posted bill of the month that nothing has been done with, whose
// 统筹 part is at least the amount: within the province, of a patient of ours
// elsewhere (out), or of a patient of others here (in). Nil when there is none.
func (r *run) pick(month accounts.Month, where string, least accounts.Fen) *bill {
	refunded := map[string]bool{}
	for _, b := range r.bills[month] {
		if b.refund() {
			refunded[b.get("orig_setl_id")] = true
		}
	}
	for _, b := range r.bills[month] {
		if b.refund() || refunded[b.id()] || r.used[b.id()] || r.where(b) != where || b.fen("hifp_pay") < least {
			continue
		}
		s, _, err := r.settlements.Settlement(r.ctx, b.id(), 0)
		if err == nil && s.State == settlement.StatePosted {
			r.used[b.id()] = true
			return b
		}
	}
	return nil
}

func (r *run) where(b *bill) string {
	city := func(code string) bool {
		region, ok := r.book.Regions.Find(code)
		return ok && region.Kind == accounts.City
	}
	switch {
	case city(b.insured()) && city(b.treating()):
		return "within"
	case city(b.insured()):
		return "out"
	}
	return "in"
}
