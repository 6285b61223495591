import type { Argument, Command, Option } from 'commander';
import { DEFAULT_CONFIG_FILES } from '../config/index.js';
import { EXIT } from '../util/errors.js';
import { VERSION } from '../util/version.js';

/** `portcullis manual`: the manual page, from the commands as they are. */
export function register(program: Command): void {
  program
    .command('manual')
    .description('print the manual page: portcullis manual | man -l -')
    .action(() => {
      process.stdout.write(manualPage(program));
    });
}

const FILES: readonly (readonly [string, string])[] = [
  ['/etc/portcullis/portcullis.yaml', 'configuration'],
  ['/etc/portcullis/policies/', 'policies'],
  ['/var/lib/portcullis/', 'database, keys, spool, rules, models, captures of the server'],
  ['/var/lib/portcullis/first-login', 'the first password of the console, until it was changed'],
  ['/var/lib/portcullis-responder/', 'journal of the responder, from which blocks are restored'],
  ['/run/portcullis/', 'sockets between the daemons'],
  [
    '/usr/share/doc/portcullis/operations/',
    'install, first hour, hardening, sizing, troubleshooting, disaster, upgrade',
  ],
];

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['PORTCULLIS_CONFIG', `configuration file, where no --config says another; else ${DEFAULT_CONFIG_FILES.join(', ')}`],
  ['PORTCULLIS_STORE_PASSWORD', 'password of the MySQL or MariaDB database'],
  ['PORTCULLIS_TOKEN', 'API token for commands that ask the server, where the key file cannot be read'],
];

const STATUS: readonly (readonly [string, string])[] = [
  [String(EXIT.OK), 'done'],
  [String(EXIT.INPUT), 'a problem in what was given: configuration, policy, rules, captures'],
  [String(EXIT.USAGE), 'wrong usage'],
  [String(EXIT.OPERATIONAL), 'failed: rights, network, disk, server'],
];

/** The manual page (man(7) macros) of a program with its commands. The date is left out: the same program, the same page. */
export function manualPage(program: Command): string {
  const name = program.name();
  const out = [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${VERSION}" "Portcullis"`,
    '.SH NAME',
    roff(`${name} - inline responder: watches traffic, decides by policy, blocks with nftables, tells the SIEM`),
    '.SH SYNOPSIS',
    `.B ${name}`,
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    roff(program.description()),
    '.PP',
    roff(
      'Three daemons do the work, as systemd units (portcullis.target) or under one supervisor (run): the sensor captures and ' +
        'detects, the server decides, stores and serves the console, the responder changes nftables. Nothing is blocked in ' +
        'the mode observe, which is the default.',
    ),
    '.SH COMMANDS',
    ...program.commands.filter((c) => c.name() !== 'help').flatMap((command) => describe(command, [])),
    '.SH FILES',
    ...list(FILES),
    '.SH ENVIRONMENT',
    ...list(ENVIRONMENT),
    '.SH EXIT STATUS',
    ...list(STATUS),
    '.SH SEE ALSO',
    '.BR nft (8),',
    '.BR systemctl (1),',
    '.BR journalctl (1)',
  ];
  return `${out.join('\n')}\n`;
}

/** A command and those below it: its usage, what it does, its options. */
function describe(command: Command, above: readonly string[]): string[] {
  const path = [...above, command.name()];
  const children = command.commands.filter((child) => child.name() !== 'help');
  if (children.length > 0) {
    return [
      `.SS ${roff(path.join(' '))}`,
      roff(sentence(command.description())),
      ...children.flatMap((c) => describe(c, path)),
    ];
  }
  const usage = [...path, ...command.registeredArguments.map(argument)].join(' ');
  return [
    above.length === 0 ? `.SS ${roff(usage)}` : `.TP\n.B ${roff(usage)}`,
    roff(sentence(command.description())),
    ...(above.length === 0 ? options(command) : ['.RS', ...options(command), '.RE']),
  ];
}

function options(command: Command): string[] {
  const shown = command.options.filter((option) => !option.hidden);
  return list(shown.map((option) => [option.flags, optionText(option)]));
}

function optionText({ description, argChoices, defaultValue }: Option): string {
  const choices =
    argChoices && !argChoices.every((c) => description.includes(c)) ? `; one of ${argChoices.join(', ')}` : '';
  const standard: unknown = defaultValue;
  const isShown = typeof standard === 'string' || typeof standard === 'number';
  return `${description}${choices}${isShown && standard !== '' ? ` (default: ${standard})` : ''}`;
}

const argument = (a: Argument): string => {
  const text = a.variadic ? `${a.name()}...` : a.name();
  return a.required ? `<${text}>` : `[${text}]`;
};

const list = (items: readonly (readonly [string, string])[]): string[] =>
  items.flatMap(([term, text]) => ['.TP', `.B ${roff(term)}`, roff(text)]);

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** Text that troff prints as it is: no request at the start of a line, hyphens that can be copied, no line breaks. */
function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/\s*\n\s*/g, ' ');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
