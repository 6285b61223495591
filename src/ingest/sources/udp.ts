import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { errorMessage } from '../../util/errors.js';
import type { SourceOptions } from '../options.js';
import type { Intake, Source } from '../source.js';
import { canonical, createSenderCheck, listenError } from './stream.js';

/** Datagrams that wait in the kernel while the server is busy, bytes. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;

/** One message a datagram. What comes faster than the rate is lost and counted: a datagram cannot wait. */
export function openUdpSource(source: SourceOptions, intake: Intake): Promise<Source> {
  const isAllowed = createSenderCheck(source.allow_from);
  const socket = createSocket({
    type: isIPv6(source.listen) ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  let refused = 0;
  socket.on('message', (data, from) => {
    const sender = canonical(from.address);
    if (!isAllowed(sender)) refused++;
    else if (data.length > source.max_line_bytes) intake.tooLong();
    else if (intake.mayTake()) intake.line(data.toString('utf8').replace(/[\r\n\0]+$/, ''), sender);
  });
  const opened: Source = {
    problem: () => '',
    refused: () => refused,
    close: () =>
      new Promise((resolve) => {
        socket.close(resolve);
      }),
  };
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      reject(listenError(source, error));
    });
    socket.bind(source.port, source.listen, () => {
      socket.removeAllListeners('error');
      socket.on('error', (error) => intake.report(errorMessage(error)));
      resolve(opened);
    });
  });
}
