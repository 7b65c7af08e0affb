/** The limits of a command's proxy, and its end. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openProxy } from '../../server/sandbox/network/proxy.ts';
import { ask, client, echoServer, greeting, listening, named, otherNames, place, webServer } from './proxy-client.ts';
import { somewhere, standIn } from './stand-in.ts';

describe('limits', () => {
  test('of 200 clients at once each has its turn, and no more than 64 at a time', async () => {
    const [all, atOnce] = [200, 64];
    let most = 0;
    let done = 0;
    const held = new Set<Socket>();
    // All are kept until there are as many as there may be, and a while longer, in which one more would come.
    const release = () => {
      done += held.size;
      for (const socket of held) socket.end('done');
    };
    const server = createServer((socket) => {
      held.add(socket.on('error', () => {}).once('close', () => held.delete(socket)));
      most = Math.max(most, held.size);
      if (held.size === atOnce || done + held.size === all) setTimeout(release, 100);
    });
    const { proxy } = await place(['allowed.test'], { port: await listening(server) });
    const answers = await Promise.all(
      Array.from({ length: all }, () => ask(proxy, 'CONNECT allowed.test:80 HTTP/1.1\r\n\r\n')),
    );
    expect(answers.filter((answer) => answer.endsWith('\r\n\r\ndone'))).toHaveLength(all);
    expect(most).toBe(atOnce);
  });

  test('clients that say nothing, or half a sentence, hold up nobody else', async () => {
    const web = await webServer();
    const { proxy } = await place(['allowed.test'], web);
    for (const start of ['', 'G', 'GET http://allowed.test/ HTTP/1.1\r\nX: ', '\x05', '\x05\x01\0', '\x05\x02\0'])
      client(proxy).write(start);
    expect(await ask(proxy, 'GET http://allowed.test/ HTTP/1.0\r\n\r\n')).toContain('hello');
  });

  test('clients that leave half-way through make room at once', async () => {
    const web = await webServer();
    const { proxy } = await place(['allowed.test'], web);
    for (const start of ['', '\x05\x01', '\x05\x01\0\x05\x01', 'GET http://allowed.test/ HT']) {
      for (let index = 0; index < 70; index++) client(proxy).end(start);
    }
    expect(await ask(proxy, 'GET http://allowed.test/ HTTP/1.0\r\n\r\n')).toContain('hello');
  });

  test('a client that comes and goes can not have any number of names looked up or addresses dialled', async () => {
    const { proxy, dialled, resolved } = await place(['*.wild.test', 'allowed.test'], {
      resolve: async (host) => (host === 'allowed.test' ? [somewhere] : new Promise<string[]>(() => {})),
      // Routed nowhere.
      dial: () => connect({ host: '127.0.0.1', port: 1, lookup: () => {} }).on('error', () => {}),
    });
    for (let index = 0; index < 300; index++) {
      const socket = client(proxy);
      await once(socket, 'connect');
      socket.end(`CONNECT n${index}.wild.test:80 HTTP/1.1\r\n\r\n`);
      if (index % 50 === 49) await delay(5);
    }
    expect(await ask(proxy, 'CONNECT last.wild.test:80 HTTP/1.1\r\n\r\n')).toContain('Too many');
    expect(resolved.length).toBeLessThanOrEqual(32);
    expect(dialled).toEqual([]);
  });

  test('a client that does not end when the server has, makes room in the end', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket
        .on('error', () => {})
        .once('close', resolve)
        .resume()
        .end('done');
    });
    const { proxy } = await place(['allowed.test'], { port: await listening(server) });
    const socket = client(proxy);
    socket.write('CONNECT allowed.test:80 HTTP/1.1\r\n\r\n');
    await once(socket.resume(), 'end');
    expect(socket.writableEnded).toBe(false);
    await closed;
  });

  test('refused hosts are kept each once, and 100 of them', async () => {
    const { proxy } = await place([]);
    for (let index = 0; index < 120; index++) await ask(proxy, `CONNECT h${index % 110}.test:80 HTTP/1.1\r\n\r\n`);
    expect(proxy.refusedHosts).toHaveLength(100);
    expect(new Set(proxy.refusedHosts).size).toBe(100);
  });

  test('whatever is sent, and whenever the client goes, the proxy lives', async () => {
    const web = await webServer();
    const { proxy } = await place(['allowed.test'], web);
    const starts = [
      Buffer.from('GET http://allowed.test/ HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from('CONNECT allowed.test:443 HTTP/1.1\r\n\r\n'),
      Buffer.from('CONNECT evil.test:443 HTTP/1.1\r\n\r\n'),
      Buffer.from('POST http://allowed.test/ HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc'),
      Buffer.concat([greeting, named('allowed.test', 443)]),
      Buffer.concat([greeting, named('evil.test', 443)]),
      Buffer.from([5, 0]),
      Buffer.from([5, 1, 2]),
      Buffer.from([5, 1, 0, 9, 9, 9, 9]),
      Buffer.from([5, 1, 0, 5, 1, 0, 3, 0, 0, 80]),
    ];
    const rounds = starts.flatMap((start) => Array.from({ length: 30 }, (_, index) => ({ start, index })));
    await Promise.all(
      rounds.map(async ({ start, index }) => {
        const socket = client(proxy);
        socket.write(Buffer.concat([start.subarray(0, index % 4 === 0 ? index : undefined), randomBytes(index)]));
        if (index % 3 === 0) socket.end();
        await delay(index);
        socket.destroy();
      }),
    );
    expect(await ask(proxy, 'GET http://allowed.test/ HTTP/1.0\r\n\r\n')).toContain('hello');
  });
});

describe('its socket', () => {
  test('is for one user, and has no name any more when somebody has come through it', async () => {
    const proxy = await openProxy({ patterns: [], internet: standIn({ names: {}, ports: {} }) });
    expect(statSync(dirname(proxy.socket)).mode & 0o777).toBe(0o700);
    expect(proxy.wasReached).toBe(false);
    const socket = connect(proxy.socket);
    await once(socket, 'connect');
    while (existsSync(dirname(proxy.socket))) await delay(2);
    expect(proxy.wasReached).toBe(true);
    socket.on('error', () => {});
    await proxy.close();
    if (!socket.closed) await once(socket, 'close');
  });

  test.runIf(process.getuid?.() === 0)('belongs to whom the command runs as', async () => {
    const owner = { uid: 54_321, gid: 54_321 };
    const proxy = await openProxy({ patterns: [], internet: standIn({ names: {}, ports: {} }), owner });
    expect(statSync(proxy.socket)).toMatchObject(owner);
    expect(statSync(proxy.socket).mode & 0o777).toBe(0o600);
    // They can come to it, and that is all.
    expect(statSync(dirname(proxy.socket))).toMatchObject({ uid: 0 });
    expect(statSync(dirname(proxy.socket)).mode & 0o777).toBe(0o711);
    await proxy.close();
    expect(existsSync(dirname(proxy.socket))).toBe(false);
  });

  test('closing ends every connection, on both sides, and leaves nothing', async () => {
    const echo = await echoServer();
    const { proxy } = await place(['allowed.test'], echo);
    const clients = Array.from({ length: 5 }, () => client(proxy));
    for (const socket of clients) {
      socket.write('CONNECT allowed.test:80 HTTP/1.1\r\n\r\n');
      await once(socket, 'readable');
    }
    const silent = client(proxy);
    await once(silent, 'connect');
    expect(echo.sockets.size).toBe(5);
    await proxy.close();
    await Promise.all([...clients, silent].map((socket) => socket.resume().closed || once(socket.destroy(), 'close')));
    while (echo.sockets.size > 0) await delay(2);
    expect(readdirSync(dirname(dirname(proxy.socket)))).not.toContain(basename(dirname(proxy.socket)));
    await expect(once(connect(otherNames.get(proxy) ?? ''), 'connect')).rejects.toThrow('ECONNREFUSED');
  });
});
