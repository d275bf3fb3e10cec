// Command server is process 1 of the sample image "site": a site with everything that takes its time, for many visitors at once.
//
//	/healthz       200 "ok", or 503 while /tmp/unhealthy exists
//	/echo          the body of the request, 1 MiB at most
//	/upload        length and SHA-256 of the body, whatever its size
//	/slow?ms=N     the page after N milliseconds
//	/events?ms=N   server-sent events for N milliseconds, numbered from 0, one each 100 ms; the last one is of type "end"
//	/socket        a WebSocket: each message comes back
//	any other      the page: version, replica, host
//
// N is 60,000 at most. Every answer, that of a handshake too, has version and replica in X-Version and X-Replica. On SIGTERM nothing new
// is taken, and whatever is in flight goes on to its end: when that is too long is for those who sent the signal to say.
// Requests are not logged: there are too many.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	log.SetFlags(0)
	log.SetOutput(os.Stdout)
	version, port := variable("VERSION", "none"), variable("PORT", "8080")
	site := &site{version: version, replica: variable("ORC_REPLICA", "none"), host: variable("ORC_HOST", "none")}
	server := &http.Server{Addr: ":" + port, Handler: site.handler()}

	// Before it listens: process 1 ignores a signal that it does not handle.
	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	drained := make(chan error)
	go func() {
		<-stop.Done()
		drained <- server.Shutdown(context.Background())
	}()

	log.Printf("site %s listens on port %s", version, port)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	if err := <-drained; err != nil {
		log.Fatal(err)
	}
	site.conversations.Wait() // the server no longer counts connections that have become WebSockets
	log.Printf("site %s has stopped", version)
}

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
