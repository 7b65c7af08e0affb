/** What happens while somebody kills: files, what the model says, and the user's steps, each with the files as they are after it. */
import { call, patch, type ScriptedAnswer, say, shell } from '../support/model.ts';
import type { RequestBody } from '../support/model-request.ts';

const patchOf = (...sections: readonly string[]) => patch(['*** Begin Patch', ...sections, '*** End Patch'].join('\n'));

/** Files that one accept changes, as they are before and after it; undefined: not there. */
type Group = Readonly<Record<string, readonly [before: string | undefined, after: string | undefined]>>;

/** `first`, `open`, `later`: of the first thread; `other`: of the one beside it. `open` is open in the editor, which writes it. */
export const groups = {
  first: {
    'one.txt': ['one\ntwo\n', 'ONE\ntwo\n'],
    'gone/g.txt': ['to be deleted\n', undefined],
    'from.txt': ['moved\nb\nc\nd\n', undefined],
    'to/there/m.txt': [undefined, 'moved\nB\nc\nd\n'],
    'made/new.txt': [undefined, 'made\n'],
    'by-command.txt': [undefined, 'by a command\n'],
  },
  open: { 'open.txt': ['shown\nin an editor\n', 'SHOWN\nin an editor\n'] },
  later: { 'three.txt': ['three\n', 'THREE\n'], 'late.txt': [undefined, 'late\n'] },
  other: { 'two.txt': ['two\nx\n', 'TWO\nx\n'] },
  rejected: { 'unwanted.txt': [undefined, 'nobody wants it\n'] },
} as const satisfies Record<string, Group>;
export type GroupName = keyof typeof groups;
export const groupNames = ['first', 'open', 'later', 'other', 'rejected'] as const satisfies GroupName[];

/** Of each group, how far it is: 0 as before, 1 as after. */
export type Disk = Readonly<Record<GroupName, 0 | 1>>;
export const asBefore: Disk = { first: 0, open: 0, later: 0, other: 0, rejected: 0 };

export const filesBefore: Record<string, string> = Object.fromEntries(
  Object.values(groups)
    .flatMap((group: Group) => Object.entries(group))
    .flatMap(([path, [before]]) => (before === undefined ? [] : [[path, before]])),
);

export const prompts = {
  first: 'task-first: change a lot',
  other: 'task-other: change something beside it',
  later: 'task-later: and a little more',
  goOn: 'task-go-on: say that you are here',
};

const turns: Readonly<Record<string, readonly ScriptedAnswer[]>> = {
  'task-first': [
    shell('setsid sleep 300 & sleep 0.2; printf "by a command\\n" > by-command.txt; sleep 0.1'),
    patchOf(
      '*** Update File: one.txt\n@@\n-one\n+ONE\n two',
      '*** Delete File: gone/g.txt',
      '*** Update File: from.txt\n*** Move to: to/there/m.txt\n@@\n moved\n-b\n+B',
      '*** Add File: made/new.txt\n+made',
    ),
    patchOf('*** Update File: open.txt\n@@\n-shown\n+SHOWN\n in an editor'),
    shell('curl -s http://example.org', { network: { hosts: ['example.org'], reason: 'to look' } }),
    say('Changed a lot.'),
  ],
  'task-other': [
    shell('sleep 0.2; cat two.txt'),
    patchOf('*** Update File: two.txt\n@@\n-two\n+TWO\n x', '*** Add File: unwanted.txt\n+nobody wants it'),
    call('update_plan', { plan: [{ step: 'change it', status: 'completed' }] }),
    say('Changed something.'),
  ],
  'task-later': [
    patchOf('*** Update File: three.txt\n@@\n-three\n+THREE', '*** Add File: late.txt\n+late'),
    shell('sleep 0.1; cat late.txt'),
    say('A little more.'),
  ],
  'task-go-on': [say('Here.')],
};

/** By what it was last asked and how many calls it has made since: whoever asks again after a crash is answered as well. */
export function answerTo({ input }: RequestBody): ScriptedAnswer | undefined {
  const asked = input.findLastIndex(({ type, role, ...item }) => type === 'message' && role === 'user' && named(item));
  const name = named(input[asked] ?? {});
  const calls = input.slice(asked + 1).filter(({ type }) => type.endsWith('_call'));
  return name === undefined ? undefined : turns[name]?.[calls.length];
}

const named = (item: object): string | undefined => /task-(?:first|other|later|go-on)/.exec(JSON.stringify(item))?.[0];
