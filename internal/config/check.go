package config

import (
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"fundledger/internal/fault"
)

// Roles are all that there are.
var Roles = []string{"viewer", "operator", "approver", "auditor", "admin"}

// Province stands in place of regions for all of them.
const Province = "*"

var regionCode = regexp.MustCompile(`^[0-9]{6}$`)

// Check says what of the configuration cannot work, all of it in one Invalid
// error.
func (c *Config) Check() error {
	var faults []string
	demand := func(ok bool, says string) {
		if !ok {
			faults = append(faults, says)
		}
	}
	demand(c.DatabaseURL != "", "database_url is missing: give --database-url, FUNDLEDGER_DATABASE_URL or database_url in the file")
	demand(isAddress(c.Listen), "listen "+quoted(c.Listen)+" is no address HOST:PORT")
	demand(c.AdminListen == "" || isLoopback(c.AdminListen) || isPrivate(c.AdminListen), "admin_listen "+quoted(c.AdminListen)+" has no authentication: give a loopback or private address")
	demand(c.Limits.MessageBytes >= 1<<16, "limits.message_bytes is less than 65536")
	demand(c.Limits.RequestsPerSecond > 0 && c.Limits.Burst > 0, "limits.requests_per_second and limits.burst must be positive")
	demand(min(c.Limits.RequestTime, c.Limits.ReadTime, c.Limits.IdleTime, c.Limits.DrainTime) > 0, "the times of limits must be positive")
	demand(c.Sweeper.Interval >= 0, "sweeper.interval must not be negative; 0 switches it off")
	demand((c.TLS.Certificate == "") == (c.TLS.Key == ""), "tls.certificate and tls.key belong together")
	demand(new(slog.LevelVar).UnmarshalText([]byte(c.Log.Level)) == nil, "log.level "+quoted(c.Log.Level)+" is none of debug, info, warn and error")
	if c.Dev {
		demand(isLoopback(c.Listen), "dev runs open and listens on a loopback address only, not on "+quoted(c.Listen))
	} else {
		faults = append(faults, c.checkAuth()...)
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "%s", strings.Join(faults, "\n"))
	}
	return nil
}

func (c *Config) checkAuth() (faults []string) {
	demand := func(ok bool, says string) {
		if !ok {
			faults = append(faults, says)
		}
	}
	a := c.Auth
	tokens := a.Issuer != "" || a.JWKSURL != "" || a.JWKSFile != ""
	demand(tokens || c.TLS.ClientCA != "", "nobody could log in: give auth.issuer, auth.audience and auth.jwks_url or auth.jwks_file for people, tls.client_ca and auth.jobs for jobs, or run with --dev")
	demand(!tokens || (a.Issuer != "" && a.Audience != "" && (a.JWKSURL == "") != (a.JWKSFile == "")), "tokens need auth.issuer, auth.audience and one of auth.jwks_url and auth.jwks_file")
	demand(!tokens || (a.SubjectClaim != "" && a.RolesClaim != ""), "tokens need auth.subject_claim and auth.roles_claim")
	demand(a.ClockSkew >= 0 && a.ClockSkew.Minutes() <= 5, "auth.clock_skew is not between 0 and 5m")
	demand(c.TLS.Certificate != "" || c.TLS.ClientCA == "", "tls.client_ca needs tls.certificate")
	demand(c.TLS.ClientCA != "" || len(a.Jobs) == 0, "auth.jobs needs tls.client_ca")
	demand(c.TLS.Certificate != "" || isLoopback(c.Listen), "listen "+quoted(c.Listen)+" would carry tokens in plain text: give tls.certificate and tls.key, or a loopback address behind a proxy")
	for _, job := range a.Jobs {
		demand(job.Subject != "" && len(job.Roles) > 0, "a job of auth.jobs lacks its subject or its roles")
		for _, role := range slices.Sorted(maps.Keys(job.Roles)) {
			demand(slices.Contains(Roles, role), "auth.jobs "+quoted(job.Subject)+": there is no role "+quoted(role))
			for _, region := range job.Roles[role] {
				demand(region == Province || regionCode.MatchString(region), "auth.jobs "+quoted(job.Subject)+": "+quoted(region)+" is neither a region of six digits nor *")
			}
		}
	}
	return faults
}

func quoted(s string) string { return `"` + s + `"` }

func isAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port != ""
}

// addressOf is the IP of an address that names one; "localhost" is loopback.
func addressOf(address string) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return netip.Addr{}, false
	}
	if host == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	ip, err := netip.ParseAddr(host)
	return ip, err == nil
}

func isLoopback(address string) bool { ip, ok := addressOf(address); return ok && ip.IsLoopback() }

func isPrivate(address string) bool { ip, ok := addressOf(address); return ok && ip.IsPrivate() }
