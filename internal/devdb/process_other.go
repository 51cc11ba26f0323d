//go:build !linux

package devdb

import (
	"os/exec"
	"syscall"
)

func endWithParent(*exec.Cmd, syscall.Signal) {}

// account is only needed where containers run everything as root.
type account struct{}

func serverAccount() *account { return nil }

func (a *account) own(string) error { return nil }

func (a *account) run(*exec.Cmd) {}
