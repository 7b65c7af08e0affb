import { expect, test } from 'vitest';
import { parseFlag, resolveSettings, type SettingsSource } from '../../server/policy/settings.ts';
import { defaultSettings } from '../../server/protocol/settings.ts';

const at = (tree: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => Reflect.get(Object(value), key), tree);

const config = (value: unknown): SettingsSource => ({ origin: 'config.json', value });
const options = (value: unknown): SettingsSource => ({ origin: 'initializationOptions', value });
const section = (value: unknown): SettingsSource => ({ origin: 'workspace/configuration', value });

test('no source, or an empty one, gives the defaults', () => {
  expect(resolveSettings([])).toEqual({ settings: defaultSettings, problems: [] });
  expect(resolveSettings([config({}), options(null), section(undefined)])).toEqual({
    settings: defaultSettings,
    problems: [],
  });
});

test('layers merge leaf by leaf and the later wins', () => {
  const { settings, problems } = resolveSettings([
    config({ model: 'a', limits: { steps: 3, turnMinutes: 1 } }),
    { origin: 'flags', value: { limits: { steps: 4 } } },
    options({ effort: 'high', model: 'b' }),
    section({ model: 'c' }),
  ]);
  expect(problems).toEqual([]);
  expect(settings).toEqual({
    ...defaultSettings,
    model: 'c',
    effort: 'high',
    limits: { ...defaultSettings.limits, steps: 4, turnMinutes: 1 },
  });
});

test.each<[name: string, value: unknown, path: string]>([
  ['a wrong type', { limits: { steps: 'many' } }, 'limits.steps'],
  ['a number out of range', { limits: { turnMinutes: -1 } }, 'limits.turnMinutes'],
  ['a word that is none of the choices', { effort: 'extreme' }, 'effort'],
  ['an unknown key', { modle: 'x' }, 'modle'],
  ['an unknown key inside', { sandbox: { netwrok: 'off' } }, 'sandbox.netwrok'],
  ['a value for a group', { sandbox: 'off' }, 'sandbox'],
  ['a list for a group', { limits: [] }, 'limits'],
  ['a member of a list', { markers: ['ok', 3] }, 'markers'],
  ['null', { model: null }, 'model'],
  ['a prototype', JSON.parse('{"__proto__": {"model": "x"}}'), '__proto__'],
  ['a host that is none', { sandbox: { network: ['a.org', 'https://b.org'] } }, 'sandbox.network'],
  ['a host that is too wide', { sandbox: { network: ['*.org'] } }, 'sandbox.network'],
  ['a relative folder', { sandbox: { readableRoots: ['../x'] } }, 'sandbox.readableRoots'],
  ['a relative socket', { sandbox: { sockets: ['docker.sock'] } }, 'sandbox.sockets'],
  ['a URL', { provider: { baseURL: 'nonsense' } }, 'provider.baseURL'],
])('%s is reported by its path and the default used', (_, value, path) => {
  const { settings, problems } = resolveSettings([config(value)]);
  expect(settings).toEqual(defaultSettings);
  expect(problems.map((problem) => problem.path)).toEqual([path]);
  expect(problems[0]?.message).toMatch(new RegExp(`^${path.replace('.', '\\.')} \\(config\\.json\\): `));
  expect(problems[0]?.message).not.toContain('\n');
});

test('of a list of hosts the entry that is wrong is named, and what is wrong with it', () => {
  const { problems } = resolveSettings([config({ sandbox: { network: ['a.org', 'https://b.org'] } })]);
  expect(problems[0]?.message).toBe(
    'sandbox.network (config.json): [1] it is no host name; give it without scheme, port and path; "off" is used',
  );
  const none = resolveSettings([config({ sandbox: { network: 'on' } })]);
  expect(none.problems[0]?.message).toBe('sandbox.network (config.json): Invalid input; "off" is used');
});

test('an invalid value falls back to the earlier layer, and the rest of its source counts', () => {
  const { settings } = resolveSettings([
    config({ limits: { steps: 7 } }),
    section({ limits: { steps: 0, outputTokens: 5 } }),
  ]);
  expect(settings.limits).toEqual({ ...defaultSettings.limits, steps: 7, outputTokens: 5 });
});

test.each([
  ['sandbox.processes', 4_194_304],
  ['sandbox.memoryMiB', 16_777_216],
  ['sandbox.diskMiB', 16_777_216],
  ['limits.steps', 100_000],
  ['limits.turnMinutes', 10_080],
  ['limits.commandSeconds', 86_400],
  ['limits.outputTokens', 1_000_000],
  ['limits.parallelTurns', 256],
])('%s is at most %i, whoever says it', (path, most) => {
  for (const beyond of [most + 1, 1e12, Number.MAX_VALUE]) {
    for (const source of [config, section]) {
      const { settings, problems } = resolveSettings([source(set(path, beyond))]);
      expect(settings).toEqual(defaultSettings);
      expect(problems).toEqual([{ path, message: expect.stringMatching(/too big|expected|<=/i) }]);
    }
  }
  const { settings, problems } = resolveSettings([config(set(path, most))]);
  expect([at(settings, path), problems]).toEqual([most, []]);
});

