/** The rules of the contract that no schema can say, by the section of protocol.md they stand in. */

export const introduction = `# The protocol of codex-lsp

*Printed from \`server/protocol/\` by \`npm run protocol\`; change it there.*

codex-lsp is an ordinary language server. Everything works with standard LSP; the requests below are for those who want
more, and each has a twin among the commands of \`workspace/executeCommand\`. Types are TypeScript; ids are opaque strings; times are
ISO 8601 in UTC; paths are relative to the workspace, with \`/\`; ranges and positions are LSP's, always in utf-16.`;

export const starting = `| how | what |
| --- | --- |
| \`codex-lsp --stdio\` (also no argument at all where stdin is not a terminal) | a language server on stdio |
| \`codex-lsp --pipe=PATH\` | the same over a Unix socket or named pipe that the client has opened |
| \`codex-lsp --stdio --no-host\` | served in this very process; what it starts ends with it |
| \`codex-lsp host\` | the one process of a user that holds threads and turns; started on demand |
| \`codex-lsp host --start\` | starts it in the background where none runs, and prints \`{"socket": PATH, "token": PATH}\` |
| \`codex-lsp exec [PROMPT \\| -]\` | one task without an editor |
| \`codex-lsp demo\` | a task on a bundled example with a scripted model: no key, no network |
| \`codex-lsp doctor\` | what works on this machine and how to mend what does not; exit 1 if the sandbox can't run |
| \`codex-lsp threads\`, \`resume\`, \`diff\`, \`apply\`, \`undo\`, \`fork\`, \`rename\`, \`archive\`, \`unarchive\`, \`delete\` THREAD | the same threads from a shell |
| \`codex-lsp --version\`, \`--help\` | as everywhere; an unknown flag or command is exit 2 with a sentence |

Every form takes \`-c key=value\`, a setting by its path with its value as JSON or plain text, as often as wanted.

Environment: \`OPENAI_API_KEY\` and \`OPENAI_BASE_URL\`; \`CODEX_LSP_STATE_DIR\`, where threads are kept (default
\`$XDG_STATE_HOME/codex-lsp\`, else \`~/.local/state/codex-lsp\`; on macOS \`~/Library/Application Support/codex-lsp\`); \`CODEX_HOME\` (default
\`~/.codex\`), whose \`AGENTS.md\` holds for every workspace.

\`CODEX_LSP_HOST_IDLE_SECONDS\` (default 30): how long the host stays when nobody is connected and no turn runs.

**The host.** \`--stdio\` and \`--pipe\` relay to the host of the user, the version and the state folder, and the shell's commands on threads are carried out by it where
it runs. Settings, key and environment are those of each connection. Where there can be no host, the same process serves the editor, and the log in the
state folder says why. An editor that comes while a turn runs is given work-done progress for it, and what the turn has asked and nobody
has answered.

**Connecting directly.** A client that can connect to a Unix socket needs no relay: \`host --start\` names the socket and the file that holds the token. The
first message is \`initialize\`, with \`initializationOptions.host = { token, environment?, flags? }\` beside the settings: the token, the
environment with the key and the base URL of the model, and what would stand behind \`-c\`. The host takes \`host\` out before anything else reads it. A wrong or missing token is
error -32002 and the end of the connection; so is a first message that has not come whole within 30 s or 4 MiB. At most 128 connections may wait
to be let in, and 1,000 be open: others are closed at once, and may come again.

A missing key is an error of the task that needed it, never a failure to start.`;

export const settings = `Sources, the later wins: the defaults; \`$XDG_CONFIG_HOME/codex-lsp/config.json\` (else \`~/.config/…\`); the environment and \`-c\`;
then \`initializationOptions\`, which is the settings object itself, and \`workspace/configuration\`, section \`codex\`, read again on
\`workspace/didChangeConfiguration\`.

Editors fill the last two from files of the workspace as well, and those are untrusted. From there \`sandbox\`, \`approvalPolicy\`,
\`provider\`, \`retention\` and whatever names a program to start can only be made stricter. What would loosen them is ignored, and reported by its path with the words to put
into config.json instead. From loose to strict: approval onRequest, untrusted, never; network full, a list, off. An
invalid setting is reported by its path with \`window/showMessage\`, and its default used: never a crash, never silence.`;

