package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/websocket"
)

const (
	longest     = time.Minute
	eventPeriod = 100 * time.Millisecond
	largestEcho = 1 << 20
)

type site struct {
	version, replica, host string
	conversations          sync.WaitGroup
}

func (s *site) handler() http.Handler {
	paths := http.NewServeMux()
	paths.HandleFunc("/", s.page)
	paths.HandleFunc("/healthz", health)
	paths.HandleFunc("/echo", echo)
	paths.HandleFunc("/upload", upload)
	paths.HandleFunc("/slow", s.slow)
	paths.HandleFunc("/events", events)
	paths.HandleFunc("/socket", s.socket)
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		s.sign(answer.Header())
		paths.ServeHTTP(answer, request)
	})
}

func (s *site) sign(header http.Header) {
	header.Set("X-Version", s.version)
	header.Set("X-Replica", s.replica)
}

func (s *site) page(answer http.ResponseWriter, _ *http.Request) {
	answer.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(answer, "version: %s\nreplica: %s\nhost: %s\n", s.version, s.replica, s.host)
}

func health(answer http.ResponseWriter, _ *http.Request) {
	if _, err := os.Stat("/tmp/unhealthy"); err == nil {
		http.Error(answer, "unhealthy", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(answer, "ok")
}

// The body is read whole before it is sent back: this server reads no more of a request once it has begun to answer.
func echo(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, largestEcho))
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	answer.Header().Set("Content-Type", request.Header.Get("Content-Type"))
	_, _ = answer.Write(body)
}

func upload(answer http.ResponseWriter, request *http.Request) {
	sum := sha256.New()
	length, err := io.Copy(sum, request.Body)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(answer, "length: %d\nsha256: %x\n", length, sum.Sum(nil))
}

func (s *site) slow(answer http.ResponseWriter, request *http.Request) {
	select {
	case <-time.After(duration(request)):
		s.page(answer, request)
	case <-request.Context().Done(): // who asked has gone
	}
}

func events(answer http.ResponseWriter, request *http.Request) {
	answer.Header().Set("Content-Type", "text/event-stream")
	answer.Header().Set("Cache-Control", "no-store")
	end := time.After(duration(request))
	period := time.NewTicker(eventPeriod)
	defer period.Stop()
	for number := 0; ; number++ {
		fmt.Fprintf(answer, "data: %d\n\n", number)
		answer.(http.Flusher).Flush()
		select {
		case <-period.C:
		case <-end:
			fmt.Fprintf(answer, "event: end\ndata: %d\n\n", number+1)
			return
		case <-request.Context().Done():
			return
		}
	}
}

func (s *site) socket(answer http.ResponseWriter, request *http.Request) {
	s.conversations.Add(1)
	defer s.conversations.Done()
	websocket.Server{
		Handshake: func(config *websocket.Config, _ *http.Request) error { // of any origin
			config.Header = http.Header{}
			s.sign(config.Header)
			return nil
		},
		Handler: func(connection *websocket.Conn) {
			defer connection.Close() // with a close frame, as a peer that closes awaits it
			for message := ""; websocket.Message.Receive(connection, &message) == nil; {
				if websocket.Message.Send(connection, message) != nil {
					return
				}
			}
		},
	}.ServeHTTP(answer, request)
}

func duration(request *http.Request) time.Duration {
	ms, err := strconv.Atoi(request.FormValue("ms"))
	if wanted := time.Duration(ms) * time.Millisecond; err == nil && wanted >= 0 && wanted < longest {
		return wanted
	}
	return longest
}
