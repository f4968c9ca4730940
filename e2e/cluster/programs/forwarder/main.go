// Command forwarder carries TCP connections from addresses of this machine into another network namespace:
//
//	forwarder /run/netns/NAME LISTEN=TARGET …        e.g. 127.0.0.1:443=10.240.0.2:443
//
// It opens its listeners where it is started, then moves into the namespace (by nsenter) and dials from there.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Marks the second life, inside the namespace, where the arguments are DESCRIPTOR=TARGET.
const inside = "--inside"

const dialTimeout = 5 * time.Second

func main() {
	log.SetPrefix("forwarder: ")
	if len(os.Args) < 3 {
		log.Fatal("usage: forwarder NETNS LISTEN=TARGET …")
	}
	var err error
	if os.Args[1] == inside {
		err = serve(os.Args[2:])
	} else {
		err = listenAndMove(os.Args[1], os.Args[2:])
	}
	log.Fatal(err)
}

func listenAndMove(namespace string, routes []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return err
	}
	arguments := []string{"nsenter", "--net=" + namespace, "--", self, inside}
	for _, route := range routes {
		address, target, ok := strings.Cut(route, "=")
		if !ok {
			return fmt.Errorf("%q is not LISTEN=TARGET", route)
		}
		listener, err := net.Listen("tcp4", address)
		if err != nil {
			return err
		}
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			return err
		}
		// A plain dup stays open across exec; Go's own descriptors do not.
		descriptor, err := syscall.Dup(int(file.Fd()))
		if err != nil {
			return err
		}
		arguments = append(arguments, fmt.Sprintf("%d=%s", descriptor, target))
	}
	return syscall.Exec(nsenter, arguments, os.Environ())
}

func serve(routes []string) error {
	failed := make(chan error)
	for _, route := range routes {
		number, target, _ := strings.Cut(route, "=")
		descriptor, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		listener, err := net.FileListener(os.NewFile(uintptr(descriptor), "listener"))
		if err != nil {
			return err
		}
		log.Printf("%s -> %s", listener.Addr(), target)
		go func() { failed <- accept(listener, target) }()
	}
	return <-failed
}

func accept(listener net.Listener, target string) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go forward(connection.(*net.TCPConn), target)
	}
}

func forward(client *net.TCPConn, target string) {
	defer client.Close()
	connection, err := net.DialTimeout("tcp4", target, dialTimeout)
	if err != nil {
		log.Print(err)
		return
	}
	server := connection.(*net.TCPConn)
	defer server.Close()
	done := make(chan struct{})
	go func() {
		pipe(server, client)
		close(done)
	}()
	pipe(client, server)
	<-done
}

// pipe copies until the source ends, then tells the destination that no more will come. A broken source breaks the
// destination too, so that a client that went away is seen as gone at the other end.
func pipe(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	to.CloseWrite()
}
