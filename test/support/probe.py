"""Whether somebody answers: probe.py tcp|udp SOURCE ADDRESS PORT SECONDS

Prints "answered", "refused" or "silent". SOURCE is the address to send from; 0.0.0.0 leaves it to the kernel.
Of TCP, an HTTP request is sent.
"""

import socket
import sys

kind, source, address, port, seconds = sys.argv[1:]
REQUEST = b"GET / HTTP/1.1\r\nHost: " + address.encode() + b"\r\nConnection: close\r\n\r\n"

with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as end:
    end.settimeout(float(seconds))
    end.bind((source, 0))
    try:
        end.connect((address, int(port)))
        end.sendall(REQUEST if kind == "tcp" else b"hello")
        print("answered" if end.recv(64) else "refused")
    except (ConnectionRefusedError, ConnectionResetError):
        print("refused")
    except (TimeoutError, OSError) as error:
        print("silent" if isinstance(error, TimeoutError) else error)
