/** An editor at the built program: one open file, which it saves with each edit it is sent. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ApplyWorkspaceEditParams } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type MethodName, methods, type Params, type Result } from '../../server/protocol/methods.ts';
import type { Program } from '../support/program.ts';
import { connect, type WireClient } from '../support/wire.ts';

export type Attached = {
  program: Program;
  client: WireClient;
  ask<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>;
};

export async function attach(program: Program, root: string, openFile: string): Promise<Attached> {
  const client = connect(program.child.stdout, program.child.stdin);
  // It is to be killed: what can't be sent any more is nobody's to hear.
  program.child.stdin.on('error', () => {});
  const { connection } = client;
  const path = join(root, openFile);
  const uri = pathToFileURL(path).href;
  let document = TextDocument.create(uri, 'plaintext', 1, readFileSync(path, 'utf8'));

  connection.onRequest('workspace/applyEdit', ({ edit }: ApplyWorkspaceEditParams) => {
    // With its relay the editor was killed, which makes no edit that was still on its way.
    if (program.child.killed) return { applied: false };
    const edits = (edit.documentChanges ?? []).flatMap((change) => ('edits' in change ? change.edits : []));
    const text = TextDocument.applyEdits(
      document,
      edits.flatMap((one) => ('newText' in one ? [one] : [])),
    );
    document = TextDocument.create(uri, 'plaintext', document.version + 1, text);
    writeFileSync(path, text);
    const textDocument = { uri, version: document.version };
    void connection
      .sendNotification('textDocument/didChange', { textDocument, contentChanges: [{ text }] })
      .then(() => connection.sendNotification('textDocument/didSave', { textDocument: { uri } }))
      .catch(() => {});
    return { applied: true };
  });

  await client.request('initialize', {
    processId: null,
    rootUri: pathToFileURL(root).href,
    capabilities: {
      experimental: { codex: { events: true } },
      workspace: { applyEdit: true, workspaceEdit: { documentChanges: true } },
    },
  });
  await connection.sendNotification('initialized', {});
  const { version } = document;
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'plaintext', version, text: document.getText() },
  });
  return {
    program,
    client,
    async ask<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
      return resultOf(method, await client.request(method, params));
    },
  };
}

function resultOf<M extends MethodName>(method: M, given: unknown): Result<M> {
  return methods[method].result.parse(given) as Result<M>;
}

export async function leave({ program, client }: Attached): Promise<number> {
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  return program.ended;
}
