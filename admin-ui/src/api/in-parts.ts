/** Sends many ids in parts, as many at a time as the server takes, one part after the other. @returns the answers. */
export async function inParts<R>(
  ids: readonly string[],
  size: number,
  send: (part: string[]) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  for (let at = 0; at < ids.length; at += size) answers.push(await send(ids.slice(at, at + size)));
  return answers;
}
