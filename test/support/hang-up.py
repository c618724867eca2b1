"""Runs a command at a terminal of its own, closes that once a file holds a text, and prints how the command ended."""
import os
import pty
import sys
import time

path, text, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
ended = (0, 0)
while ended[0] == 0 and not (os.path.exists(path) and text in open(path).read()):
    time.sleep(0.05)
    ended = os.waitpid(pid, os.WNOHANG)
if ended[0] != 0:
    sys.exit("the command ended too early")
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
