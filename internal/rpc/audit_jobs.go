package rpc

import (
	"context"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/proto"

	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
	"fundledger/internal/jobs"
	"fundledger/ledger"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
	"fundledger/proto/gen/fundledger/audit/v1/auditv1connect"
)

// verify is the work of a job; it changes nothing, so that it may be begun again
// at any time.
func (s *Server) verify(ctx context.Context, q *auditv1.VerifyRequest, report func(jobs.Progress)) (proto.Message, error) {
	keys, err := verifiersOf(q)
	if err != nil {
		return nil, err
	}
	if err := begun(ctx, s.deps.Journal, report); err != nil {
		return nil, err
	}
	found, err := s.deps.Journal.VerifyCaughtUp(ctx, keys...)
	if err != nil {
		return nil, err
	}
	report(jobs.Progress{Done: found.Entries, Total: found.Entries, Unit: entriesUnit})
	return checkReportOf(found), nil
}

// check is the work of a job, as verify is.
func (s *Server) check(ctx context.Context, _ *auditv1.CheckRequest, report func(jobs.Progress)) (proto.Message, error) {
	if err := begun(ctx, s.deps.Journal, report); err != nil {
		return nil, err
	}
	found, err := clearing.Check(ctx, s.deps.Journal, s.deps.Store, s.desks.Load().book, prepayment.Check)
	if err != nil {
		return nil, err
	}
	told := checkReportOf(found.CheckReport)
	told.OpenItems = &auditv1.OpenItems{}
	for _, e := range found.Exceptions {
		told.OpenItems.Exceptions = append(told.OpenItems.Exceptions, &auditv1.OpenExceptions{Month: string(e.Month), Kind: e.Kind, Count: e.Count})
	}
	for _, run := range found.Unfrozen {
		told.OpenItems.UnfrozenRuns = append(told.OpenItems.UnfrozenRuns, run.ID)
	}
	for _, n := range found.Unpaid {
		told.OpenItems.UnpaidNotices = append(told.OpenItems.UnpaidNotices, &auditv1.UnpaidNotice{Notice: n.ID, Open: n.Open.String()})
	}
	report(jobs.Progress{Done: found.Entries, Total: found.Entries, Unit: entriesUnit})
	return told, nil
}

const entriesUnit = "entries"

// begun reports how much there is to prove.
func begun(ctx context.Context, journal *ledger.Journal, report func(jobs.Progress)) error {
	position, err := journal.CatchUp(ctx)
	report(jobs.Progress{Total: int64(position), Unit: entriesUnit})
	return err
}

func checkReportOf(r *ledger.CheckReport) *auditv1.CheckReport {
	told := &auditv1.CheckReport{Ok: r.OK(), Position: int64(r.Position), SignedPosition: int64(r.Signed), Entries: r.Entries, Postings: r.Postings}
	for _, c := range r.Checks {
		told.Checks = append(told.Checks, &auditv1.CheckResult{Name: c.Name, Items: c.Items, Findings: int64(c.Findings)})
	}
	for _, f := range r.Findings {
		told.Findings = append(told.Findings, &auditv1.Finding{Check: f.Check, Account: f.Account, EntryId: f.Entry, Message: f.Message})
	}
	return told
}

func verifiersOf(request *auditv1.VerifyRequest) (keys []note.Verifier, err error) {
	for _, text := range request.GetVerifierKeys() {
		key, err := note.NewVerifier(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%q is not a verifier key, as fundledger checkpoint keygen prints it: %w", text, err).With("field", "verifier_keys")
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (s *auditService) Verify(ctx context.Context, q *auditv1.VerifyRequest) (*auditv1.VerifyResponse, error) {
	if _, err := verifiersOf(q); err != nil {
		return nil, err
	}
	job, replayed, err := s.begin(ctx, auditv1connect.AuditServiceVerifyProcedure, q.GetIdempotencyKey(), q)
	if err != nil {
		return nil, err
	}
	return &auditv1.VerifyResponse{Job: jobOf(&job), Replayed: replayed}, nil
}

func (s *auditService) Check(ctx context.Context, q *auditv1.CheckRequest) (*auditv1.CheckResponse, error) {
	job, replayed, err := s.begin(ctx, auditv1connect.AuditServiceCheckProcedure, q.GetIdempotencyKey(), q)
	if err != nil {
		return nil, err
	}
	return &auditv1.CheckResponse{Job: jobOf(&job), Replayed: replayed}, nil
}
