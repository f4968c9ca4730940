// Command volume-helper makes or removes a volume's folder on the node for local-path-provisioner, which calls it
// with `-p PATH -s BYTES -m MODE -a create|delete`.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	path := flag.String("p", "", "the volume's folder")
	action := flag.String("a", "", "create or delete")
	flag.String("s", "", "size in bytes: a folder has no limit of its own")
	flag.String("m", "", "volume mode: always a file system")
	flag.Parse()
	if err := run(*action, *path); err != nil {
		fmt.Fprintln(os.Stderr, "volume-helper:", err)
		os.Exit(1)
	}
}

func run(action, path string) error {
	if path == "" {
		return fmt.Errorf("-p is empty")
	}
	switch action {
	case "create":
		if err := os.MkdirAll(path, 0o777); err != nil {
			return err
		}
		// Whatever user the pod runs as may write; MkdirAll's mode went through the umask.
		return os.Chmod(path, 0o777)
	case "delete":
		return os.RemoveAll(path)
	}
	return fmt.Errorf("-a must be create or delete, got %q", action)
}
