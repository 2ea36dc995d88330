"""Starts and stops programs by their pid, and reads from /proc what they use.

Whatever happens (an error, Ctrl-C, a kill of bench/run), nothing that was started here stays: stop_all() ends all in
reverse order, and the kernel ends them when this process dies. Which programs, is left to the callers: backends.py,
foyer.py, servers.py and load.py.
"""
import ctypes
import os
import signal
import subprocess
import threading
import time

TICK = os.sysconf('SC_CLK_TCK')
PAGE_KIB = os.sysconf('SC_PAGE_SIZE') // 1024
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)

_running = []


class Failed(Exception):
    """A program did not start or did not do its work; the text says which and why."""


def _end_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(name, argv, env=None, log=None, **options):
    """Starts a program in a session of its own, so that Ctrl-C reaches only us and we end it in order."""
    out = open(log, 'ab') if log else subprocess.DEVNULL
    options.setdefault('stdout', out)
    options.setdefault('stderr', out)
    options.setdefault('stdin', subprocess.DEVNULL)
    process = subprocess.Popen(argv, env={**os.environ, **(env or {})}, start_new_session=True,
                               preexec_fn=_end_with_parent, **options)
    process.name, process.log = name, log
    _running.append(process)
    if log:
        out.close()
    return process


def stop(process, seconds=30):
    """TERM, then KILL when it takes too long."""
    if process in _running:
        _running.remove(process)
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_all():
    while _running:
        stop(_running[-1])


def wait_until(process, ready, seconds, what):
    """Waits until ready() is true; the process must stay alive meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(f'{what} ended with {process.returncode}: {last_lines(process.log)}')
        if ready():
            return
        time.sleep(0.02)
    raise Failed(f'{what} did not answer within {seconds} s: {last_lines(process.log)}')


def last_lines(log, count=3):
    try:
        with open(log, errors='replace') as f:
            return ' | '.join(f.read().strip().split('\n')[-count:]) or 'it printed nothing'
    except (OSError, TypeError):
        return 'it left no log'


def _children():
    table = {}
    for entry in os.listdir('/proc'):
        if not entry.isdigit():
            continue
        try:
            with open(f'/proc/{entry}/stat') as f:
                text = f.read()
        except OSError:
            continue
        comm, rest = text[text.index('(') + 1:text.rindex(')')], text[text.rindex(')') + 2:].split()
        table.setdefault(int(rest[1]), []).append((int(entry), comm))
    return table


def family(root, skip=()):
    """The pids of a process and all below it, without those whose name is in `skip` and what is below them."""
    table, found, todo = _children(), [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += [child for child, comm in table.get(pid, ()) if comm not in skip]
    return found


def named(root, name):
    """The pids below `root` that run the program `name`."""
    table, found, todo = _children(), [], [root]
    while todo:
        pid = todo.pop()
        for child, comm in table.get(pid, ()):
            todo.append(child)
            if comm == name:
                found.append(child)
    return found


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        try:
            with open(f'/proc/{pid}/stat') as f:
                fields = f.read().rpartition(')')[2].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICK


def rss_kib(pids):
    total = 0
    for pid in pids:
        try:
            with open(f'/proc/{pid}/statm') as f:
                total += int(f.read().split()[1]) * PAGE_KIB
        except OSError:
            pass
    return total


def pss_kib(pids):
    """Shared pages divided among those who share them; the kernel walks the page tables for it."""
    total = 0
    for pid in pids:
        try:
            with open(f'/proc/{pid}/smaps_rollup') as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith('Pss:'))
        except OSError:
            pass
    return total


class Peak:
    """The highest sums of resident memory while the block runs: RSS ten times a second, PSS, which costs more, once."""

    def __init__(self, pids):
        self.pids, self.rss, self.pss, self._done = pids, 0, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        looks = 0
        while not self._done.wait(0.1):
            pids, looks = self.pids(), looks + 1
            self.rss = max(self.rss, rss_kib(pids))
            if looks % 10 == 0:
                self.pss = max(self.pss, pss_kib(pids))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
