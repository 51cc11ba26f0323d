package rpc

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/protobuf/encoding/protowire"

	"fundledger/internal/calls"
	"fundledger/internal/config"
	"fundledger/internal/fault"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
)

// recorded are the calls of the subject, the newest first.
func (f *fixture) recorded(t *testing.T, subject string) []calls.Call {
	t.Helper()
	page, err := f.calls.List(t.Context(), calls.Query{Subject: subject})
	if err != nil {
		t.Fatal(err)
	}
	return page.Calls
}

func TestCallsThatAreRefusedAreRecorded(t *testing.T) {
	t.Parallel()
	f := start(t)
	post, request := ledgerMethod+"Post", `{"entry":`+newEntry("k", "adjustment")+`}`
	here := map[string][]string{"operator": {"320100"}, "viewer": {"*"}}
	past := f.sign(map[string]any{"sub": "late", "exp": time.Now().Add(-time.Hour).Unix(), "fundledger_roles": here})
	forged := newIssuer(t).sign(map[string]any{"sub": "forger", "exp": time.Now().Add(-time.Hour).Unix(), "fundledger_roles": here})
	for _, c := range []struct {
		subject, token, method, request string
		code                            string
		outcome                         calls.Outcome
		kind                            fault.Kind
		role                            string
		read                            bool
	}{
		{"no-role", f.token("no-role", map[string][]string{"auditor": {"*"}, "viewer": {"*"}}), post, request, "permission_denied", calls.Denied, fault.Permission, "auditor,viewer", true},
		{"foreign", f.token("foreign", map[string][]string{"operator": {"320200"}}), post, request, "permission_denied", calls.Denied, fault.Permission, "operator", true},
		{"formless", f.token("formless", here), post, `{"entry":` + strings.ReplaceAll(newEntry("k", "adjustment"), `"1.00"`, `"1.0"`) + `}`, "invalid_argument", calls.Failed, fault.Invalid, "operator,viewer", true},
		{"garbled", f.token("garbled", here), post, `{"entry":`, "invalid_argument", calls.Failed, fault.Invalid, "operator,viewer", false},
		{"late", past, post, request, "unauthenticated", calls.Denied, fault.Unauthenticated, "operator,viewer", false},
		{"early", f.sign(map[string]any{"sub": "early", "nbf": time.Now().Add(time.Hour).Unix()}), post, request, "unauthenticated", calls.Denied, fault.Unauthenticated, "", false},
		{"odd-roles", f.sign(map[string]any{"sub": "odd-roles", "fundledger_roles": []string{"operator"}}), post, request, "unauthenticated", calls.Denied, fault.Unauthenticated, "", false},
		{"forger", forged, post, request, "unauthenticated", "", "", "", false},
		{"reader", f.token("reader", map[string][]string{"operator": {"320200"}}), ledgerMethod + "GetStatement", `{"account":"` + bank + `"}`, "permission_denied", "", "", "", false},
	} {
		a := f.call(t, c.method, c.token, c.request)
		if a.code() != c.code {
			t.Errorf("%s gets %s: %v", c.subject, a.code(), a.body)
		}
		got := f.recorded(t, c.subject)
		if c.outcome == "" {
			if len(got) != 0 {
				t.Errorf("%s is recorded: %+v", c.subject, got)
			}
			continue
		}
		if len(got) != 1 || got[0].End.Outcome != c.outcome || got[0].End.Err == nil || got[0].End.Err.Kind != c.kind || got[0].Role != c.role ||
			got[0].RequestID != a.request || got[0].Begun.IsZero() || got[0].End.Time.IsZero() || got[0].Method != c.method || got[0].Action != "ledger.post" {
			t.Errorf("%s is recorded as %+v", c.subject, got)
			continue
		}
		if read := len(got[0].RequestHash) == 32 && got[0].Key == "k" && len(got[0].Regions) == 1; read != c.read {
			t.Errorf("%s: what was read is recorded as %+v", c.subject, got[0])
		}
	}
	if got := f.recorded(t, ""); len(got) != 7 {
		t.Errorf("%d calls are recorded", len(got))
	}
}

func TestStreamThatIsRefusedIsRecorded(t *testing.T) {
	t.Parallel()
	f := start(t)
	for subject, c := range map[string]struct {
		roles   map[string][]string
		message string
		want    string
		key     string
	}{
		"no-role":  {map[string][]string{"viewer": {"*"}}, startOf("refused", "center", []byte("x"), 0), "permission_denied", ""},
		"formless": {all, `{"start":{"batch_id":""}}`, "invalid_argument", ""},
		"garbled":  {all, `{"start":`, "invalid_argument", ""},
	} {
		_, a := f.stream(t, settlementMethod+"UploadSettlements", f.token(subject, c.roles), c.message)
		got := f.recorded(t, subject)
		if a.code() != c.want || len(got) != 1 || got[0].End.Err == nil || got[0].Key != c.key {
			t.Errorf("%s gets %s and is recorded as %+v", subject, a.code(), got)
		}
	}
}

