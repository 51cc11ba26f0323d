package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The test binary is these programs, by the name it is run with: the page uses
// fundledger, and a curl where the machine has none.
const (
	asFundledger = "fundledger"
	asCurl       = "curl"
)

func link(t *testing.T, folder, as string) (name string) {
	t.Helper()
	program, err := os.Executable()
	if err == nil {
		name = filepath.Join(folder, as)
		err = os.Symlink(program, name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// curl posts as curl does, with the options of the page.
func curl(args []string, out io.Writer) error {
	header, body, url := http.Header{}, "", ""
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-sS":
		case (arg == "-H" || arg == "-d") && i+1 < len(args):
			i++
			if arg == "-d" {
				body = args[i]
				continue
			}
			name, value, _ := strings.Cut(args[i], ": ")
			header.Set(name, value)
		case !strings.HasPrefix(arg, "-") && url == "":
			url = arg
		default:
			return fmt.Errorf("curl: option %s is unknown", arg)
		}
	}
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(out, response.Body)
	return err
}

func TestTheStandInForCurlPostsAsCurlDoes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, r.Method, " ", r.URL, " ", r.Header.Get("Content-Type"), " ", r.Header.Get("Authorization"), " ", string(body))
	}))
	defer server.Close()
	names := []string{link(t, t.TempDir(), asCurl)}
	if real, err := exec.LookPath(asCurl); err == nil {
		names = append(names, real)
	}
	for _, name := range names {
		printed, err := exec.Command(name, "-sS", "-H", "Authorization: Bearer x", "-H", "Content-Type: application/json", "-d", `{"a": "市"}`, server.URL+"/a/b").Output()
		if want := `POST /a/b application/json Bearer x {"a": "市"}`; err != nil || !bytes.Equal(printed, []byte(want)) {
			t.Errorf("%s: %s, want %s, %v", name, printed, want, err)
		}
		if err := exec.Command(name, "-sS", "http://127.0.0.1:1/").Run(); err == nil {
			t.Errorf("%s: a refused connection is no error", name)
		}
	}
}
