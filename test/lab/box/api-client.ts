import { request } from 'node:http';
import WebSocket from 'ws';

export interface Answer<T = unknown> {
  status: number;
  body: T;
}

/** The HTTP API of a box in the lab, over a Unix socket. */
export class ApiClient {
  private token: string;
  private readonly socketPath: string;

  /** @param token secret of an API token; without one, `login` begins a session. */
  constructor(socketPath: string, token = '') {
    this.socketPath = socketPath;
    this.token = token;
  }

  /** Logs in; the first password must be changed, which this does. */
  async login(username: string, password: string, next: string): Promise<void> {
    const first = await this.ask<{ accessToken: string; user: { mustChangePassword: boolean } }>(
      'POST',
      '/auth/login',
      {
        username,
        password,
      },
    );
    if (first.status !== 200) throw new Error(`login: ${first.status} ${JSON.stringify(first.body)}`);
    this.token = first.body.accessToken;
    if (!first.body.user.mustChangePassword) return;
    const changed = await this.ask<{ accessToken: string }>('POST', '/auth/password', { current: password, next });
    if (changed.status !== 200)
      throw new Error(`change of password: ${changed.status} ${JSON.stringify(changed.body)}`);
    this.token = changed.body.accessToken;
  }

  /** Any request; the status is the caller's business. Paths are below /api/v1 unless they start with two slashes. */
  ask<T = unknown>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const full = path.startsWith('//') ? path.slice(1) : `/api/v1${path}`;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { host: 'localhost' };
    if (text !== undefined) {
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(text));
    }
    if (this.token !== '') headers['authorization'] = `Bearer ${this.token}`;
    return new Promise((resolve, reject) => {
      const asked = request(
        { socketPath: this.socketPath, path: full, method, headers, timeout: 60_000 },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const received = Buffer.concat(chunks).toString('utf8');
            const isJson = response.headers['content-type']?.includes('json') === true && received !== '';
            resolve({ status: response.statusCode ?? 0, body: (isJson ? JSON.parse(received) : received) as T });
          });
        },
      );
      asked.on('error', reject).on('timeout', () => asked.destroy(new Error(`${method} ${path}: timeout`)));
      asked.end(text);
    });
  }

  /** A GET that must answer 200. */
  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.ask<T>('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Opens the live feed and resolves when the server said hello. */
  async live(topics: readonly string[]): Promise<LiveFeed> {
    const feed = new LiveFeed(this.socketPath);
    await feed.open(this.token, topics);
    return feed;
  }
}

export interface LiveMessage {
  type: string;
  topic?: string;
  seq?: number;
  data?: Record<string, unknown>;
  /** When it arrived here, epoch milliseconds. */
  atMs: number;
}

/** Everything that the WebSocket sent, and waiting for more. */
export class LiveFeed {
  readonly messages: LiveMessage[] = [];
  private readonly socket: WebSocket;
  private waiters: (() => void)[] = [];

  constructor(socketPath: string) {
    this.socket = new WebSocket(`ws+unix:${socketPath}:/api/v1/live`, {
      headers: { host: 'localhost' },
      origin: 'http://localhost',
    });
    this.socket.on('message', (data: Buffer) => {
      this.messages.push({ ...(JSON.parse(data.toString('utf8')) as LiveMessage), atMs: Date.now() });
      this.waiters.splice(0).forEach((wake) => wake());
    });
  }

  async open(token: string, topics: readonly string[]): Promise<void> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject));
    this.socket.send(JSON.stringify({ type: 'auth', token, topics }));
    await this.waitFor('hello', (message) => message.type === 'hello');
  }

  /** The first message, from the beginning, for which the test holds. */
  async waitFor(what: string, test: (message: LiveMessage) => boolean, limitMs = 60_000): Promise<LiveMessage> {
    const end = Date.now() + limitMs;
    for (;;) {
      const found = this.messages.find(test);
      if (found !== undefined) return found;
      if (Date.now() > end)
        throw new Error(`live feed: no ${what} within ${limitMs} ms; got ${JSON.stringify(this.messages.slice(-5))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end - Date.now() + 1);
        this.waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.socket.terminate();
  }
}
