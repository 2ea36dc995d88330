// A mail server for tests: SMTP with STARTTLS or TLS from the first byte, and AUTH PLAIN (RFC 5321, 3207, 4954, 4616).
// It keeps what it was given; `refuse` makes it answer MAIL with that line, and addresses in `unknown` have no mailbox.
// Loopback only.
import net from 'node:net';
import tls from 'node:tls';
import { decodeMail } from './mail.mjs';

export class MailServer {
  // options: key, cert (PEM), implicit (TLS at once), starttls, user, password
  static async start(options = {}) {
    const server = new MailServer();
    server.options = options;
    server.mails = [];
    server.sessions = [];            // { secure, signedIn } of each MAIL
    server.refuse = null;
    server.unknown = new Set();
    server.sockets = new Set();
    const context = options.cert ? tls.createSecureContext({ key: options.key, cert: options.cert }) : null;
    server.listener = net.createServer((socket) => {
      server.sockets.add(socket);
      socket.on('error', () => {}).on('close', () => server.sockets.delete(socket));
      server.converse(options.implicit ? server.secured(socket, context) : socket, { secure: Boolean(options.implicit), signedIn: false }, context, true);
    });
    await new Promise((resolve) => server.listener.listen(0, '127.0.0.1', resolve));
    server.port = server.listener.address().port;
    return server;
  }

  secured(socket, context) {
    return new tls.TLSSocket(socket, { isServer: true, secureContext: context }).on('error', () => {});
  }

  converse(socket, session, context, greet) {
    let text = '';
    let mail = null;
    let challenged = false;
    const say = (...lines) => socket.write(lines.map((line) => `${line}\r\n`).join(''));
    const answer = (line) => {
      const [verb] = line.toUpperCase().split(/[ :]/);
      if (verb === 'EHLO') {
        const can = [...(this.options.starttls && !session.secure ? ['STARTTLS'] : []), ...(this.options.user && session.secure ? ['AUTH PLAIN'] : []), '8BITMIME'];
        return say('250-mail.test', ...can.map((one, i) => `250${i + 1 < can.length ? '-' : ' '}${one}`));
      }
      if (verb === 'STARTTLS') {
        say('220 go ahead');
        socket.removeAllListeners('data');
        return this.converse(this.secured(socket, context), { ...session, secure: true }, context, false);
      }
      if (verb === 'AUTH' && line.split(' ').length === 2) {
        challenged = true;
        return say('334 ');
      }
      if (verb === 'AUTH' || challenged) {
        const [, user, password] = Buffer.from(challenged ? line : line.split(' ')[2], 'base64').toString().split('\0');
        challenged = false;
        session.signedIn = user === this.options.user && password === this.options.password;
        return say(session.signedIn ? '235 welcome' : '535 who are you?');
      }
      if (verb === 'MAIL') {
        if (this.refuse) return say(this.refuse);
        if (this.options.user && !session.signedIn) return say('530 sign in first');
        this.sessions.push({ ...session });
        mail = { from: line.match(/<(.*?)>/)[1], to: [] };
        return say('250 ok');
      }
      if (verb === 'RCPT') {
        const [, to] = line.match(/<(.*?)>/);
        if (this.unknown.has(to)) return say('550 no such mailbox');
        mail.to.push(to);
        return say('250 ok');
      }
      if (verb === 'DATA') {
        mail.data = '';
        return say('354 end with a dot');
      }
      if (verb === 'QUIT') return socket.end('221 bye\r\n');
      return say(verb === 'RSET' || verb === 'NOOP' ? '250 ok' : '502 what?');
    };
    socket.setEncoding('latin1');
    socket.on('data', (piece) => {
      text += piece;
      for (;;) {
        if (mail?.data !== undefined) {
          const end = text.startsWith('.\r\n') ? 0 : text.indexOf('\r\n.\r\n') + 2;
          if (end === 1) return;
          const message = text.slice(0, end).replace(/^\.\./gm, '.');
          text = text.slice(end + 3);
          this.mails.push({ envelope: { from: mail.from, to: mail.to }, ...decodeMail(Buffer.from(message, 'latin1')) });
          mail = null;
          say('250 taken');
        }
        const at = text.indexOf('\r\n');
        if (at < 0) return;
        const line = text.slice(0, at);
        text = text.slice(at + 2);
        answer(line);
      }
    });
    if (greet) say('220 mail.test ready');
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.listener.close(resolve));
  }
}
