import koffi from 'koffi';

/** The C library, glibc or musl. @throws where there is neither */
export function loadCLibrary(): ReturnType<typeof koffi.load> {
  try {
    return koffi.load('libc.so.6');
  } catch {
    return koffi.load('libc.so');
  }
}
