/** What the demo's scripted model answers, request by request. The commands and patches are real, and so is the failing test. */
import { type Answer, patch, plan, reasoning, say, shell, together } from './scripted-answers.ts';

export const demoTask = 'add a POST /preferences endpoint that validates and stores user preferences, with a test';

const steps = [
  'Read the routes, the validation, the store and their tests',
  'Add POST /preferences: validation, store and route',
  'Test it through HTTP and document the route',
  'Run all tests',
];

/** The plan when `done` of its steps are completed. */
const planAt = (done: number): Answer =>
  plan(
    steps.map((step, index) => ({
      step,
      status: index < done ? 'completed' : index === done ? 'inProgress' : 'pending',
    })),
  );

const addEndpoint = `*** Begin Patch
*** Update File: src/validation.js
@@
 const emailPattern = /^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$/;
+const languagePattern = /[a-z]{2}(-[A-Z]{2})?/;
+const themes = ['light', 'dark', 'system'];
 
 export function validateAccount(body) {
@@
   return { errors, value: { name: body.name.trim(), email: body.email.toLowerCase() } };
 }
 
+export function validatePreferences(body) {
+  if (!isObject(body)) return { errors: ['The body must be an object.'] };
+  const { accountId, theme, language, emailUpdates } = body;
+  const errors = unknownFields(body, ['accountId', 'theme', 'language', 'emailUpdates']);
+  if (!isText(accountId, 100)) errors.push('accountId must be the id of an account.');
+  if (!themes.includes(theme)) errors.push(\`theme must be one of \${themes.join(', ')}.\`);
+  if (typeof language !== 'string' || !languagePattern.test(language)) {
+    errors.push('language must be a tag such as en or pt-BR.');
+  }
+  if (typeof emailUpdates !== 'boolean') errors.push('emailUpdates must be true or false.');
+  if (errors.length > 0) return { errors };
+  return { errors, value: { accountId, theme, language, emailUpdates } };
+}
+
 function isObject(value) {
*** Update File: src/store.js
@@
   const accounts = new Map();
+  const preferences = new Map();
 
   return {
@@
       accounts.set(account.id, account);
       return account;
     },
+
+    findPreferences: (accountId) => preferences.get(accountId),
+
+    /** Takes the place of what the account preferred before. */
+    savePreferences(value) {
+      const saved = { ...value, updatedAt: new Date().toISOString() };
+      preferences.set(value.accountId, saved);
+      return saved;
+    },
   };
 }
*** Update File: src/app.js
@@
-import { validateAccount } from './validation.js';
+import { validateAccount, validatePreferences } from './validation.js';
@@
     return { status: 200, body: account };
   });
 
+  router.add('POST', '/preferences', ({ body }) => {
+    const { errors, value } = validatePreferences(body);
+    if (errors.length > 0) return { status: 400, body: { errors } };
+    if (!store.findAccount(value.accountId)) throw new HttpError(404, 'There is no such account.');
+    return { status: 201, body: store.savePreferences(value) };
+  });
+
   return async (request, response) => {
*** End Patch`;

const addTest = `*** Begin Patch
*** Add File: test/preferences.test.js
+import assert from 'node:assert/strict';
+import test from 'node:test';
+import { startService } from '../support/service.js';
+import { createStore } from '../src/store.js';
+
+const dark = { theme: 'dark', language: 'pt-BR', emailUpdates: false };
+
+async function withAccount(t) {
+  const send = await startService(t);
+  const { body } = await send('POST', '/accounts', { name: 'Ada Lovelace', email: 'ada@example.com' });
+  return { send, accountId: body.id };
+}
+
+test('valid preferences are stored and answered', async (t) => {
+  const { send, accountId } = await withAccount(t);
+  const saved = await send('POST', '/preferences', { accountId, ...dark });
+  assert.equal(saved.status, 201);
+  const { updatedAt, ...rest } = saved.body;
+  assert.deepEqual(rest, { accountId, ...dark });
+  assert.ok(Date.parse(updatedAt) > 0);
+});
+
+test('the store keeps the latest preferences of an account', () => {
+  const store = createStore();
+  store.savePreferences({ accountId: 'a', ...dark });
+  store.savePreferences({ accountId: 'a', ...dark, theme: 'light' });
+  assert.equal(store.findPreferences('a').theme, 'light');
+});
+
+const invalid = [
+  ['theme', 'sepia', 'theme must be one of light, dark, system.'],
+  ['language', 'english', 'language must be a tag such as en or pt-BR.'],
+  ['emailUpdates', 'yes', 'emailUpdates must be true or false.'],
+  ['fontSize', 12, 'fontSize is not a known field.'],
+];
+
+for (const [field, value, sentence] of invalid) {
+  test(\`\${field}: \${value} is refused\`, async (t) => {
+    const { send, accountId } = await withAccount(t);
+    const refused = await send('POST', '/preferences', { accountId, ...dark, [field]: value });
+    assert.equal(refused.status, 400);
+    assert.deepEqual(refused.body.errors, [sentence]);
+  });
+}
+
+test('preferences of an unknown account are 404', async (t) => {
+  const send = await startService(t);
+  assert.equal((await send('POST', '/preferences', { accountId: 'nobody', ...dark })).status, 404);
+});
*** Update File: README.md
@@
 | \`GET /accounts/:id\` | | 200, the account; 404 |
+| \`POST /preferences\` | \`{ accountId, theme, language, emailUpdates }\` | 201, the preferences; 404 for an unknown account |
*** End Patch`;

const anchorPattern = `*** Begin Patch
*** Update File: src/validation.js
@@
-const languagePattern = /[a-z]{2}(-[A-Z]{2})?/;
+const languagePattern = /^[a-z]{2}(-[A-Z]{2})?$/;
*** End Patch`;

const summary = `\`POST /preferences\` is there.

- \`src/validation.js\`: \`validatePreferences\` checks account, theme, language and email updates, one sentence a field.
- \`src/store.js\`: preferences are kept by account; saving again replaces them.
- \`src/app.js\`: the route answers 201, 400 for an invalid body, 404 for an unknown account.
- \`test/preferences.test.js\`: seven tests through HTTP and the store; the route is in the README's table.

I ran \`npm test\` twice. The first run failed: \`english\` passed as a language, because the pattern was not anchored.
After the fix all 13 tests pass.`;

export const demoScript: readonly Answer[] = [
  together(
    reasoning('I look at how the existing routes are built and tested before I add one.'),
    planAt(0),
    shell('ls . src test support && cat AGENTS.md src/app.js'),
  ),
  together(
    shell('cat src/validation.js src/store.js'),
    shell('cat support/service.js && sed -n 1,20p test/accounts.test.js'),
  ),
  together(
    say('The accounts route shows the way: validator, store, route. I add preferences in the same three places.'),
    planAt(1),
    patch(addEndpoint),
  ),
  together(planAt(2), patch(addTest)),
  together(planAt(3), shell('npm test')),
  together(
    reasoning(
      'One test fails: "english" is accepted. The pattern finds "en" inside of it because it is not anchored. The test is right, the validation is wrong.',
    ),
    say('The test found a real gap: the language pattern is not anchored, so `english` passes. I fix the pattern.'),
    patch(anchorPattern),
  ),
  shell('npm test'),
  planAt(steps.length),
  say(summary),
];
