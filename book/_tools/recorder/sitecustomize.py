"""Python loads this when it starts with this folder on its path: note every file of the repository that is opened.

One line a file goes to AFFINEPIECES_READS, from this process and from those that it starts; see `execute`.
"""
import os
import sys

ROOT = os.environ["AFFINEPIECES_ROOT"] + os.sep
LOG = os.open(os.environ["AFFINEPIECES_READS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.set_inheritable(LOG, True)  # a forked process goes on writing
known = {None}


def note(event, arguments):
    if event != "open" or not isinstance(arguments[0], str | bytes) or arguments[2] & (os.O_WRONLY | os.O_TRUNC):
        return
    path = os.path.abspath(os.fsdecode(arguments[0]))
    if path.startswith(ROOT) and path not in known:
        known.add(path)
        os.write(LOG, os.fsencode(path + "\n"))


os.write(LOG, os.fsencode(__file__ + "\n"))
sys.addaudithook(note)
