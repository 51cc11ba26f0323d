package rpc

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	"fundledger/internal/config"
	"fundledger/internal/fault"
	"fundledger/ledger"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
	"fundledger/proto/gen/fundledger/audit/v1/auditv1connect"
)

// earnMuch posts entries whose bundle has so many chunks, since their texts do
// not compress.
func (f *fixture) earnMuch(t testing.TB, n int) {
	t.Helper()
	for first := 0; first < n; first += 500 {
		var entries []string
		for i := first; i < min(n, first+500); i++ {
			e := newEntry(fmt.Sprintf("much-%d", i), "adjustment")
			entries = append(entries, strings.Replace(e, "试验", rand.Text()+rand.Text()+rand.Text()+rand.Text()+rand.Text()+rand.Text()+rand.Text(), 1))
		}
		a := f.call(t, ledgerMethod+"PostBatch", f.token("clerk", all), `{"entries":[`+strings.Join(entries, ",")+`]}`)
		if a.code() != "ok" || strings.Contains(fmt.Sprint(a.body), "error") {
			t.Fatal(a.body)
		}
	}
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// connectionsAreFree waits until no connection to the database is held.
func (f *fixture) connectionsAreFree(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); f.db.Pool.Stat().AcquiredConns() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections to the database are held", f.db.Pool.Stat().AcquiredConns())
		}
	}
}

// TestSlowClientOfABundleHoldsNoConnection: it takes one chunk, and the rest only
// when others have posted, which it must not see.
func TestSlowClientOfABundleHoldsNoConnection(t *testing.T) {
	t.Parallel()
	f := start(t)
	const entries = 3000
	f.earnMuch(t, entries)
	var bundle bytes.Buffer
	var last *auditv1.ExportBundleResponse
	before, messages := int64(0), 0
	err := sendBundle(t.Context(), f.journal, func(m *auditv1.ExportBundleResponse) error {
		if messages++; messages == 1 {
			f.connectionsAreFree(t)
			f.earn(t, 2)
			if _, err := f.journal.CatchUp(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if m.GetPosition() != entries || m.GetEntriesDone() < before || m.GetEntriesDone() > entries || m.GetSummary() == nil && len(m.GetChunk()) != chunkBytes {
			t.Errorf("message %d of position %d has %d bytes and tells %d entries", messages, m.GetPosition(), len(m.GetChunk()), m.GetEntriesDone())
		}
		before = m.GetEntriesDone()
		bundle.Write(m.GetChunk())
		last = &auditv1.ExportBundleResponse{Summary: m.GetSummary(), EntriesDone: m.GetEntriesDone()}
		return nil
	})
	hash := sha256.Sum256(bundle.Bytes())
	if err != nil || messages < 3 || last.GetEntriesDone() != entries || last.GetSummary().GetBytes() != int64(bundle.Len()) || !bytes.Equal(last.GetSummary().GetSha256(), hash[:]) {
		t.Fatalf("%d messages, %v %v", messages, last, err)
	}
	report, err := ledger.VerifyBundle(t.Context(), &bundle)
	if err != nil || !report.OK() || report.Entries != entries {
		t.Errorf("%+v %v", report, err)
	}
}

func TestVanishedClientEndsTheExport(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.earnMuch(t, 1500)
	sent := 0
	err := sendBundle(t.Context(), f.journal, func(*auditv1.ExportBundleResponse) error { sent++; return context.Canceled })
	if !errors.Is(err, context.Canceled) || sent != 1 {
		t.Errorf("the export goes on: %v, %d messages", err, sent)
	}
	f.connectionsAreFree(t)
	gone, vanish := context.WithCancel(t.Context())
	vanish()
	if err := sendBundle(gone, f.journal, func(*auditv1.ExportBundleResponse) error { return nil }); err == nil {
		t.Error("a client that is gone gets all")
	}
}

func TestExportThatFailsEndsTheStream(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.earnMuch(t, 1)
	bundle, err := newAside()
	if err != nil {
		t.Fatal(err)
	}
	bundle.close() // as a disk that is full
	if _, err := f.journal.ExportBundle(t.Context(), bundle, bundle.progress); fault.KindOf(err) != fault.Exhausted {
		t.Errorf("%v", err)
	}
	bundle.end(errors.New("the database is away"))
	if _, _, _, _, err := bundle.fill(t.Context(), make([]byte, 1)); err == nil || err.Error() != "the database is away" {
		t.Errorf("%v", err)
	}
	f.db.Close()
	if err := sendBundle(t.Context(), f.journal, func(*auditv1.ExportBundleResponse) error { return nil }); err == nil {
		t.Error("there is a bundle without a database")
	}
}

// narrow is a connection that buffers little of what it does not read.
func narrow(t testing.TB) *http.Transport {
	transport := h2c(t)
	transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 64 << 10}
	return transport
}

// TestSlowAndVanishedClientsOfABundleAreLetGo is not parallel: it looks at all
// that runs.
func TestSlowAndVanishedClientsOfABundleAreLetGo(t *testing.T) {
	other := start(t) // the database of the tests runs on
	other.close(t)()
	other.ended <- nil
	before := goleak.IgnoreCurrent()
	f := start(t)
	f.server.patience = 2 * time.Second
	f.earnMuch(t, 3000)
	f.client.CloseIdleConnections()
	token := f.token("auditor", map[string][]string{"auditor": {config.Province}})
	open := func(ctx context.Context) (*http.Transport, *connect.ServerStreamForClient[auditv1.ExportBundleResponse]) {
		transport := narrow(t)
		client := auditv1connect.NewAuditServiceClient(&http.Client{Transport: bearer{token, transport}}, f.url, connect.WithGRPC())
		stream, err := client.ExportBundle(ctx, &auditv1.ExportBundleRequest{})
		if err != nil || !stream.Receive() {
			t.Fatal(err, stream.Err())
		}
		return transport, stream
	}
	slow, stopped := open(context.Background())
	f.connectionsAreFree(t) // while it takes nothing more
	gone, vanish := context.WithCancel(context.Background())
	fled, vanished := open(gone)
	vanish()
	for deadline := time.Now().Add(time.Minute); strings.Count(f.log.text(), "ExportBundle") < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a stream goes on while its client takes nothing: %s", f.log.text())
		}
	}
	f.connectionsAreFree(t)
	stopped.Close()
	vanished.Close()
	slow.CloseIdleConnections()
	fled.CloseIdleConnections()
	f.close(t)()
	f.ended <- nil
	f.db.Close()
	goleak.VerifyNone(t, before)
}
