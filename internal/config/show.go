package config

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/knadh/koanf/v2"
)

// shown writes a value without its secrets: the password of an address.
func shown(key string, ko *koanf.Koanf) string {
	if key == jobsKey {
		list, err := json.Marshal(ko.Get(key))
		if err != nil {
			return err.Error()
		}
		return string(list)
	}
	value := ko.String(key)
	if !strings.Contains(value, "://") {
		if key == "database_url" && value != "" {
			return "(not an address; not shown, it may hold a password)"
		}
		return value
	}
	u, err := url.Parse(value)
	if err != nil {
		return "(not an address; not shown, it may hold a password)"
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}
