/** Something the user of the client can put right: printed as one sentence, without a stack. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
}

/** A ClientError for a file that could not be read. */
export function unreadableFile(path: string, fault: unknown): ClientError {
  const code = fault instanceof Error && 'code' in fault ? fault.code : null;
  const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${String(fault)}`;
  return new ClientError(`File ${path} ${reason}`, { cause: fault });
}
