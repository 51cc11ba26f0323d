package rpc

import (
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	accountsv1 "fundledger/proto/gen/fundledger/accounts/v1"
	"fundledger/proto/gen/fundledger/accounts/v1/accountsv1connect"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
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
			return ledgerv1connect.NewLedgerServiceHandler(&ledgerService{journal: s.deps.Journal, book: s.deps.Book}, o...)
		}},
		{accountsv1.File_fundledger_accounts_v1_accounts_service_proto.Services().Get(0), func(o []connect.HandlerOption) (string, http.Handler) {
			return accountsv1connect.NewAccountsServiceHandler(&accountsService{journal: s.deps.Journal, book: s.deps.Book, store: s.deps.Store}, o...)
		}},
	}
}
