package rpc

import (
	"context"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/ledger"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement"
)

var settlementStates = map[settlement.State]settlementv1.SettlementState{
	settlement.StateImported:  settlementv1.SettlementState_SETTLEMENT_STATE_IMPORTED,
	settlement.StateException: settlementv1.SettlementState_SETTLEMENT_STATE_EXCEPTION,
	settlement.StateWaiting:   settlementv1.SettlementState_SETTLEMENT_STATE_WAITING,
	settlement.StatePosted:    settlementv1.SettlementState_SETTLEMENT_STATE_POSTED,
	settlement.StateWithdrawn: settlementv1.SettlementState_SETTLEMENT_STATE_WITHDRAWN,
}

func (s *settlementService) ListExceptions(ctx context.Context, q *settlementv1.ListExceptionsRequest) (*settlementv1.ListExceptionsResponse, error) {
	page, err := s.desks.Load().settlements.Exceptions(ctx, settlement.ExceptionQuery{
		Month: accounts.Month(q.GetMonth()), Kind: q.GetKind(), Region: q.GetRegion(), Regions: visibleRegions(ctx),
		Resolved: q.GetState() == settlementv1.ExceptionState_EXCEPTION_STATE_RESOLVED,
		AtLeast:  ledger.Position(q.GetAtLeastPosition()), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListExceptionsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for i := range page.Exceptions {
		response.Exceptions = append(response.Exceptions, exceptionOf(&page.Exceptions[i]))
	}
	return response, nil
}

func exceptionOf(e *settlement.Exception) *settlementv1.Exception {
	told := &settlementv1.Exception{
		SetlId: e.SetlID, Month: string(e.Month), Kind: e.Kind, Detail: e.Detail, Insured: e.Insured, Treating: e.Treating, Refund: e.Refund,
		OrigSetlId: e.Original, State: settlementv1.ExceptionState_EXCEPTION_STATE_OPEN, FindTime: timestamp(e.Found),
		ResolveTime: timestamp(e.Resolved), ResolvedByFile: e.ResolvedBy,
	}
	if !e.Resolved.IsZero() {
		told.State = settlementv1.ExceptionState_EXCEPTION_STATE_RESOLVED
	}
	return told
}

func (s *settlementService) GetSettlement(ctx context.Context, q *settlementv1.GetSettlementRequest) (*settlementv1.GetSettlementResponse, error) {
	story, position, err := s.desks.Load().clearing.Story(ctx, q.GetSetlId(), ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	if regions := callOf(ctx).regions; !regions.All() && !regions.HasAny(story.Regions()) {
		return nil, fault.New(fault.NotFound, "no file has a row of settlement %s", q.GetSetlId()).With("setl_id", q.GetSetlId())
	}
	told := storyOf(story.Settlement)
	s.tellOn(told, story, visibleRegions(ctx))
	return &settlementv1.GetSettlementResponse{Settlement: told, Position: int64(position)}, nil
}

// tellOn adds what became of the settlement after it was posted.
func (s *settlementService) tellOn(told *settlementv1.Settlement, story *clearing.Story, regions []string) {
	if c := story.Clearing; c != nil {
		seen := map[string]bool{}
		for i := range c.Notices {
			if n := &c.Notices[i]; s.desks.Load().clearing.Sees(regions, n.Party) {
				seen[n.ID] = true
				told.Notices = append(told.Notices, noticeOf(n))
			}
		}
		for _, r := range c.Remittances {
			if seen[r.Notice] {
				told.Remittances = append(told.Remittances, remittanceOf(r))
			}
		}
	}
	for _, r := range story.RefundStories {
		told.RefundDetails = append(told.RefundDetails, &settlementv1.SettlementRefund{
			SetlId: r.SetlID, State: settlementStates[r.State], Amount: r.Amount.String(), Date: dateOf(r.Date), EntryId: idOf(r.Entry), Run: r.Run,
		})
	}
	told.Deductions, told.Clawbacks = deductionsOf(story.Deductions), clawbacksOf(story.Clawbacks)
	if story.Withdrawal != nil {
		told.Withdrawal = withdrawalOf(story.Withdrawal)
	}
	for _, p := range story.ProviderPaid {
		told.ProviderPaid = append(told.ProviderPaid, &settlementv1.ProviderPaid{Fund: p.Fund, Part: p.Part, Amount: p.Amount.String()})
	}
}

func storyOf(story *settlement.Settlement) *settlementv1.Settlement {
	told := &settlementv1.Settlement{
		SetlId: story.SetlID, Month: string(story.Month), State: settlementStates[story.State], Run: story.Run, Refunds: story.Refunds,
		Remaining: story.Remaining.String(),
	}
	for _, b := range story.BenefitYears {
		told.BenefitYears = append(told.BenefitYears, &settlementv1.BenefitShare{BenefitYear: int32(b.BenefitYear), Fund: b.Fund, Part: b.Part, Amount: b.Amount.String()})
	}
	for _, side := range story.Sides {
		record := &settlementv1.SideRecord{Side: fileSides[side.Side], FileName: side.File, Line: side.Line, RejectedAs: side.RejectedAs, Reason: side.Reason}
		if side.Content != nil {
			record.Record = recordOf(side.Content)
		}
		told.Sides = append(told.Sides, record)
	}
	if story.Exception != nil {
		told.Exception = exceptionOf(story.Exception)
	}
	for _, e := range story.Entries {
		told.Entries = append(told.Entries, &settlementv1.SettlementEntry{
			EntryId: e.ID.String(), Position: int64(e.Position), Kind: e.Kind, Date: e.Date.String(), Period: string(e.Period),
		})
	}
	return told
}

func recordOf(c *settlement.Content) *settlementv1.Record {
	return &settlementv1.Record{
		MdtrtId: c.MdtrtID, PsnNo: c.PsnNo, Insutype: c.Insutype, InsuAdmdvs: c.Insured, MdtrtareaAdmvs: c.Treating, FixmedinsCode: c.Provider,
		ClrType: c.ClrType, MedType: c.MedType, Begndate: dateOf(c.Admission), Enddate: dateOf(c.Discharge), SetlTime: timestamp(c.Settled),
		MedfeeSumamt: c.Total.String(), FundPaySumamt: c.FundPay.String(), HifpPay: c.Hifp.String(), CvlservPay: c.Cvlserv.String(),
		HifesPay: c.Hifes.String(), HifmiPay: c.Hifmi.String(), HifobPay: c.Hifob.String(), MafPay: c.Maf.String(), OthPay: c.Oth.String(),
		AcctPay: c.Account.String(), PsnCashPay: c.Cash.String(), Refund: c.Refund, OrigSetlId: c.Original,
	}
}

func (s *settlementService) GetMonthReport(ctx context.Context, q *settlementv1.GetMonthReportRequest) (*settlementv1.GetMonthReportResponse, error) {
	var r reader
	month := r.month("month", q.GetMonth())
	if r.err != nil {
		return nil, r.err
	}
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	report, err := s.desks.Load().settlements.MonthReportOf(ctx, month, visibleRegions(ctx))
	if err != nil {
		return nil, err
	}
	told := &settlementv1.MonthReport{
		Month: string(report.Month), Records: report.Records, MatchedRecords: report.MatchedRecords, MatchedAmount: report.MatchedAmount.String(),
		TakenBack: report.TakenBack, TakenBackAmount: report.TakenBackAmount.String(),
		Exceptions: countsOf(report.Month, report.Exceptions), InProvince: pairs(report.InProvince),
		CrossProvinceOut: pairs(report.CrossProvinceOut), CrossProvinceIn: pairs(report.CrossProvinceIn),
	}
	for _, n := range report.InProvinceNet {
		told.InProvinceNet = append(told.InProvinceNet, &settlementv1.CityNet{
			City: n.City, Fund: n.Fund, Payable: n.Payable.String(), Receivable: n.Receivable.String(), Net: n.Net.String(),
		})
	}
	return &settlementv1.GetMonthReportResponse{Report: told, Position: position}, nil
}

func pairs(amounts []settlement.PairAmount) (told []*settlementv1.PairAmount) {
	for _, p := range amounts {
		told = append(told, &settlementv1.PairAmount{Insured: p.Insured, Treating: p.Treating, Fund: p.Fund, Records: p.Count, Amount: p.Amount.String()})
	}
	return told
}
