import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replay } from '../../support/replay.js';
import { CIPHERS, interleaved, SshTalk } from '../../support/ssh.js';

const GUESSER = '198.51.100.9';
const USER = '203.0.113.7';
const WORDS = ['summer12', 'winter9', 'dragon', 'letmein123', 'hunter2', 'qwerty4711'];
/** What these tests are not about. */
const ONLY = { beacon: { enabled: false }, lateral: { enabled: false } };

type Server = ConstructorParameters<typeof SshTalk>[3];

/** Connections of one source, begun a little after each other. */
function many(count: number, src: string, say: (ssh: SshTalk, i: number) => void, more: More = {}): SshTalk[] {
  return Array.from({ length: count }, (_, i) => {
    const dst = more.dst?.(i) ?? '10.0.0.2';
    const talk = {
      at: (more.at ?? 0) + i * (more.every ?? 0.0005),
      src,
      dst,
      sport: 30_000 + (more.at ?? 0) * 100 + i,
    };
    const ssh = new SshTalk(talk, more.client, more.user, more.server);
    say(ssh, i);
    return ssh;
  });
}

interface More {
  at?: number;
  /** Seconds between the beginnings. */
  every?: number;
  client?: string;
  user?: string;
  server?: Server;
  dst?: (i: number) => string;
}

function seen(talks: readonly SshTalk[], how: { twice?: boolean; failures?: number } = {}): Replay {
  const r = new Replay({ ...ONLY, bruteForce: { failures: how.failures ?? 10 } }, how.twice);
  r.push(...interleaved(talks));
  return r;
}

const CLIENTS: readonly [name: string, version: string, say: (ssh: SshTalk, i: number) => void][] = [
  ['hydra and medusa, which ask for the methods', 'libssh_0.10', (ssh, i) => guess(ssh.none(), i, 3)],
  ['ncrack, which asks nothing and pads', 'OpenSSH_7.1', (ssh, i) => guess(ssh, i, 3, '-and-more')],
  ['hydra at a prompt', 'libssh_0.10', (ssh, i) => void prompted(ssh.none(), i, 3)],
  ['paramiko, which asks for the service each time', 'paramiko_2.12', (ssh, i) => guess(ssh, i, 3, '', true)],
];

function prompted(ssh: SshTalk, from: number, count: number, prompt = '(alice@server) Password: '): SshTalk {
  for (let k = 0; k < count; k++) ssh.keyboard(prompt, WORDS[(from + k) % WORDS.length]!);
  return ssh;
}

function guess(ssh: SshTalk, from: number, count: number, suffix = '', asksService = false): void {
  for (let k = 0; k < count; k++) {
    if (asksService && k > 0) ssh.askService();
    ssh.password(WORDS[(from + k) % WORDS.length]! + suffix);
  }
}

for (const [cipher, shape] of Object.entries(CIPHERS)) {
  for (const [name, client, say] of CLIENTS) {
    test(`${name}: guesses are counted while connections are open, ${cipher}`, () => {
      const r = seen(many(4, GUESSER, say, { client, server: { cipher: shape } }));
      assert.deepEqual(r.labels(), ['ssh_brute_force']);
      const counted = Number(r.detections[0]!.evidence[0]!.value);
      assert.ok(counted >= 10 && counted <= 12, `${counted} counted`);
      const fewer = seen(many(2, GUESSER, (ssh, i) => guess(ssh.none(), i, 4), { client, server: { cipher: shape } }));
      assert.deepEqual(fewer.labels(), [], 'eight are not enough');
    });
  }
}

test('guesses behind a banner, long or short, and from a router that shows each packet twice', () => {
  for (const banner of [15, 40, 400]) {
    const r = seen(many(3, GUESSER, (ssh, i) => guess(ssh.none(), i, 4), { server: { banner } }));
    assert.deepEqual(r.labels(), ['ssh_brute_force'], `banner of ${banner}`);
  }
  assert.deepEqual(
    seen(
      many(4, GUESSER, (ssh, i) => guess(ssh.none(), i, 6)),
      { twice: true },
    ).labels(),
    ['ssh_brute_force'],
  );
  assert.deepEqual(
    seen(
      many(4, GUESSER, (ssh, i) => guess(ssh.none(), i, 2)),
      { twice: true },
    ).labels(),
    [],
  );
});

