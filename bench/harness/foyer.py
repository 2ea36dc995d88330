"""Foyer in embedded mode, and people who register with it as people do: pages, forms, a mailed link.

Its MariaDB and Redis are the ones that all servers share. Called by bench/run; the other servers are in servers.py.
"""
import concurrent.futures
import email
import email.policy
import glob
import html.parser
import os
import re
import time
import urllib.parse

from harness import processes
from harness.servers import WORKERS, Server, ask


class FormReader(html.parser.HTMLParser):
    """The fields that a browser would send for the form with a given action; boxes are ticked."""

    def __init__(self, action):
        super().__init__()
        self.action, self.inside, self.fields = action, False, None

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == 'form':
            self.inside = a.get('action', '').split('?')[0] == self.action
            if self.inside:
                self.fields = {}
        elif self.inside and tag in ('input', 'textarea') and a.get('name'):
            self.fields[a['name']] = a.get('value') or ('yes' if a.get('type') == 'checkbox' else '')

    def handle_endtag(self, tag):
        if tag == 'form':
            self.inside = False


class Visitor:
    """A browser as far as it matters here: one cookie jar, one address behind the proxy."""

    def __init__(self, port, number):
        self.port, self.cookies = port, {}
        self.headers = {'X-Forwarded-For': f'10.200.{number // 250}.{number % 250 + 1}', 'Accept-Language': 'en'}

    def ask(self, method, path, fields=None):
        headers = dict(self.headers)
        if self.cookies:
            headers['Cookie'] = self.cookie()
        body = None
        if fields is not None:
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
            body = urllib.parse.urlencode(fields)
        status, answer, text = ask(self.port, method, path, headers, body)
        found = re.match(r'([^=;]+)=([^;]*)', answer.get('set-cookie', ''))
        if found:
            self.cookies[found[1]] = found[2]
        return status, answer, text.decode('utf-8', 'replace')

    def cookie(self):
        return '; '.join(f'{k}={v}' for k, v in self.cookies.items())

    def form(self, path):
        """Opens the page; the fields of the form on it that answers to the same path."""
        status, _, text = self.ask('GET', path)
        reader = FormReader(path.split('?')[0])
        reader.feed(text)
        if status != 200 or not reader.fields or not reader.fields.get('csrf'):
            raise processes.Failed(f'Foyer: GET {path} answers {status} without a form that can be sent')
        return reader.fields

    def submit(self, path, fields):
        status, answer, text = self.ask('POST', path.split('?')[0], {**self.form(path), **fields})
        if status >= 400:
            title = re.search(r'<title>(.*?)</title>', text, re.S)
            raise processes.Failed(f'Foyer: POST {path.split("?")[0]} answers {status}: '
                                   + (title[1].strip() if title else text[:200]))
        return status, answer, text


class Foyer(Server):
    name, title = 'foyer', 'Foyer'
    apart = ('mariadbd', 'redis-server')

    def __init__(self, binary, state, stores):
        super().__init__()
        self.binary, self.state, self.stores = binary, state, stores

    def start(self):
        # As behind a reverse proxy on this machine: then an address is the one that the proxy names, and limits per
        # address see many visitors and not one. Everything else is as it comes.
        env = {'FOYER__SERVER__TRUSTED_PROXIES': '127.0.0.0/8', 'FOYER__SERVER__ADMIN_LISTEN': '127.0.0.1:0'}
        log = os.path.join(os.path.dirname(self.state), 'foyer.out')
        before = os.path.getsize(log) if os.path.exists(log) else 0
        process = processes.start('foyer', [self.binary, 'serve', '--state', self.state, '--listen', '127.0.0.1:0',
                                            '--workers', str(WORKERS)], env=env, log=log)
        self.processes = [process]

        def ready():
            with open(log, errors='replace') as f:
                f.seek(before)
                found = re.search(r'^foyer: ready http://[^:]+:(\d+)', f.read(), re.M)
            self.port = int(found[1]) if found else 0
            return self.port != 0

        processes.wait_until(process, ready, 90, 'foyer')
        self.stores.adopt(process.pid)

    def worker_pids(self):
        """Without the supervisor, which is the one that was started."""
        return [pid for pid in self.pids() if pid != self.processes[0].pid]

    def mailed_link(self, address, seconds=20):
        """The path of the link in the mail that confirms the address."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name in glob.glob(os.path.join(self.state, 'mail', '*.eml')):
                with open(name, 'rb') as f:
                    message = email.message_from_binary_file(f, policy=email.policy.default)
                if address not in str(message['to']):
                    continue
                text = message.get_body(('plain', 'html')).get_content()
                found = re.search(r'(/verify\?token=[\w.~%-]+)', text)
                if found:
                    return found[1]
            time.sleep(0.1)
        raise processes.Failed('Foyer: no mail with a link to confirm an address arrived')

    def join(self, number, person, sessions):
        """Registers, confirms, signs in so many times; the cookies of the sessions."""
        visitor = Visitor(self.port, number)
        visitor.submit('/register', {k: person[k] for k in ('given_name', 'family_name', 'email', 'password')})
        visitor.submit(self.mailed_link(person['email']), {})
        cookies = []
        for _ in range(sessions):
            browser = Visitor(self.port, number)
            status, answer, _ = browser.submit('/login', {'email': person['email'], 'password': person['password']})
            if status not in (302, 303):
                raise processes.Failed(f'Foyer: a sign-in with the right password answers {status}')
            cookies.append(browser.cookie())
        return cookies

    def fill(self, people, sessions_each):
        """All register; returns the cookies of live sessions."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(self.join, i, person, sessions_each) for i, person in enumerate(people)]
            return [cookie for job in jobs for cookie in job.result()]

    def forms(self, path, fields):
        """(cookie, body) for each dict of fields: a form as its page gave it, its token good for that cookie. Without
        the field that makes one message of the same form sent again: each is one of its own here."""
        visitor = Visitor(self.port, 9999)
        page = visitor.form(path)
        page.pop('once', None)
        return [(visitor.cookie(), urllib.parse.urlencode({**page, **f})) for f in fields]

    def contact_rows(self):
        return int(self.stores.sql('SELECT COUNT(*) FROM contact_message', 'foyer'))

    def clear_contact(self):
        """Also the mails that answer the messages: sending them must not take time from the server measured next."""
        self.stores.sql("DELETE FROM outbox; TRUNCATE contact_message;", 'foyer')
