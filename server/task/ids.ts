/** Opaque ids. Those of threads sort by the time they were made, so that a folder's listing is a history. */
import { randomBytes } from 'node:crypto';

export function newId(prefix: string): string {
  const time = Date.now().toString(36).padStart(9, '0');
  return `${prefix}${time}${randomBytes(5).toString('hex')}`;
}
