import { once } from 'node:events';
import { createServer } from 'node:http';
import { createApp } from '../src/app.js';
import { createStore } from '../src/store.js';

/** Starts the service on a free port for one test, and stops it afterwards. */
export async function startService(t) {
  const server = createServer(createApp(createStore())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://127.0.0.1:${server.address().port}`;

  /** Sends a request; a body that is no text is sent as JSON. Answers `{ status, body }`. */
  return async function send(method, path, body) {
    const response = await fetch(origin + path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
}
