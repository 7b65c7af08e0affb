/** Planted execution: what a command leaves behind runs nowhere outside, and not in the next command's start either. */
import { neverSays, says } from '../checks.ts';
import type { Case } from '../types.ts';

const editorFiles =
  '.vscode/tasks.json .vscode/settings.json .zed/settings.json .codex/config.toml .claude/settings.json .cursor/mcp.json .mcp.json .devcontainer/devcontainer.json .github/workflows/x.yml .envrc .exrc .nvim.lua .dir-locals.el';

const plantTools =
  'mkdir -p bin; for p in bwrap unshare mount prlimit setsid mkfifo sh bash node git xargs; do printf "#!/bin/sh\\necho PLANTED\\ntouch @SENTINEL@/planted\\n" > $p; chmod +x $p; cp $p bin/$p; done';

export const planted: readonly Case[] = [
  {
    name: 'git-hook-plant',
    shell:
      "mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch @SENTINEL@/hook' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout; cp .git/hooks/post-checkout .git/hooks/pre-commit; ls .git/hooks/pre-commit",
    control: 'same',
    verify: [says('.git/hooks/pre-commit')],
    changes: [],
  },
  {
    name: 'git-config-fsmonitor',
    shell:
      "git config core.fsmonitor 'touch @SENTINEL@/fsmon #'; git config core.hooksPath /tmp/h; git config diff.external 'touch @SENTINEL@/dx #'; git config alias.st '!touch @SENTINEL@/al'; git config --get alias.st",
    control: 'same',
    verify: [says(/^!touch/)],
    changes: [],
  },
  {
    name: 'git-attributes-filter',
    shell:
      "echo '* filter=x diff=x merge=x' > .gitattributes; git config filter.x.clean 'touch @SENTINEL@/clean; cat'; git config filter.x.smudge 'touch @SENTINEL@/smudge; cat'; git config diff.x.textconv 'touch @SENTINEL@/tc; cat'; echo z >> src/a.ts",
    control: 'same',
    changes: ['.gitattributes text 644 (git configuration)', 'src/a.ts text 644'],
  },
  {
    name: 'git-work-in-the-copy',
    shell:
      'echo z >> a.txt; git add -A; git -c user.name=a -c user.email=a@b commit -qm second; git branch other; git stash list; git gc -q --prune=now; git log --oneline | wc -l',
    control: 'same',
    verify: [says('2')],
    changes: ['a.txt text 644'],
  },
  {
    name: 'git-folder-replaced',
    shell: [
      'rm -rf .git; echo "gitdir: @SENTINEL@" > .git; mkdir -p sub; ln -s @SENTINEL@ sub/.git; mkdir -p sub2; echo "gitdir: @SENTINEL@/folder" > sub2/.git; git status 2>&1 | head -1; true',
      'rm .git; ln -s @SENTINEL@ .git; echo x > .git/hook; ls .git 2>&1; true',
      'ls -l .git | cut -c1',
    ],
    control: { shell: 'rm -rf .git; ln -s @SENTINEL@ .git; ls -l .git | cut -c1' },
    verify: [says('l')],
    changes: [],
  },
  {
    name: 'nested-worktree-out',
    shell:
      'git worktree add -q wt 2>&1; echo "gitdir: @SENTINEL@" > wt/.git; git worktree add -q ../planted-@ID@ 2>&1; git -C ../planted-@ID@ status -sb | head -1',
    control: 'same',
    verify: [says(/^## /)],
  },
  {
    name: 'nested-repo-hook',
    shell:
      "mkdir -p vendor/x && cd vendor/x && git init -q . && printf '#!/bin/sh\\ntouch @SENTINEL@/nested' > .git/hooks/post-commit && chmod +x .git/hooks/post-commit; echo v > v; ls .git/hooks/post-commit",
    control: 'same',
    verify: [says('.git/hooks/post-commit')],
    changes: ['vendor/x/v text 644'],
  },
  {
    name: 'git-under-other-spellings',
    shell:
      'for n in .GIT .Git git~1 .git. \'.git \' $\'.g\\u200cit\' \'.git::$INDEX_ALLOCATION\'; do mkdir -p "$n/hooks"; echo x > "$n/hooks/pre-commit"; chmod +x "$n/hooks/pre-commit"; done; mkdir deep; cp -r .GIT deep/.gIT; ls -d .GIT',
    control: 'same',
    verify: [says('.GIT')],
    changes: [],
  },
  {
    name: 'bare-repository-shape',
    shell:
      'mkdir -p b/objects b/refs/heads b/hooks; echo "ref: refs/heads/x" > b/HEAD; printf "[core]\\n\\tfsmonitor = touch @SENTINEL@/bare\\n\\tbare = true\\n" > b/config; printf "#!/bin/sh\\n" > b/hooks/post-checkout; chmod +x b/hooks/post-checkout; ls b',
    control: 'same',
    verify: [says('HEAD')],
    changes: [
      'b/HEAD text 644 (part of a git repository)',
      'b/config text 644',
      'b/hooks/post-checkout text 755 (new executable)',
    ],
  },
  {
    name: 'editor-config-plant',
    shell: `for f in ${editorFiles}; do mkdir -p $(dirname $f); echo '{}' > $f; done; ls -A | wc -l`,
    control: 'same',
    verify: [says(/^\d+$/)],
    changes: [
      '.claude/settings.json text 644 (agent configuration)',
      '.codex/config.toml text 644 (agent configuration)',
      '.cursor/mcp.json text 644 (agent configuration)',
      '.devcontainer/devcontainer.json text 644 (container configuration)',
      '.dir-locals.el text 644 (editor configuration)',
      '.envrc text 644 (shell configuration)',
      '.exrc text 644 (editor configuration)',
      '.github/workflows/x.yml text 644 (CI configuration)',
      '.mcp.json text 644 (agent configuration)',
      '.nvim.lua text 644 (editor configuration)',
      '.vscode/settings.json text 644 (editor configuration)',
      '.vscode/tasks.json text 644 (editor configuration)',
      '.zed/settings.json text 644 (editor configuration)',
    ],
  },
  {
    name: 'sandbox-binary-lookup',
    shell: [plantTools, 'echo fine; grep Seccomp: /proc/self/status; id -u > /dev/null'],
    control: { shell: `${plantTools}; PATH=$PWD; unshare` },
    verify: [says('fine', /^Seccomp:\t2/), neverSays(/PLANTED/)],
    changes: ['bash text 755 (new executable)', '…'],
  },
  {
    name: 'path-of-the-caller-through-the-workspace',
    setup: plantTools,
    shell: 'export PATH=.:bin:$PATH; hash -r; type -a bwrap | head -1',
    control: { shell: './bwrap' },
    verify: [says(/bwrap$/), neverSays(/PLANTED/)],
    changes: [],
  },
  {
    name: 'environment-into-the-next-command',
    shell: [
      'printf "echo POISONED\\n" > $PWD/env.sh; export BASH_ENV=$PWD/env.sh ENV=$PWD/env.sh LD_PRELOAD=$PWD/evil.so PROMPT_COMMAND="echo POISONED"; echo "export BASH_ENV=$PWD/env.sh" >> ~/.profile; echo "echo POISONED" | tee -a ~/.bashrc ~/.bash_profile ~/.bash_login ~/.zshenv ~/.inputrc >/dev/null; alias ls="echo POISONED"; set > /dev/null',
      'env | grep -E "^(BASH_ENV|ENV|LD_PRELOAD|PROMPT_COMMAND)=" && echo POISONED; bash -lc "echo login"; echo next',
    ],
    control: { shell: 'echo POISONED; echo login; echo next' },
    verify: [says('login', 'next'), neverSays(/POISONED/)],
    changes: ['env.sh text 644'],
  },
  {
    name: 'home-of-the-next-command',
    shell: [
      'git config --global alias.st "!touch @SENTINEL@/al"; git config --global core.pager evil; echo evil > ~/.profile; mkdir -p ~/.config/git ~/.local/bin; echo evil > ~/.config/git/config; printf "#!/bin/sh\\necho PLANTED\\n" > ~/.local/bin/git; echo x > /tmp/left; echo x > /dev/shm/left',
      'ls -A ~ /tmp /dev/shm | grep -E "gitconfig|profile|left" | sed "s/^/LEFT /"; git config --global --list 2>/dev/null | sed "s/^/LEFT /"; echo next',
    ],
    control: 'same',
    verify: [says('next'), neverSays(/LEFT/)],
    changes: [],
  },
];
