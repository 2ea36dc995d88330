// Reads one RFC 5322 message as a mail program would: unfolded fields, encoded words, parts, transfer encodings.
// It understands what Foyer may send and refuses the rest, so that a mail that reads wrongly fails a test.

function decodeWords(text) {
  return text
    .replace(/(=\?[^?]+\?[BQ]\?[^?]*\?=)\s+(?==\?)/gi, '$1')
    .replace(/=\?([^?]+)\?([BQ])\?([^?]*)\?=/gi, (_, charset, kind, body) => {
      if (charset.toLowerCase() !== 'utf-8') throw new Error(`an encoded word in ${charset}`);
      return kind.toUpperCase() === 'B'
        ? Buffer.from(body, 'base64').toString('utf8')
        : Buffer.from(body.replaceAll('_', ' ').replace(/=([0-9A-F]{2})/gi, (_m, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8');
    });
}

function split(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('a message without a body');
  const head = text.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const fields = {};
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a field: ${line}`);
    const name = line.slice(0, colon).toLowerCase();
    if (name in fields) throw new Error(`the field ${name} stands twice`);
    fields[name] = line.slice(colon + 1).trim();
  }
  return { fields, body: text.slice(end + 4) };
}

function decodeBody(fields, body) {
  const encoding = (fields['content-transfer-encoding'] ?? '7bit').toLowerCase();
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding === 'quoted-printable') {
    const bytes = body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  if (encoding === '7bit' || encoding === '8bit') return Buffer.from(body, 'latin1').toString('utf8');
  throw new Error(`the transfer encoding ${encoding}`);
}

// { to, from, subject, fields, text, html, raw }
export function decodeMail(bytes) {
  const raw = bytes.toString('latin1');
  if (/[^\r]\n|\r[^\n]/.test(raw)) throw new Error('a bare line break in a mail');
  const { fields, body } = split(raw);
  const mail = { fields, raw, text: '', html: '' };
  const read = (partFields, partBody) => {
    const type = (partFields['content-type'] ?? 'text/plain').split(';')[0].trim().toLowerCase();
    if (type.startsWith('multipart/')) {
      const boundary = partFields['content-type'].match(/boundary="?([^";]+)"?/i)[1];
      const pieces = `\r\n${partBody}`.split(`\r\n--${boundary}`);
      if (!pieces.at(-1).startsWith('--')) throw new Error('a multipart without an end');
      for (const piece of pieces.slice(1, -1)) {
        const part = split(piece.slice(2));
        read(part.fields, part.body);
      }
    } else if (type === 'text/plain') {
      mail.text += decodeBody(partFields, partBody);
    } else if (type === 'text/html') {
      mail.html += decodeBody(partFields, partBody);
    } else {
      throw new Error(`a part of type ${type}`);
    }
  };
  read(fields, body);
  mail.subject = decodeWords(fields.subject ?? '');
  mail.from = decodeWords(fields.from ?? '');
  mail.to = decodeWords(fields.to ?? '').replace(/^.*<([^>]+)>$/, '$1');
  return mail;
}

// The first link of a mail whose path begins with `path`.
export function linkIn(mail, path) {
  for (const [link] of mail.text.matchAll(/https?:\/\/[^\s>]+/g)) if (new URL(link).pathname.startsWith(path)) return link;
  throw new Error(`no link to ${path} in:\n${mail.text}`);
}
