// A visitor with a cookie jar, on node:http so that nothing is done behind the test's back: no redirect is followed,
// no cookie is kept that a browser would refuse, each request has its own connection. Forms are taken from the page
// that shows them, with their hidden fields, as a browser does. Used by most integration tests.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

export function decodeEntities(text) {
  return text.replace(/&(#x[0-9a-f]+|#\d+|[a-z]+);/gi, (whole, name) => {
    if (name[0] !== '#') return entities[name] ?? whole;
    return String.fromCodePoint(name[1].toLowerCase() === 'x' ? parseInt(name.slice(2), 16) : Number(name.slice(1)));
  });
}

function attributesOf(tag) {
  const found = {};
  for (const [, name, , quoted, single, bare] of tag.matchAll(/([\w:-]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g))
    found[name.toLowerCase()] = decodeEntities(quoted ?? single ?? bare ?? '');
  return found;
}

// Every form of a page: { action, method, fields: { name: value } } with the values a browser would send.
export function formsOf(html) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head, inside]) => {
    const { action = '', method = 'get' } = attributesOf(head);
    const fields = {};
    const buttons = [];
    for (const [, attributes] of inside.matchAll(/<input\b([^>]*)>/g)) {
      const input = attributesOf(attributes);
      if (!('name' in input)) continue;
      if (input.type === 'checkbox' && !('checked' in input)) continue;
      fields[input.name] = input.value ?? '';
    }
    for (const [, attributes, text] of inside.matchAll(/<textarea\b([^>]*)>([\s\S]*?)<\/textarea>/g))
      fields[attributesOf(attributes).name] = decodeEntities(text.replace(/^\n/, ''));
    for (const [, attributes, options] of inside.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
      const all = [...options.matchAll(/<option\b([^>]*)>/g)].map(([, one]) => attributesOf(one));
      fields[attributesOf(attributes).name] = (all.find((one) => 'selected' in one) ?? all[0])?.value ?? '';
    }
    for (const [, attributes] of inside.matchAll(/<button\b([^>]*)>/g)) {
      const button = attributesOf(attributes);
      if ('name' in button) buttons.push({ name: button.name, value: button.value ?? '' });
    }
    return { action, method: method.toLowerCase(), fields, buttons };
  });
}

export class Answer {
  constructor(message, bytes) {
    this.status = message.statusCode;
    this.headers = message.headers;
    this.rawHeaders = message.rawHeaders;
    this.bytes = bytes;
    this.trailers = message.trailers;
  }

  get text() {
    return this.bytes.toString('utf8');
  }

  get json() {
    return JSON.parse(this.text);
  }

  get location() {
    return this.headers.location;
  }

  get forms() {
    return formsOf(this.text);
  }

  get language() {
    return this.text.match(/<html lang="([^"]+)"/)?.[1];
  }

  get heading() {
    return decodeEntities(this.text.match(/<h1[^>]*>([\s\S]*?)<\/h1>/)?.[1].replace(/<[^>]+>/g, '').trim() ?? '');
  }

  // The words of the page, without what differs from one request to the next.
  get words() {
    return decodeEntities(this.text.replace(/<input type="hidden"[^>]*>/g, '').replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ').trim());
  }

  // The names of the fields that the page says are wrong.
  get wrong() {
    return [...this.text.matchAll(/id="e-([\w-]+)"/g)].map(([, name]) => name);
  }

  form(action) {
    const found = this.forms.find((one) => one.action === action);
    assert.ok(found, `the page has a form to ${action}; it has: ${this.forms.map((one) => one.action).join(' ')} (${this.status} ${this.heading})`);
    return found;
  }
}

export function encodeForm(fields) {
  return new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined)).toString();
}

export class Visitor {
  // server: something with `origin`. options: headers (sent with each request), ca, socketPath
  constructor(server, options = {}) {
    this.server = server;
    // A server with a certificate of its own says by `tls` how it is trusted.
    this.options = { ...server.tls, ...options };
    this.headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', accept: 'text/html,*/*;q=0.8', ...options.headers };
    this.cookies = new Map();
  }

  get origin() {
    return this.options.origin ?? this.server.origin;
  }

  cookieHeader() {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  // Keeps cookies by RFC 6265 section 5.2 as far as a test needs it, and refuses what a browser would.
  keepCookies(url, lines = []) {
    for (const line of lines) {
      const [pair, ...attributes] = line.split(/;\s*/);
      const at = pair.indexOf('=');
      const name = pair.slice(0, at);
      const value = pair.slice(at + 1);
      const has = Object.fromEntries(attributes.map((one) => one.split('=')).map(([key, v = '']) => [key.toLowerCase(), v]));
      if (name.startsWith('__Host-'))
        assert.ok('secure' in has && has.path === '/' && !('domain' in has) && url.protocol === 'https:', `a browser refuses ${line}`);
      if ('secure' in has) assert.equal(url.protocol, 'https:', `a browser refuses ${line}`);
      if (has['max-age'] === '0' || Number(has['max-age']) < 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }

  request(method, path, { headers = {}, body, raw = false } = {}) {
    const url = new URL(path, this.origin);
    const cookie = this.cookieHeader();
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
    const all = { ...this.headers, ...(cookie ? { cookie } : {}), ...headers };
    if (bytes !== undefined) all['content-length'] ??= bytes.length;
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? https : http).request({
        method,
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port || undefined,
        // A path that a URL parser would tidy up is sent as it is.
        path: raw ? path : url.pathname + url.search,
        headers: all,
        agent: false,
        ca: this.options.ca,
        servername: this.options.servername,
        socketPath: this.options.socketPath,
      }, (message) => {
        const pieces = [];
        message.on('data', (piece) => pieces.push(piece));
        message.on('error', reject);
        message.on('end', () => {
          try {
            this.keepCookies(url, message.headers['set-cookie']);
            const answer = new Answer(message, Buffer.concat(pieces));
            answer.path = path;
            this.last = answer;
            resolve(answer);
          } catch (error) {
            reject(error);
          }
        });
      });
      request.setTimeout(60000, () => request.destroy(new Error(`${method} ${path} took a minute`)));
      request.on('error', reject);
      request.end(bytes);
    });
  }

  get(path, options) {
    return this.request('GET', path, options);
  }

  post(path, fields = {}, { headers = {}, ...more } = {}) {
    return this.request('POST', path, {
      ...more,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof fields === 'string' || Buffer.isBuffer(fields) ? fields : encodeForm(fields),
    });
  }

  // Fills in the form on `page` (a path or an answer) that goes to `action`, and sends it.
  async submit(page, action, fields = {}, options) {
    const answer = page instanceof Answer ? page : await this.get(page);
    const form = answer.form(action);
    assert.equal(form.method, 'post');
    return this.post(form.action, { ...form.fields, ...fields }, options);
  }

  // Opens what a redirect names.
  follow(answer) {
    assert.ok(answer.location, `a redirect, not ${answer.status} ${answer.heading}`);
    return this.get(answer.location);
  }
}
