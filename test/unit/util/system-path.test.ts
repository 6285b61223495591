import assert from 'node:assert/strict';
import test from 'node:test';
import { withSystemFolders } from '../../../src/util/system-path.js';

test('the folders of system programs are searched behind the own ones, and the current folder never', () => {
  const all = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  for (const [path, wanted] of [
    ['/opt/bin:/usr/bin', '/opt/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin'],
    [all, all],
    ['', all],
    [undefined, all],
    [':/bin:', '/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin'],
  ] as const) {
    assert.equal(withSystemFolders(path), wanted, path);
  }
});
