"""Turns the runs into medians, a Markdown table with ratios and targets, and a JSON file.

A server with an invalid run in a row shows why instead of a figure, and its ratios stay empty. The targets are here
and nowhere else. Called by bench/run.
"""
import json
import os
import statistics
import time

NAMES = {'foyer': 'Foyer', 'nginx': 'nginx', 'nginx with log': 'nginx, logging', 'php': 'PHP-FPM', 'fastify': 'Fastify',
         'libsodium': 'libsodium alone'}
TITLES = {
    'healthz': '`GET /healthz`, answers a second',
    'session': '`GET /api/v1/session`, a second',
    'account': '`GET /account`, pages a second',
    'contact': '`POST /contact`, a second',
    'login': '`POST /login`, sign-ins a second',
    'idle': 'an idle connection, KiB resident',
    'beside': 'look-up at 200/s beside 16 endless sign-ins, p99 ms',
    'memory': 'all workers under look-ups, before any sign-in, RSS MiB',
}
COLUMNS = ('foyer', 'nginx', 'nginx with log', 'php', 'fastify', 'libsodium')


class Summary:
    """Medians of the valid servers of each row."""

    def __init__(self, results, cores):
        self.results, self.cores = results, cores

    def problems(self, row, name):
        return [p for run in self.results.get(row, {}).get(name, []) for p in run['problems']]

    def get(self, row, name, key):
        runs = self.results.get(row, {}).get(name)
        if not runs or self.problems(row, name) or any(key not in run for run in runs):
            return None
        return statistics.median(run[key] for run in runs)

    def cpu_us(self, row, name, part):
        runs = self.results.get(row, {}).get(name)
        if not runs or self.problems(row, name) or any('cpu' not in run for run in runs):
            return None
        return statistics.median(run['cpu'][part] / run['requests'] * 1e6 for run in runs)

    def figure(self, row, name):
        """The figure of the main table, in its unit."""
        if row == 'idle':
            value = self.get(row, name, 'bytes_each')
            return None if value is None else value / 1024
        if row == 'memory':
            value = self.get(row, name, 'rss_kib')
            return None if value is None else value / 1024
        return self.get(row, name, 'p99_ms' if row == 'beside' else 'rate')

    def best_peer(self, row):
        """The best of the peers other than PHP-FPM."""
        names = ('nginx',) if row == 'healthz' else ('fastify', 'nginx') if row == 'idle' else ('fastify',)
        figures = [f for f in (self.figure(row, n) for n in names) if f is not None]
        if not figures:
            return None
        return min(figures) if row in ('idle', 'beside', 'memory') else max(figures)


def ratio(a, b):
    return a / b if a is not None and b else None


def targets(s):
    """row -> list of (level, text, figure, met) with met None where it was not measured."""
    def at_least(level, text, value, bound):
        return level, text, value, None if value is None else value >= bound

    def at_most(level, text, value, bound):
        return level, text, value, None if value is None else value <= bound

    def foyer(row):
        return s.figure(row, 'foyer')

    def of_php(row):
        return ratio(foyer(row), s.figure(row, 'php'))

    def of_best(row):
        return ratio(foyer(row), s.best_peer(row))

    peak = s.get('login', 'foyer', 'peak_rss_kib')
    base = s.get('login', 'foyer', 'base_rss_kib')
    quiet = s.get('memory', 'foyer', 'rss_kib')
    # Kept hash memory is part of what the cores may use, so the base is what the workers held before any sign-in.
    base = quiet if quiet is not None else base
    over = None if peak is None or base is None else (peak - base) / 1024 / s.cores
    bound = s.figure('login', 'libsodium')
    return {
        'healthz': [at_least('must', '0.9 of nginx', of_best('healthz'), 0.9),
                    at_least('aim', '1.0 of nginx', of_best('healthz'), 1.0)],
        'session': [at_least('must', '6 x PHP', of_php('session'), 6),
                    at_least('must', '1.5 x best peer', of_best('session'), 1.5),
                    at_least('aim', '9 x PHP', of_php('session'), 9),
                    at_least('aim', "CPU a request 1/13 of PHP's", ratio(s.cpu_us('session', 'php', 'server'),
                                                                         s.cpu_us('session', 'foyer', 'server')), 13)],
        'account': [at_least('must', '4.5 x PHP', of_php('account'), 4.5),
                    at_least('must', '1.5 x best peer', of_best('account'), 1.5),
                    at_least('aim', '10 x PHP', of_php('account'), 10)],
        'contact': [at_least('must', '2.3 x PHP', of_php('contact'), 2.3),
                    at_least('aim', '6 x PHP', of_php('contact'), 6),
                    at_least('aim', "p99 a quarter of best peer's", ratio(s.get('contact', 'fastify', 'p99_ms'),
                                                                          s.get('contact', 'foyer', 'p99_ms')), 4)],
        'login': [at_least('must', '0.95 of libsodium', ratio(foyer('login'), bound), 0.95),
                  at_least('aim', '1.3 of libsodium', ratio(foyer('login'), bound), 1.3),
                  at_most('aim', 'peak 64 MiB a core above base', over, 66)],
        'idle': [at_most('must', '1.0 KiB', foyer('idle'), 1.0), at_most('aim', '0.5 KiB', foyer('idle'), 0.5)],
        'beside': [at_most('must', 'p99 10 ms', foyer('beside'), 10), at_most('aim', 'p99 5 ms', foyer('beside'), 5),
                   at_least('aim', '80 % of the rate kept', s.get('beside', 'foyer', 'kept'), 0.8)],
        'memory': [at_least('must', '1/10 of PHP', ratio(s.figure('memory', 'php'), foyer('memory')), 10),
                   at_least('aim', '1/20 of PHP', ratio(s.figure('memory', 'php'), foyer('memory')), 20)],
    }


