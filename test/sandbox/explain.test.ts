/** What is said of a sandbox that did not start: no weaker container is advised where the container is not at fault. */
import { expect, test } from 'vitest';
import { isForbidden } from '../../server/sandbox/explain.ts';

test.each([
  ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted\n", true],
  ['unshare: unshare failed: Operation not permitted\n', true],
  ['some line\nmount: /w: permission denied.\n', true],
  ['bwrap: Failed to mount /proc\n', true],
  ["EACCES: permission denied, open '/state/copy/output'", false],
  ['cat: /proc/1/environ: Permission denied\n', false],
  ['sh: 1: cannot create /state/up: Permission denied\n', false],
  ['it says bwrap: Permission denied\n', false],
  ['bwrap: execvp /bin/bash: No such file or directory\n', false],
])('what forbids it is the container: %j', (said, isSo) => {
  expect(isForbidden(said)).toBe(isSo);
});
