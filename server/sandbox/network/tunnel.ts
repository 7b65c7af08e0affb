/** Two connections become one: bytes go both ways until both sides have ended, one fails, or nothing moves. */

import { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';

/** A command's own limit of time ends most earlier. */
export const idleTimeoutMs = 10 * 60_000;

/** Nothing moves any more, and the server has ended: a client that keeps its own side open holds one of few places. */
const endedTimeoutMs = 3_000;

export function tunnel(client: Duplex, upstream: Socket): void {
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  // The one that has been closed for good takes the other with it, once what was on its way has arrived.
  pipeline(client, upstream, (error) => error && end());
  pipeline(upstream, client, (error) => (error ? end() : upstream.setTimeout(endedTimeoutMs)));
  // All that moves, moves through both.
  if (client instanceof Socket) client.setTimeout(0);
  upstream.setTimeout(idleTimeoutMs, end);
  if (client.destroyed) end();
}
