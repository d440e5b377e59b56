import type { IncomingMessage, ServerResponse } from 'node:http'

/** The request path under which every reference takes uploads. */
export const uploadsPath = '/files'

/** A reference as plain Node code: one function per request. */
export type Handler = (req: IncomingMessage, res: ServerResponse) => unknown

/** Makes the handler of a reference that keeps its files flat in `directory`. */
export type Reference = (directory: string) => Handler

/** Makes the handler of a reference that keeps its files in a bucket of the S3 at `endpoint`. */
export type S3Reference = (endpoint: string) => Handler
