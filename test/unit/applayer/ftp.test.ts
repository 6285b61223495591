import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAppLayer, type AppLayer } from '../../../src/applayer/index.js';
import { fieldOf, openFlow, play, type Ends, type Said } from './talk.js';

const CONTROL: Ends = { src: '192.0.2.1', srcPort: 40000, dst: '198.51.100.2', dstPort: 2121 };
const login: Said[] = [
  ['S', '220 (a server)\r\n'],
  ['C', 'USER ada\r\n'],
  ['S', '331 password\r\n'],
  ['C', 'PASS secret\r\n'],
  ['S', '230-welcome\r\n230 in\r\n'],
];

test('commands and replies belong together', () => {
  const flow = play(openFlow(), login, 3);
  assert.equal(flow.proto, 'ftp');
  assert.deepEqual(fieldOf(flow.transactions, 'ftp.command', 0), ['USER', 'PASS']);
  assert.deepEqual(fieldOf(flow.transactions, 'ftp.command_data', 0), ['ada', 'secret']);
  assert.deepEqual(fieldOf(flow.transactions.slice(1), 'ftp.reply', 1), ['welcome', 'in']);
  assert.deepEqual(fieldOf(flow.transactions, 'ftp.completion_code', 1), ['331', '230', '230']);
  assert.deepEqual(
    flow.transactions.map((tx) => [tx.number('ftp.reply_received', 1), tx.number('ftp.mode', 0)]),
    [
      [1, undefined],
      [1, undefined],
    ],
  );
});

function transfer(layer: AppLayer, announce: Said[], data: Ends, said: Said[]) {
  const control = openFlow(layer, CONTROL);
  play(control, [...login, ...announce], Infinity, false);
  const flow = openFlow(layer, data);
  return play(flow, said);
}

for (const [name, announce, data] of [
  [
    'PASV',
    [
      ['C', 'PASV\r\n'],
      ['S', '227 Entering (198,51,100,2,200,10).\r\n'],
    ],
    { src: '192.0.2.1', srcPort: 40001, dst: '198.51.100.2', dstPort: 51210 },
  ],
  [
    'EPSV',
    [
      ['C', 'EPSV\r\n'],
      ['S', '229 Entering (|||51210|)\r\n'],
    ],
    { src: '192.0.2.1', srcPort: 40001, dst: '198.51.100.2', dstPort: 51210 },
  ],
  [
    'PORT',
    [
      ['C', 'PORT 192,0,2,1,156,80\r\n'],
      ['S', '200 ok\r\n'],
    ],
    { src: '198.51.100.2', srcPort: 20, dst: '192.0.2.1', dstPort: 40016 },
  ],
  [
    'EPRT',
    [
      ['C', 'EPRT |1|192.0.2.1|40016|\r\n'],
      ['S', '200 ok\r\n'],
    ],
    { src: '198.51.100.2', srcPort: 20, dst: '192.0.2.1', dstPort: 40016 },
  ],
] as [string, Said[], Ends][]) {
  // prettier-ignore
  test(`${name} announces a data connection, whose file is known`, () => {
    const from = data.src === '192.0.2.1' ? 'S' : 'C';
    const flow = transfer(createAppLayer({}), [...announce, ['C', 'RETR a/b.exe\r\n']], data, [[from, 'MZ content']]);
    const direction = from === 'S' ? 1 : 0;
    assert.equal(flow.proto, 'ftp-data');
    assert.deepEqual(fieldOf(flow.transactions, 'file.data', direction), ['MZ content']);
    assert.deepEqual(fieldOf(flow.transactions, 'file.name', direction), ['a/b.exe']);
    assert.equal(flow.transactions[0]!.number('ftpdata.command', direction), 1);
  });
}

test('an announcement is for one connection, to that address and port only', () => {
  const layer = createAppLayer({});
  const announce: Said[] = [
    ['C', 'PASV\r\n'],
    ['S', '227 (198,51,100,2,200,10)\r\n'],
    ['C', 'STOR x\r\n'],
  ];
  const other = { src: '192.0.2.1', srcPort: 40001, dst: '198.51.100.2', dstPort: 51211 };
  assert.equal(transfer(layer, announce, other, [['C', 'abc']]).proto, undefined);
  const right = { ...other, dstPort: 51210 };
  assert.equal(play(openFlow(layer, right), [['C', 'abc']]).proto, 'ftp-data');
  assert.equal(play(openFlow(layer, right), [['C', 'abc']]).proto, undefined);
});

for (const [address, bounce] of [
  ['192,0,2,1', 0],
  ['203,0,113,9', 1],
] as const) {
  test(`PORT ${address} ${bounce === 1 ? 'is' : 'is not'} a bounce`, () => {
    const flow = play(openFlow(undefined, CONTROL), [...login, ['C', `PORT ${address},1,2\r\n`]]);
    assert.equal(flow.transactions.at(-1)!.number('ftp.bounce', 0), bounce);
  });
}

for (const [announce, mode, port] of [
  [
    [
      ['C', 'PORT 192,0,2,1,156,80\r\n'],
      ['S', '200 ok\r\n'],
    ],
    0,
    40_016,
  ],
  [
    [
      ['C', 'EPRT |2|2001:db8::1|40016|\r\n'],
      ['S', '200 ok\r\n'],
    ],
    0,
    40_016,
  ],
  [
    [
      ['C', 'PASV\r\n'],
      ['S', '227 (198,51,100,2,200,10)\r\n'],
    ],
    1,
    51_210,
  ],
  [
    [
      ['C', 'EPSV\r\n'],
      ['S', '229 (|||51210|)\r\n'],
    ],
    1,
    51_210,
  ],
  [
    [
      ['C', 'EPSV\r\n'],
      ['S', '229 (|||99999|)\r\n'],
    ],
    1,
    undefined,
  ],
  [
    [
      ['C', 'PASV\r\n'],
      ['S', '500 no\r\n'],
    ],
    1,
    undefined,
  ],
  [
    [
      ['C', 'PORTS 192,0,2,1,156,80\r\n'],
      ['S', '500 no\r\n'],
    ],
    undefined,
    undefined,
  ],
] as [Said[], number | undefined, number | undefined][]) {
  test(`mode and port of the data connection are known: ${announce[0]![1] as string}${announce[1]![1] as string}`, () => {
    const tx = play(openFlow(undefined, CONTROL), [...login, ...announce]).transactions.at(-1)!;
    assert.deepEqual([tx.number('ftp.mode', 0), tx.number('ftp.dynamic_port', 0)], [mode, port]);
  });
}

test('a command that nobody has answered is told at the end', () => {
  const last = play(openFlow(), [...login, ['C', 'NOOP\r\n']]).transactions.at(-1)!;
  assert.equal(last.number('ftp.reply_received', 1), 0);
});

test('after AUTH TLS nothing more is read as FTP', () => {
  const flow = play(
    openFlow(),
    [...login, ['C', 'AUTH TLS\r\n'], ['S', '234 go\r\n'], ['C', '\x16\x03\x01\x00\x10zzzz']],
    50,
    false,
  );
  assert.notEqual(flow.proto, 'ftp');
});
