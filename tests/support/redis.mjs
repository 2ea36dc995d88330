// A Lua script in the Redis of a running Foyer, for what no test can wait for: what is there made older, or taken away.
// It must return 1.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';

export async function evalRedis(foyer, script) {
  const socket = net.connect(join(foyer.state, 'run/redis.sock'));
  socket.write(`*3\r\n$4\r\nEVAL\r\n$${Buffer.byteLength(script)}\r\n${script}\r\n$1\r\n0\r\n`);
  const reply = await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject));
  socket.destroy();
  assert.match(reply.toString(), /^:1/);
}
