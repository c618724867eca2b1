"""Runs a command at a terminal of its own, as a person would.

usage: at-terminal.py COLUMNS [--when TEXT --type KEYS] COMMAND...

Types KEYS once TEXT has appeared, prints what the terminal showed, ends with the command's exit code.
"""

import fcntl
import os
import pty
import struct
import sys
import termios


def main() -> int:
    columns, arguments = int(sys.argv[1]), sys.argv[2:]
    when = keys = None
    if arguments[0] == "--when":
        when, keys = arguments[1].encode(), arguments[3].encode().decode("unicode_escape").encode()
        arguments = arguments[4:]
    pid, terminal = pty.fork()
    if pid == 0:
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(arguments[0], arguments)
    shown = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux reports the end of the other side this way
            chunk = b""
        if not chunk:
            break
        shown += chunk
        if when is not None and when in shown:
            os.write(terminal, keys)
            when = None
    sys.stdout.buffer.write(shown)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


sys.exit(main())