test('at the end of a connection its guesses count, the farewell and those of padding clients too', () => {
  const six = (ssh: SshTalk, i: number): void => {
    guess(ssh.none(), i, 5);
    ssh.lastPassword('last');
  };
  assert.deepEqual(seen(many(2, GUESSER, six), { failures: 12 }).labels(), ['ssh_brute_force']);
  assert.deepEqual(seen(many(2, GUESSER, six), { failures: 13 }).labels(), []);
  // One password a connection, each of which may have been a program's with an old one: only its end tells.
  const each = many(10, GUESSER, (ssh) => ssh.none().password('sunshine').end(), { client: 'OpenSSH_9.2' });
  assert.deepEqual(seen(each).labels(), ['ssh_brute_force']);
  assert.deepEqual(seen(each.slice(1)).labels(), []);
});

test('long passwords typed with OpenSSH count each, and keys of the same length that an agent offers count as one', () => {
  const typed = (ssh: SshTalk): void => {
    ssh.none();
    for (let k = 0; k < 3; k++) ssh.wait(2).password('a long password, wrong');
    ssh.end();
  };
  const is = { client: 'OpenSSH_9.2', every: 10 };
  assert.deepEqual(seen(many(4, GUESSER, typed, is)).labels(), ['ssh_brute_force']);
  assert.deepEqual(seen(many(4, USER, (ssh) => ssh.none().keys(3).end(), is)).labels(), []);
});

/** A prompt that is as long as the refusal, and each padded to a block. */
const AS_LONG: Server = { methods: 'publickey,keyboard-interactive', cipher: CIPHERS['aes256-gcm']! };

/** A banner that comes with the first answer, a success too. */
const BANNER: Server = { banner: 20, cipher: CIPHERS['aes256-gcm']! };

const BENIGN: readonly [name: string, connections: number, say: (ssh: SshTalk) => void, server?: Server][] = [
  ['a password typed at once', 20, (ssh) => worked(ssh.none().password('Tulip-4417-garden', true))],
  ['a password without a question for the methods', 20, (ssh) => worked(ssh.password('sunshine', true))],
  ['a password without a question, behind a banner', 20, (ssh) => worked(ssh.password('sunshine', true)), BANNER],
  ['a password that is asked for again at a prompt', 20, askedAgain, AS_LONG],
  ['a password at a prompt', 20, (ssh) => worked(ssh.none().keyboard('Password: ', 'sunshine', true)), AS_LONG],
  ['a password mistyped twice', 4, mistype],
  ['a password mistyped twice at a prompt', 3, mistypeAtPrompt, AS_LONG],
  [
    'a wrong password three times at a prompt',
    3,
    (ssh) => void prompted(ssh.none(), 0, 3, 'Password: ').end(),
    AS_LONG,
  ],
  ['a success that is not seen', 20, (ssh) => worked(ssh.none().welcomed('sunshine'))],
  ['a question that nobody answers', 20, (ssh) => ssh.none().question('(bob@server) Password: ').end()],
  ['the fifth of five keys', 20, (ssh) => worked(ssh.none().keys(4).rightKey())],
  ['six keys and no right one', 9, (ssh) => ssh.none().keys(6).end()],
];

