"""The rows of the table: which servers take part, what each is asked to do, and in which order.

Within a row the servers take turns (A B C A B C), so that a machine that slows down slows all of them; the medians
are taken in report.py. How a load runs is in load.py. Called by bench/run.
"""
import os
import sys
import time

from harness import load, processes

# In this order: memory before any sign-in needs workers that never hashed, and what leaves work behind comes last.
ROWS = ('session', 'memory', 'healthz', 'account', 'idle', 'beside', 'contact', 'login')
IDLE_CONNECTIONS = 10_000
SIGN_INS = 16
PACED_RATE = 200
# What answers must contain, spaces aside: the page shows a name that only escaping makes harmless.
HEALTHY = b'"status":"ok"'
ESCAPED_NAME = 'Dupont&amp;Associés'.encode()


class Bench:
    """Everything a row needs; `results` is filled row by row: results[row][server] = list of runs."""

    def __init__(self, servers, stores, directory, people, plan):
        self.servers, self.stores, self.directory, self.people, self.plan = servers, stores, directory, people, plan
        self.results, self.cookies = {}, {}

    def members(self, *names):
        return [self.servers[n] for n in names if n in self.servers]

    def note(self, row, server, text):
        print(f'bench: {row:8} {server:14} {text}', file=sys.stderr, flush=True)

    def keep(self, row, name, result):
        self.results.setdefault(row, {}).setdefault(name, []).append(result)
        if result['problems']:
            self.note(row, name, 'INVALID: ' + '; '.join(result['problems']))

    def rounds(self):
        """(round, warm-up seconds): the first warms caches and compilers, the later ones only wake what slept."""
        for i in range(self.plan['rounds']):
            yield i, self.plan['warm_up'] if i == 0 else min(1, self.plan['warm_up'])

    def signed_in(self, server, path, expect=b''):
        return load.Load(server, self.directory, path, cookies=self.cookies[server.name], expect=expect)

    def sign_ins(self, server):
        forms = server.forms('/login', [{'email': p['email'], 'password': p['password']} for p in self.people])
        return load.Load(server, self.directory, '/login', forms=forms, connections=SIGN_INS, watch=True)

    def wrk_row(self, row, loads, seconds=None):
        """`loads`: name -> Load."""
        for i, warm_up in self.rounds():
            for name, one in loads.items():
                result = load.run_wrk(one, self.stores, seconds or self.plan['seconds'], warm_up)
                self.keep(row, name, result)
                self.note(row, name, f'round {i + 1}: {result["rate"]:,.0f}/s')
                self.after_run(row, one.server)

    def after_run(self, row, server):
        if row == 'session':
            # Between two rounds, as under load: nobody gives memory back at once.
            pids = server.worker_pids()
            self.results.setdefault('memory', {}).setdefault(server.name, []).append(
                {'rss_kib': processes.rss_kib(pids), 'pss_kib': processes.pss_kib(pids),
                 'processes': len(pids), 'problems': []})


def row_healthz(b):
    loads = {s.name: load.Load(s, b.directory, '/healthz', expect=HEALTHY)
             for s in b.members('foyer', 'nginx', 'php', 'fastify')}
    if 'nginx' in b.servers:
        nginx = b.servers['nginx']
        loads['nginx with log'] = load.Load(nginx, b.directory, '/healthz', port=nginx.log_port, expect=HEALTHY)
    b.wrk_row('healthz', loads, b.plan['constant'])


def row_session(b):
    b.wrk_row('session', {s.name: b.signed_in(s, '/api/v1/session') for s in b.members('foyer', 'php', 'fastify')})


def row_account(b):
    b.wrk_row('account', {s.name: b.signed_in(s, '/account', ESCAPED_NAME)
                          for s in b.members('foyer', 'php', 'fastify')})


def row_idle(b):
    for server in b.members('foyer', 'nginx', 'fastify'):
        result = load.run_idle(server, b.stores, IDLE_CONNECTIONS)
        b.keep('idle', server.name, result)
        if not result['problems']:
            b.note('idle', server.name, f'{result["bytes_each"]:,.0f} bytes each')


