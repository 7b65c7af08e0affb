/** What happens in tasks, told to the editor: events, progress, messages, diagnostics, dialogs. Nothing is pushed into a text. */
import { join } from 'node:path';
import type { ApplyResult } from '../protocol/changeset.ts';
import { homeFolderOf, type Workspace } from '../protocol/folders.ts';
import type { Approval, EventEnvelope, ThreadEventOf } from '../protocol/thread.ts';
import { Activity, type ThreadActivity, type Turn } from './activity.ts';
import {
  applyLine,
  approvalLine,
  type Counts,
  type Line,
  rejectLine,
  speaker,
  turnLine,
  type WrittenWhileOpen,
} from './announce.ts';
import { Dialogs } from './ask.ts';
import { Diagnostics } from './diagnostics.ts';
import { Progress } from './progress.ts';
import { isReviewOpen, reloadHint, rewriteReview } from './review-file.ts';
import { Reviews } from './reviews.ts';
import type { Session } from './session.ts';
import { folderFor, show, writeShown } from './shown-files.ts';
import { threadsOfWorkspace } from './threads.ts';
import { pathOf, within } from './uri.ts';

export class Publisher {
  readonly activity = new Activity();
  readonly reviews: Reviews;
  readonly progress: Progress;
  readonly #session: Session;
  readonly #diagnostics: Diagnostics;
  readonly #dialogs: Dialogs;
  readonly #failed: (error: unknown) => void;
  /** What the running turn's changeset came to. */
  readonly #counts = new Map<string, Counts>();
  /** Approvals that the user was told of, and that wait. */
  readonly #asked = new Set<string>();
  #ends: (() => void)[] = [];

  constructor(session: Session, failed: (error: unknown) => void) {
    this.#session = session;
    this.#failed = failed;
    this.reviews = new Reviews(session.tasks, session.documents, failed);
    this.progress = new Progress(session, this.activity);
    this.#diagnostics = new Diagnostics(session, this.reviews, this.activity);
    this.#dialogs = new Dialogs(session, failed);
  }

