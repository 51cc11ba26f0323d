package rpc

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fundledger/internal/config"
)

const readRegions = accountsMethod + "ListRegions"

func TestTokenThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	f := start(t)
	roles := map[string][]string{"viewer": {"*"}}
	other := newIssuer(t)
	good := f.token("person", roles)
	for name, token := range map[string]string{
		"expired":                  f.sign(map[string]any{"exp": time.Now().Add(-time.Minute).Unix(), "fundledger_roles": roles}),
		"of another audience":      f.sign(map[string]any{"aud": "somebody else", "fundledger_roles": roles}),
		"of another issuer":        f.sign(map[string]any{"iss": "https://evil.example", "fundledger_roles": roles}),
		"signed by somebody else":  other.token("person", roles),
		"not valid yet":            f.sign(map[string]any{"nbf": time.Now().Add(time.Hour).Unix(), "fundledger_roles": roles}),
		"changed":                  good[:len(good)-8] + "AAAAAAAA",
		"without a subject":        f.sign(map[string]any{"sub": " ", "fundledger_roles": roles}),
		"with roles of other form": f.sign(map[string]any{"fundledger_roles": []string{"viewer"}}),
		"with a region by name":    f.sign(map[string]any{"fundledger_roles": map[string][]string{"viewer": {"南京"}}}),
		"nonsense":                 "x.y.z",
	} {
		if a := f.call(t, readRegions, token, `{}`); a.code() != "unauthenticated" {
			t.Errorf("a token that is %s: %s %v", name, a.code(), a.body)
		}
	}
	if a := f.call(t, readRegions, good, `{}`); a.code() != "ok" {
		t.Errorf("a good token: %v", a.body)
	}
	if a := f.call(t, readRegions, f.sign(nil), `{}`); a.code() != "permission_denied" {
		t.Errorf("a token without roles: %v", a.body)
	}
	skewed := f.sign(map[string]any{"exp": time.Now().Add(-10 * time.Second).Unix(), "fundledger_roles": roles})
	if a := f.call(t, readRegions, skewed, `{}`); a.code() != "ok" {
		t.Errorf("a token within the clock skew: %v", a.body)
	}
}

func TestKeysAreRotatedWithoutAStop(t *testing.T) {
	t.Parallel()
	roles := map[string][]string{"viewer": {"*"}}
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		f := start(t)
		old := f.sign(map[string]any{"sub": "old", "fundledger_roles": roles})
		f.rotate("second")
		if a := f.call(t, readRegions, f.token("person", roles), `{}`); a.code() != "ok" {
			t.Errorf("the new key: %v", a.body)
		}
		if a := f.call(t, readRegions, old, `{}`); a.code() != "unauthenticated" {
			t.Errorf("the key that was taken back: %v", a.body)
		}
	})
	t.Run("address", func(t *testing.T) {
		t.Parallel()
		keys := newIssuer(t)
		asked := 0
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			_ = json.NewEncoder(w).Encode(keys.published())
		}))
		t.Cleanup(endpoint.Close)
		f := start(t, func(c *config.Config) { c.Auth.JWKSFile, c.Auth.JWKSURL = "", endpoint.URL })
		for range 3 {
			if a := f.call(t, readRegions, keys.token("person", roles), `{}`); a.code() != "ok" {
				t.Fatalf("the first key: %v", a.body)
			}
		}
		keys.rotate("second")
		if a := f.call(t, readRegions, keys.token("person", roles), `{}`); a.code() != "ok" || asked != 2 {
			t.Errorf("the new key, asked %d times: %v", asked, a.body)
		}
		endpoint.Close()
		keys.rotate("third")
		if a := f.call(t, readRegions, keys.token("person", roles), `{}`); a.code() != "unavailable" {
			t.Errorf("an issuer that cannot be asked: %v", a.body)
		}
	})
}

func TestWhoCallsTooOftenWaits(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *config.Config) { c.Limits.Burst, c.Limits.RequestsPerSecond = 2, 0.001 })
	roles := map[string][]string{"viewer": {"*"}}
	for _, want := range []string{"ok", "ok", "resource_exhausted"} {
		if a := f.call(t, readRegions, f.token("busy", roles), `{}`); a.code() != want {
			t.Errorf("got %s, want %s", a.code(), want)
		}
	}
	if a := f.call(t, readRegions, f.token("other", roles), `{}`); a.code() != "ok" {
		t.Errorf("another subject: %v", a.body)
	}
}

func TestDevRunsOpenOnLoopbackOnlyAndWarns(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *config.Config) { c.Dev = true })
	if a := f.call(t, readRegions, "", `{}`); a.code() != "ok" {
		t.Errorf("%v", a.body)
	}
	if !strings.Contains(f.log.text(), "RUNS OPEN") {
		t.Errorf("no warning: %s", f.log.text())
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+readRegions, strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	response, err := f.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("the name of another machine gets %d", response.StatusCode)
	}
}
