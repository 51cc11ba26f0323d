package rpc

import (
	"github.com/google/uuid"

	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement"
	"fundledger/settlement/recovery"
)

var recoveryModes = map[recovery.Mode]settlementv1.RecoveryMode{
	recovery.Offset: settlementv1.RecoveryMode_RECOVERY_MODE_OFFSET, recovery.Remit: settlementv1.RecoveryMode_RECOVERY_MODE_REMIT,
	recovery.Inbound: settlementv1.RecoveryMode_RECOVERY_MODE_INBOUND,
}

var clawbackStates = map[recovery.State]settlementv1.ClawbackState{
	recovery.Opened: settlementv1.ClawbackState_CLAWBACK_STATE_OPENED, recovery.Approved: settlementv1.ClawbackState_CLAWBACK_STATE_APPROVED,
	recovery.Returned: settlementv1.ClawbackState_CLAWBACK_STATE_RETURNED, recovery.Declined: settlementv1.ClawbackState_CLAWBACK_STATE_DECLINED,
	recovery.Cancelled: settlementv1.ClawbackState_CLAWBACK_STATE_CANCELLED,
}

var stations = map[recovery.Station]settlementv1.Station{
	recovery.Received: settlementv1.Station_STATION_RECEIVED, recovery.Deposited: settlementv1.Station_STATION_DEPOSITED,
	recovery.Sent: settlementv1.Station_STATION_SENT, recovery.Arrived: settlementv1.Station_STATION_ARRIVED, recovery.Home: settlementv1.Station_STATION_HOME,
}

var withdrawalStates = map[string]settlementv1.WithdrawalState{
	settlement.WithdrawalPending: settlementv1.WithdrawalState_WITHDRAWAL_STATE_PENDING, settlement.WithdrawalDone: settlementv1.WithdrawalState_WITHDRAWAL_STATE_DONE,
	settlement.WithdrawalReversed: settlementv1.WithdrawalState_WITHDRAWAL_STATE_REVERSED,
}

// idOf is empty for no entry.
func idOf(id uuid.NullUUID) string {
	if !id.Valid {
		return ""
	}
	return id.UUID.String()
}

func deductionsOf(list []recovery.Deduction) (told []*settlementv1.Deduction) {
	for _, d := range list {
		told = append(told, &settlementv1.Deduction{
			Deduction: d.ID, SetlId: d.SetlID, Insured: d.Insured, Treating: d.Treating, Provider: d.Provider, Document: d.Document, Reason: d.Reason,
			Date: dateOf(d.Date), By: d.By, Asked: d.Asked.String(), Deducted: d.Deducted.String(), Parts: recoveryAmounts(d.Parts),
			Clawback: d.Case, EntryId: idOf(d.Entry), Run: d.Run,
		})
	}
	return told
}

func recoveryAmounts(amounts []recovery.Amount) (told []*settlementv1.RecoveryAmount) {
	for _, a := range amounts {
		told = append(told, &settlementv1.RecoveryAmount{Part: a.Part, Fund: a.Fund, Amount: a.Amount.String()})
	}
	return told
}

func clawbacksOf(cases []*recovery.Case) (told []*settlementv1.Clawback) {
	for _, c := range cases {
		told = append(told, clawbackOf(c))
	}
	return told
}

func clawbackOf(c *recovery.Case) *settlementv1.Clawback {
	told := &settlementv1.Clawback{
		Clawback: c.ID, SetlId: c.SetlID, Mode: recoveryModes[c.Mode], State: clawbackStates[c.State], Insured: c.Insured, Treating: c.Treating,
		Provider: c.Provider, Document: c.Document, Reason: c.Reason, OpenDate: dateOf(c.OpenedOn), OpenedBy: c.OpenedBy,
		Total: standOf(c.Total), Penalty: c.Penalty.String(),
	}
	for _, p := range c.Parts {
		told.Parts = append(told.Parts, &settlementv1.ClawbackPart{Part: p.Part, Fund: p.Fund, Stand: standOf(p.Stand)})
	}
	for _, s := range c.Steps {
		step := &settlementv1.ClawbackStep{
			Step: s.Step, Date: dateOf(s.Date), By: s.By, Reference: s.Reference, Reason: s.Reason, Document: s.Document, Amount: s.Amount.String(),
			Parts: recoveryAmounts(s.Parts), Run: s.Run,
		}
		for _, id := range s.Entries {
			step.EntryIds = append(step.EntryIds, id.String())
		}
		told.Steps = append(told.Steps, step)
	}
	return told
}

func standOf(s recovery.Stand) *settlementv1.ClawbackStand {
	return &settlementv1.ClawbackStand{
		Claimed: s.Claimed.String(), Received: s.Received.String(), Outstanding: s.Outstanding.String(), AwaitingRun: s.AwaitingRun.String(),
		InRun: s.InRun.String(), AtAgency: s.AtAgency.String(), Deposited: s.Deposited.String(), AtProvince: s.AtProvince.String(), Home: s.Home.String(),
	}
}

func withdrawalOf(w *settlement.Withdrawal) *settlementv1.Withdrawal {
	told := &settlementv1.Withdrawal{SetlId: w.SetlID, State: withdrawalStates[w.State], EntryId: idOf(w.Entry)}
	for _, side := range w.Missing {
		told.Missing = append(told.Missing, fileSides[side])
	}
	for _, s := range w.Sides {
		told.Sides = append(told.Sides, &settlementv1.SideWithdrawal{
			Side: fileSides[s.Side], Date: dateOf(s.Date), Reason: s.Reason, Document: s.Document, FileName: s.File, Line: s.Line,
		})
	}
	return told
}
