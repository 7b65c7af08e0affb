/** The suite's contents: every family with its table of cases. */
import { host } from './cases/host.ts';
import { kernel } from './cases/kernel.ts';
import { lifetime } from './cases/lifetime.ts';
import { links } from './cases/links.ts';
import { network } from './cases/network.ts';
import { planted } from './cases/planted.ts';
import { resources } from './cases/resources.ts';
import { secretCases } from './cases/secrets.ts';
import { writes } from './cases/writes.ts';
import type { Case, Family } from './types.ts';

export const cases: readonly (readonly [Family, readonly Case[]])[] = [
  ['writes outside', writes],
  ['symlinks and special files', links],
  ['planted execution', planted],
  ['secrets', secretCases],
  ['network', network],
  ['the host', host],
  ['processes and kernel', kernel],
  ['lifetime', lifetime],
  ['resources', resources],
];
