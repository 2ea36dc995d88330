// Bytes over a socket, for requests that no HTTP library would send, and a reader of responses that is as strict as
// RFC 9112 lets it be. Used by the tests of HTTP and of hostile input.
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { inTime } from './wait.mjs';

export function addressOf(server) {
  const url = new URL(server.origin);
  return { host: url.hostname, port: Number(url.port) };
}

// Splits the bytes of a connection into responses. `methods` are those of the requests, for HEAD; interim responses
// (100) are listed too. Throws for what is not HTTP/1.1; the last may be cut off (`whole` false).
export function parseResponses(bytes, methods = [], closed = true) {
  const responses = [];
  let at = 0;
  let finals = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', at, 'latin1');
    if (end < 0) {
      responses.push({ whole: false, bytes: bytes.subarray(at) });
      break;
    }
    const [line, ...fields] = bytes.subarray(at, end).toString('latin1').split('\r\n');
    const start = line.match(/^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/);
    assert.ok(start, `a status line, not ${JSON.stringify(line)}`);
    const headers = {};
    for (const field of fields) {
      const [, name, value] = field.match(/^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff]*)$/) ?? assert.fail(`a field, not ${JSON.stringify(field)}`);
      const key = name.toLowerCase();
      headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    }
    const status = Number(start[1]);
    at = end + 4;
    let body = Buffer.alloc(0);
    let whole = true;
    const interim = status < 200;
    const method = methods[finals];
    if (!interim) finals++;
    if (interim || status === 204 || status === 304 || method === 'HEAD') {
      // none
    } else if ('transfer-encoding' in headers) {
      assert.equal(headers['transfer-encoding'], 'chunked');
      assert.ok(!('content-length' in headers), 'both a length and chunks');
      const parts = [];
      for (;;) {
        const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
        if (lineEnd < 0) { whole = false; at = bytes.length; break; }
        const size = parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
        assert.ok(Number.isInteger(size), 'a chunk size');
        if (lineEnd + 2 + size + 2 > bytes.length) { whole = false; at = bytes.length; break; }
        parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
        at = lineEnd + 2 + size;
        assert.equal(bytes.subarray(at, at + 2).toString('latin1'), '\r\n', 'a chunk ends with CRLF');
        at += 2;
        if (size === 0) break;
      }
      body = Buffer.concat(parts);
    } else if ('content-length' in headers) {
      const length = Number(headers['content-length']);
      whole = at + length <= bytes.length;
      body = bytes.subarray(at, at + length);
      at += Math.min(length, bytes.length - at);
    } else {
      assert.ok(closed, 'a response without a length ends with the connection');
      body = bytes.subarray(at);
      at = bytes.length;
    }
    responses.push({ status, headers, body, text: body.toString('utf8'), whole, interim });
  }
  return responses;
}

// One open connection that a test drives by hand.
export class Connection {
  static async open(server, { secure = false, ...options } = {}) {
    const connection = new Connection();
    const socket = secure ? tls.connect({ ...addressOf(server), ...options }) : net.connect({ ...addressOf(server), ...options });
    connection.socket = socket;
    connection.pieces = [];
    connection.waiting = new Set();
    connection.ended = false;          // the server closed its side
    connection.closed = false;         // the socket is gone
    connection.error = null;
    socket.on('data', (piece) => { connection.pieces.push(piece); connection.wake(); });
    socket.on('end', () => { connection.ended = true; connection.wake(); });
    socket.on('close', () => { connection.ended = connection.closed = true; connection.wake(); });
    socket.on('error', (error) => { connection.error = error; connection.wake(); });
    await inTime('connecting', new Promise((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    }));
    return connection;
  }

  wake() {
    for (const look of this.waiting) look();
  }

  get bytes() {
    return Buffer.concat(this.pieces);
  }

  responses(methods) {
    return parseResponses(this.bytes, methods, this.ended);
  }

  send(data) {
    if (!this.closed) this.socket.write(data);
    return this;
  }

  // Resolves when `wanted` is truthy; it is asked after each event of the socket.
  when(what, wanted, within = 10000) {
    let look;
    const promise = new Promise((resolve, reject) => {
      look = () => {
        try {
          const value = wanted();
          if (value) resolve(value);
        } catch (error) {
          reject(error);
        }
      };
      this.waiting.add(look);
      look();
    });
    return inTime(what, promise, within).finally(() => this.waiting.delete(look));
  }

  whenClosed(within) {
    return this.when('the server to close the connection', () => this.ended, within);
  }

  // Resolves with the responses once `count` of them (without interim ones) are whole.
  async whenAnswered(count = 1, methods = [], within = 10000) {
    await this.when(`${count} responses`, () => {
      const finals = this.responses(methods).filter((one) => one.whole && !one.interim);
      return finals.length >= count || (this.ended && 'cut off');
    }, within);
    const finals = this.responses(methods).filter((one) => one.whole && !one.interim);
    assert.ok(finals.length >= count, `${count} responses before the connection ended; there were ${finals.length}: ${this.bytes.subarray(0, 300)}`);
    return finals;
  }

  destroy() {
    this.socket.destroy();
  }
}

// Sends `data` and returns what came until the server closed the connection.
export async function exchange(server, data, { methods, within = 10000, end = false, ...options } = {}) {
  const connection = await Connection.open(server, options);
  try {
    connection.send(data);
    if (end) connection.socket.end();
    await connection.whenClosed(within);
    return { responses: connection.responses(methods), bytes: connection.bytes };
  } finally {
    connection.destroy();
  }
}

// A request whose lines are joined with CRLF, for a host that is ours.
export function request(lines, body = '') {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
