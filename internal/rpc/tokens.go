package rpc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"fundledger/internal/config"
	"fundledger/internal/fault"
)

// algorithms are those that sign with a key of which the public half is known.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// tokens takes the JSON Web Tokens of one issuer. The claim of the roles is an
// object of roles with the regions in which each is held, "*" for all:
//
//	"fundledger_roles": {"operator": ["320100"], "viewer": ["*"]}
type tokens struct {
	verifier *oidc.IDTokenVerifier
	timeless *oidc.IDTokenVerifier // takes tokens of the past and the future too
	subject  string                // name of the claim
	roles    string                // name of the claim
	client   *http.Client
	mu       sync.Mutex
	verified map[[sha256.Size]byte]verified
}

// verified is a token whose signature need not be looked at again so soon.
type verified struct {
	principal *Principal
	until     time.Time
}

const (
	trustedFor   = time.Minute // a verified token, before its signature is looked at again
	maxVerified  = 10_000
	keysPatience = 10 * time.Second
	maxSubject   = 200 // bytes
)

func newTokens(c config.Auth) (*tokens, error) {
	if c.Issuer == "" {
		return nil, nil
	}
	t := &tokens{
		subject: c.SubjectClaim, roles: c.RolesClaim,
		client:   &http.Client{Timeout: keysPatience, Transport: http.DefaultTransport.(*http.Transport).Clone()},
		verified: map[[sha256.Size]byte]verified{},
	}
	var keys oidc.KeySet
	if c.JWKSFile != "" {
		file := &keyFile{path: c.JWKSFile}
		if err := file.read(); err != nil {
			return nil, err
		}
		keys = file
	} else {
		keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), t.client), c.JWKSURL)
	}
	verifying := oidc.Config{
		ClientID: c.Audience, SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return time.Now().Add(-c.ClockSkew) },
	}
	t.verifier = oidc.NewVerifier(c.Issuer, keys, &verifying)
	timeless := verifying
	timeless.SkipExpiryCheck = true
	t.timeless = oidc.NewVerifier(c.Issuer, keys, &timeless)
	return t, nil
}

// close ends the connections to the issuer.
func (t *tokens) close() {
	if t != nil {
		t.client.CloseIdleConnections()
	}
}

// principal is who the token speaks of, beside an error too where its signature
// is the issuer's.
func (t *tokens) principal(ctx context.Context, raw string) (*Principal, error) {
	sum := sha256.Sum256([]byte(raw))
	if p := t.known(sum); p != nil {
		return p, nil
	}
	token, err := t.verifier.Verify(ctx, raw)
	if err != nil {
		kind := fault.Unauthenticated
		if strings.Contains(err.Error(), "fetching keys") {
			kind = fault.Unavailable
		}
		return t.past(ctx, raw, err), fault.New(kind, "the token is not taken: %w", err)
	}
	p, err := t.read(token)
	if err != nil {
		return p, err
	}
	t.remember(sum, verified{p, earlier(token.Expiry, time.Now().Add(trustedFor))})
	return p, nil
}

// past is who a token speaks of that is refused only for its time; else nil.
func (t *tokens) past(ctx context.Context, raw string, refusal error) *Principal {
	if _, expired := errors.AsType[*oidc.TokenExpiredError](refusal); !expired && !strings.Contains(refusal.Error(), "nbf") {
		return nil
	}
	token, err := t.timeless.Verify(ctx, raw)
	if err != nil {
		return nil
	}
	p, _ := t.read(token)
	return p
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (t *tokens) known(sum [sha256.Size]byte) *Principal {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.verified[sum]; ok && time.Now().Before(v.until) {
		return v.principal
	}
	return nil
}

func (t *tokens) remember(sum [sha256.Size]byte, v verified) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.verified) >= maxVerified {
		clear(t.verified)
	}
	t.verified[sum] = v
}

var region = regexp.MustCompile(`^[0-9]{6}$`)

// read takes subject and roles from the claims. Roles that are none of ours are
// for others. Where only the roles cannot be read, it returns the subject too.
func (t *tokens) read(token *oidc.IDToken) (*Principal, error) {
	claims := map[string]json.RawMessage{}
	if err := token.Claims(&claims); err != nil {
		return nil, fault.New(fault.Unauthenticated, "the token has no claims: %w", err)
	}
	p := &Principal{Roles: map[string][]string{}}
	if json.Unmarshal(claims[t.subject], &p.Subject) != nil || strings.TrimSpace(p.Subject) == "" || len(p.Subject) > maxSubject {
		return nil, fault.New(fault.Unauthenticated, "the claim %q of the token is no text of 1 to %d bytes", t.subject, maxSubject)
	}
	if claims[t.roles] == nil {
		return p, nil
	}
	given := map[string][]string{}
	if err := json.Unmarshal(claims[t.roles], &given); err != nil {
		return p, fault.New(fault.Unauthenticated, "the claim %q of the token is no object of roles with their regions", t.roles)
	}
	for role, regions := range given {
		if !slices.Contains(config.Roles, role) {
			continue
		}
		for _, code := range regions {
			if code != config.Province && !region.MatchString(code) {
				return p, fault.New(fault.Unauthenticated, "the claim %q of the token: %q is neither a region of six digits nor *", t.roles, code)
			}
		}
		p.Roles[role] = regions
	}
	return p, nil
}