export const initialize = `A client that wants \`$/codex/event\` says \`capabilities.experimental.codex.events: true\`, or sets \`events: true\`; nobody else is sent
any. The server answers \`capabilities.experimental.codex = { version: 1 }\`, every command below in \`executeCommandProvider\`, code actions
with \`resolveProvider\`, hover, incremental document sync with open, close and save, and code lenses.

A workspace folder that is \`/\`, the home folder, or contains the state folder is refused for tasks with a sentence.

A task that is delegated from one of several workspace folders has them all, as one workspace: its paths are relative to the closest
folder around them (\`root\` of the thread, with \`folders\` beside it), and nothing of that folder but them is there for the agent.
Commands start in the folder that the task was delegated from. A folder in another is part of that one; one that no task may have, or
that belongs to another user, is left out with a warning. \`root\` of \`codex/runTask\` names one folder, and the task has no other.
\`root\` of \`codex/threads\` is one of a thread's folders.

Titles of code actions begin with \`Codex: \`. That of a task in a comment carries the comment's text. That of one hunk holds
"accept" or "reject", and none of the words all, file, task.`;

export const commands = `A command takes \`[params]\`. Where the table shows a text parameter it also takes \`[]\`, \`["text"]\` and \`["many", "words"]\`, which are
joined by spaces: editors differ in what their users can type.

Where \`threadId\` is optional, the default is the thread this connection last started or opened; else the only one of the
workspace with something pending. If there are several, the error \`ambiguousThread\` lists them.`;

export const requests = `Every request answers at once; a turn runs on its own. \`codex/accept\`, \`codex/applyEdited\` and \`codex/undo\` answer when the outcome was verified, at most 10 s
after the call (\`failed\` with reason \`unconfirmed\` beyond that, for what an editor left open; one that leaves meanwhile is
not waited for). Their command twins answer
\`{ applyId }\` at once; the result comes as the event \`applied\` (also of a redo) or \`undone\` and as one message line.
\`codex.redo\` is \`codex.undo\` with \`redo\`, for a key that can't give a parameter.`;

export const values = `- **Status**, the first that holds: running, waitingForApproval, inReview (anything pending), failed or interrupted (the last
  turn), idle.
- **ApplyResult.** \`applied\` lists paths with at least one hunk applied; a path may stand in \`conflicts\` too.
- **Changeset.** \`files\` is what differs between the copy and the text as the user has it now (buffer over disk), and what was decided in
  this review, listed until the next turn starts. \`diff\` holds the pending, non-conflicting hunks as one git-style unified diff that applies to
  that text. Every file has at least one hunk: a binary, too large, mode-only, rename-only or empty-file change has one of zero lines. Ignored
  files are those ignored by the rules as they were before the turn; tracked files always count. \`sensitive\` says why "all" leaves
  the file out; naming it in \`hunks\` or \`files\` accepts it.
- **Binary files** stand in \`diff\` as git's own binary patch up to 512 KiB each and 2 MiB in all; larger ones are told by their hunk only.
- **review.diff** is \`diff\` with a heading in lines that begin with \`#\`, and the ids of hunks behind their \`@@\`. \`git apply\` takes it as the server
  wrote it; lines that begin with \`>\` it takes only behind the last hunk of a file. \`codex/applyEdited\` applies the file or buffer as it stands,
  with the numbers of \`@@\` ignored: edited lines that begin with \`+\` or a blank, hunks and files taken out. A line that begins with \`-\` becomes context
  with a blank in its place. Without \`hunks\` and \`files\`, sensitive files are left out. What the user has written into it is never
  overwritten: the file is kept up to date again once that was applied or sent.
- **Approval** of kind \`changes\` is the finished changeset: \`accept\` accepts all, \`decline\` rejects all, \`acceptForThread\` is -32602. It is
  resolved when its last non-sensitive pending hunk is decided, by whichever way. \`cancel\` on any approval declines and stops
  the turn. A \`question\` takes \`answer\`. Only an explicit yes is a yes: null, \`{}\`, an error or silence leave an approval pending.
- **Grant.** \`acceptForThread\` remembers exactly what was shown: the command with its folder, the hosts, or the paths. From then on that
  command runs without a question, and every command of the thread has these hosts or paths open. \`accept\` is for that command alone. A grant
  that is taken back is gone from the next command on, after a restart too; its id stays the same, and one that is unknown or was
  taken back before is \`unknownGrant\`.
- **The copy from turn to turn.** At the start of a turn accepted and rejected hunks have left the copy, pending ones stay, and
  every other file is as the user has it now. During a turn a file that the agent has changed keeps its version; all others
  are refreshed before each command. The model is told what was accepted, rejected and commented.
- **Several editors.** A connection's documents are its own, and end with it. A turn works on those of the connection that started it, saved or
  not, and on what only others have open and unsaved; of several others, on the one that connected first. Where somebody's unsaved text of a file is
  not the one that is used, a \`warning\` names the file, once a turn. Each editor's review is made against its own buffers. An accept, undo or redo leaves
  a file in \`failed\` that another connection has open with unsaved text, until it is saved or closed there.
- **Fork.** The new thread has the conversation, the items, and what was decided, accepted and undone. Approvals, grants, usage and the steps that
  \`codex/undo\` takes back stay with the first. Forked at the last turn it has the whole copy, with what is pending in it (asked for anew)
  and what git ignores; forked at an earlier one it has no changes, since what a copy held then is not kept, and the model is told so.
  A turn that runs is \`turnRunning\`; an earlier one can be forked meanwhile. The history is not sent as events again: the first one is
  \`forked\`, with the \`seq\` after it. The connection's own thread is the new one from then on.
- **Retention.** Where the host goes idle, and once a day, archived threads beyond \`retention\` are removed with their copies: as by \`codex/delete\`. Age
  counts from the last event, which may be the archiving. A thread that is not archived, or that somebody is at, is never removed by itself; nothing is
  where config.json has a mistake.
- **Conflict.** Changes to the same lines, or to lines that touch (as for \`git merge-file\`): the user's text stays and the hunk is \`conflicting\`. It
  is settled by rejecting it, by \`codex/redoHunk\`, or by \`codex/accept\` with \`overMine\`, which undo takes back; no other accept takes it.
- **Base.** The text a file had when the agent's change to it began. Where the user's version changed meanwhile and no base is
  known, the hunks are \`conflicting\`, never guessed.`;

