import type { EvidenceItem } from '../../domain/detection.js';
import type { Direction, FlowColumns } from '../../domain/flow.js';
import { TCP, type DecodedPacket } from '../../domain/packet.js';
import { mix32 } from './address-table.js';
import type { Baselines } from './baselines.js';
import { BEHAVIOURS } from './catalogue.js';
import { hashAt } from './contacts.js';
import { WANTS, type Detector, type Wanted } from './detector.js';
import { DistinctSets } from './distinct-sets.js';
import { httpStatus, judgeReply, REPLY, REQUEST } from './login-reply.js';
import { LoginGroups } from './login-groups.js';
import { isHttpRequest, isPost, readCredentials, readForm } from './login-http.js';
import { clearRequest, readRequest, type LoginRequest } from './login-request.js';
import { OpenRefusals } from './login-open.js';
import { SshNotes } from './login-ssh.js';
import { SERVICE, SERVICE_NAMES, serviceByBanner, serviceByPort } from './login-service.js';
import type { BehaviourOptions } from './options.js';
import { endpointsOf, scoreOf, type Limiter, type Reporter } from './reporter.js';
import { SlidingCounts } from './sliding-counts.js';
import type { Sources } from './sources.js';
import { SlotColumn, SlotFlags } from './slot-column.js';

const SERVICES = SERVICE_NAMES.length;
const USERS = 0;
const PASSWORDS = 1;
const TARGETS = 2;
const SETS = 3;

/** Bits of a slot's note: service, last request, banner read, judged at close, successes. */
const SERVICE_MASK = 0x0f;
const REQUEST_SHIFT = 4;
const REQUEST_MASK = 0x30;
const BANNER_READ = 0x40;
const CLOSED = 0x80;
const LOGGED_IN = 0x100;
/** HTTP: a POST began; its form may come in the next packet. */
const FORM_COMING = 0x200;
/** SSH: the notes are this flow's. */
const SSH_NOTED = 0x400;
/** HTTP: the answer's first packet was seen, and the request was no login: the rest of the answer says nothing. */
const ANSWER_BEGUN = 0x800;
const CONTINUE = 100;
const UNAUTHORIZED = 401;
const RDP_MIN_BYTES = 100;
/** Services whose users and passwords are read. */
const IS_READ: ReadonlySet<number> = new Set([SERVICE.FTP, SERVICE.POP3, SERVICE.IMAP, SERVICE.HTTP]);

/**
 * Guessing of logins. Where the answers can be read (FTP, SMTP, POP3, IMAP, Telnet, HTTP, MySQL, PostgreSQL, SMB, VNC)
 * refused logins are counted; for SSH and RDP, connections that end soon after the handshake, whose size leaves room for
 * refused logins and none for a session. Counted by source and service, by number of users and of hosts (spraying), and
 * by target and source network (many sources that each stay below the threshold).
 */
export class BruteForceDetector implements Detector {
  readonly name = 'brute_force';
  private readonly options: BehaviourOptions['bruteForce'];
  private readonly sources: Sources;
  private readonly reporter: Reporter;
  private readonly note = new SlotFlags();
  /** Hash of the user, or of user and password, that were sent last. */
  private readonly login = new SlotColumn();
  private readonly ssh = new SshNotes();
  private readonly open: OpenRefusals;
  private readonly failures: SlidingCounts;
  private readonly distinct: DistinctSets;
  private readonly distinctOf: Uint32Array;
  private readonly limit: Limiter;
  private readonly sprayLimit: Limiter;
  private readonly windowUs: number;
  private readonly challengedUs: Float64Array;
  private readonly challengedOf: Uint32Array;
  private lastChallengeUs = -Infinity;
  private readonly groups: LoginGroups;
  private readonly request: LoginRequest = { kind: 0, user: 0, password: 0 };

  constructor(options: BehaviourOptions, sources: Sources, reporter: Reporter, baselines?: Baselines) {
    this.options = options.bruteForce;
    this.sources = sources;
    this.reporter = reporter;
    const { windowSecs } = options.bruteForce;
    this.failures = new SlidingCounts(sources.table, SERVICES, windowSecs);
    this.open = new OpenRefusals(windowSecs);
    this.distinct = new DistinctSets(sources.table.capacity * SETS);
    this.distinctOf = new Uint32Array(sources.table.capacity);
    this.windowUs = windowSecs * 1e6;
    this.challengedUs = new Float64Array(sources.table.capacity);
    this.challengedOf = new Uint32Array(sources.table.capacity);
    this.limit = reporter.limiter(sources.table);
    this.sprayLimit = reporter.limiter(sources.table);
    this.groups = new LoginGroups(options, sources, reporter, baselines);
  }

