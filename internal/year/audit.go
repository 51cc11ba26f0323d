package year

import (
	"fmt"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/recovery"
)

// audit takes back what the audit of the treating places has found (J46, J53):
// of every kind once.
func (r *run) audit(month accounts.Month) error {
	switch month {
	case "2025-03": // before the provider is paid
		b, err := r.need("2025-02", "within")
		if err != nil {
			return err
		}
		return r.deduct(month, b, b.fen("hifp_pay")/2)
	case "2025-04": // offset in the next run
		return r.claim(month, "offset", recovery.Offset, recovery.Received)
	case "2025-05": // through the province, in the same year
		if err := r.claim(month, "remitted", recovery.Remit, recovery.Received, recovery.Deposited, recovery.Sent, recovery.Home); err != nil {
			return err
		}
		_, err := r.recovery.RecordPenalty(r.ctx, recovery.Penalty{Case: r.caseOf("remitted"), Amount: 1_000_00, Document: "罚〔2025〕1号", Date: on(month, 27), By: auditor})
		return err
	case "2025-06": // home to another province
		return r.claim(month, "remitted to another province", recovery.Remit, recovery.Received, recovery.Deposited, recovery.Sent, recovery.Home)
	case "2025-07": // home from another province
		return r.inbound(month, "2025-04", "from another province", recovery.Arrived, recovery.Home)
	case "2025-08": // deducted as far as it is not paid, claimed for the rest
		if err := r.deduct(month, r.chosen["partly"], r.chosen["partly"].fen("hifp_pay")); err != nil {
			return err
		}
		return r.receive(month, "partly", recovery.Received)
	case "2025-09": // nothing comes of these
		return r.givenUp(month)
	case "2025-10":
		return r.claim(month, "offset against another province", recovery.Offset, recovery.Received)
	case "2025-12": // on their way when the year ends
		if err := r.claim(month, "remitted in the next year", recovery.Remit, recovery.Received, recovery.Deposited, recovery.Sent); err != nil {
			return err
		}
		return r.inbound(month, "2025-08", "from another province in the next year", recovery.Arrived)
	case "2026-01": // home after the year of their expense: other income
		if err := r.moveCase(month, "remitted in the next year", recovery.Home); err != nil {
			return err
		}
		return r.moveCase(month, "from another province in the next year", recovery.Home)
	}
	return nil
}

func (r *run) need(month accounts.Month, where string) (*bill, error) {
	b := r.pick(month, where, 40_00)
	if b == nil {
		return nil, fault.New(fault.Internal, "%s has no bill %s left: ask for more settlements", month, where)
	}
	return b, nil
}

func document(month accounts.Month) string { return "审〔" + string(month) + "〕1号" }

func (r *run) decision(month accounts.Month, b *bill, amount accounts.Fen, mode recovery.Mode) recovery.Decision {
	return recovery.Decision{Lines: []recovery.Line{{SetlID: b.id(), Part: "hifp_pay", Amount: amount, Reason: "违规收费", Document: document(month)}},
		Date: on(month, 19), By: auditor, Mode: mode}
}

func (r *run) deduct(month accounts.Month, b *bill, amount accounts.Fen) error {
	_, err := r.recovery.Deduct(r.ctx, r.decision(month, b, amount, ""))
	return err
}

// caseOf is the clawback of the chosen bill of that name.
func (r *run) caseOf(name string) string { return r.cases[name] }

// claim opens the clawback of half the bill, which another person approves, and
// moves the money to the stations.
func (r *run) claim(month accounts.Month, name string, mode recovery.Mode, stations ...recovery.Station) error {
	b := r.chosen[name]
	if _, err := r.recovery.OpenClawbacks(r.ctx, r.decision(month, b, b.fen("hifp_pay")/2, mode)); err != nil {
		return err
	}
	return r.receive(month, name, stations...)
}

// receive approves the case that the month's document has opened, and moves the
// money.
func (r *run) receive(month accounts.Month, name string, stations ...recovery.Station) error {
	id := document(month) + "/" + r.chosen[name].id()
	r.cases[name] = id
	if _, err := r.recovery.Approve(r.ctx, recovery.Ruling{Case: id, Date: on(month, 20), By: auditor}); fault.KindOf(err) != fault.Permission {
		return fmt.Errorf("clawback %s was approved by who opened it: %v", id, err)
	}
	if _, err := r.recovery.Approve(r.ctx, recovery.Ruling{Case: id, Date: on(month, 20), By: head}); err != nil {
		return err
	}
	return r.moveCase(month, name, stations...)
}

func (r *run) moveCase(month accounts.Month, name string, stations ...recovery.Station) error {
	for i, station := range stations {
		_, err := r.recovery.Move(r.ctx, recovery.Movement{Case: r.caseOf(name), Station: station, Date: on(month, 21+i), By: cashier, Reference: "BANK-" + string(month) + "-" + string(station)})
		if err != nil {
			return fmt.Errorf("%s, %s: %w", name, station, err)
		}
	}
	return nil
}

// inbound takes back money of a patient of ours whom another province treated.
func (r *run) inbound(month, of accounts.Month, name string, stations ...recovery.Station) error {
	b, err := r.need(of, "out")
	if err != nil {
		return err
	}
	r.chosen[name] = b
	return r.claim(month, name, "", stations...)
}

// givenUp opens two cases, of which one is declined and one cancelled.
func (r *run) givenUp(month accounts.Month) error {
	for _, end := range []func(recovery.Ruling) (*recovery.Case, error){
		func(ruling recovery.Ruling) (*recovery.Case, error) {
			ruling.By = head
			return r.recovery.Decline(r.ctx, ruling)
		},
		func(ruling recovery.Ruling) (*recovery.Case, error) { return r.recovery.Cancel(r.ctx, ruling) },
	} {
		b, err := r.need("2025-06", "out")
		if err != nil {
			return err
		}
		opened, err := r.recovery.OpenClawbacks(r.ctx, r.decision(month, b, b.fen("hifp_pay"), ""))
		if err != nil {
			return err
		}
		if _, err := end(recovery.Ruling{Case: opened[0].ID, Date: on(month, 22), By: auditor, Reason: "复核认定合规"}); err != nil {
			return err
		}
	}
	return nil
}
