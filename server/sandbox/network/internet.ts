/** The internet as the proxy uses it: names become addresses, addresses become connections. */
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

export type Internet = {
  /** All addresses of a name. Rejects where there are none. */
  resolve(host: string): Promise<string[]>;
  /** Starts to connect; the socket says how that went. */
  dial(address: string, port: number): Socket;
  /** Addresses of this machine: its public ones are no way to its services either. */
  own(): string[];
};

export const internet: Internet = {
  resolve: async (host) => (await lookup(host, { all: true, order: 'ipv4first' })).map(({ address }) => address),
  dial: (address, port) => connect({ host: address, port, allowHalfOpen: true }),
  own: () => Object.values(networkInterfaces()).flatMap((entries) => entries?.map(({ address }) => address) ?? []),
};
