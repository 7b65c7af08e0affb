/** The internet, played by this machine: names lead where a test says, and every port of every address to one of ours. */
import { connect } from 'node:net';
import type { Internet } from '../../server/sandbox/network/internet.ts';

/** As JSON, so that it can be given to another process. */
export type StandIn = {
  /** Addresses of each name. */
  names: Record<string, string[]>;
  /** By the port that was asked for: the port on loopback that answers. */
  ports: Record<number, number>;
};

/** Of nobody in particular, and public. */
export const somewhere = '93.184.216.34';

export const standIn = ({ names, ports }: StandIn): Internet => ({
  resolve: async (host) => names[host] ?? Promise.reject(new Error(`ENOTFOUND ${host}`)),
  dial: (_address, port) => connect({ host: '127.0.0.1', port: ports[port] ?? 1, allowHalfOpen: true }),
  own: () => [],
});
