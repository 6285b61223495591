import { AppError } from '../../util/errors.js';
import { errnoName } from '../../util/netlink/libc.js';

/** Why the kernel does not take one element, for people. */
export function reasonOf(errno: number): string {
  if (errno === 23 || errno === 28) return 'the kernel set is full';
  return `the kernel refuses the element: ${errnoName(errno)}`;
}

/** @param errno 0 when the kernel named none */
export function netlinkError(what: string, errno: number): AppError {
  return new AppError({
    kind: 'operational',
    code: 'enforce.netlink_failed',
    message: `netlink: ${what}${errno === 0 ? '' : `: ${errnoName(errno)}`}`,
    fix: 'Run "portcullis doctor"; set enforce.element_path: nft to go without netlink.',
  });
}