export const errors = `Errors are JSON-RPC errors with a sentence a person can act on: -32602 for bad parameters, naming the field; -32803 for the rest, with
\`data.reason\` one of:`;

export const events = `\`$/codex/event\` carries an EventEnvelope. \`seq\` starts at 1 and counts up without gaps within a thread over everything but \`itemDelta\`, which
is live only (a command's output as it comes, and before it how far the workspace is copied, which is in no item), so a client that attaches late reads \`codex/thread { since }\` (default 0) and misses nothing. The answer to
\`codex/runTask\` precedes that turn's first event. At a turn's end the order is \`changesetUpdated\`, \`turnCompleted\`, \`approvalRequested\`. A
command that was \`killed\` was killed by us: because of its \`limit\`, or, without one, because the turn was cancelled.`;

export const exec = `\`codex-lsp exec [options] PROMPT\`. stdin is read only without PROMPT or with \`-\`. Progress and the diff go to stderr, the final message to stdout;
\`--json\` prints one EventEnvelope a line on stdout instead, \`itemDelta\` included. The changeset stays pending in the thread; \`--apply\` writes it
to the workspace at the end.

| option | what |
| --- | --- |
| \`-C, --cd DIR\` | the workspace |
| \`--add-dir DIR\` | a further folder of the workspace; repeatable. Paths are then relative to the closest folder around them |
| \`-m, --model NAME\`, \`--effort LEVEL\` | as the settings \`model\` and \`effort\` |
| \`--sandbox workspace\\|read-only\`, \`--network off\\|full\\|HOST,HOST\` | as \`sandbox.mode\` and \`sandbox.network\` |
| \`--approval onRequest\\|untrusted\\|never\` | default \`never\`; the others ask on the terminal |
| \`--apply\` | writes the changes to the workspace at the end |
| \`--json\` | events on stdout |
| \`--output-schema FILE\` | a JSON schema the final message follows |
| \`-o, --output-last-message FILE\` | writes the final message there as well |
| \`--resume THREAD\`, \`--last\` | goes on with a thread |

Exit: 0 completed, 1 failed, 2 bad usage, 3 completed but something could not be applied, 130 interrupted. \`codex-lsp diff THREAD\` prints
\`Changeset.diff\`; an unknown thread is exit 1.`;

export const tools = `Function tools \`shell { command, workdir?, timeoutMs?, network?: { hosts, reason }, read?: { paths, reason } }\` (a grant opens exactly
these, for this command or, if so answered, for the thread) and \`update_plan\`; \`apply_patch\` as a freeform custom tool, or as a function tool \`{ patch }\`
where \`provider.freeformTools\` is false. In arguments absent and null are the same; an unknown parameter is refused to the model.
\`hosts\` are names or \`*.\` and a domain, \`paths\` are absolute; what is too wide, private or malformed is refused and not asked.
A command that was refused a host, or failed on one or on a path outside, is told which parameter to use.
Running outside the sandbox is never offered to it. The prefix of the conversation (instructions, tools, earlier input) is
byte-identical from one request to the next; \`store\` is false and \`prompt_cache_key\` is the thread's id.`;
