/** First bytes of a type, with the words that libmagic begins with for it. */
type Signature = readonly [at: number, bytes: string, name: string];

const SIGNATURES: readonly Signature[] = [
  [0, '%PDF-', 'PDF document'],
  [0, '\x7fELF', 'ELF'],
  [0, '\xff\xd8\xff', 'JPEG image data'],
  [0, '\x89PNG\r\n\x1a\n', 'PNG image data'],
  [0, 'GIF8', 'GIF image data'],
  [0, 'PK\x03\x04', 'Zip archive data'],
  [0, 'PK\x05\x06', 'Zip archive data (empty)'],
  [0, '\x1f\x8b', 'gzip compressed data'],
  [0, 'BZh', 'bzip2 compressed data'],
  [0, '\xfd7zXZ\0', 'XZ compressed data'],
  [0, '7z\xbc\xaf\x27\x1c', '7-zip archive data'],
  [0, 'Rar!\x1a\x07', 'RAR archive data'],
  [0, '\x28\xb5\x2f\xfd', 'Zstandard compressed data'],
  [0, 'MSCF\0\0\0\0', 'Microsoft Cabinet archive data'],
  [0, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'Composite Document File V2 Document'],
  [0, '{\\rtf', 'Rich Text Format data'],
  [0, 'FWS', 'Macromedia Flash data'],
  [0, 'CWS', 'Macromedia Flash data (compressed)'],
  [0, 'ZWS', 'Macromedia Flash data (lzma compressed)'],
  [0, '\xca\xfe\xba\xbe\0\0\0', 'compiled Java class data'],
  [0, 'OggS', 'Ogg data'],
  [0, 'fLaC', 'FLAC audio bitstream data'],
  [0, 'ID3', 'Audio file with ID3'],
  [0, '!<arch>\n', 'current ar archive'],
  [0, 'SQLite format 3\0', 'SQLite 3.x database'],
  [0, '\xd4\xc3\xb2\xa1', 'pcap capture file'],
  [0, '\x0a\x0d\x0d\x0a', 'pcapng capture file'],
  [0, 'wOFF', 'Web Open Font Format'],
  [0, 'wOF2', 'Web Open Font Format (Version 2)'],
  [257, 'ustar', 'POSIX tar archive'],
];

const MZ = 'MZ';
/** Bytes up to the offset that tells a program for DOS from later ones. */
const DOS_HEADER = 0x1a;
const MAX_TEXT = 1024;
const PE_POINTER = 0x3c;
const MACHINES: Readonly<Record<number, string>> = { 0x14c: 'Intel 80386', 0x8664: 'x86-64', 0xaa64: 'Aarch64' };
const DLL = 0x2000;

/** `PE32 executable (GUI) Intel 80386, for MS Windows` and its like, as far as the headers have come. */
function executable(d: Uint8Array): string {
  const view = Buffer.from(d.buffer, d.byteOffset, d.byteLength);
  const at = d.length >= PE_POINTER + 4 ? view.readUInt32LE(PE_POINTER) : Infinity;
  if (at + 0x60 > d.length || view.toString('latin1', at, at + 4) !== 'PE\0\0') return 'MS-DOS executable';
  const kind = view.readUInt16LE(at + 24) === 0x20b ? 'PE32+' : 'PE32';
  const isDll = (view.readUInt16LE(at + 22) & DLL) !== 0;
  const subsystem = view.readUInt16LE(at + 24 + 68);
  const how = isDll ? ' (DLL)' : '';
  const where = subsystem === 2 ? ' (GUI)' : subsystem === 3 ? ' (console)' : '';
  return `${kind} executable${how}${where} ${MACHINES[view.readUInt16LE(at + 4)] ?? 'unknown'}, for MS Windows`;
}

function textType(text: string): string | undefined {
  if (/^\s*<!doctype html|^\s*<html|^\s*<(head|title|body|script)[\s>]/i.test(text)) return 'HTML document, ASCII text';
  if (/^\s*<\?xml/i.test(text)) return 'XML 1.0 document, ASCII text';
  const shell = /^#! ?\/(?:usr\/)?bin\/(?:env )?(\w+)/.exec(text)?.[1];
  if (shell === 'sh') return 'POSIX shell script, ASCII text executable';
  if (shell === 'bash') return 'Bourne-Again shell script, ASCII text executable';
  if (shell !== undefined) return `${shell[0]!.toUpperCase()}${shell.slice(1)} script text executable`;
  if (/^<\?php/.test(text)) return 'PHP script, ASCII text';
  return undefined;
}

/**
 * What kind of file begins so, in the words of libmagic as far as this table goes: executables, documents, archives, pictures,
 * scripts, text. Of everything else `data`.
 */
export function fileType(d: Uint8Array): string {
  const head = Buffer.from(d.buffer, d.byteOffset, Math.min(d.length, MAX_TEXT)).toString('latin1');
  if (head.startsWith(MZ) && d.length >= DOS_HEADER) return executable(d);
  for (const [at, bytes, name] of SIGNATURES) if (head.startsWith(bytes, at)) return name;
  if (/^RIFF[^]{4}WAVE/.test(head)) return 'RIFF (little-endian) data, WAVE audio';
  if (/^RIFF[^]{4}WEBP/.test(head)) return 'RIFF (little-endian) data, Web/P image';
  if (/^[^]{4}ftyp/.test(head)) return 'ISO Media';
  const known = textType(head);
  if (known !== undefined) return known;
  if (/^[\t\n\f\r\x1b\x20-\x7e]+$/.test(head)) return 'ASCII text';
  return 'data';
}
