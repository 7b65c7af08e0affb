/** A process of its own that accepts, undoes or redoes in a thread: `STATE_DIR THREAD accept|undo|redo`. To be killed. */
import { openTasks } from '../../server/task/open.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { diskFace } from './task.ts';

const [stateDir = '', threadId = '', what = ''] = process.argv.slice(2);
const tasks = await openTasks({ stateDir });
await tasks.review(threadId, noDocuments);
process.stdout.write('begins\n');
const { result } = await (what === 'accept'
  ? tasks.accept(threadId, {}, diskFace)
  : tasks.undo(threadId, diskFace, { redo: what === 'redo' }));
process.stdout.write(`${JSON.stringify(await result)}\n`);
await tasks.close();
