package config

import "time"

// Config is the whole setup of a server. The tags are the keys of the file; of
// "auth.jwks_url" the variable is FUNDLEDGER_AUTH_JWKS_URL.
type Config struct {
	// DatabaseURL is the database, as postgres://USER@HOST:PORT/NAME.
	DatabaseURL string `koanf:"database_url"`
	// Listen is the address of the service, AdminListen that of metrics and
	// readiness, which has no authentication: empty for none.
	Listen      string `koanf:"listen"`
	AdminListen string `koanf:"admin_listen"`
	// Dev runs the service open, on a loopback address only.
	Dev bool `koanf:"dev"`

	TLS       TLS       `koanf:"tls"`
	Auth      Auth      `koanf:"auth"`
	Limits    Limits    `koanf:"limits"`
	Sealer    Sealer    `koanf:"sealer"`
	Sweeper   Sweeper   `koanf:"sweeper"`
	Log       Log       `koanf:"log"`
	Telemetry Telemetry `koanf:"telemetry"`
}

// TLS names PEM files. Without a certificate the service speaks plain HTTP.
type TLS struct {
	Certificate string `koanf:"certificate"`
	Key         string `koanf:"key"`
	// ClientCA signs the certificates of jobs; empty: no certificates are taken.
	ClientCA string `koanf:"client_ca"`
}

// Auth says whose tokens are taken and what jobs may do.
type Auth struct {
	Issuer   string `koanf:"issuer"`
	Audience string `koanf:"audience"`
	// JWKSURL or JWKSFile holds the issuer's keys. The address is asked again,
	// and the file read again, when a token names a key that is not known.
	JWKSURL  string `koanf:"jwks_url"`
	JWKSFile string `koanf:"jwks_file"`
	// ClockSkew is how far the issuer's clock may be off.
	ClockSkew    time.Duration `koanf:"clock_skew"`
	SubjectClaim string        `koanf:"subject_claim"`
	RolesClaim   string        `koanf:"roles_claim"`
	// Jobs are the certificates that are taken; they stand in the file only.
	Jobs []Job `koanf:"jobs"`
}

// Job is a client certificate by its subject, such as "CN=clearing,O=医保局",
// with the regions of each role; "*" is the whole province.
type Job struct {
	Subject string              `koanf:"subject"`
	Roles   map[string][]string `koanf:"roles"`
}

// Limits protect the server.
type Limits struct {
	MessageBytes int `koanf:"message_bytes"` // of a request
	// RequestsPerSecond is what one subject may ask over time, Burst at once.
	RequestsPerSecond float64       `koanf:"requests_per_second"`
	Burst             int           `koanf:"burst"`
	RequestTime       time.Duration `koanf:"request_time"` // of a call that is no stream
	ReadTime          time.Duration `koanf:"read_time"`    // of the headers of a request
	IdleTime          time.Duration `koanf:"idle_time"`    // of a connection
	DrainTime         time.Duration `koanf:"drain_time"`   // for calls under way when the server stops
}

// Sealer runs in the server unless it is switched off.
type Sealer struct {
	Enabled bool   `koanf:"enabled"`
	Name    string `koanf:"name"` // empty: host and process number
}

// Sweeper releases pending entries whose time has passed.
type Sweeper struct {
	Interval time.Duration `koanf:"interval"` // 0: not in this process
}

// Log says how much is logged.
type Log struct {
	Level string `koanf:"level"` // debug, info, warn or error
}

// Telemetry names where traces go.
type Telemetry struct {
	OTLPEndpoint string `koanf:"otlp_endpoint"` // URL of an OTLP collector over HTTP; empty: no traces
}

// defaults also name every key there is.
var defaults = map[string]any{
	"database_url": "", "listen": "127.0.0.1:8080", "admin_listen": "127.0.0.1:9090", "dev": false,
	"tls.certificate": "", "tls.key": "", "tls.client_ca": "",
	"auth.issuer": "", "auth.audience": "", "auth.jwks_url": "", "auth.jwks_file": "", "auth.clock_skew": "1m",
	"auth.subject_claim": "sub", "auth.roles_claim": "fundledger_roles", jobsKey: []any{},
	"limits.message_bytes": 16 << 20, "limits.requests_per_second": 500.0, "limits.burst": 1000,
	"limits.request_time": "1m", "limits.read_time": "10s", "limits.idle_time": "2m", "limits.drain_time": "30s",
	"sealer.enabled": true, "sealer.name": "", "sweeper.interval": "30s", "log.level": "info", "telemetry.otlp_endpoint": "",
}

// jobsKey is the one key that is a list.
const jobsKey = "auth.jobs"