for (const [name, connections, say, server = {}] of BENIGN) {
  test(`${name}, ${connections} times at once, is quiet with every client`, () => {
    const r = new Replay(ONLY);
    let users = 0;
    // OpenSSH always asks for the methods first.
    const first = say === askedAgain ? 'libssh_0.11' : 'OpenSSH_9.2';
    for (const client of [first, 'paramiko_3.4', 'libssh2_1.11']) {
      for (const user of ['bob', 'administrator', 'first.last@example.org']) {
        users++;
        const to = `10.0.${users}.2`;
        const talks = many(connections, `203.0.${users}.7`, say, { client, user, server, dst: () => to });
        r.push(...interleaved(talks));
      }
    }
    assert.deepEqual(
      r.detections.map((d) => `${d.label} by ${d.offender}`),
      [],
    );
    const guesses = many(10, GUESSER, (ssh) => guess(ssh.none(), 0, 3), { at: 60, client: 'libssh', server });
    r.push(...interleaved(guesses));
    assert.deepEqual(r.labels(), ['ssh_brute_force'], 'and guesses behind it are found');
  });
}

function worked(ssh: SshTalk): void {
  ssh.session().end();
}

function mistype(ssh: SshTalk): void {
  ssh.none().password('sunshin').wait(2).password('sumshine').wait(2).password('sunshine', true).session().end();
}

/** The client tries the password first, which the server does not take. */
function askedAgain(ssh: SshTalk): void {
  worked(ssh.password('Tulip-4417-garden-gate').askService().keyboard('Password: ', 'Tulip-4417-garden-gate', true));
}

function mistypeAtPrompt(ssh: SshTalk): void {
  const prompt = 'Password: ';
  ssh.none().keyboard(prompt, 'sunshin').keyboard(prompt, 'sumshine').keyboard(prompt, 'sunshine', true);
  worked(ssh);
}

test('what was refused is taken back when the login works', () => {
  // Three of four users mistype twice, again and again; nothing of it is left.
  const groups = Array.from({ length: 8 }, (_, g) => many(3, USER, (ssh) => mistype(ssh), { at: g * 10 }));
  assert.deepEqual(seen(groups.flat()).labels(), []);
  const failing = (ssh: SshTalk): void => {
    ssh.none().password('sunshin').wait(2).password('sumshine').wait(2).password('sunshinf').end();
  };
  const unseen = (ssh: SshTalk): void => worked(ssh.none().password('sunshin').welcomed('sunshine'));
  assert.deepEqual(seen(many(20, USER, unseen, { every: 1 })).labels(), [], 'a success that is not seen');
  // A login that worked also holds back for a while; behind that nothing is left either.
  const before = many(4, USER, mistype);
  const open = many(2, USER, (ssh) => guess(ssh.none(), 0, 3), { at: 310 });
  assert.deepEqual(seen([...before, ...open]).labels(), [], 'five minutes later');
  const wrong = Array.from({ length: 8 }, (_, g) => many(3, USER, failing, { at: g * 10 }));
  assert.deepEqual(seen(wrong.flat()).labels(), ['ssh_brute_force'], 'the same without the last login');
});

test('many hosts at once do not add up while connections are open, and neither do hosts where a login just worked', () => {
  const some = (ssh: SshTalk, i: number): void => guess(ssh.none(), i, 3);
  const fleet = { dst: (i: number) => `10.0.7.${i + 1}` };
  assert.deepEqual(seen(many(12, USER, some, fleet)).labels(), []);
  assert.deepEqual(seen(many(12, USER, some)).labels(), ['ssh_brute_force'], 'the same at one host');
  const worked = many(1, USER, (ssh) => ssh.none().password('sunshine', true).session().end());
  assert.deepEqual(seen([...worked, ...many(12, USER, some, { at: 20 })]).labels(), []);
  const over = many(12, USER, (ssh, i) => some(ssh.wait(0), i), { at: 20 }).map((ssh) => ssh.end());
  assert.deepEqual(seen([...worked, ...over]).labels(), ['ssh_brute_force'], 'once they are over');
});

test('whoever looks and leaves, or asks for the methods only, guesses nothing while it lasts', () => {
  assert.deepEqual(seen(many(40, USER, (ssh) => ssh.end())).labels(), []);
  assert.deepEqual(seen(many(40, USER, (ssh) => ssh.none())).labels(), []);
});
