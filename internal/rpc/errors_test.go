package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"fundledger/internal/fault"
	"fundledger/ledger"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

func entryID(t *testing.T, text string) uuid.UUID {
	t.Helper()
	id, err := uuid.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// newRecorder is what a handler answers to a GET.
func newRecorder(handler http.Handler, path string) string {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Body.String()
}

func infoOf(t *testing.T, err error) *typev1.ErrorInfo {
	t.Helper()
	wire, ok := errors.AsType[*connect.Error](err)
	if !ok {
		t.Fatalf("%v is no error of the wire", err)
	}
	for _, d := range wire.Details() {
		if value, err := d.Value(); err == nil {
			if info, ok := value.(*typev1.ErrorInfo); ok {
				return info
			}
		}
	}
	t.Fatalf("%v has no ErrorInfo", err)
	return nil
}

func TestEveryKindHasItsCodeAndTellsItsFacts(t *testing.T) {
	t.Parallel()
	ctx := withCall(t.Context(), &call{id: "r1", caller: &Principal{}})
	for kind, code := range codes {
		err := connectError(ctx, fault.New(kind, "says what").With("account", "A"))
		info := infoOf(t, err)
		if connect.CodeOf(err) != code || info.GetKind() != string(kind) || info.GetRequestId() != "r1" {
			t.Errorf("%s: %v %v", kind, err, info)
		}
		if known := kind != fault.Internal; known != (len(info.GetDetails()) == 1) || known != strings.Contains(err.Error(), "says what") {
			t.Errorf("%s: %v %v", kind, err, info)
		}
	}
	for err, code := range map[error]connect.Code{
		context.DeadlineExceeded: connect.CodeDeadlineExceeded, context.Canceled: connect.CodeCanceled, errors.New("odd"): connect.CodeInternal,
	} {
		if got := connectError(ctx, err); connect.CodeOf(got) != code {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}

func TestErrorCarriesTheIdThatStandsInTheLog(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("person", map[string][]string{"operator": {"320100"}})
	f.server.deps.Calls = failing{}
	a := f.call(t, ledgerMethod+"Post", token, `{"entry":`+newEntry("k", "adjustment")+`}`)
	if a.code() != "internal" || strings.Contains(a.message(), "secret") || !strings.Contains(a.message(), a.request) {
		t.Errorf("%v", a.body)
	}
	f.server.deps.Calls = panicking{}
	b := f.call(t, ledgerMethod+"Post", token, `{"entry":`+newEntry("k", "adjustment")+`}`)
	if b.code() != "internal" || strings.Contains(b.message(), "secret") {
		t.Errorf("%v", b.body)
	}
	for _, id := range []string{a.request, b.request} {
		found := false
		for line := range strings.Lines(f.log.text()) {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if entry["request_id"] == id {
				found = entry["level"] == "ERROR" && strings.Contains(entry["error"].(string), "secret")
			}
		}
		if !found {
			t.Errorf("the cause of request %s is not in the log: %s", id, f.log.text())
		}
	}
}

func TestLogTellsNeitherAmountsNorWhatWasAsked(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("person", map[string][]string{"operator": {"320100"}})
	odd := strings.Replace(newEntry("zhang-san", "adjustment"), `"1.00"`, `"777.77"`, 1)
	if a := f.call(t, ledgerMethod+"Post", token, `{"entry":`+odd+`}`); a.code() != "invalid_argument" || !strings.Contains(a.message(), "balance") {
		t.Errorf("%v", a.body)
	}
	if log := f.log.text(); !strings.Contains(log, `"code":"invalid_argument"`) || strings.Contains(log, "776.77") || strings.Contains(log, "zhang-san") {
		t.Errorf("%s", log)
	}
}

// TestTextThatTheDatabaseCannotKeepIsRefused: such a character is the caller's
// mistake and no defect of ours.
func TestTextThatTheDatabaseCannotKeepIsRefused(t *testing.T) {
	t.Parallel()
	f := start(t)
	for method, request := range map[string]string{
		"GetPending": `{"pending_key":"a\u0000b"}`, "ListPendings": `{"page_token":"a\u0000b"}`,
		"Post": `{"entry":` + strings.Replace(newEntry("k", "adjustment"), `"k"`, `"a\u0000b"`, 1) + `}`,
	} {
		if a := f.call(t, ledgerMethod+method, f.token("person", all), request); a.code() != "invalid_argument" {
			t.Errorf("%s: %v", method, a.body)
		}
	}
}

// failing cannot record.
type failing struct{}

func (failing) Begin(context.Context, Call) (func(context.Context, proto.Message, error), error) {
	return nil, errors.New("the secret of the disk")
}

func (failing) Posting(Call) (*ledger.Call, func(proto.Message, error), error) {
	return nil, nil, errors.New("the secret of the disk")
}

func (failing) Refused(Call, error) {}

type panicking struct{}

func (panicking) Posting(Call) (*ledger.Call, func(proto.Message, error), error) {
	panic("the secret of the defect")
}

func (panicking) Refused(Call, error) {}

func (panicking) Begin(context.Context, Call) (func(context.Context, proto.Message, error), error) {
	panic("the secret of the defect")
}

// memory keeps what is recorded.
type memory struct {
	calls    []Call
	outcomes []error
}

func (m *memory) Refused(c Call, err error) {
	m.calls, m.outcomes = append(m.calls, c), append(m.outcomes, err)
}

func (m *memory) Posting(c Call) (*ledger.Call, func(proto.Message, error), error) {
	m.calls = append(m.calls, c)
	return nil, func(_ proto.Message, err error) { m.outcomes = append(m.outcomes, err) }, nil
}

func (m *memory) Begin(_ context.Context, c Call) (func(context.Context, proto.Message, error), error) {
	m.calls = append(m.calls, c)
	return func(_ context.Context, _ proto.Message, err error) { m.outcomes = append(m.outcomes, err) }, nil
}

func TestCallThatChangesSomethingIsRecorded(t *testing.T) {
	t.Parallel()
	f := start(t)
	record := &memory{}
	f.server.deps.Calls = record
	token := f.token("person", map[string][]string{"operator": {"320100"}})
	request := `{"entry":` + newEntry("k", "adjustment") + `}`
	for _, t2 := range []struct{ method, token, request string }{
		{"Post", token, request}, {"Post", token, request}, {"Post", f.token("other", map[string][]string{"operator": {"320200"}}), request},
		{"GetEntry", token, `{"idempotency_key":"k"}`},
	} {
		f.call(t, ledgerMethod+t2.method, t2.token, t2.request)
	}
	if len(record.calls) != 3 || len(record.outcomes) != 3 {
		t.Fatalf("%d calls, %d outcomes: %+v", len(record.calls), len(record.outcomes), record.calls)
	}
	a, b, c := record.calls[0], record.calls[1], record.calls[2]
	if a.Subject != "person" || a.Role != "operator" || a.Action != "ledger.post" || a.Key != "k" || len(a.Regions) != 1 || a.Regions[0] != "320100" ||
		a.Method != ledgerMethod+"Post" || a.RequestID == b.RequestID || !bytes.Equal(a.RequestHash, b.RequestHash) {
		t.Errorf("%+v, then %+v", a, b)
	}
	if c.Role != "operator" || fault.KindOf(record.outcomes[2]) != fault.Permission || record.outcomes[0] != nil {
		t.Errorf("%+v: %v", c, record.outcomes)
	}
}
