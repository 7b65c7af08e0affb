/** Which events the disk itself must have when the user is told that they are so; pure. */
import type { ThreadEvent } from '../protocol/thread.ts';

/**
 * What the user has answered or decided, and what was done to their files for it. All else may be lost with the machine's
 * power, for it can be had again: a turn that ran at that moment is interrupted anyway.
 */
const durable: ReadonlySet<ThreadEvent['type']> = new Set<ThreadEvent['type']>([
  'approvalResolved',
  'grantRevoked',
  'hunksDecided',
  'applied',
  'undone',
  'renamed',
  'archived',
  'forked',
]);

/** Of an approval that nobody answered, nothing depends on it. */
export const isDurable = (event: ThreadEvent): boolean =>
  durable.has(event.type) && !(event.type === 'approvalResolved' && event.decision === 'withdrawn');
