package devdb

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// endWithParent has the kernel send the child the signal when we die. Its own
// process group keeps a Ctrl-C in the terminal from reaching it before we are
// done.
func endWithParent(command *exec.Cmd, signal syscall.Signal) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = signal
	command.SysProcAttr.Setpgid = true
}

// account is an unprivileged user for a server that refuses to run as root.
type account struct{ uid, gid int }

// serverAccount returns nil when we are not root.
func serverAccount() *account {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return &account{uid, gid}
		}
	}
	return &account{65534, 65534}
}

// own gives the directory to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// run makes the command run as the account.
func (a *account) run(command *exec.Cmd) {
	if a != nil {
		command.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)},
		}
	}
}
