/** Whole turns with a list of hosts: what is refused is named to user and model, asked for, granted, and closed again. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { internet } from '../../server/sandbox/network/internet.ts';
import { type StandIn, somewhere, standIn } from '../sandbox/stand-in.ts';
import { say, script, shell, toolOutputs } from '../support/model.ts';
import { openWorld } from '../support/world.ts';

const web = createServer((request, response) => response.end(`web ${request.headers.host}\n`));
beforeAll(async () => {
  await once(web.listen(0, '127.0.0.1'), 'listening');
  const address = web.address();
  const names: StandIn['names'] = {
    'allowed.test': [somewhere],
    'asked.test': [somewhere],
    'inside.test': ['127.0.0.1'],
  };
  const ports = { 80: typeof address === 'object' ? (address?.port ?? 0) : 0 };
  // Only the internet itself is played; proxy, sandbox and policy are the real ones.
  const played = standIn({ names, ports });
  vi.spyOn(internet, 'resolve').mockImplementation(played.resolve);
  vi.spyOn(internet, 'dial').mockImplementation(played.dial);
  vi.spyOn(internet, 'own').mockImplementation(played.own);
});
afterAll(() => {
  web.close();
  vi.restoreAllMocks();
});

const settings = [{ origin: 'config.json', value: { sandbox: { network: ['allowed.test', 'inside.test'] } } }] as const;
const fetched = (host: string) => `curl -sf http://${host}/ || echo "no ${host}"`;

test('a host that is not listed: refused and named, then granted for the thread, listed, revoked, and closed again', async () => {
  const asking = { network: { hosts: ['asked.test'], reason: 'To fetch the schema.' } };
  await using world = await openWorld({
    files: { 'a.txt': 'one\n' },
    settings,
    model: script(
      shell(`${fetched('allowed.test')}; ${fetched('asked.test')}; ${fetched('inside.test')}`),
      shell(`${fetched('asked.test')}; ${fetched('allowed.test')}`, asking),
      shell(fetched('asked.test')),
      say('One.'),
      shell(fetched('asked.test'), asking),
      say('Two.'),
      shell(fetched('asked.test')),
      say('Three.'),
    ),
  });
  const { editor, model } = world;
  const task = await editor.runTask('fetch');
  await task.reaches('waitingForApproval');
  const { approvals } = await editor.request('codex/approvals', {});
  expect(approvals).toMatchObject([{ kind: 'network', hosts: ['asked.test'], reason: 'To fetch the schema.' }]);
  await editor.request('codex/approve', {
    approvalId: approvals[0]?.approvalId ?? '',
    decision: 'acceptForThread',
  });
  await task.reaches('idle');
  const [refused, granted, later] = task.items('command');
  expect(refused).toMatchObject({
    output: 'web allowed.test\nno asked.test\nno inside.test\n',
    refusedHosts: ['asked.test', 'inside.test'],
  });
  expect(granted).toMatchObject({ output: 'web asked.test\nweb allowed.test\n', reason: 'To fetch the schema.' });
  expect(granted?.refusedHosts).toBeUndefined();
  expect(later).toMatchObject({ output: 'web asked.test\n' });
  const [told = ''] = toolOutputs(model.requests[1]);
  expect(told).toContain('The network is closed to asked.test, inside.test.');
  // The other leads to this machine, and no yes could open it.
  expect(told).toContain('"network": {"hosts": ["asked.test"], "reason": "…"}');

  const { grants } = await editor.request('codex/grants', { threadId: task.threadId });
  expect(grants).toMatchObject([{ kind: 'network', hosts: ['asked.test'] }]);
  const again = await editor.runTask('again', { threadId: task.threadId });
  await editor.waitFor('its end', () => again.end()?.summary === 'Two.');
  await editor.request('codex/revoke', { grantId: grants[0]?.grantId ?? '' });
  expect(await editor.request('codex/grants', { threadId: task.threadId })).toEqual({ grants: [] });
  const last = await editor.runTask('last', { threadId: task.threadId });
  await editor.waitFor('its end', () => last.end()?.summary === 'Three.');
  expect(last.items('command').at(-1)).toMatchObject({ output: 'no asked.test\n', refusedHosts: ['asked.test'] });
});

test('a no opens nothing, and the host that was asked for stays closed', async () => {
  const asking = { network: { hosts: ['asked.test'], reason: 'To fetch.' } };
  await using world = await openWorld({
    files: { 'a.txt': 'one\n' },
    settings,
    model: script(shell(fetched('asked.test'), asking), shell(fetched('asked.test')), say('Done.')),
  });
  const { editor } = world;
  const task = await editor.runTask('fetch');
  await task.reaches('waitingForApproval');
  const { approvals } = await editor.request('codex/approvals', {});
  await editor.request('codex/approve', { approvalId: approvals[0]?.approvalId ?? '', decision: 'decline' });
  await task.reaches('idle');
  expect(task.items('command')).toMatchObject([
    { status: 'declined' },
    { output: 'no asked.test\n', refusedHosts: ['asked.test'] },
  ]);
});
