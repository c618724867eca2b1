#!/bin/sh
# Certificates for test_certificate_check: a CA, what it signs, and what it must not be taken for.
set -eu
cd "$1"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
ca() { openssl req -x509 -new -key "$1.key" -subj "/CN=$2" -days 3650 -out "$1.crt"; }
# sign NAME KEY CN ISSUER EXTENSIONS
sign() {
  printf '%s\n' "$5" > "$1.ext"
  openssl req -new -key "$2.key" -subj "/O=test/CN=$3" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$4.crt" -CAkey "$4.key" -set_serial "0x$(openssl rand -hex 8)" \
    -days 365 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}

LEAF='basicConstraints=critical,CA:FALSE'
for name in ca foreign middle device other; do key "$name"; done
openssl genrsa -out rsa.key 2048 2>/dev/null
ca ca "Test CA"
ca foreign "Test CA" # the same name, another key
sign device device dev1 ca "$LEAF"
sign renamed device dev2 ca "$LEAF"
sign prefixed device dev11 ca "$LEAF"
sign strange device dev1 foreign "$LEAF"
sign othered other dev1 ca "$LEAF"
sign rsa rsa dev1 ca "$LEAF"
sign middle middle "Middle CA" ca 'basicConstraints=critical,CA:TRUE'
sign below device dev1 middle "$LEAF"
sign forged device dev1 device "$LEAF" # signed by a certificate that is no CA
cat below.crt middle.crt > chain.crt
cat forged.crt device.crt > forgedchain.crt
cat foreign.crt ca.crt > both.crt
sign server device dev1 ca "$LEAF
extendedKeyUsage=serverAuth"
sign client device dev1 ca "$LEAF
extendedKeyUsage=serverAuth,clientAuth"
sign any device dev1 ca "$LEAF
extendedKeyUsage=anyExtendedKeyUsage"
sign signing device dev1 ca "$LEAF
keyUsage=critical,digitalSignature"
sign agreeing device dev1 ca "$LEAF
keyUsage=critical,keyAgreement"
key lower
sign lower lower "Lower CA" middle 'basicConstraints=critical,CA:TRUE'
sign deep device dev1 lower "$LEAF"
sign crossed middle "Middle CA" foreign 'basicConstraints=critical,CA:TRUE' # the same name and key, another issuer
key stranger
ca stranger "Strange CA"
sign stray middle "Middle CA" stranger 'basicConstraints=critical,CA:TRUE' # and one whose name nobody has told
openssl req -x509 -newkey ed25519 -nodes -keyout modern.key -subj "/CN=Modern CA" -days 3650 -out modern.crt 2>/dev/null
# padded NAME BYTES: a certificate that has so many bytes of DER together with the CA's; signatures differ by a byte or two
padded() {
  filling=6000
  for _ in $(seq 100); do
    sign "$1" device dev1 ca "$LEAF
1.3.6.1.4.1.99999.1=ASN1:UTF8String:$(printf "%${filling}s" | tr ' ' a)"
    size=$(($(openssl x509 -in "$1.crt" -outform DER | wc -c) + $(openssl x509 -in ca.crt -outform DER | wc -c)))
    [ "$size" = "$2" ] && return
    filling=$((filling + $2 - size))
  done
  return 1
}
padded exact 7000
padded over 7001
