/** Everything real and joined: an editor in memory, the real server, the real sandbox, a strict scripted HTTP model. */
import { realpath } from 'node:fs/promises';
import { openTasks } from '../../server/task/open.ts';
import { type Editor, type EditorOptions, openEditor } from './editor.ts';
import { type Script, type StrictModel, startModel } from './model.ts';
import { type Files, makeWorkspace, type TestWorkspace } from './workspace.ts';

export type World = AsyncDisposable & {
  editor: Editor;
  model: StrictModel;
  workspace: TestWorkspace;
  /** The editor's, for a second one. */
  environment: NonNullable<EditorOptions['environment']>;
};

/** Closing it asserts that the script was used up, every message handled, no process alive, nothing mounted, no copy left. */
export async function openWorld(
  options: Omit<EditorOptions, 'tasks' | 'files' | 'place'> & { files: Files; git?: boolean; model: Script },
): Promise<World> {
  const workspace = await makeWorkspace(options.files, { git: options.git });
  const model = await startModel(options.model);
  const environment = { OPENAI_API_KEY: 'sk-test-secret', OPENAI_BASE_URL: model.baseURL, ...options.environment };
  const editor = await openEditor({
    ...options,
    files: {},
    place: { root: workspace.root, stateFolder: workspace.stateDir },
    environment,
    tasks: async ({ stateFolder }) => openTasks({ stateDir: await realpath(stateFolder) }),
  });
  return {
    editor,
    model,
    workspace,
    environment,
    async [Symbol.asyncDispose]() {
      const problems: unknown[] = [];
      const step = async (close: () => unknown) => {
        try {
          await close();
        } catch (error) {
          problems.push(error);
        }
      };
      await step(() => editor[Symbol.asyncDispose]());
      await step(() => model.close());
      await step(() => workspace[Symbol.asyncDispose]());
      await step(() => model.assertUsedUp());
      if (problems.length > 0) throw new AggregateError(problems, problems.map(String).join('\n'));
    },
  };
}
