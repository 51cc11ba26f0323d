package rpc

import (
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	accountsv1 "fundledger/proto/gen/fundledger/accounts/v1"
	"fundledger/proto/gen/fundledger/accounts/v1/accountsv1connect"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
	"fundledger/proto/gen/fundledger/audit/v1/auditv1connect"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	"fundledger/proto/gen/fundledger/clearing/v1/clearingv1connect"
	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
	"fundledger/proto/gen/fundledger/jobs/v1/jobsv1connect"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/proto/gen/fundledger/settlement/v1/settlementv1connect"
)

// service is one service of the contracts and its handler.
type service struct {
	descriptor protoreflect.ServiceDescriptor
	mount      func([]connect.HandlerOption) (string, http.Handler)
}

// services are all that are served: what is added here is authorised, logged,
// measured, recorded and reflected.
func (s *Server) services() []service {
	return []service{
		{ledgerv1.File_fundledger_ledger_v1_ledger_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return ledgerv1connect.NewLedgerServiceHandler(&ledgerService{journal: s.deps.Journal, book: s.deps.Book, store: s.deps.Store}, o...)
		}},
		{accountsv1.File_fundledger_accounts_v1_accounts_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return accountsv1connect.NewAccountsServiceHandler(&accountsService{journal: s.deps.Journal, book: s.deps.Book, store: s.deps.Store}, o...)
		}},
		{settlementv1.File_fundledger_settlement_v1_settlement_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return settlementv1connect.NewSettlementServiceHandler(&settlementService{s}, o...)
		}},
		{settlementv1.File_fundledger_settlement_v1_provider_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return settlementv1connect.NewProviderServiceHandler(&providerService{s}, o...)
		}},
		{settlementv1.File_fundledger_settlement_v1_recovery_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return settlementv1connect.NewRecoveryServiceHandler(&recoveryService{s}, o...)
		}},
		{clearingv1.File_fundledger_clearing_v1_clearing_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return clearingv1connect.NewClearingServiceHandler(&clearingService{s}, o...)
		}},
		{clearingv1.File_fundledger_clearing_v1_prepayment_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return clearingv1connect.NewPrepaymentServiceHandler(&prepaymentService{s}, o...)
		}},
		{clearingv1.File_fundledger_clearing_v1_bank_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return clearingv1connect.NewBankServiceHandler(&bankService{s}, o...)
		}},
		{clearingv1.File_fundledger_clearing_v1_closing_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return clearingv1connect.NewClosingServiceHandler(&closingService{s}, o...)
		}},
		{clearingv1.File_fundledger_clearing_v1_statement_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return clearingv1connect.NewStatementServiceHandler(&statementService{s}, o...)
		}},
		{jobsv1.File_fundledger_jobs_v1_jobs_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return jobsv1connect.NewJobsServiceHandler(&jobsService{s}, o...)
		}},
		{auditv1.File_fundledger_audit_v1_audit_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return auditv1connect.NewAuditServiceHandler(&auditService{Server: s, journal: s.deps.Journal, book: s.deps.Book}, o...)
		}},
	}
}
