import type { Signer } from '../files/sign.ts'
import type { UploadDeps } from '../uploads/deps.ts'

/** What the nouns of the API stand on. */
export interface ApiDeps {
  readonly uploads: UploadDeps
  readonly signer: Signer
  /** Aborted when closing begins. */
  readonly closing: AbortSignal
  /** Does work that closing waits for. @throws {CarcosaError} SHUTTING_DOWN after the end */
  run<T>(work: () => Promise<T>): Promise<T>
}
