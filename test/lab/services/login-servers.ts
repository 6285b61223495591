// Small line servers that speak enough of SMTP AUTH (RFC 4954), POP3 (RFC 1939), IMAP (RFC 9051) and a Telnet
// login for real clients and guessing tools to fail, or succeed, against.
import { createServer, type Socket } from 'node:net';

const PASSWORD = new Map([['bob', 'sunshine']]);
const good = (user: string, password: string): boolean => PASSWORD.get(user) === password;

type Session = (line: string, send: (text: string) => void, end: () => void) => void;

function smtp(): Session {
  let step: 'command' | 'user' | 'password' = 'command';
  let user = '';
  const plain = (text: string): boolean => {
    const [, name = '', password = ''] = Buffer.from(text, 'base64').toString().split('\0');
    return good(name, password);
  };
  const answer = (ok: boolean): string =>
    ok ? '235 2.7.0 Authentication successful' : '535 5.7.8 Authentication failed';
  return (line, send, end) => {
    if (step === 'user') {
      user = Buffer.from(line, 'base64').toString();
      step = 'password';
      return send('334 UGFzc3dvcmQ6');
    }
    if (step === 'password') {
      step = 'command';
      return send(answer(good(user, Buffer.from(line, 'base64').toString())));
    }
    const [verb = '', mechanism = '', initial = ''] = line.split(' ');
    if (/^ehlo$/i.test(verb)) return send('250-mail.lab.example\r\n250 AUTH LOGIN PLAIN');
    if (/^auth$/i.test(verb) && /^plain$/i.test(mechanism)) return send(answer(plain(initial)));
    if (/^auth$/i.test(verb)) {
      step = 'user';
      return send('334 VXNlcm5hbWU6');
    }
    if (/^quit$/i.test(verb)) {
      send('221 2.0.0 Bye');
      return end();
    }
    return send(/^(helo|noop|rset)$/i.test(verb) ? '250 2.0.0 OK' : '502 5.5.2 Command not recognized');
  };
}

function pop3(): Session {
  let user = '';
  return (line, send, end) => {
    const [verb = '', argument = ''] = line.split(' ');
    if (/^user$/i.test(verb)) {
      user = argument;
      return send('+OK');
    }
    if (/^pass$/i.test(verb))
      return send(good(user, argument) ? '+OK logged in' : '-ERR [AUTH] Authentication failed.');
    if (/^capa$/i.test(verb)) return send('+OK\r\nUSER\r\n.');
    if (!/^quit$/i.test(verb)) return send('-ERR Unknown command.');
    send('+OK bye');
    return end();
  };
}

function imap(): Session {
  /** Lines of an AUTHENTICATE LOGIN under way: its tag, then the user. */
  let asked: string[] = [];
  const decode = (line: string): string => Buffer.from(line, 'base64').toString('utf8');
  return (line, send, end) => {
    if (asked.length === 1) {
      asked.push(decode(line));
      return send('+ UGFzc3dvcmQ6');
    }
    if (asked.length === 2) {
      const [tag = '', user = ''] = asked;
      asked = [];
      return send(
        `${tag} ${good(user, decode(line)) ? 'OK done' : 'NO [AUTHENTICATIONFAILED] Authentication failed.'}`,
      );
    }
    const [tag = '*', verb = '', user = '', password = ''] = line.split(' ').map((word) => word.replaceAll('"', ''));
    if (/^login$/i.test(verb)) {
      const ok = good(user, password);
      return send(`${tag} ${ok ? 'OK LOGIN completed' : 'NO [AUTHENTICATIONFAILED] Authentication failed.'}`);
    }
    if (/^authenticate$/i.test(verb) && /^login$/i.test(user)) {
      asked = [tag];
      return send('+ VXNlcm5hbWU6');
    }
    if (/^capability$/i.test(verb)) return send(`* CAPABILITY IMAP4rev1 AUTH=LOGIN\r\n${tag} OK done`);
    if (!/^logout$/i.test(verb)) return send(`${tag} BAD Unknown command`);
    send(`* BYE\r\n${tag} OK`);
    return end();
  };
}

function telnet(): Session {
  let user: string | undefined;
  return (line, send) => {
    if (user === undefined) {
      user = line;
      return send('Password: ');
    }
    const ok = good(user, line);
    user = undefined;
    return send(ok ? '\r\nLast login: today\r\n$ ' : '\r\nLogin incorrect\r\nlab login: ');
  };
}

function serve(port: number, greeting: string, eol: string, makeSession: () => Session): Promise<void> {
  const server = createServer((socket: Socket) => {
    const session = makeSession();
    let rest = '';
    socket.on('error', () => socket.destroy());
    socket.write(greeting + eol);
    socket.on('data', (chunk) => {
      // Telnet option negotiation (IAC sequences, RFC 854) is skipped.
      const text = chunk.toString('latin1').replaceAll(/\xff[\xfb-\xfe]./gs, '');
      const lines = (rest + text).split(/\r\n|\r\0|\n/);
      rest = lines.pop() ?? '';
      for (const line of lines)
        session(
          line,
          (reply) => socket.write(reply + eol),
          () => socket.end(),
        );
    });
  });
  return new Promise((resolve) => server.listen(port, '::', resolve));
}

await serve(25, '220 mail.lab.example ESMTP', '\r\n', smtp);
await serve(110, '+OK POP3 ready', '\r\n', pop3);
await serve(143, '* OK IMAP4rev1 ready', '\r\n', imap);
await serve(23, 'lab login: ', '', telnet);
console.log('login-servers: ready');
