package clearing

import (
	"context"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// national is what the national clearing lists say of one other province in a
// fund, of the months that have a list.
type national struct {
	listed   bool         // the month of the notice has a list
	accepted bool         // and it is accepted
	figure   accounts.Fen // of that month: payable to the province, or receivable from it
	allowed  accounts.Fen // what may still be paid to the province by all lists that hold
}

// nationalOf reads what the lists say of the desk's province in the fund. A list
// holds where it is accepted, or says what our run says (J48: cleared by the
// national figure).
func (d *desk) nationalOf(ctx context.Context, fund string) (n national, err error) {
	rows, err := d.q.NationalClearing(ctx, d.notice.Party)
	if err != nil {
		return n, err
	}
	type month struct {
		accepted            bool
		payable, receivable accounts.Fen
	}
	months := map[string]month{}
	for _, row := range rows {
		m := months[row.Month]
		m.accepted = row.State == "accepted"
		if row.Fund == fund {
			m.payable, m.receivable = accounts.Fen(row.PayableFen), accounts.Fen(row.ReceivableFen)
		}
		months[row.Month] = m
	}
	own, listed := months[string(d.run.Month)]
	n.listed, n.accepted, n.figure = listed, own.accepted, own.receivable
	if d.run.Kind != CrossOut {
		return n, nil
	}
	n.figure = own.payable
	owed, err := d.q.OwedToProvince(ctx, d.notice.Party)
	if err != nil {
		return n, err
	}
	ours := map[string]accounts.Fen{}
	for _, row := range owed {
		if row.Fund == fund {
			ours[row.Month] = accounts.Fen(row.AmountFen)
		}
	}
	holds := map[string]bool{}
	for name, m := range months {
		if holds[name] = m.accepted || ours[name] == m.payable; holds[name] {
			n.allowed += m.payable
		}
	}
	paid, err := d.q.PaidToProvince(ctx, d.notice.Party)
	for _, row := range paid {
		if row.Fund == fund && holds[row.Month] {
			n.allowed -= accounts.Fen(row.PaidFen)
		}
	}
	return n, err
}

// clearByNational holds a payment to or from another province against the
// national clearing list of the month, where there is one. While it differs from
// the run and nobody has accepted it, nothing moves. Once it holds, the province
// is paid by it: all lists together are the most that it gets, so that what
// exceeds the national figure stays open until a later list covers it, and
// nothing is ever paid that our records do not owe.
func (d *desk) clearByNational(ctx context.Context) error {
	if d.run.Kind == InProvince || d.clearing.isCity(d.notice.Party) {
		return nil
	}
	for i := range d.lines {
		line := &d.lines[i]
		n, err := d.nationalOf(ctx, line.Fund)
		if err != nil {
			return err
		}
		ours := line.Amount
		if (d.run.Kind == CrossOut) == (d.notice.Direction == Pay) {
			ours = -ours // a total that refunds have turned
		}
		if !n.listed {
			continue
		}
		if !n.accepted && n.figure != ours {
			return fault.New(fault.Precondition, "notice %s, fund %s: the national list of %s has %s and the run %s: compare them and have the national figure accepted first (prepayment national)",
				d.notice.ID, line.Fund, d.run.Month, n.figure, ours).
				With("notice", d.notice.ID).With("fund", line.Fund).With("national", n.figure.String()).With("ours", ours.String())
		}
		if d.run.Kind != CrossOut || d.notice.Direction == Pay {
			continue
		}
		if line.all && n.allowed > 0 && n.allowed < line.Open {
			line.all, line.asked = false, n.allowed
		}
		asked := line.asked
		if line.all {
			asked = line.Open
		}
		if over := asked - max(n.allowed, 0); over > 0 {
			return fault.New(fault.Insufficient, "notice %s, fund %s: %s was asked, and by the national lists %s may still be paid: %s is more; it stays open until a later list has it",
				d.notice.ID, line.Fund, asked, max(n.allowed, 0), over).
				With("notice", d.notice.ID).With("fund", line.Fund).With("asked", asked.String()).
				With("national", max(n.allowed, 0).String()).With("shortfall", over.String())
		}
	}
	return nil
}