test.each([[3], ['text'], [[]], [true]])('a source that is %j is reported and ignored', (value) => {
  const { settings, problems } = resolveSettings([section(value)]);
  expect(settings).toEqual(defaultSettings);
  expect(problems).toEqual([{ path: '', message: expect.stringContaining('workspace/configuration') }]);
});

const set = (path: string, value: unknown): unknown =>
  path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);

test.each<[path: string, before: unknown, said: unknown, allowed: boolean]>([
  ['approvalPolicy', 'onRequest', 'untrusted', true],
  ['approvalPolicy', 'onRequest', 'never', true],
  ['approvalPolicy', 'untrusted', 'onRequest', false],
  ['approvalPolicy', 'never', 'untrusted', false],
  ['sandbox.mode', 'workspace', 'readOnly', true],
  ['sandbox.mode', 'readOnly', 'workspace', false],
  ['sandbox.network', 'off', 'full', false],
  ['sandbox.network', 'off', ['a.org'], false],
  ['sandbox.network', ['a.org', 'b.org'], ['a.org'], true],
  ['sandbox.network', ['a.org'], ['a.org', 'b.org'], false],
  ['sandbox.network', ['a.org'], 'full', false],
  ['sandbox.network', ['a.org'], 'off', true],
  ['sandbox.network', 'full', ['a.org'], true],
  ['sandbox.network', 'full', 'off', true],
  ['sandbox.readableRoots', [], ['/'], false],
  ['sandbox.readableRoots', ['/a', '/b'], ['/b'], true],
  ['sandbox.env', [], ['TOKEN'], false],
  ['sandbox.secrets', ['x'], [], true],
  ['sandbox.sockets', [], ['/run/docker.sock'], false],
  ['sandbox.processes', 512, 513, false],
  ['sandbox.processes', 512, 10, true],
  ['sandbox.memoryMiB', 4096, 8192, false],
  ['sandbox.diskMiB', 2048, 1, true],
  ['sandbox.dangerouslyUnsandboxed', false, true, false],
  ['sandbox.dangerouslyUnsandboxed', true, false, true],
  ['provider.baseURL', 'http://localhost:1/v1', 'http://evil.example/v1', false],
  ['provider.apiKeyEnv', 'OPENAI_API_KEY', 'AWS_SECRET_ACCESS_KEY', false],
  ['provider.headers', { a: 'b' }, {}, false],
  ['provider.freeformTools', true, false, false],
  ['provider.wireApi', 'responses', 'responses', true],
])('an editor, %s: from %j to %j: %s', (path, before, said, allowed) => {
  for (const source of [options, section]) {
    const { settings, problems } = resolveSettings([config(set(path, before)), source(set(path, said))]);
    expect(at(settings, path)).toEqual(allowed ? said : before);
    expect(problems.map((problem) => problem.path)).toEqual(allowed ? [] : [path]);
    if (!allowed) expect(problems[0]?.message).toContain('config.json');
  }
});

test('the second editor source can not take back what the first made stricter', () => {
  const { settings, problems } = resolveSettings([
    options({ approvalPolicy: 'never' }),
    section({ approvalPolicy: 'untrusted' }),
  ]);
  expect(settings.approvalPolicy).toBe('never');
  expect(problems).toHaveLength(1);
});

test('the words for config.json are given, but never the value of a header', () => {
  const { problems } = resolveSettings([
    options({ sandbox: { network: 'full' }, provider: { headers: { key: 'secret-value' } } }),
  ]);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('put { "sandbox": { "network": "full" } } into'),
    expect.stringContaining('put { "provider": { "headers": … } } into'),
  ]);
  expect(JSON.stringify(problems)).not.toContain('secret-value');
});

test('the words given for config.json are taken there', () => {
  const said = { sandbox: { network: ['a.org', 'b.org'] }, provider: { baseURL: 'http://localhost:1/v1' } };
  const { problems } = resolveSettings([options(said)]);
  const words = problems.map(({ message }) => /put (.*) into/.exec(message)?.[1] ?? '');
  const pasted = words.map((text) => config(JSON.parse(text.replace('…', '"http://localhost:1/v1"'))));
  expect(resolveSettings(pasted)).toMatchObject({ settings: said, problems: [] });
});

test.each<[flag: string, value: unknown]>([
  ['limits.steps=3', { limits: { steps: 3 } }],
  ['model=gpt-5', { model: 'gpt-5' }],
  ['model=5', { model: '5' }],
  ['model=a=b', { model: 'a=b' }],
  ['sandbox.network=["a.org"]', { sandbox: { network: ['a.org'] } }],
  ['sandbox.network=off', { sandbox: { network: 'off' } }],
  ['events=true', { events: true }],
  ['provider.headers={"a":"b"}', { provider: { headers: { a: 'b' } } }],
  ['nobody.knows=1', { nobody: { knows: 1 } }],
])('the flag -c %s', (flag, value) => {
  expect(parseFlag(flag)).toEqual({ value });
});

test.each([['model'], ['=x'], ['a..b=1'], ['__proto__=1'], ['']])('the flag -c %j is an error', (flag) => {
  expect(parseFlag(flag)).toEqual({ error: expect.any(String) });
});
