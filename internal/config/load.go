package config

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/v2"

	"fundledger/internal/fault"
)

// Setting is one value, for people, and where it comes from: "default", the
// file, the name of a variable or "flag".
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// Given are the sources of a configuration beside its defaults.
type Given struct {
	File  string              // path of a YAML file; empty for none
	Env   func(string) string // the environment; empty is not set
	Flags map[string]string   // by key
}

// variable is the name of a key in the environment.
func variable(key string) string {
	return "FUNDLEDGER_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Load reads a configuration and the source of each value, in order of key. It
// does not check what the values mean: Check does. Errors: Invalid (a file that
// cannot be read, a key that does not exist, a value of the wrong type), each
// with its source.
func Load(given Given) (*Config, []Setting, error) {
	ko := koanf.New(".")
	sources := map[string]string{}
	load := func(source string, given map[string]any) error {
		if err := ko.Load(values(given), nil); err != nil {
			return fault.New(fault.Invalid, "%s: %w", source, err)
		}
		for key := range given {
			sources[key] = source
		}
		return nil
	}
	file, err := readFile(given.File)
	if err != nil {
		return nil, nil, err
	}
	env, flags := map[string]any{}, map[string]any{}
	for key, value := range given.Flags {
		if _, ok := defaults[key]; !ok || key == jobsKey {
			return nil, nil, unknown("the flags", key)
		}
		flags[key] = value
	}
	for key := range defaults {
		if value := given.Env(variable(key)); value != "" && key != jobsKey {
			env[key] = value
		}
	}
	for _, layer := range []struct {
		source string
		values map[string]any
	}{{"default", defaults}, {given.File, file}, {"environment", env}, {"flag", flags}} {
		if err := load(layer.source, layer.values); err != nil {
			return nil, nil, err
		}
	}
	var c Config
	if err := ko.Unmarshal("", &c); err != nil {
		return nil, nil, fault.New(fault.Invalid, "the configuration has a value of the wrong type: %s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	settings := make([]Setting, 0, len(sources))
	for _, key := range slices.Sorted(maps.Keys(defaults)) {
		source := sources[key]
		if source == "environment" {
			source = variable(key)
		}
		settings = append(settings, Setting{key, shown(key, ko), source})
	}
	return &c, settings, nil
}

// readFile returns the values of a file by key.
func readFile(path string) (map[string]any, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the configuration cannot be read: %w", err)
	}
	tree, err := yaml.Parser().Unmarshal(content)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s is not YAML: %w", path, err)
	}
	flat := koanf.New(".")
	if err := flat.Load(values(tree), nil); err != nil {
		return nil, fault.New(fault.Invalid, "%s: %w", path, err)
	}
	for _, key := range slices.Sorted(maps.Keys(flat.All())) {
		if _, ok := defaults[key]; !ok {
			return nil, unknown(path, key)
		}
	}
	return flat.All(), nil
}

func unknown(source, key string) error {
	return fault.New(fault.Invalid, "%s: there is no setting %q; fundledger config print lists them", source, key).With("field", key)
}

// values is a layer of koanf that is at hand already, with keys flat or nested.
type values map[string]any

func (v values) ReadBytes() ([]byte, error) {
	return nil, fault.New(fault.Internal, "the values are no bytes")
}

func (v values) Read() (map[string]any, error) {
	ko := koanf.New(".")
	for key, value := range v {
		if err := ko.Set(key, value); err != nil {
			return nil, err
		}
	}
	return ko.Raw(), nil
}
