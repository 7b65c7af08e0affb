/** Groups of processes with a limit, for a suite that runs as root: a case that does not hold must not end the machine. */
import { accessSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot } from '../sandbox/users.ts';

const processesMax = 4_000;
const memoryBytesMax = 6 * 1024 ** 3;

/** Version 1 has a tree for each controller, version 2 one for all. */
const limits = [
  { tree: '/sys/fs/cgroup/pids', file: 'pids.max', value: processesMax },
  { tree: '/sys/fs/cgroup/memory', file: 'memory.limit_in_bytes', value: memoryBytesMax },
  { tree: '/sys/fs/cgroup', controller: 'pids', file: 'pids.max', value: processesMax },
  { tree: '/sys/fs/cgroup', controller: 'memory', file: 'memory.max', value: memoryBytesMax },
];

/** Where this machine gives us none there are none to join. */
export function makeCgroups(): { joins: readonly string[]; remove: () => void } {
  if (!isRoot) return { joins: [], remove: () => {} };
  const folders = new Set<string>();
  for (const { tree, controller, file, value } of limits) {
    const folder = join(tree, `abuse-suite-${process.pid}`);
    try {
      if (controller !== undefined && !readFileSync(join(tree, 'cgroup.subtree_control'), 'utf8').includes(controller))
        continue;
      if (controller === undefined) accessSync(join(tree, 'cgroup.procs'));
      mkdirSync(folder, { recursive: true });
      folders.add(folder);
      writeFileSync(join(folder, file), String(value));
    } catch {
      // Not here.
    }
  }
  return {
    joins: [...folders].map((folder) => join(folder, 'cgroup.procs')),
    remove: () => {
      for (const folder of folders) {
        try {
          rmdirSync(folder);
        } catch {
          // A process of a failed case may live on in it.
        }
      }
    },
  };
}
