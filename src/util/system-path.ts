/** Where Debian and its relatives keep nft, ip and conntrack; `su` and cron leave the sbin folders out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** A search path with the folders of system programs behind its own; never the current folder, as an empty entry means. */
export function withSystemFolders(path: string | undefined): string {
  const own = (path ?? '').split(':').filter((folder) => folder !== '');
  return [...own, ...SYSTEM_FOLDERS.filter((folder) => !own.includes(folder))].join(':');
}
