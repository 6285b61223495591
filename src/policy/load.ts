import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, errorCode, errorMessage } from '../util/errors.js';
import { formatProblem, type FileProblem } from '../util/yaml.js';
import { parsePolicy } from './parse.js';
import type { Policy } from './schema.js';

/** All policy files of a folder with everything that is wrong in them. */
export interface PolicyFolder {
  policies: Policy[];
  problems: FileProblem[];
  /** Text of each file by its policy's name, for the version history. */
  texts: Map<string, string>;
}

/** Reads `*.yaml` of a folder (not of its sub-folders). A bad file never hides the others. */
export async function loadPolicyFolder(dir: string): Promise<PolicyFolder> {
  const files = await listYaml(dir);
  const folder: PolicyFolder = { policies: [], problems: [], texts: new Map() };
  const seen = new Map<string, string>();
  for (const file of files) {
    const path = join(dir, file);
    const text = await readFile(path, 'utf8');
    const result = parsePolicy(text, path);
    if (!result.ok) {
      folder.problems.push(...result.problems);
      continue;
    }
    const twin = seen.get(result.policy.name);
    if (twin !== undefined) {
      folder.problems.push({
        file: path,
        line: 1,
        column: 1,
        path: 'name',
        message: `"${result.policy.name}" is also the name in ${twin}`,
      });
      continue;
    }
    seen.set(result.policy.name, path);
    folder.policies.push(result.policy);
    folder.texts.set(result.policy.name, text);
  }
  return folder;
}

/** One error that names every problem, for commands and daemons that cannot go on. */
export function policyError(problems: readonly FileProblem[]): AppError {
  return new AppError({
    kind: 'user',
    code: 'policy.invalid',
    message: `${problems.length} problem(s) in policies:\n${problems.map((p) => `  ${formatProblem(p)}`).join('\n')}`,
    fix: 'Mend the files named above; `portcullis policy check` shows the problems again.',
    context: { problems },
  });
}

async function listYaml(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch (error) {
    throw new AppError({
      kind: errorCode(error) === 'ENOENT' ? 'user' : 'operational',
      code: 'policy.folder_unreadable',
      message: `The policy folder ${dir} cannot be read: ${errorMessage(error)}`,
      fix: 'Set policy.dir in the configuration to the folder that holds the policy files.',
      cause: error,
    });
  }
}
