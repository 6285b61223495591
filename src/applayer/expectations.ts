/** A connection that another one has announced: the data connection of an FTP session. */
export interface Expected {
  proto: 'ftp-data';
  /** What it carries, known by the time its bytes come. */
  transfer(): Transfer | undefined;
}

export interface Transfer {
  command: 'RETR' | 'STOR';
  name: Uint8Array;
}

/** Connections that are announced, by the address and port they go to; the oldest is forgotten when there are many. */
export interface Expectations {
  readonly size: number;
  expect(address: string, port: number, expected: Expected): void;
  /** Takes it: an announcement is for one connection. */
  take(address: string, port: number): Expected | undefined;
}

export function createExpectations(maxEntries: number): Expectations {
  const all = new Map<string, Expected>();
  return {
    get size() {
      return all.size;
    },
    expect(address, port, expected) {
      const key = `${address} ${port}`;
      all.delete(key);
      if (all.size >= maxEntries) all.delete(all.keys().next().value!);
      all.set(key, expected);
    },
    take(address, port) {
      const key = `${address} ${port}`;
      const found = all.get(key);
      all.delete(key);
      return found;
    },
  };
}