  onTcpOpen(flows: FlowColumns, slot: number): Wanted {
    this.note.set(slot, serviceByPort(flows.dstPort[slot]!), flows.capacity);
    return this.wantedOf(flows, slot);
  }

  onTcp(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): Wanted {
    if (p.payloadLen > 0) this.onText(p, flows, slot, direction);
    if ((p.tcpFlags & (TCP.FIN | TCP.RST)) !== 0) this.onClose(p, flows, slot);
    return this.wantedOf(flows, slot);
  }

  private onText(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    let note = this.note.get(slot);
    if (direction === 1 && (note & BANNER_READ) === 0) {
      const service = serviceByBanner(p);
      note = (service === SERVICE.NONE ? note : (note & ~SERVICE_MASK) | service) | BANNER_READ;
      this.note.set(slot, note, flows.capacity);
    }
    const service = note & SERVICE_MASK;
    if (service === SERVICE.SSH) this.onSsh(p, flows, slot, direction);
    if (service === SERVICE.NONE || service === SERVICE.SSH || service === SERVICE.RDP) return;
    if (direction === 0) {
      if (flows.payloadFwd[slot]! < this.options.maxRequestBytes || service === SERVICE.HTTP) {
        this.onRequest(p, flows, slot, note);
      }
      return;
    }
    const request = (note & REQUEST_MASK) >> REQUEST_SHIFT;
    if (service === SERVICE.HTTP && request === REQUEST.NONE) {
      const status = httpStatus(p);
      if (status === UNAUTHORIZED) this.challenge(p, flows, slot);
      if (status !== CONTINUE) this.note.set(slot, note | ANSWER_BEGUN, flows.capacity);
      return;
    }
    const reply = judgeReply(service, request, p);
    if (reply === REPLY.OTHER) return;
    const answered = note & ~(REQUEST_MASK | FORM_COMING);
    this.note.set(slot, answered | (reply === REPLY.SUCCEEDED ? LOGGED_IN : 0), flows.capacity);
    if (reply === REPLY.FAILED) this.onFailure(p, flows, slot, service);
  }

  private onRequest(p: DecodedPacket, flows: FlowColumns, slot: number, note: number): void {
    const service = note & SERVICE_MASK;
    if (service === SERVICE.HTTP) this.readHttp(p, flows, slot, note);
    else readRequest(service, p, this.request);
    const { kind, user, password } = this.request;
    if (kind !== REQUEST.NONE) {
      this.note.set(slot, (this.note.get(slot) & ~REQUEST_MASK) | (kind << REQUEST_SHIFT), flows.capacity);
    }
    if (user === 0 && password === 0) return;
    const named = user === 0 ? this.login.get(slot) : user;
    this.login.set(slot, password === 0 ? named : mix32(named ^ password), flows.capacity);
    const source = this.sources.ofFlow(flows, slot, p.tsUs);
    this.own(source, p.tsUs);
    if (user !== 0) this.distinct.add(source * SETS + USERS, user);
    if (password !== 0) this.distinct.add(source * SETS + PASSWORDS, password);
  }

  /** Reads as little as it can: credentials in headers of sources that were challenged, forms in what is posted. */
  private readHttp(p: DecodedPacket, flows: FlowColumns, slot: number, note: number): void {
    clearRequest(this.request);
    const begins = isHttpRequest(p);
    const posts = begins ? isPost(p) : (note & FORM_COMING) !== 0;
    // A form comes with the header or in the packet behind it; what is longer is an upload.
    this.note.set(slot, (note & ~(FORM_COMING | ANSWER_BEGUN)) | (begins && posts ? FORM_COMING : 0), flows.capacity);
    if (begins && this.isChallenged(flows, slot, p.tsUs)) readCredentials(p, this.request);
    if (posts && this.request.kind === REQUEST.NONE) readForm(p, this.request);
  }

  /** A server asked the source to log in (status 401): from now on its requests are read for credentials. */
  private challenge(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const nowUs = p.tsUs;
    // The first request was not read; it may have been a guess.
    if (!this.isChallenged(flows, slot, nowUs)) this.onFailure(p, flows, slot, SERVICE.HTTP);
    const source = this.sources.ofFlow(flows, slot, nowUs);
    this.challengedUs[source] = nowUs;
    this.challengedOf[source] = this.sources.table.generation(source);
    this.lastChallengeUs = nowUs;
  }