def number(value):
    if value is None:
        return ''
    return f'{value:,.0f}' if abs(value) >= 100 else f'{value:.1f}' if abs(value) >= 10 else f'{value:.2f}'


def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows])


def cell(s, row, name):
    if s.problems(row, name):
        return 'invalid'
    return number(s.figure(row, name))


def main_table(s, columns):
    rows, wanted = [], targets(s)
    for row in TITLES:
        if row not in s.results:
            continue
        met = {'must': [], 'aim': []}
        for level, text, value, ok in wanted[row]:
            met[level].append(text if ok is None else f'{text}: {number(value)} {"✓" if ok else "✗"}')
        rows.append([TITLES[row], *(cell(s, row, n) for n in columns),
                     number(ratio(s.figure(row, 'foyer'), s.figure(row, 'php'))),
                     number(ratio(s.figure(row, 'foyer'), s.best_peer(row))),
                     '; '.join(met['must']), '; '.join(met['aim'])])
    return table(['workload', *(NAMES[n] for n in columns), 'Foyer / PHP', 'Foyer / best other peer', 'must hold',
                  'aim for'], rows)


def cpu_table(s):
    rows = []
    for row in ('healthz', 'session', 'account', 'contact', 'login'):
        for name in COLUMNS:
            parts = [s.cpu_us(row, name, part) for part in ('server', 'redis', 'mariadb')]
            if parts[0] is not None:
                rows.append([TITLES[row].split(',')[0], NAMES[name], *(number(p) for p in parts), number(sum(parts)),
                             number(s.get(row, name, 'p50_ms')), number(s.get(row, name, 'p99_ms'))])
    return table(['workload', 'server', 'its own CPU, µs a request', "Redis'", "MariaDB's", 'sum', 'p50 ms',
                  'p99 ms'], rows)


def memory_table(s):
    rows = []
    for name in COLUMNS:
        quiet = [s.get('memory', name, k) for k in ('rss_kib', 'pss_kib')]
        storm = [s.get('login', name, k) for k in ('peak_rss_kib', 'pss_kib')]
        idle = [s.get('idle', name, k) for k in ('bytes_each', 'pss_bytes_each')]
        if any(v is not None for v in quiet + storm + idle):
            rows.append([NAMES[name], *(number(None if v is None else v / 1024) for v in quiet + storm),
                         *(number(v) for v in idle)])
    return table(['server', 'look-ups, RSS MiB', 'PSS MiB', 'sign-ins, highest RSS MiB', 'highest PSS MiB',
                  'idle connection, RSS bytes', 'PSS bytes'], rows)


def beside_table(s):
    keys = ('p50_ms', 'p99_ms', 'max_ms', 'rate_alone', 'rate_beside', 'kept', 'sign_ins', 'late')
    rows = []
    for name in COLUMNS:
        values = {k: s.get('beside', name, k) for k in keys}
        if values['p99_ms'] is not None:
            values['kept'] *= 100
            rows.append([NAMES[name], *(number(values[k]) for k in keys)])
    return table(['server', 'p50 ms at 200/s', 'p99 ms', 'highest ms', 'look-ups a second alone', 'beside 16 sign-ins',
                  'kept, %', 'sign-ins a second', 'unanswered after 5 s'], rows)


def invalid_list(s):
    lines = []
    for row, servers in s.results.items():
        for name in servers:
            for problem in sorted(set(s.problems(row, name))):
                lines.append(f'- {row}, {NAMES[name]}: {problem}')
    return '\n'.join(lines)


def markdown(results, machine, plan, took):
    s = Summary(results, machine['cores'])
    columns = [n for n in COLUMNS if any(n in servers for servers in results.values())]
    parts = [
        f'Debian {machine["debian"]}, Linux {machine["kernel"]}, {machine["cores"]} cores of {machine["cpu"]}, load '
        f'{machine["load"]:.1f} at the start; {machine["php"]}, nginx {machine["nginx"]}, Fastify '
        f'{machine["fastify"]} on Node {machine["node"]}; data on {machine["state_filesystem"]}. Rounds: {plan["rounds"]}, of '
        f'{plan["seconds"]} s, medians; all servers with two workers; {took / 60:.1f} minutes in all.', main_table(s, columns)]
    if any(row in results for row in ('healthz', 'session', 'account', 'contact', 'login')):
        parts += ['CPU and latency under full load', cpu_table(s)]
    if any(row in results for row in ('memory', 'login', 'idle')):
        parts += ['Memory', memory_table(s)]
    if 'beside' in results:
        parts += ['Look-ups beside sign-ins', beside_table(s)]
    bad = invalid_list(s)
    if bad:
        parts += ['Invalid', bad]
    return '\n\n'.join(parts) + '\n', bool(bad)


def save(directory, results, machine, plan, text):
    os.makedirs(directory, exist_ok=True)
    stem = os.path.join(directory, time.strftime('%Y%m%d-%H%M%S'))
    with open(stem + '.json', 'w') as f:
        json.dump({'machine': machine, 'plan': plan, 'results': results}, f, indent=1)
    with open(stem + '.md', 'w') as f:
        f.write(text)
    return stem
