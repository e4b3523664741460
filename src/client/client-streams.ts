/** Where the client prints: results on one stream, what went wrong on the other. */
export interface ClientStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}