  private isChallenged(flows: FlowColumns, slot: number, nowUs: number): boolean {
    const { windowUs } = this;
    if (nowUs - this.lastChallengeUs >= windowUs) return false;
    const source = this.sources.ofFlow(flows, slot, nowUs);
    const own = this.challengedOf[source] === this.sources.table.generation(source);
    return own && nowUs - this.challengedUs[source]! < windowUs;
  }

  /** SSH and RDP: judged by what the connection was when its end began. */
  private onClose(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    const note = this.note.get(slot);
    const service = note & SERVICE_MASK;
    if ((note & CLOSED) !== 0 || (service !== SERVICE.SSH && service !== SERVICE.RDP)) return;
    this.note.set(slot, note | CLOSED, flows.capacity);
    if (service === SERVICE.SSH) this.onSshEnd(p, flows, slot);
    else if (this.isRdpFailure(flows, slot)) this.onFailure(p, flows, slot, service);
  }

  /** What was refused on the connection no longer depends on how it goes on. */
  private onSshEnd(p: DecodedPacket, flows: FlowColumns, slot: number): void {
    if ((this.note.get(slot) & (SSH_NOTED | LOGGED_IN)) !== SSH_NOTED) return;
    const attempts = this.ssh.guesses(slot);
    if (attempts === 0) return;
    const open = this.open.add(flows, slot, -this.ssh.openGuesses(slot), p.tsUs);
    this.onFailure(p, flows, slot, SERVICE.SSH, { attempts, open });
  }

  private onSsh(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    const { ssh } = this;
    const note = this.note.get(slot);
    const isNew = (note & SSH_NOTED) === 0;
    if (isNew) ssh.clear(slot, flows.capacity);
    const before = ssh.openGuesses(slot);
    ssh.note(p, flows, slot, direction);
    const isOver = ssh.isLoggedIn(slot) || ssh.isSession(flows, slot, this.options.sshMaxBytes);
    if (isNew || isOver) this.note.set(slot, note | SSH_NOTED | (isOver ? LOGGED_IN : 0), flows.capacity);
    if (ssh.isLoggedIn(slot)) this.open.loggedIn(flows, slot, p.tsUs);
    const change = (isOver ? 0 : ssh.openGuesses(slot)) - before;
    if (change === 0) return;
    const open = this.open.add(flows, slot, change, p.tsUs);
    if (change > 0 && open > 0) this.onOpenRefusals(p, flows, slot, open);
  }

  /** More was refused on a connection that is still open; it is added up with what connections that are over had. */
  private onOpenRefusals(p: DecodedPacket, flows: FlowColumns, slot: number, open: number): void {
    const source = this.refused(p, flows, slot);
    const failed = this.failures.value(source, SERVICE.SSH, p.tsUs) + open;
    if (failed >= this.options.failures) this.judge(p, flows, slot, { source, service: SERVICE.SSH, failed });
  }

  private isRdpFailure(flows: FlowColumns, slot: number): boolean {
    const isShorter = flows.payloadFwd[slot]! < RDP_MIN_BYTES || flows.payloadBwd[slot]! < RDP_MIN_BYTES;
    return !isShorter && !isLonger(flows, slot, this.options.rdpMaxBytes);
  }

  /** What is still to be seen of a flow. */
  private wantedOf(flows: FlowColumns, slot: number): Wanted {
    const note = this.note.get(slot);
    const service = note & SERVICE_MASK;
    if (service === SERVICE.NONE) return (note & BANNER_READ) !== 0 ? WANTS.NOTHING : WANTS.SERVER;
    if (service === SERVICE.SSH || service === SERVICE.RDP) {
      const isDesktop = service === SERVICE.RDP && isLonger(flows, slot, this.options.rdpMaxBytes);
      return isDesktop || (note & (CLOSED | LOGGED_IN)) !== 0 ? WANTS.NOTHING : WANTS.CLIENT | WANTS.SERVER | WANTS.END;
    }
    if (service === SERVICE.HTTP) return (note & ANSWER_BEGUN) !== 0 ? WANTS.CLIENT : WANTS.CLIENT | WANTS.SERVER;
    return (note & LOGGED_IN) !== 0 ? WANTS.NOTHING : WANTS.CLIENT | WANTS.SERVER;
  }

