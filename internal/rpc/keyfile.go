package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"fundledger/internal/fault"
)

// keyFile is a JSON Web Key Set in a file, which is read again when it changes,
// so that keys are rotated without stopping the server.
type keyFile struct {
	path string

	mu      sync.Mutex
	changed time.Time
	size    int64
	keys    jose.JSONWebKeySet
}

// read reads the file if it is another one than before.
func (f *keyFile) read() error {
	state, err := os.Stat(f.path)
	if err != nil {
		return fault.New(fault.Invalid, "the keys of the issuer cannot be read: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if state.ModTime().Equal(f.changed) && state.Size() == f.size {
		return nil
	}
	content, err := os.ReadFile(f.path)
	if err != nil {
		return fault.New(fault.Invalid, "the keys of the issuer cannot be read: %w", err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(content, &keys); err != nil || len(keys.Keys) == 0 {
		return fault.New(fault.Invalid, "%s is no JSON Web Key Set with keys", f.path)
	}
	f.keys, f.changed, f.size = keys, state.ModTime(), state.Size()
	return nil
}

var signatureAlgorithms = func() (list []jose.SignatureAlgorithm) {
	for _, name := range algorithms {
		list = append(list, jose.SignatureAlgorithm(name))
	}
	return list
}()

// VerifySignature implements oidc.KeySet. While the file is being replaced the
// keys that were read last hold.
func (f *keyFile) VerifySignature(_ context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, signatureAlgorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, errors.New("it is not signed once, in a known way")
	}
	readErr := f.read()
	f.mu.Lock()
	keys := f.keys.Keys
	f.mu.Unlock()
	id := signed.Signatures[0].Header.KeyID
	for i := range keys {
		if id != "" && keys[i].KeyID != id {
			continue
		}
		if payload, err := signed.Verify(&keys[i]); err == nil {
			return payload, nil
		}
	}
	return nil, errors.Join(errors.New("no key of the issuer has signed it"), readErr)
}
