package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"fundledger/internal/calls"
	"fundledger/internal/postgres"
)

var served = regexp.MustCompile(`"msg":"(serves|serves metrics)","address":"([^"]+)"`)

func TestServeAnswersSealsAndDrains(t *testing.T) {
	url := opened(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, log buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--database-url", url, "serve", "--dev", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "sealer.name=server-1", "--set", "sweeper.interval=20ms"},
			&out, &log, func(string) string { return "" })
	}()
	addresses := map[string]string{}
	for deadline := time.Now().Add(time.Minute); len(addresses) < 2; time.Sleep(10 * time.Millisecond) {
		log.mu.Lock()
		for _, m := range served.FindAllStringSubmatch(log.String(), -1) {
			addresses[m[1]] = "http://" + m[2]
		}
		log.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("the server does not start")
		}
	}
	post := func(method, request string) string {
		t.Helper()
		response, err := http.Post(addresses["serves"]+"/fundledger.ledger.v1.LedgerService/"+method, "application/json", strings.NewReader(request))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %s %v", response.StatusCode, body, err)
		}
		return string(body)
	}
	post("Post", `{"entry":{"idempotencyKey":"in","date":"2025-01-15","period":"2025-01","kind":"adjustment","summary":"试验","postings":[
		{"account":"`+bank+`","side":"SIDE_DEBIT","amount":"1.00"},{"account":"`+incomes+`","side":"SIDE_CREDIT","amount":"1.00"}]}}`)
	if got := post("GetBalances", `{"account":"`+bank+`","atLeastPosition":"1"}`); !strings.Contains(got, `"balance":"1.00"`) {
		t.Errorf("%s", got)
	}
	post("Pend", `{"entry":{"idempotencyKey":"held","date":"2025-01-15","period":"2025-01","kind":"adjustment","summary":"预占","postings":[
		{"account":"`+incomes+`","side":"SIDE_DEBIT","amount":"1.00"},{"account":"`+bank+`","side":"SIDE_CREDIT","amount":"1.00"}]},
		"expireTime":"`+time.Now().Add(500*time.Millisecond).UTC().Format(time.RFC3339Nano)+`"}`)
	for deadline := time.Now().Add(time.Minute); !strings.Contains(post("GetPending", `{"pendingKey":"held"}`), "PENDING_STATE_EXPIRED"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody sweeps")
		}
	}
	response, err := http.Get(addresses["serves metrics"] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rpc_server_", "pgxpool_", "fundledger_sealer_sealed_position", "fundledger_sweeper_expired_total", "go_goroutines"} {
		if !strings.Contains(string(metrics), name) {
			t.Errorf("there is no metric %s", name)
		}
	}
	post("Post", `{"entry":{"idempotencyKey":"last","date":"2025-01-15","period":"2025-01","kind":"adjustment","summary":"试验","postings":[
		{"account":"`+bank+`","side":"SIDE_DEBIT","amount":"1.00"},{"account":"`+incomes+`","side":"SIDE_CREDIT","amount":"1.00"}]}}`)
	http.DefaultClient.CloseIdleConnections()
	interrupt()
	if got := <-code; got != exitOK {
		t.Errorf("exit %d: %s", got, log.String())
	}
	if status := must(t, url, "seal", "--status"); !strings.Contains(status, "nobody leads") || !strings.Contains(status, "projected to 2") {
		t.Errorf("%s", status)
	}
	db, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	recorded, err := calls.NewLog(db).List(t.Context(), calls.Query{})
	if err != nil || len(recorded.Calls) != 3 {
		t.Fatalf("%+v %v", recorded, err)
	}
	for _, c := range recorded.Calls {
		if c.Action != "ledger.post" && c.Action != "ledger.pend" || c.End.Outcome != calls.Succeeded {
			t.Errorf("%+v", c)
		}
	}
	if !strings.Contains(log.String(), "RUNS OPEN") || !strings.Contains(log.String(), `"sealer":"server-1"`) {
		t.Errorf("%s", log.String())
	}
}

func TestServeRefusesASetupThatCannotWork(t *testing.T) {
	url := opened(t)
	refusedWith(t, url, "nobody could log in", "serve")
	refusedWith(t, url, "loopback address only", "serve", "--dev", "--listen", "0.0.0.0:0")
	refusedWith(t, url, "limits.burts", "serve", "--set", "limits.burts=1")
}

func TestConfigPrintTellsTheSourceOfEachValueAndMasksPasswords(t *testing.T) {
	r := fundledger(t, "postgres://app:hidden@db/fundledger", "--json", "config", "print", "--dev", "--set", "limits.request_time=20s")
	var printed struct {
		Settings []struct{ Key, Value, Source string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &printed); err != nil || r.code != exitOK {
		t.Fatal(err, r.stderr)
	}
	seen := 0
	for _, s := range printed.Settings {
		switch {
		case s.Key == "database_url" && s.Value == "postgres://app:xxxxx@db/fundledger" && s.Source == "FUNDLEDGER_DATABASE_URL",
			s.Key == "limits.request_time" && s.Value == "20s" && s.Source == "flag",
			s.Key == "dev" && s.Value == "true" && s.Source == "flag",
			s.Key == "limits.drain_time" && s.Value == "30s" && s.Source == "default":
			seen++
		}
	}
	if seen != 4 || strings.Contains(r.stdout, "hidden") {
		t.Errorf("%s", r.stdout)
	}
	if r := fundledger(t, "", "config", "print"); r.code != exitFailed || !strings.Contains(r.stdout, "limits.burst") || !strings.Contains(r.stderr, "database_url is missing") {
		t.Errorf("exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
}
