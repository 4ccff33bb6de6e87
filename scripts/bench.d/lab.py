"""The place where everything happens: a scratch directory, the programs that were started, and the
one way in which all of it goes again.

That is an undertaker: a shell that reads from us which process groups live. Its input ends when we
do, whether by return, signal or SIGKILL; then it kills what is left and removes the directory.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

UNDERTAKER = """
trap '' INT TERM HUP
groups=' '
while read -r what group; do
    case $what in
    born) groups="$groups$group " ;;
    dead) groups="${groups%% $group *} ${groups#* $group }" ;;
    esac
done
for group in $groups; do
    kill -s KILL -- "-$group" 2>/dev/null
done
tries=0
until rm -rf -- "$1" 2>/dev/null || [ $((tries += 1)) -gt 50 ]; do
    sleep 0.1
done
"""


class Trouble(Exception):
    """The benchmark cannot go on; the text is for the user."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Lab:
    """Owns: the scratch directory and every process. Knows nothing of: what is measured."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="weir-bench-")
        self.undertaker = subprocess.Popen(
            ["sh", "-c", UNDERTAKER, "sh", self.dir],
            stdin=subprocess.PIPE, cwd="/", text=True, start_new_session=True)

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda number, _: sys.exit(128 + number))
        return self

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        self.undertaker.stdin.close()
        self.undertaker.wait()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def environment(self):
        """Nobody's settings, proxies or home: the same for every program."""
        return {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C",
                "HOME": self.dir, "TMPDIR": self.dir}

    def start(self, argv, **options):
        """A process in a group of its own, which does not outlive us."""
        process = subprocess.Popen(argv, env=self.environment(), cwd=self.dir,
                                   start_new_session=True, **options)
        self._tell("born", process.pid)
        return process

    def bury(self, process):
        """Kills what is left of the process's group, and forgets it."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        self._tell("dead", process.pid)

    def _tell(self, what, group):
        self.undertaker.stdin.write(f"{what} {group}\n")
        self.undertaker.stdin.flush()

    def clear(self, *names):
        for name in names:
            path = self.path(name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
