import type { Command } from 'commander';
import { listInterfaces, type InterfaceInfo } from '../capture/index.js';

export function register(program: Command): void {
  program
    .command('interfaces')
    .description('list the network interfaces that can be captured on')
    .option('--json', 'print JSON')
    .action((options: { json?: true }) => {
      const list = listInterfaces();
      process.stdout.write(options.json === true ? `${JSON.stringify(list, undefined, 2)}\n` : formatTable(list));
    });
}

function formatTable(list: readonly InterfaceInfo[]): string {
  const rows = list.map((i) => [i.name, stateOf(i), i.mac, String(i.mtu), i.addresses.join(' ') || '-', noteOf(i)]);
  const table = [['NAME', 'STATE', 'MAC', 'MTU', 'ADDRESSES', 'NOTE'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Loopback and tunnels report "unknown" when they work. */
function stateOf(info: InterfaceInfo): string {
  if (!info.isUp) return 'down';
  return info.state === 'unknown' || info.state === 'up' ? 'up' : info.state;
}

function noteOf(info: InterfaceInfo): string {
  return info.linkType < 0 ? 'link type not supported' : info.description;
}
