import {
  afpacketOptions,
  capOptions,
  sourceOptions,
  type AfpacketInput,
  type CapInput,
  type SourceInput,
} from './options.js';
import { locatePackets, openFileSource } from './file/file-source.js';
import { openPipeSource } from './file/pipe-source.js';
import type { PacketSource } from './source.js';

export { noCaptureRights } from './errors.js';
export { hardwareType, interfaceIndex, linkTypeOfHardware, listInterfaces, type InterfaceInfo } from './interfaces.js';
export { openPcapWriter, type PcapWriter } from './file/writer.js';
export type { PacketSource } from './source.js';
export { locatePackets, openFileSource, openPipeSource };

/** Live capture through a kernel ring; the default on Linux. @throws AppError, see docs/errors.md. */
export async function openAfpacketSource(input: AfpacketInput): Promise<PacketSource> {
  const options = afpacketOptions.parse(input);
  const { AfpacketSource } = await import('./afpacket/source.js');
  return new AfpacketSource(options);
}

/** Live capture through libpcap; portable. @throws AppError, see docs/errors.md. */
export async function openCapSource(input: CapInput): Promise<PacketSource> {
  const options = capOptions.parse(input);
  const { CapSource } = await import('./cap/source.js');
  return CapSource.open(options);
}

/** Opens whichever source the configuration names. */
export function openSource(input: SourceInput): Promise<PacketSource> {
  const source = sourceOptions.parse(input);
  switch (source.kind) {
    case 'afpacket': {
      const { kind: _kind, ...options } = source;
      return openAfpacketSource(options);
    }
    case 'cap': {
      const { kind: _kind, ...options } = source;
      return openCapSource(options);
    }
    case 'file':
      return openFileSource(source.path);
    case 'pipe':
      return openPipeSource(process.stdin);
  }
}