  start(): void {
    const session = this.#session;
    this.#ends = [
      session.tasks.subscribe((envelope, workspace) => {
        try {
          this.#tell(envelope, workspace);
        } catch (error) {
          this.#failed(error);
        }
      }),
      session.documents.onChange((uri, lines) => {
        const path = session.documents.pathOf(uri);
        if (path === undefined) return;
        if (lines) this.reviews.typed(path, lines);
        else this.reviews.replaced(path);
      }),
    ];
    session.onForget((threadId) => {
      this.progress.end(threadId, 'interrupted');
      this.activity.forget(threadId);
      this.#counts.delete(threadId);
      this.reviews.clear(threadId);
      this.#diagnostics.publish();
    });
    this.reviews.onChange((threadId) => {
      this.#diagnostics.publish();
      const thread = this.activity.get(threadId);
      if (thread) rewriteReview(session, threadId, homeFolderOf(thread)).catch(() => {});
      if (session.capabilities.workspace?.codeLens?.refreshSupport) {
        void session.client.request('workspace/codeLens/refresh', {}, { timeoutMs: 5_000 });
      }
    });
  }

  /** What earlier processes, or other editors, have left in this workspace. */
  async recall(): Promise<void> {
    const session = this.#session;
    for (const { threadId, title, status, root, folders } of await threadsOfWorkspace(session)) {
      try {
        // Of those that need nothing now, what the list says is enough: they are not loaded.
        const listed = { root: pathOf(root) ?? root, folders: folders?.map((uri) => pathOf(uri) ?? uri) };
        const workspace = status === 'inReview' ? await session.tasks.workspaceOf(threadId) : listed;
        this.activity.learn(threadId, workspace, title);
        if (status === 'inReview') this.reviews.refresh(threadId, workspace.root);
        if (session.tasks.runs(threadId)) await this.#join(threadId, workspace);
      } catch (error) {
        session.skipped(`thread ${threadId}`, error);
      }
    }
    this.#diagnostics.publish();
  }

  /** A turn that began before this editor came, or beside it. */
  async #join(threadId: string, workspace: Workspace): Promise<void> {
    const { tasks } = this.#session;
    const thread = await this.activity.recall(threadId, workspace, async () => (await tasks.thread(threadId)).events);
    if (!thread.turn) return;
    this.progress.begin(thread);
    this.progress.report(threadId);
    for (const approval of tasks.approvals({ threadId })) this.#ask(approval);
  }

  /** After the settings changed. */
  settingsChanged(): void {
    this.#diagnostics.publish();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.reviews.close();
    this.progress.close();
    this.#dialogs.close();
  }

  #tell(envelope: EventEnvelope, workspace: Workspace): void {
    const session = this.#session;
    if (!session.folders.concerns(workspace)) return;
    const { root } = workspace;
    const { event, threadId } = envelope;
    const turn = this.activity.get(threadId)?.turn;
    const thread = this.activity.fold(envelope, workspace, Date.now());
    if (session.wantsEvents || session.settings.events) session.client.notify('$/codex/event', envelope);
    switch (event.type) {
      case 'turnStarted':
        this.#counts.delete(threadId);
        this.reviews.clear(threadId);
        this.progress.begin(thread);
        break;
      case 'itemStarted':
      case 'itemCompleted':
      case 'usage':
        this.progress.report(threadId);
        break;
      case 'approvalRequested':
        this.progress.report(threadId);
        this.#ask(event.approval);
        this.#diagnostics.publish();
        break;
      case 'approvalResolved':
        this.progress.report(threadId);
        this.#asked.delete(event.approvalId);
        this.#dialogs.settled(event.approvalId);
        this.#diagnostics.publish();
        break;
      case 'changesetUpdated':
        this.#counts.set(threadId, event);
        if (!thread.turn) this.reviews.refresh(threadId, root);
        break;
      case 'hunksDecided': {
        this.reviews.refresh(threadId, root);
        const rejected = event.hunks.filter(({ status }) => status === 'rejected').map(({ path }) => path);
        if (rejected.length > 0) this.#sayWithReload(rejectLine(rejected), thread);
        break;
      }
      case 'applied':
      case 'undone':
        this.reviews.refresh(threadId, root);
        this.#sayWithReload(applyLine(event.type, event.result, this.#writtenWhileOpen(root, event.result)), thread);
        break;
      case 'turnCompleted':
        this.progress.end(threadId, event.status);
        this.#ended(event, thread, turn).catch(this.#failed);
        break;
      case 'archived':
        if (event.archived) this.reviews.clear(threadId);
        else this.reviews.refresh(threadId, root);
        break;
      case 'warning':
        session.client.log('warning', event.message);
        break;
      case 'threadStarted':
      case 'forked':
      case 'grantRevoked':
      case 'renamed':
      case 'itemDelta':
        break;
    }
  }

  /** Said only when the hunks can be looked up: whoever reads it may ask for them at once. */
  async #ended(event: ThreadEventOf<'turnCompleted'>, thread: ThreadActivity, turn: Turn | undefined): Promise<void> {
    await this.reviews.refreshed(thread.threadId, thread.root);
    // Of a turn that another process began, only its end is known.
    if (thread.title === '')
      thread.title = (await this.#session.tasks.thread(thread.threadId, Number.MAX_SAFE_INTEGER)).thread.title;
    if (turn?.mode === 'ask' && event.status === 'completed') {
      await this.#answer(thread, thread.said || (event.summary ?? ''), speaker(turn.unsandboxed));
      return;
    }
    const hint = await reloadHint(this.#session, thread.threadId, homeFolderOf(thread));
    this.#say(
      turnLine(event, thread.title, this.#counts.get(thread.threadId), { unsandboxed: turn?.unsandboxed, hint }),
    );
  }

  /** Once each, however the editor came to know of it. */
  #ask(approval: Approval): void {
    if (approval.kind === 'changes' || this.#asked.has(approval.approvalId)) return;
    this.#asked.add(approval.approvalId);
    this.#say(approvalLine(approval));
    this.#dialogs.ask(approval);
  }

  /** A review that is open shows what it was before the decision, or what the user has made of it. */
  #sayWithReload(line: Line, thread: ThreadActivity): void {
    const session = this.#session;
    const home = homeFolderOf(thread);
    if (!isReviewOpen(session, thread.threadId, home)) {
      this.#say(line);
      return;
    }
    const said = async (): Promise<void> => {
      // Whether anything of the user's own is left in it is known when that is applied.
      await session.applyingEdited;
      const hint = await reloadHint(session, thread.threadId, home);
      this.#say({ ...line, text: hint === undefined ? line.text : `${line.text} ${hint}` });
    };
    said().catch(this.#failed);
  }

  #say({ severity, text }: { severity: 'info' | 'warning' | 'error'; text: string }): void {
    this.#session.client.show(severity, text);
  }

  /** An answer is more than a line: it becomes a document. */
  async #answer(thread: ThreadActivity, text: string, codex: string): Promise<void> {
    const { threadId, title } = thread;
    const root = homeFolderOf(thread);
    const folder = await folderFor(this.#session, root, threadId, this.#session.tasks.folderOf(threadId));
    const path = join(folder, 'answer.md');
    await writeShown(path, `# ${title}\n\n${text.trim()}\n`);
    show(this.#session, path, { takeFocus: false });
    this.#session.client.show('info', `${codex}: the answer is in ${within(root, path) ?? path}`);
  }

  /** Files that are open in this editor, and that the server wrote or removed: their documents show what was there before. */
  #writtenWhileOpen(root: string, { reload = [] }: ApplyResult): WrittenWhileOpen {
    const { documents, profile } = this.#session;
    const open = [...this.#session.takeWritten()].filter(([path, { text }]) => {
      const document = documents.at(path);
      return document !== undefined && document.getText() !== text;
    });
    const names = (gone: boolean): string[] =>
      open.flatMap(([path, { isGone }]) => (isGone === gone ? [within(root, path) ?? path] : []));
    const gone = names(true);
    // Those that another process wrote, too.
    const others = reload.filter((path) => documents.at(join(root, path)) && !gone.includes(path));
    return { changed: [...new Set([...names(false), ...others])], gone, reload: profile.reload };
  }
}
