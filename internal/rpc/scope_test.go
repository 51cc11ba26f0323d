package rpc

import (
	"net/http"
	"testing"

	"connectrpc.com/connect"

	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
)

// What a stream shows where it is allowed, its own tests tell.
func TestStreamPassesTheSameChain(t *testing.T) {
	t.Parallel()
	f := start(t)
	viewer := f.token("viewer", map[string][]string{"viewer": {"320100"}})
	for name, c := range map[string]struct {
		token   string
		request *ledgerv1.WatchEntriesRequest
		want    connect.Code
	}{
		"another region":      {viewer, &ledgerv1.WatchEntriesRequest{Book: "320200.agency"}, connect.CodePermissionDenied},
		"a form that is odd":  {viewer, &ledgerv1.WatchEntriesRequest{AfterPosition: -1}, connect.CodeInvalidArgument},
		"another role":        {f.token("admin", map[string][]string{"admin": {"*"}}), &ledgerv1.WatchEntriesRequest{}, connect.CodePermissionDenied},
		"without credentials": {"", &ledgerv1.WatchEntriesRequest{}, connect.CodeUnauthenticated},
	} {
		client := ledgerv1connect.NewLedgerServiceClient(&http.Client{Transport: bearer{c.token, f.client.Transport}}, f.url)
		stream, err := client.WatchEntries(t.Context(), c.request)
		if err != nil {
			t.Fatal(err)
		}
		if stream.Receive() || connect.CodeOf(stream.Err()) != c.want {
			t.Errorf("%s: %v, want %v", name, stream.Err(), c.want)
		}
		if infoOf(t, stream.Err()).GetRequestId() == "" {
			t.Errorf("%s: the error has no id", name)
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatTouchesAllRegionsNeedsTheRoleForTheProvince(t *testing.T) {
	t.Parallel()
	f := start(t)
	request := `{"idempotency_key":"k","reason":"变更","regions":[{"code":"320199","name":"试验区","kind":"REGION_KIND_COUNTERPARTY"}]}`
	for want, roles := range map[string]map[string][]string{
		"permission_denied": {"admin": {"320100"}, "operator": {"*"}}, "ok": {"admin": {"*"}},
	} {
		if a := f.call(t, accountsMethod+"ApplyRuleChange", f.token("person", roles), request); a.code() != want {
			t.Errorf("got %s, want %s: %v", a.code(), want, a.body)
		}
	}
}