func TestRequestThatIsNotReadIsRecordedAndLogged(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *config.Config) { c.Limits.MessageBytes = 1 << 16 })
	a := f.call(t, ledgerMethod+"Post", f.token("large", all), `{`+strings.Repeat(" ", 1<<17)+`}`)
	got := f.recorded(t, "large")
	if a.code() != "resource_exhausted" || len(got) != 1 || got[0].RequestID != a.request || got[0].End.Outcome != calls.Failed || len(got[0].RequestHash) != 0 {
		t.Errorf("%v: %+v", a.body, got)
	}
	if !strings.Contains(f.log.text(), a.request) {
		t.Errorf("%s", f.log.text())
	}
}

// refusedCalls is the sum of the metric of refused calls.
func refusedCalls(t *testing.T, reader *metric.ManualReader) (sum int64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == "fundledger.calls.refused" {
				for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
					sum += point.Value
				}
			}
		}
	}
	return sum
}

func TestFloodOfRefusedCallsIsCountedAndFillsNoTable(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *config.Config) { c.Limits.Burst, c.Limits.RequestsPerSecond = 1, 0.0001 })
	reader := metric.NewManualReader()
	var err error
	if f.server.refusals, err = newRefusals(metric.NewMeterProvider(metric.WithReader(reader))); err != nil {
		t.Fatal(err)
	}
	f.server.refusals.recorded = newLimiter(0.0001, 3)
	const flood = 20
	request := `{"entry":` + newEntry("k", "adjustment") + `}`
	for range flood {
		f.call(t, ledgerMethod+"Post", "", request)
		f.call(t, ledgerMethod+"Post", f.token("busy", all), request)
	}
	got := f.recorded(t, "")
	if len(got) != 1+3 || got[0].Subject != "busy" || got[0].End.Err.Kind != fault.Exhausted || got[3].End.Outcome != calls.Succeeded {
		t.Errorf("%+v", got)
	}
	if n := refusedCalls(t, reader); n != flood+flood-1 {
		t.Errorf("%d refused calls are counted", n)
	}
}

// TestMalformedBodyIsAnErrorLikeAnyOther sends what no generated client would.
func TestMalformedBodyIsAnErrorLikeAnyOther(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("person", all)
	for _, body := range []string{``, `{"entry":`, `{"entry":7}`, `[]`, "{\"entry\":{\"summary\":\"\xff\"}}"} {
		a := f.call(t, ledgerMethod+"Post", token, body)
		details, _ := a.body["details"].([]any)
		if a.code() != "invalid_argument" || a.status != http.StatusBadRequest || len(details) == 0 || !strings.HasPrefix(a.message(), "the request cannot be read: ") {
			t.Errorf("%q: %d %v", body, a.status, a.body)
			continue
		}
		if told, _ := details[0].(map[string]any)["debug"].(map[string]any); told["kind"] != "invalid" || told["requestId"] != a.request {
			t.Errorf("%q: %v", body, details[0])
		}
		if !strings.Contains(f.log.text(), a.request) {
			t.Errorf("%q is not in the log", body)
		}
	}
	for name, c := range map[string]struct {
		transport http.RoundTripper
		options   []connect.ClientOption
	}{
		"connect": {f.client.Transport, nil}, "grpc": {h2c(t), []connect.ClientOption{connect.WithGRPC()}},
		"grpc-web": {f.client.Transport, []connect.ClientOption{connect.WithGRPCWeb()}},
	} {
		client := ledgerv1connect.NewLedgerServiceClient(&http.Client{Transport: bearer{token, c.transport}}, f.url, append(c.options, connect.WithCodec(garbling{}))...)
		_, err := client.Post(t.Context(), postRequest("k"))
		stream, streamErr := client.WatchEntries(t.Context(), &ledgerv1.WatchEntriesRequest{})
		if streamErr == nil {
			stream.Receive()
			streamErr = stream.Err()
			stream.Close()
		}
		for _, err := range []error{err, streamErr} {
			info := infoOf(t, err)
			if connect.CodeOf(err) != connect.CodeInvalidArgument || info.GetKind() != "invalid" || info.GetRequestId() == "" ||
				!strings.HasPrefix(info.GetMessage(), "the request cannot be read: ") || !strings.Contains(f.log.text(), info.GetRequestId()) {
				t.Errorf("%s: %v %v", name, err, info)
			}
		}
	}
}

// garbling is a codec of a client whose messages nobody can read.
type garbling struct{ binaryCodec }

func (garbling) Marshal(any) ([]byte, error) { return []byte("\x0a\xff\xff"), nil }

func (g garbling) MarshalAppend(to []byte, _ any) ([]byte, error) {
	return append(to, "\x0a\xff\xff"...), nil
}

func TestNoClientCanSayThatItsRequestIsUnreadable(t *testing.T) {
	t.Parallel()
	f := start(t)
	request := postRequest("k")
	request.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, reasonField, protowire.BytesType), rand.Text()+"no"))
	client := ledgerv1connect.NewLedgerServiceClient(&http.Client{Transport: bearer{f.token("person", all), f.client.Transport}}, f.url)
	if _, err := client.Post(t.Context(), request); err != nil {
		t.Error(err)
	}
	read := &ledgerv1.PostRequest{}
	if err := (binaryCodec{}).Unmarshal([]byte{0xff}, read); err != nil || unreadable(read) == nil || unreadable(&ledgerv1.PostRequest{}) != nil {
		t.Errorf("%v %v", err, unreadable(read))
	}
}
