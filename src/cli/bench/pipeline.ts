import { readdirSync, readFileSync } from 'node:fs';
import { openSource } from '../../capture/index.js';
import { createDecoder } from '../../decode/index.js';
import { DecodedPacket, type PacketBlock } from '../../domain/packet.js';
import { createDefragmenter, createFlowTable, type FlowInput, type WholePacket } from '../../flow/index.js';

const TICK_US = 100_000;

/** Capture's consumer as the sensor has it, up to the flow table: decode, put fragments together, count in flows. */
export function createHotPath(flowOptions: FlowInput) {
  const decoder = createDecoder();
  const defragmenter = createDefragmenter();
  const packet = new DecodedPacket();
  const whole: WholePacket = { data: new Uint8Array(0), offset: 0, length: 0 };
  let ended = 0;
  const flows = createFlowTable(flowOptions, { onEnd: () => void ended++ });
  let nextTickUs = 0;
  return {
    flows,
    get ended() {
      return ended;
    },
    onBlock(block: PacketBlock): void {
      for (let i = 0; i < block.count; i++) {
        decoder.decode(block, i, packet);
        if (packet.isFragment) {
          if (defragmenter.push(packet, whole) !== 'complete') continue;
          decoder.decodeIp(whole.data, whole.offset, whole.length, packet);
        }
        flows.push(packet);
      }
      if (packet.tsUs >= nextTickUs) {
        nextTickUs = packet.tsUs + TICK_US;
        flows.tick(packet.tsUs);
      }
    },
  };
}

/** CPU time so far, user and system, of this process and the capture processes it started, microseconds. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system + childrenCpuUs();
}

const TICK_US_OF_PROC = 10_000;

/** From /proc (proc(5)), in steps of 10 ms; 0 where there is none. */
function childrenCpuUs(): number {
  try {
    const pids = readdirSync('/proc/self/task').flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return pids.reduce((sum, pid) => sum + processCpuUs(pid), 0);
  } catch {
    return 0;
  }
}

/** CPU time of all threads of a process. */
export function processCpuUs(pid: number | string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US_OF_PROC;
}

export { openSource };
