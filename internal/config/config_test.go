package config

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fundledger/internal/fault"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fundledger.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func env(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

const whole = `
database_url: postgres://app:secret@db:26257/fundledger
listen: 0.0.0.0:8443
tls: {certificate: server.pem, key: server.key, client_ca: ca.pem}
auth:
  issuer: https://login.example
  audience: fundledger
  jwks_url: https://login.example/keys
  jobs:
    - subject: CN=clearing,O=医保局
      roles: {operator: ["*"], viewer: ["320100"]}
limits:
  request_time: 20s
`

func TestFlagsWinOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	path := file(t, whole)
	c, settings, err := Load(Given{
		File: path, Env: env(map[string]string{"FUNDLEDGER_LISTEN": "0.0.0.0:1", "FUNDLEDGER_LIMITS_BURST": "7", "FUNDLEDGER_TEST_DATABASE_URL": "x"}),
		Flags: map[string]string{"listen": "0.0.0.0:2", "sealer.enabled": "false"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "0.0.0.0:2" || c.Limits.Burst != 7 || c.Limits.RequestTime != 20*time.Second || c.Sealer.Enabled || c.Limits.DrainTime != 30*time.Second {
		t.Errorf("%+v", c)
	}
	if len(c.Auth.Jobs) != 1 || c.Auth.Jobs[0].Subject != "CN=clearing,O=医保局" || !slices.Equal(c.Auth.Jobs[0].Roles["viewer"], []string{"320100"}) {
		t.Errorf("%+v", c.Auth.Jobs)
	}
	sources := map[string]string{}
	for _, s := range settings {
		sources[s.Key] = s.Source
		if strings.Contains(s.Value, "secret") {
			t.Errorf("%s shows a secret: %s", s.Key, s.Value)
		}
	}
	for key, want := range map[string]string{
		"listen": "flag", "limits.burst": "FUNDLEDGER_LIMITS_BURST", "limits.request_time": path, "auth.jobs": path, "limits.drain_time": "default",
	} {
		if sources[key] != want {
			t.Errorf("%s comes from %s, want %s", key, sources[key], want)
		}
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

// keysOf are the keys of the settings of a type.
func keysOf(of reflect.Type, prefix string) (keys []string) {
	for i := range of.NumField() {
		key := prefix + of.Field(i).Tag.Get("koanf")
		if of.Field(i).Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(of.Field(i).Type, key+".")...)
		} else {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestEverySettingHasADefaultAndEveryDefaultIsASetting(t *testing.T) {
	keys := keysOf(reflect.TypeFor[Config](), "")
	slices.Sort(keys)
	if want := slices.Sorted(maps.Keys(defaults)); !slices.Equal(keys, want) {
		t.Errorf("%v\n%v", keys, want)
	}
}

func TestWhatCannotBeReadIsNamedWithItsSource(t *testing.T) {
	for name, c := range map[string]struct {
		given Given
		says  string
	}{
		"unknown key":       {Given{File: file(t, "limits: {burts: 3}")}, "limits.burts"},
		"unknown flag":      {Given{Flags: map[string]string{"lisen": "x"}}, "lisen"},
		"jobs by flag":      {Given{Flags: map[string]string{"auth.jobs": "x"}}, "auth.jobs"},
		"no YAML":           {Given{File: file(t, "a: [")}, "is not YAML"},
		"no file":           {Given{File: "/does/not/exist"}, "/does/not/exist"},
		"wrong type":        {Given{Flags: map[string]string{"limits.burst": "many"}}, "limits.burst"},
		"a time of no unit": {Given{Flags: map[string]string{"limits.drain_time": "soon"}}, "limits.drain_time"},
	} {
		c.given.Env = env(nil)
		if _, _, err := Load(c.given); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckNamesAllThatCannotWork(t *testing.T) {
	good, _, err := Load(Given{File: file(t, whole), Env: env(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Config){
		"database_url":           func(c *Config) { c.DatabaseURL = "" },
		"HOST:PORT":              func(c *Config) { c.Listen = "8080" },
		"admin_listen":           func(c *Config) { c.AdminListen = "0.0.0.0:9090" },
		"tls.key":                func(c *Config) { c.TLS.Key = "" },
		"plain text":             func(c *Config) { c.TLS, c.Auth.Jobs = TLS{}, nil },
		"nobody could log in":    func(c *Config) { c.TLS.ClientCA, c.Auth = "", Auth{} },
		"one of auth.jwks_url":   func(c *Config) { c.Auth.JWKSFile = "keys.json" },
		"auth.audience":          func(c *Config) { c.Auth.Audience = "" },
		"auth.clock_skew":        func(c *Config) { c.Auth.ClockSkew = time.Hour },
		`no role "boss"`:         func(c *Config) { c.Auth.Jobs[0].Roles = map[string][]string{"boss": {"*"}} },
		"region of six digits":   func(c *Config) { c.Auth.Jobs[0].Roles = map[string][]string{"viewer": {"南京"}} },
		"loopback address only":  func(c *Config) { c.Dev = true },
		"limits.message_bytes":   func(c *Config) { c.Limits.MessageBytes = 1 },
		"times of limits":        func(c *Config) { c.Limits.DrainTime = 0 },
		"sweeper.interval":       func(c *Config) { c.Sweeper.Interval = -1 },
		"log.level":              func(c *Config) { c.Log.Level = "loud" },
		"limits.burst must be":   func(c *Config) { c.Limits.Burst = 0 },
		"auth.jobs needs tls.cl": func(c *Config) { c.TLS.ClientCA = "" },
	} {
		c := *good
		c.Auth.Jobs = []Job{good.Auth.Jobs[0]}
		change(&c)
		if err := c.Check(); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	bad := *good
	bad.Listen, bad.DatabaseURL = "x", ""
	if err := bad.Check(); !strings.Contains(err.Error(), "database_url") || !strings.Contains(err.Error(), "listen") {
		t.Errorf("not all is named: %v", err)
	}
	dev := *good
	dev.Dev, dev.Listen = true, "localhost:8080"
	if err := dev.Check(); err != nil {
		t.Error(err)
	}
}

func TestPasswordsOfAnyFormAreMasked(t *testing.T) {
	for _, url := range []string{"postgres://u:secret@h/d", "postgres://h/d?password=secret", "postgres://u:%zzsecret@h/d"} {
		_, settings, err := Load(Given{Env: env(map[string]string{"FUNDLEDGER_DATABASE_URL": url})})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range settings {
			if strings.Contains(s.Value, "secret") {
				t.Errorf("%s shows %s", s.Key, s.Value)
			}
		}
	}
	// A text of keys and values is no address, and holds the password too.
	_, settings, err := Load(Given{Env: env(map[string]string{"FUNDLEDGER_DATABASE_URL": "host=h password=secret"})})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if strings.Contains(s.Value, "secret") {
			t.Errorf("%s shows %s", s.Key, s.Value)
		}
	}
}
