package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"fundledger/internal/devdb"
)

// example is a command of docs/api.md with the answer that it shows.
type example struct {
	line            int
	command, answer string
}

// examples reads the blocks of commands, each with the block of JSON behind it.
func examples(t *testing.T, name string) (found []example) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	kind, lines := "", bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "```sh" && kind == "":
			kind, found = "sh", append(found, example{line: n})
		case line == "```json" && kind == "" && len(found) > 0 && found[len(found)-1].answer == "":
			kind = "json"
		case strings.HasPrefix(line, "```") && kind == "":
			kind = "other"
		case line == "```":
			kind = ""
		case kind == "sh":
			found[len(found)-1].command += line + "\n"
		case kind == "json":
			found[len(found)-1].answer += line + "\n"
		}
	}
	if err := lines.Err(); err != nil || len(found) == 0 {
		t.Fatalf("%d examples, %v", len(found), err)
	}
	return found
}

func TestEveryExampleOfTheAPIPageDoesWhatThePageSays(t *testing.T) {
	db := devdb.Test(t)
	must(t, db.URL, "setup", "--profile", "jiangsu", "--open-from", "2025-01", "--openings", sampleFiles+"openings.tsv")
	keys, token := signing(t)
	server := serving(t, db.URL, "127.0.0.1:0", "--set", "auth.issuer=https://login.example", "--set", "auth.audience=fundledger", "--set", "auth.jwks_file="+keys)
	tools, out, here, page := t.TempDir(), t.TempDir(), t.TempDir(), examples(t, "../../docs/api.md")
	link(t, tools, asFundledger)
	if _, err := exec.LookPath(asCurl); err != nil {
		link(t, tools, asCurl)
	}
	if root, err := filepath.Abs("../.."); err != nil || os.Symlink(filepath.Join(root, "internal"), filepath.Join(here, "internal")) != nil {
		t.Fatal(root, err)
	}
	script := ""
	for i, e := range page {
		script += fmt.Sprintf("{\n%s} >%[2]s/%[3]d.out 2>%[2]s/%[3]d.err\necho $? >%[2]s/%[3]d.code\n", e.command, out, i)
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", script)
	command.Dir = here
	command.Env = append(os.Environ(),
		"GOBIN="+tools, "PATH="+tools+string(filepath.ListSeparator)+os.Getenv("PATH"), "BUF_CACHE_DIR="+out, "URL="+server.url,
		"TOKEN="+token("zhang.wei", "admin", "operator", "auditor"), "REVIEWER="+token("li.na", "approver"),
	)
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	read := func(i int, kind string) string {
		content, err := os.ReadFile(filepath.Join(out, fmt.Sprint(i, ".", kind)))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(content))
	}
	for i, e := range page {
		printed := read(i, "out")
		if code := read(i, "code"); code != "0" {
			t.Errorf("api.md:%d ends with %s: %s%s", e.line, code, printed, read(i, "err"))
		} else if err := same(e.answer, printed); err != nil {
			t.Errorf("api.md:%d: %v:\n%s", e.line, err, printed)
		}
	}
	server.stop(t)
}

var bufVersion = regexp.MustCompile(`github\.com/bufbuild/buf/cmd/buf@(\S+)`)

func TestTheAPIPageNamesTheBufThatIsUsed(t *testing.T) {
	var versions []string
	for _, name := range []string{"../../docs/api.md", "../../Makefile"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, bufVersion.FindStringSubmatch(string(content))[1])
	}
	if versions[0] != versions[1] {
		t.Errorf("%v", versions)
	}
}

// signing makes a file of keys, and tokens that they verify, for roles in the
// whole province.
func signing(t *testing.T) (keys string, token func(subject string, roles ...string) string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: string(jose.ES256), Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	return store(t, "keys.json", string(content)), func(subject string, roles ...string) string {
		held := map[string][]string{}
		for _, role := range roles {
			held[role] = []string{"*"}
		}
		signed, err := jwt.Signed(signer).Claims(map[string]any{
			"iss": "https://login.example", "aud": "fundledger", "exp": time.Now().Add(time.Hour).Unix(), "sub": subject, "fundledger_roles": held,
		}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
}

// anything stands in an answer for what differs each time; as an element of a
// list for any further elements, as a name for any further fields.
const anything = "…"

// same compares the answers of a page with the last ones that were printed.
func same(page, printed string) error {
	want, err := answersOf(page)
	if err != nil || len(want) == 0 {
		return err
	}
	got, err := answersOf(printed)
	if err != nil {
		return err
	}
	if len(got) < len(want) {
		return fmt.Errorf("%d answers, %d are shown", len(got), len(want))
	}
	for i, w := range want {
		if err := sameValue(w, got[len(got)-len(want)+i], ""); err != nil {
			return err
		}
	}
	return nil
}

func answersOf(text string) (values []any, err error) {
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var value any
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return values, nil
		} else if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
}

func sameValue(want, got any, at string) error {
	if want == anything {
		return nil
	}
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v", at, got)
		}
		_, more := want[anything]
		for name, value := range object {
			shown, ok := want[name]
			if !ok && !more {
				return fmt.Errorf("%s.%s is not shown", at, name)
			}
			if ok {
				if err := sameValue(shown, value, at+"."+name); err != nil {
					return err
				}
			}
		}
		for name := range want {
			if _, ok := object[name]; !ok && name != anything {
				return fmt.Errorf("%s.%s is shown and not there", at, name)
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok {
			return fmt.Errorf("%s is %v", at, got)
		}
		if n := len(want); n > 0 && want[n-1] == anything {
			if want = want[:n-1]; len(list) > len(want) {
				list = list[:len(want)]
			}
		}
		if len(list) != len(want) {
			return fmt.Errorf("%s has %d elements, %d are shown", at, len(list), len(want))
		}
		for i := range want {
			if err := sameValue(want[i], list[i], at+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
	default:
		if want != got {
			return fmt.Errorf("%s is %v, %v is shown", at, got, want)
		}
	}
	return nil
}
