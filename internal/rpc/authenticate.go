package rpc

import (
	"context"
	"crypto/x509"
	"net/http"
	"strings"

	"fundledger/internal/config"
	"fundledger/internal/fault"
)

// devSubjectHeader names who calls a server that runs open, where two persons
// are needed.
const devSubjectHeader = "Dev-Subject"

// authenticate finds out who calls: by a token of the issuer, else by a client
// certificate. With --dev everybody may do everything. A principal beside an
// error is who the credentials surely speak of, though they let nobody in.
func (s *Server) authenticate(ctx context.Context, header http.Header) (*Principal, error) {
	if s.dev {
		return devPrincipal(header.Get(devSubjectHeader)), nil
	}
	if given := header.Get("Authorization"); given != "" {
		scheme, token, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return nil, fault.New(fault.Unauthenticated, "the credentials are no bearer token")
		}
		if s.tokens == nil {
			return nil, fault.New(fault.Unauthenticated, "this server takes no tokens")
		}
		return s.tokens.principal(ctx, token)
	}
	if certificate := certificateOf(ctx); certificate != nil {
		job := s.jobs[certificate.Subject.String()]
		if job == nil {
			return &Principal{Subject: "certificate:" + certificate.Subject.String()}, fault.New(fault.Unauthenticated, "the client certificate of %q is not among the jobs of this server", certificate.Subject)
		}
		return job, nil
	}
	return nil, fault.New(fault.Unauthenticated, "no credentials are given: send Authorization: Bearer TOKEN, or a client certificate")
}

func devPrincipal(subject string) *Principal {
	if subject = subject[:min(maxSubject, len(subject))]; subject == "" {
		subject = "dev"
	}
	p := &Principal{Subject: subject, Roles: map[string][]string{}}
	for _, role := range config.Roles {
		p.Roles[role] = []string{config.Province}
	}
	return p
}

// jobsOf are the principals of client certificates, by subject.
func jobsOf(jobs []config.Job) map[string]*Principal {
	principals := map[string]*Principal{}
	for _, job := range jobs {
		principals[job.Subject] = &Principal{Subject: "certificate:" + job.Subject, Roles: job.Roles}
	}
	return principals
}

type certificateKey struct{}

// certificateOf is the client's certificate, which TLS has verified.
func certificateOf(ctx context.Context) *x509.Certificate {
	certificate, _ := ctx.Value(certificateKey{}).(*x509.Certificate)
	return certificate
}

// withCertificate hands a verified client certificate on to authenticate.
func withCertificate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
			r = r.WithContext(context.WithValue(r.Context(), certificateKey{}, r.TLS.VerifiedChains[0][0]))
		}
		next.ServeHTTP(w, r)
	})
}
