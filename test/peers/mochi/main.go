// A broker with mochi's code: TLS with client certificates and the rules that the other peers have, or plain TCP
// without any. It says "ready" when it takes connections.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// rules let a client have the topics below devices/<CN>/, and the operator read everything.
type rules struct {
	mqtt.HookBase
	policy, operator string
	isOpenToAll      bool
}

func (r *rules) ID() string { return "rules" }

func (r *rules) Provides(hook byte) bool {
	return hook == mqtt.OnConnectAuthenticate || hook == mqtt.OnACLCheck
}

func nameOf(client *mqtt.Client) string {
	connection, isTLS := client.Net.Conn.(*tls.Conn)
	if !isTLS || len(connection.ConnectionState().PeerCertificates) == 0 {
		return ""
	}
	return connection.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func (r *rules) OnConnectAuthenticate(client *mqtt.Client, _ packets.Packet) bool {
	return r.isOpenToAll || r.policy != "closed" || nameOf(client) == r.operator
}

func (r *rules) OnACLCheck(client *mqtt.Client, topic string, isWrite bool) bool {
	name := nameOf(client)
	if r.isOpenToAll || (name == r.operator && !isWrite) {
		return true
	}
	return strings.HasPrefix(topic, "devices/"+name+"/") && !(isWrite && r.policy == "mute")
}

func readPEM(path string) []byte {
	bytes, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return bytes
}

func refuseRevoked(path string) func([][]byte, [][]*x509.Certificate) error {
	// Its successor, ParseRevocationList, takes no list of version 1.
	list, err := x509.ParseCRL(readPEM(path))
	if err != nil {
		log.Fatal(err)
	}
	return func(_ [][]byte, chains [][]*x509.Certificate) error {
		for _, entry := range list.TBSCertList.RevokedCertificates {
			if len(chains) > 0 && entry.SerialNumber.Cmp(chains[0][0].SerialNumber) == 0 {
				return errors.New("revoked")
			}
		}
		return nil
	}
}

func main() {
	address := flag.String("address", "127.0.0.1:1883", "")
	ca := flag.String("ca", "", "without it there is no TLS, and everybody may do everything")
	certificate := flag.String("certificate", "", "")
	key := flag.String("key", "", "")
	crl := flag.String("crl", "", "")
	policy := flag.String("policy", "open", "")
	operator := flag.String("operator", "", "")
	flag.Parse()

	config := listeners.Config{ID: "tcp", Address: *address}
	if *ca != "" {
		identity, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			log.Fatal(err)
		}
		clients := x509.NewCertPool()
		clients.AppendCertsFromPEM(readPEM(*ca))
		config.TLSConfig = &tls.Config{
			Certificates: []tls.Certificate{identity},
			ClientCAs:    clients,
			ClientAuth:   tls.RequireAndVerifyClientCert,
		}
		if *crl != "" {
			config.TLSConfig.VerifyPeerCertificate = refuseRevoked(*crl)
		}
	}
	server := mqtt.New(nil)
	if err := server.AddHook(&rules{policy: *policy, operator: *operator, isOpenToAll: *ca == ""}, nil); err != nil {
		log.Fatal(err)
	}
	if err := server.AddListener(listeners.NewTCP(config)); err != nil {
		log.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	select {}
}
