import type { Handler, S3Reference } from '../reference.ts'

/**
 * The named references of uploads to S3. Each is loaded alone, because the libraries of the
 * others would count as its memory.
 */
export const s3References = {
  relay: async (endpoint) => (await import('./relay.ts')).relay(endpoint),
  'lib-storage': async (endpoint) =>
    (await import('./lib-storage.ts')).libStorage(endpoint),
  'bare-s3': async (endpoint) => (await import('./bare-s3.ts')).bareS3(endpoint),
  'sdk-pipe': async (endpoint) => (await import('./sdk-pipe.ts')).sdkPipe(endpoint),
} satisfies Record<string, (...given: Parameters<S3Reference>) => Promise<Handler>>

/** The name of a reference. */
export type S3ReferenceName = keyof typeof s3References
