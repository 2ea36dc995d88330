// The Fastify peer: two processes under node:cluster, ioredis, a pool of mysql2, argon2, no access log.
// Its settings come as JSON in BENCH_CONFIG from bench/run; it prints one line when a process listens.
import cluster from 'node:cluster';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import argon2 from 'argon2';
import fastify from 'fastify';
import Redis from 'ioredis';
import mysql from 'mysql2/promise';

const config = JSON.parse(process.env.BENCH_CONFIG);

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text) => (/[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (c) => escapes[c]) : text);

// account.html cut at its {{names}} once, so that rendering only joins.
function compileTemplate(text) {
	const parts = text.split(/\{\{(\w+)\}\}/);
	return (view) => {
		let out = parts[0];
		for (let i = 1; i < parts.length; i += 2)
			out += escapeHtml(view[parts[i]]) + parts[i + 1];
		return out;
	};
}

function formToken(sid) {
	return createHmac('sha256', config.formKey).update(sid ?? '').digest('hex');
}

function formTokenMatches(request) {
	const given = Buffer.from(String(request.body?.csrf ?? ''));
	const right = Buffer.from(formToken(request.cookies.sid));
	return given.length === right.length && timingSafeEqual(given, right);
}

function validMessage(body) {
	const within = (text, max) => typeof text === 'string' && text.trim() !== '' && text.length <= max;
	return within(body.name, 200) && within(body.email, 254) && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(body.email) &&
		within(body.subject, 200) && within(body.message, 5000) && within(body.consent, 10);
}

async function serve() {
	const app = fastify({ logger: false });
	const redis = new Redis({ path: config.redisSocket, db: config.redisDb });
	const pool = mysql.createPool({
		socketPath: config.dbSocket, user: config.dbUser, database: 'bench_peer', connectionLimit: config.dbPool,
		dateStrings: true,
	});
	const accountPage = compileTemplate(readFileSync(config.template, 'utf8'));

	// Reads the session and slides its expiry in one command.
	const session = async (request) => {
		const sid = request.cookies.sid;
		const text = sid && await redis.getex('fastify:' + sid, 'EX', config.sessionSeconds);
		return text ? JSON.parse(text) : null;
	};
	const seeOther = (reply, path) => reply.code(303).header('Location', path).send();

	await app.register(cookie);
	await app.register(formbody);

	app.get('/healthz', (request, reply) => {
		reply.header('Content-Type', 'application/json').header('Cache-Control', 'no-store').send('{"status":"ok"}');
	});

	app.get('/api/v1/session', async (request, reply) => {
		const s = await session(request);
		reply.header('Cache-Control', 'no-store');
		if (!s)
			return reply.code(401).type('application/problem+json')
				.send('{"type":"about:blank","title":"Unauthorized","status":401}');
		return {
			account_id: s.account_id, given_name: s.given_name, family_name: s.family_name, email: s.email,
			role: 'member', created_at: s.created_at, language: 'en',
		};
	});

	app.get('/account', async (request, reply) => {
		const s = await session(request);
		if (!s)
			return seeOther(reply, '/login');
		const [rows] = await pool.execute(
			'SELECT given_name, family_name, email, phone, town, created_at FROM account WHERE id = ?', [s.account_id]);
		if (rows.length === 0)
			return seeOther(reply, '/login');
		return reply.type('text/html; charset=utf-8').header('Cache-Control', 'no-store')
			.send(accountPage({ ...rows[0], csrf: formToken(request.cookies.sid) }));
	});

	app.post('/contact', async (request, reply) => {
		if (!formTokenMatches(request))
			return reply.code(403).send('The form is out of date.');
		const body = request.body;
		if (!validMessage(body))
			return reply.code(422).send('Please check the form.');
		await pool.execute(
			'INSERT INTO contact_message (name, email, subject, message, consent_text_version, consented_at, created_at) ' +
			'VALUES (?, ?, ?, ?, ?, NOW(6), NOW(6))', [body.name, body.email, body.subject, body.message, '1']);
		return seeOther(reply, '/contact/done');
	});

	app.post('/login', async (request, reply) => {
		if (!formTokenMatches(request))
			return reply.code(403).send('The form is out of date.');
		const [rows] = await pool.execute(
			'SELECT id, password_hash, given_name, family_name, email FROM account WHERE email = ?',
			[String(request.body.email)]);
		if (rows.length === 0 || !await argon2.verify(rows[0].password_hash, String(request.body.password)))
			return reply.code(401).send('E-mail address or password are not right.');
		const sid = randomBytes(32).toString('base64url');
		const row = rows[0];
		await redis.set('fastify:' + sid, JSON.stringify({
			account_id: row.id, given_name: row.given_name, family_name: row.family_name, email: row.email,
			created_at: Math.floor(Date.now() / 1000),
		}), 'EX', config.sessionSeconds);
		reply.setCookie('sid', sid, { path: '/', httpOnly: true, sameSite: 'lax' });
		return seeOther(reply, '/account');
	});

	await app.listen({ host: '127.0.0.1', port: config.port, backlog: 4096 });
	console.log('listening');
}

if (cluster.isPrimary) {
	for (let i = 0; i < config.workers; i++)
		cluster.fork();
} else {
	await serve();
}
