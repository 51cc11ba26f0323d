package main

import (
	"maps"

	"fundledger/internal/config"
)

// configFlags are the flags that set a server up. Every setting has a key in
// the file and a variable; the flags are for those that change by run.
type configFlags struct {
	File        string            `name:"config" placeholder:"FILE" help:"Settings as YAML. Default: $$FUNDLEDGER_CONFIG. Variables (FUNDLEDGER_LISTEN, …) and flags win over it."`
	Listen      string            `placeholder:"HOST:PORT" help:"Address of the service. Default: 127.0.0.1:8080."`
	AdminListen string            `placeholder:"HOST:PORT" help:"Loopback or private address of /metrics, /healthz and /readyz. Default: 127.0.0.1:9090."`
	Dev         bool              `help:"Run open, without credentials, on a loopback address only."`
	NoSealer    bool              `help:"Do not seal in this process: run fundledger seal elsewhere."`
	Set         map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Any setting by its key, such as limits.request_time=30s; repeat."`
}

// load reads the settings from all sources.
func (f *configFlags) load(a *app) (*config.Config, []config.Setting, error) {
	flags := maps.Clone(f.Set)
	if flags == nil {
		flags = map[string]string{}
	}
	give := func(key, value string, given bool) {
		if given {
			flags[key] = value
		}
	}
	give("listen", f.Listen, f.Listen != "")
	give("admin_listen", f.AdminListen, f.AdminListen != "")
	give("dev", "true", f.Dev)
	give("sealer.enabled", "false", f.NoSealer)
	give("database_url", a.databaseURL, a.databaseURL != a.env("FUNDLEDGER_DATABASE_URL"))
	file := f.File
	if file == "" {
		file = a.env("FUNDLEDGER_CONFIG")
	}
	return config.Load(config.Given{File: file, Env: a.env, Flags: flags})
}

// configCmd groups what is done with settings.
type configCmd struct {
	Print configPrintCmd `cmd:"" help:"Print every setting, its value and where it comes from; say what cannot work."`
}

// configPrintCmd prints the settings; passwords are masked.
type configPrintCmd struct{ configFlags }

func (c *configPrintCmd) Run(app *app) error {
	settings, all, err := c.load(app)
	if err != nil {
		return err
	}
	if app.json {
		err = app.printJSON(map[string]any{"settings": all})
	} else {
		t := newTable("Setting", "Value", "From")
		for _, s := range all {
			t.row(s.Key, s.Value, s.Source)
		}
		t.print(app.out)
	}
	if err != nil {
		return err
	}
	return settings.Check()
}