  /** @param open refused logins of the source's open connections, which count with those of this and former ones. */
  private onFailure(
    p: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    service: number,
    { attempts, open } = { attempts: 1, open: 0 },
  ): void {
    const source = this.refused(p, flows, slot);
    const failed = this.failures.add(source, service, attempts, p.tsUs) + open;
    if (failed >= this.options.failures) this.judge(p, flows, slot, { source, service, failed });
    const login = IS_READ.has(service) ? this.login.get(slot) : 0;
    this.groups.count(p, flows, slot, { source, service, attempts, login }, failed >= this.options.failures);
  }

  /** The flow's source was refused by its destination. @returns the source's entry. */
  private refused(p: DecodedPacket, flows: FlowColumns, slot: number): number {
    const source = this.sources.ofFlow(flows, slot, p.tsUs);
    this.own(source, p.tsUs);
    this.distinct.add(source * SETS + TARGETS, hashAt(flows.dstAddr, slot));
    this.sources.table.raise(source, 3);
    return source;
  }

  /** Clears the sets when they belonged to another source or an older window. */
  private own(source: number, nowUs: number): void {
    const fresh = this.distinctOf[source] !== this.sources.table.generation(source);
    if (!this.failures.roll(source, nowUs) && !fresh) return;
    this.distinctOf[source] = this.sources.table.generation(source);
    for (let s = 0; s < SETS; s++) this.distinct.clear(source * SETS + s);
  }

  private judge(
    p: DecodedPacket,
    flows: FlowColumns,
    slot: number,
    found: { source: number; service: number; failed: number },
  ): void {
    const { source, service } = found;
    const users = this.distinct.count(source * SETS + USERS);
    const passwords = this.distinct.count(source * SETS + PASSWORDS);
    const targets = this.distinct.count(source * SETS + TARGETS);
    const manyUsers = users >= this.options.sprayUsers && passwords > 0 && passwords * 2 <= users;
    const manyHosts = targets >= this.options.sprayHosts && found.failed <= targets * 4;
    const isSpray = manyUsers || manyHosts;
    if (!isSpray && this.isOneLogin(service, users, passwords)) return;
    const limit = isSpray ? this.sprayLimit : this.limit;
    if (!limit.isDue(source, p.tsUs)) return;
    limit.mark(source, p.tsUs);
    const entry = isSpray ? BEHAVIOURS.passwordSpraying : BEHAVIOURS.bruteForce;
    const name = SERVICE_NAMES[service]!;
    const ends = endpointsOf(flows, slot);
    const failed = Math.round(found.failed);
    this.reporter.report({
      ...ends,
      entry,
      label: isSpray ? entry.label : `${name}_brute_force`,
      title: `${entry.title} (${name.toUpperCase()})`,
      offender: ends.srcIp,
      ...(targets === 1 ? { victim: ends.dstIp } : {}),
      spoofable: this.sources.isSpoofable(source),
      score: scoreOf(failed, this.options.failures),
      confidence: service === SERVICE.SSH || service === SERVICE.RDP ? 0.85 : 0.95,
      appProto: name,
      evidence: this.evidence({ failed, users, passwords, targets }, name),
      metadata: { service: [name] },
      packetUs: p.tsUs,
      packetNumber: p.number,
    });
  }

  /** The same user and password over and over: a program with an old password, which guesses nothing. */
  private isOneLogin(service: number, users: number, passwords: number): boolean {
    // Basic and digest credentials are read as a whole.
    return users === 1 && (passwords === 1 || (passwords === 0 && service === SERVICE.HTTP));
  }

  private evidence(
    seen: { failed: number; users: number; passwords: number; targets: number },
    service: string,
  ): EvidenceItem[] {
    const hosts = `${seen.targets} host${seen.targets === 1 ? '' : 's'}`;
    const { windowSecs } = this.options;
    return [
      {
        name: 'failed_logins',
        value: seen.failed,
        unit: 'logins',
        text: `${seen.failed} failed ${service} logins on ${hosts} within ${windowSecs} s`,
      },
      { name: 'distinct_users', value: seen.users, unit: 'users' },
      { name: 'distinct_passwords', value: seen.passwords, unit: 'passwords' },
      { name: 'distinct_targets', value: seen.targets, unit: 'hosts' },
      { name: 'threshold', value: this.options.failures, unit: 'logins' },
    ];
  }
}

/** More payload than `most` bytes either way. */
function isLonger(flows: FlowColumns, slot: number, most: number): boolean {
  return flows.payloadFwd[slot]! > most || flows.payloadBwd[slot]! > most;
}
