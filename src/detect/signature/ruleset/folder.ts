import {
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EDIT_FILES, parseEdits, type EditTexts, type RuleEdits } from './edits.js';
import type { SourceFile } from './fetch.js';
import type { RuleFileText } from './rule-set.js';

/** The files of a source that is in force. */
export interface SourceFolder {
  name: string;
  path: string;
  /** When this version was put in force, epoch milliseconds. */
  updatedMs: number;
  rules: RuleFileText[];
}

/**
 * The folder of fetched rules and of the operator's edits:
 * `disable.conf`, `enable.conf`, `drop.conf`, `modify.conf`, and `sources/NAME/current`, a link to one of its versions.
 */
export interface RuleFolder {
  readonly path: string;
  edits(): RuleEdits;
  editTexts(): EditTexts;
  /** Writes one of the edit files as a whole. */
  writeEdits(file: (typeof EDIT_FILES)[number], text: string): void;
  source(name: string): SourceFolder | undefined;
  sources(): SourceFolder[];
  /** Puts files in force in one step; the version before is kept, older ones are removed. */
  replace(name: string, files: readonly SourceFile[]): void;
  readText(name: string): string | undefined;
  writeText(name: string, text: string): void;
}

const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;

export function openRuleFolder(path: string): RuleFolder {
  const sourcesPath = join(path, 'sources');

  function readText(name: string): string | undefined {
    const file = join(path, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }
  /** The command line runs as root: what it makes belongs to whom the folder belongs, so that the daemons can read it. */
  function own(made: string): void {
    if (process.getuid?.() !== 0) return;
    const { uid, gid } = statSync(existsSync(path) ? dirname(path) : '/');
    if (uid !== 0 || gid !== 0) lchownSync(made, uid, gid);
  }
  function makeFolder(folder: string): void {
    const first = mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    for (let made = folder; first !== undefined && made.length >= first.length; made = dirname(made)) own(made);
  }
  function writeFile(file: string, data: string | Uint8Array): void {
    writeFileSync(file, data, { mode: FILE_MODE });
    own(file);
  }
  function writeText(name: string, text: string): void {
    makeFolder(path);
    const file = join(path, name);
    writeFile(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
  function editTexts(): EditTexts {
    const texts: EditTexts = {};
    for (const name of EDIT_FILES) {
      const text = readText(name);
      if (text !== undefined) texts[name] = text;
    }
    return texts;
  }
  function source(name: string): SourceFolder | undefined {
    const folder = join(sourcesPath, name, 'current');
    if (!existsSync(folder)) return undefined;
    const rules = readdirSync(folder)
      .filter((file) => file.endsWith('.rules'))
      .sort()
      .map((file) => ({ file: join(folder, file), text: readFileSync(join(folder, file), 'utf8') }));
    return { name, path: folder, updatedMs: statSync(folder).mtimeMs, rules };
  }

  return {
    path,
    editTexts,
    edits: () => parseEdits(editTexts()),
    writeEdits: writeText,
    source,
    sources: () =>
      existsSync(sourcesPath)
        ? readdirSync(sourcesPath)
            .sort()
            .flatMap((name) => source(name) ?? [])
        : [],
    replace(name, files) {
      const home = join(sourcesPath, name);
      const link = join(home, 'current');
      const version = `v${Date.now().toString(36)}-${process.pid}`;
      makeFolder(join(home, version));
      for (const file of files) writeFile(join(home, version, basename(file.name)), file.data);
      const before = existsSync(link) ? readlinkSync(link) : undefined;
      rmSync(`${link}.new`, { force: true });
      symlinkSync(version, `${link}.new`);
      own(`${link}.new`);
      renameSync(`${link}.new`, link);
      for (const old of readdirSync(home))
        if (/^v[0-9a-z]+-\d+$/.test(old) && old !== version && old !== before)
          rmSync(join(home, old), { recursive: true, force: true });
    },
    readText,
    writeText,
  };
}
