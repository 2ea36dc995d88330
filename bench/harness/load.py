"""Drives one server for a bounded time and returns what was counted, with the CPU time of all who took part.

Three drivers: wrk (closed loop), paced (open loop, at a fixed rate) and idle (open connections); all on loopback.
A run in which anything went wrong says so in `problems`. Called by rows.py.
"""
import json
import os
import random
import subprocess
import time

from harness import machine, processes
from harness.servers import ask

SCRIPTS = os.path.join(machine.BENCH, 'load')
NO_ANSWER = 'no answer'


class Cpu:
    """CPU seconds that the server, Redis and MariaDB used between two moments."""

    def __init__(self, server, stores):
        # Looked up once: no server under test starts processes while it is measured.
        self.pids = {'server': server.pids(), 'redis': stores.redis_pids, 'mariadb': stores.mariadb_pids}
        self.begin = {k: processes.cpu_seconds(v) for k, v in self.pids.items()}

    def used(self):
        return {k: processes.cpu_seconds(v) - self.begin[k] for k, v in self.pids.items()}


class Load:
    """What wrk is to send: a GET with cookies, or forms. Files are written once, beside the servers' own."""

    def __init__(self, server, directory, path, port=None, cookies=None, forms=None, connections=64, watch=False,
                 expect=b''):
        self.server, self.path, self.port = server, path, port or server.port
        self.connections, self.watch, self.forms, self.cookies = connections, watch, forms, cookies
        self.expect = expect                 # bytes that the answer to a GET must have, spaces aside
        self.file = None
        self.expected_bytes = None
        lines = cookies or (['\t'.join(f) for f in forms] if forms else None)
        if lines:
            self.file = os.path.join(directory, f'{server.name}{path.replace("/", "-")}-{len(lines)}.txt')
            with open(self.file, 'w') as f:
                f.write('\n'.join(lines) + '\n')

    def command(self, seconds):
        first = str(random.randrange(0x1000000))
        tail = [self.file] if self.file else []
        if self.forms:
            tail += [first, *(['watch'] if self.watch else [])]
        return ['wrk', '-t1', f'-c{self.connections}', f'-d{seconds}s', '--timeout', '30s', '-s',
                os.path.join(SCRIPTS, 'form.lua' if self.forms else 'get.lua'),
                f'http://127.0.0.1:{self.port}{self.path}', '--', *tail]

    def check(self):
        """One request by itself: is it the answer that the row is about? Returns what is wrong, or None."""
        headers = {'X-Forwarded-For': f'10.{random.randrange(256)}.{random.randrange(256)}.7'}
        if self.forms:
            headers['Cookie'] = self.forms[0][0]
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
            status, answer, _ = ask(self.port, 'POST', self.path, headers, self.forms[0][1])
            if status not in (302, 303) or 'login' in answer.get('location', ''):
                return f'{self.path} answers {status} {answer.get("location", "")}'
            return None
        if self.cookies:
            headers['Cookie'] = self.cookies[0]
        status, answer, body = ask(self.port, 'GET', self.path, headers)
        if status != 200:
            return f'{self.path} answers {status} {answer.get("location", "")}'
        if self.expect not in body.replace(b' ', b''):
            return f'{self.path} answers {body[:60]!r} …, without {self.expect!r}'
        self.expected_bytes = len(body)
        return None


def run_wrk(load, stores, seconds, warm_up):
    """One warm-up and one measured run."""
    wrong = load.check()
    if wrong:
        return {'problems': [wrong], 'requests': 0, 'rate': 0.0}
    if warm_up:
        finish_wrk(start_wrk(load, warm_up))
        settle(load.server)
    cpu = Cpu(load.server, stores)
    result = finish_wrk(start_wrk(load, seconds))
    result['cpu'] = cpu.used()
    judge(load, result)
    return result


def start_wrk(load, seconds):
    return processes.start('wrk', load.command(seconds), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_wrk(process):
    out, err = process.communicate(timeout=180)
    processes.stop(process)
    try:
        result = json.loads(out.strip().split('\n')[-1])
    except (ValueError, IndexError):
        raise processes.Failed('wrk: ' + (err or out).strip()[-300:]) from None
    result['rate'] = result['requests'] / result['seconds'] if result['seconds'] else 0.0
    return result


def judge(load, result):
    """Whatever was not an answer of the kind asked for makes the run invalid."""
    problems = [f'{result[kind]} {what}' for kind, what in (
        ('connect', 'failed connects'), ('read', 'broken reads'), ('write', 'broken writes'),
        ('status', 'answers of 400 or more'), ('timeout', 'timeouts'), ('refused', 'refusals')) if result[kind]]
    if result['refused']:
        problems[-1] += f' (last: {result["first_refused"]})'
    if not result['requests']:
        problems.append(NO_ANSWER)
    elif load.expected_bytes is not None and result['bytes'] / result['requests'] < load.expected_bytes:
        # wrk counts a redirect to the sign-in page as a success; it is shorter than the page.
        problems.append(f'answers of {result["bytes"] / result["requests"]:.0f} bytes where {load.expected_bytes} '
                        'and a head were due')
    result['problems'] = problems


def settle(server, seconds=10):
    """Waits until the server has finished what a run that ended left in its queues."""
    end = time.monotonic() + seconds
    pids = server.pids()
    before = processes.cpu_seconds(pids)
    while time.monotonic() < end:
        time.sleep(0.2)
        now = processes.cpu_seconds(pids)
        if now - before < 0.03:
            return
        before = now


def run_paced(load, rate, seconds):
    done = processes.start('paced', [os.path.join(machine.BUILT, 'paced'), '127.0.0.1', str(load.port), load.path,
                                     str(rate), str(seconds), load.file],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = done.communicate(timeout=seconds + 60)
    processes.stop(done)
    if done.returncode:
        raise processes.Failed('paced: ' + err.strip())
    result = json.loads(out)
    result['problems'] = [f'{result["errors"]} lost or wrong answers'] if result['errors'] else []
    return result


def run_idle(server, stores, count, path='/healthz'):
    """Resident memory of the server's processes with `count` idle connections, less what it was without."""
    finish_wrk(start_wrk(Load(server, os.path.dirname(stores.state), path), 1))
    time.sleep(1)
    pids = server.pids()
    before = (processes.rss_kib(pids), processes.pss_kib(pids))
    client = processes.start('idle', [os.path.join(machine.BUILT, 'idle'), '127.0.0.1', str(server.port), path,
                                      str(count)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if client.stdout.readline().strip() != f'open {count}':
            return {'problems': [client.stderr.read().strip() or 'the connections could not be opened']}
        time.sleep(1)
        after = (processes.rss_kib(pids), processes.pss_kib(pids))
        client.stdin.close()
        closed = int(client.stdout.readline().split()[1])
    finally:
        processes.stop(client)
    return {'connections': count, 'bytes_each': (after[0] - before[0]) * 1024 / count,
            'pss_bytes_each': (after[1] - before[1]) * 1024 / count, 'before_kib': before[0], 'after_kib': after[0],
            'problems': [f'the server closed {closed} connections'] if closed else []}


def run_bound(threads, seconds):
    done = processes.start('argon2', [os.path.join(machine.BUILT, 'argon2'), 'bound', str(threads), str(seconds)],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = done.communicate(timeout=seconds + 60)
    processes.stop(done)
    if done.returncode:
        raise processes.Failed('argon2: ' + err.strip())
    result = json.loads(out)
    result['rate'] = result['requests'] / result['seconds']
    result['problems'] = []
    return result
