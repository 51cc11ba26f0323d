package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// runner is a command.
type runner interface{ Run(*app) error }

// says runs a command and returns what it prints.
func says(t *testing.T, url string, asJSON bool, command runner) (string, error) {
	t.Helper()
	var out, errOut bytes.Buffer
	err := command.Run(&app{ctx: t.Context(), out: &out, errOut: &errOut, json: asJSON, databaseURL: url})
	return out.String(), err
}

func mustSay(t *testing.T, url string, asJSON bool, command runner) string {
	t.Helper()
	out, err := says(t, url, asJSON, command)
	if err != nil {
		t.Fatalf("%T: %v", command, err)
	}
	return out
}

func store(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnAuditorNeedsNoDatabase(t *testing.T) {
	url := devdb.Test(t).Pool.Config().ConnString()
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01", "--openings", sampleFiles+"openings.tsv")
	secret := filepath.Join(t.TempDir(), "province.key")
	key := strings.TrimSpace(mustSay(t, "", false, &checkpointKeygenCmd{Name: "fundledger/320000", KeyFile: secret}))
	if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if _, err := says(t, "", false, &checkpointKeygenCmd{Name: "x", KeyFile: secret}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a key file was replaced: %v", err)
	}
	signed := mustSay(t, url, false, &checkpointSignCmd{KeyFile: []string{secret}})
	if shown := mustSay(t, url, false, &checkpointShowCmd{}); shown != signed {
		t.Errorf("%q was signed, %q is shown", signed, shown)
	}
	var checkpoint checkpointReport
	if err := json.Unmarshal([]byte(mustSay(t, url, true, &checkpointShowCmd{})), &checkpoint); err != nil || checkpoint.Note != signed || checkpoint.Position == 0 {
		t.Fatalf("%+v %v", checkpoint, err)
	}

	bundle := filepath.Join(t.TempDir(), "audit.bundle")
	mustSay(t, url, false, &exportBundleCmd{File: bundle})
	var report ledger.CheckReport
	if err := json.Unmarshal([]byte(mustSay(t, "", true, &verifyCmd{Bundle: bundle, Key: []string{key}})), &report); err != nil || report.Signed != checkpoint.Position {
		t.Errorf("%+v %v", report, err)
	}
	if text := mustSay(t, url, false, &verifyCmd{Key: []string{key}}); !strings.Contains(text, "all checks hold") || !strings.Contains(text, "are signed by a given key") {
		t.Errorf("verify prints %s", text)
	}
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if text, err := says(t, "", false, &verifyCmd{Bundle: store(t, "bundle", string(data))}); fault.KindOf(err) != fault.Internal || !strings.Contains(text, "FAILED bundle format") {
		t.Errorf("%v, %s", err, text)
	}

	proof := mustSay(t, url, true, &proveInclusionCmd{Entry: "opening/320100.agency/310"})
	note := store(t, "checkpoint", signed)
	check := &proveCheckCmd{File: store(t, "proof", proof), Checkpoint: []string{note}, Key: []string{key}}
	if text := mustSay(t, "", false, check); !strings.Contains(text, "opening/320100.agency/310") || !strings.Contains(text, "fundledger/320000 signed") {
		t.Errorf("prove check prints %s", text)
	}
	check.File = store(t, "proof", strings.Replace(proof, `"preparer": "setup"`, `"preparer": "nobody"`, 1))
	if _, err := says(t, "", false, check); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a changed entry is proved: %v", err)
	}
	check.File = store(t, "proof", mustSay(t, url, true, &proveConsistencyCmd{Old: int64(checkpoint.Position), New: int64(checkpoint.Position)}))
	if text := mustSay(t, "", false, check); !strings.Contains(text, "begins with") {
		t.Errorf("prove check prints %s", text)
	}
	check.Key = []string{strings.TrimSpace(mustSay(t, "", false, &checkpointKeygenCmd{Name: "stranger", KeyFile: secret + "2"}))}
	if _, err := says(t, "", false, check); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a checkpoint of an unknown signer is taken: %v", err)
	}
}

func TestAnExportThatFailsLeavesNoFile(t *testing.T) {
	url := devdb.Test(t).Pool.Config().ConnString()
	directory := t.TempDir()
	if _, err := says(t, url, false, &exportBundleCmd{File: filepath.Join(directory, "bundle")}); fault.KindOf(err) != fault.Precondition {
		t.Errorf("a database without rules was exported: %v", err)
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}
