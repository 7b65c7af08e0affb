/** The model's patch format as a Lark grammar, for the freeform tool's definition. `patch-parse.ts` reads what it allows. */

export const patchGrammar = String.raw`start: begin section+ end

begin: "*** Begin Patch" LF
end: "*** End Patch" LF?

section: add | delete | update

add: "*** Add File: " PATH LF added*
delete: "*** Delete File: " PATH LF
update: "*** Update File: " PATH LF (move hunk* | hunk+)
move: "*** Move to: " PATH LF

hunk: anchor+ line+ last? | line+ last?
anchor: "@@" (" " TEXT)? LF
line: context | removed | added
context: " " TEXT? LF
removed: "-" TEXT? LF
added: "+" TEXT? LF
last: "*** End of File" LF

PATH: /[^\r\n]+/
TEXT: /[^\n]+/
LF: /\n/
`;
