/** What the threads of a state folder have asked, and what they were allowed for their rest. */
import { pathToFileURL } from 'node:url';
import { foldersOf } from '../protocol/folders.ts';
import { worksIn } from '../thread/state.ts';
import { unknownGrant } from './approvals.ts';
import type { Registry } from './registry.ts';
import type { Tasks } from './tasks.ts';

export class Questions implements Pick<Tasks, 'approvals' | 'waiting' | 'grants' | 'revoke'> {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  approvals: Tasks['approvals'] = ({ threadId, root }) => {
    const records = threadId === undefined ? this.#registry.all() : [this.#registry.loaded(threadId)];
    return records
      .filter((record) => root === undefined || foldersOf(record.workspace).includes(root))
      .flatMap((record) => [...record.state.approvals.values()]);
  };

  waiting: Tasks['waiting'] = async ({ root }) => {
    const listed = await this.#registry.list();
    const uri = root === undefined ? undefined : pathToFileURL(root).href;
    return listed.filter(({ summary }) => uri === undefined || worksIn(summary, uri)).flatMap((one) => one.approvals);
  };

  grants: Tasks['grants'] = async (of) => {
    if ('threadId' in of) return [...(await this.#registry.find(of.threadId)).state.grants];
    const uri = pathToFileURL(of.root).href;
    const listed = await this.#registry.list();
    return listed.filter(({ summary }) => worksIn(summary, uri)).flatMap(({ grants }) => [...grants]);
  };

  async revoke(grantId: string): Promise<void> {
    const record = await this.#registry.withGrant(grantId);
    if (!record) throw unknownGrant(grantId);
    await record.held(async () => {
      if (!record.state.grants.some((grant) => grant.grantId === grantId)) throw unknownGrant(grantId);
      record.emit({ type: 'grantRevoked', grantId });
      await record.flushed();
    });
  }
}