def row_beside(b):
    """Session look-ups while 16 clients sign in without pause: at a fixed rate for the latency, then flat out."""
    for i, _ in b.rounds():
        for server in b.members('foyer', 'php', 'fastify'):
            look_up, storm = b.signed_in(server, '/api/v1/session'), b.sign_ins(server)
            alone = load.run_wrk(look_up, b.stores, b.plan['short'], min(1, b.plan['warm_up']))
            wrong = storm.check()
            if wrong:
                b.keep('beside', server.name, {'problems': [wrong]})
                continue
            # The storm runs a little longer on both sides than what is measured inside it.
            storm_run = load.start_wrk(storm, b.plan['paced'] + b.plan['short'] + 2)
            time.sleep(1)
            paced = load.run_paced(look_up, PACED_RATE, b.plan['paced'])
            flat_out = load.run_wrk(look_up, b.stores, b.plan['short'], 0)
            signed_in = load.finish_wrk(storm_run)
            load.settle(server)
            load.judge(storm, signed_in)
            # That none came through in the whole time is a result here, not a fault of the run.
            for r in (flat_out, signed_in):
                r['problems'] = [p for p in r['problems'] if p != load.NO_ANSWER]
            b.keep('beside', server.name, {
                'p50_ms': paced['p50_ms'], 'p99_ms': paced['p99_ms'], 'max_ms': paced['max_ms'], 'late': paced['late'],
                'rate_alone': alone['rate'], 'rate_beside': flat_out['rate'],
                'kept': flat_out['rate'] / alone['rate'] if alone['rate'] else 0.0, 'sign_ins': signed_in['rate'],
                'problems': [p for r in (alone, paced, flat_out, signed_in) for p in r['problems']]})
            b.note('beside', server.name, f'round {i + 1}: p99 {paced["p99_ms"]:.1f} ms')


def row_contact(b):
    """Each answer must have left a row: they are counted in the table afterwards."""
    loads = []
    for server in b.members('foyer', 'php', 'fastify'):
        forms = server.forms('/contact', [{
            'name': f'{p["given_name"]} {p["family_name"]}', 'email': p['email'], 'subject': 'A room from September',
            'message': 'Good morning,\n\nmy daughter begins her studies in Paris in September. Would a family near the '
                       'Jardin des Plantes have a room for her until June? She speaks some French.\n\nThank you.',
            'consent': 'yes'} for p in b.people])
        loads.append(load.Load(server, b.directory, '/contact', forms=forms))
    for i, warm_up in b.rounds():
        for one in loads:
            load_only = load.run_wrk(one, b.stores, b.plan['short'], 0) if warm_up else None
            before = one.server.contact_rows()
            result = load.run_wrk(one, b.stores, b.plan['seconds'], 0)
            # One more is check()'s.
            rows = one.server.contact_rows() - before
            if rows < result['requests']:
                result['problems'].append(f'{result["requests"]} answers left {rows} rows')
            if load_only and load_only['problems']:
                result['problems'].append('while warming up: ' + '; '.join(load_only['problems']))
            one.server.clear_contact()
            b.keep('contact', one.server.name, result)
            b.note('contact', one.server.name, f'round {i + 1}: {result["rate"]:,.0f}/s')


def row_login(b):
    loads = {s.name: b.sign_ins(s) for s in b.members('foyer', 'php', 'fastify')}
    threads = os.cpu_count() or 1
    for i, warm_up in b.rounds():
        bound = load.run_bound(threads, b.plan['seconds'])
        b.keep('login', 'libsodium', bound)
        b.note('login', 'libsodium', f'round {i + 1}: {bound["rate"]:.1f}/s on {threads} threads')
        for name, one in loads.items():
            base = processes.rss_kib(one.server.worker_pids())
            with processes.Peak(one.server.worker_pids) as peak:
                result = load.run_wrk(one, b.stores, b.plan['seconds'], warm_up)
            load.settle(one.server)
            result['peak_rss_kib'], result['base_rss_kib'] = peak.rss, base
            result['pss_kib'] = peak.pss
            b.keep('login', name, result)
            b.note('login', name, f'round {i + 1}: {result["rate"]:.1f}/s, {peak.rss / 1024:,.0f} MiB')


RUN = {'healthz': row_healthz, 'session': row_session, 'account': row_account, 'idle': row_idle, 'beside': row_beside,
       'contact': row_contact, 'login': row_login}
