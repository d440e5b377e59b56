import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type GcsFaults, noFaults } from './gcs/faults.ts'
import type { GcsRequest, Operation } from './gcs/operation.ts'
import { serve } from './gcs/serve.ts'
import type { GcsObject, GcsSession, GcsState } from './gcs/state.ts'

/**
 * A service that speaks the JSON API of Google Cloud Storage over HTTP, in this process. It
 * does what Google documents, and goes wrong where it is told to. Whoever asks is let in.
 */
export interface GcsFake {
  readonly endpoint: string
  readonly bucket: string
  readonly objects: ReadonlyMap<string, GcsObject>
  readonly sessions: ReadonlyMap<string, GcsSession>
  /** All of them since the start or `reset`, in the order in which they came. */
  readonly requests: readonly GcsRequest[]
  readonly faults: GcsFaults
  /** How many requests there were, of an operation or at all. */
  count(operation?: Operation): number
  /** Puts an object there behind everybody's back. */
  putObject(name: string, bytes: Buffer | string): void
  /** Takes an object away behind everybody's back. */
  deleteObject(name: string): void
  /** Forgets all sessions, as after a week. */
  forgetSessions(): void
  /** Forgets requests, objects, sessions and faults. */
  reset(): void
  close(): Promise<void>
}

export async function startGcsFake(bucket = 'test-bucket'): Promise<GcsFake> {
  const faults = noFaults()
  const state: GcsState = {
    bucket,
    objects: new Map(),
    sessions: new Map(),
    changed: new Map(),
    faults,
  }
  const requests: GcsRequest[] = []
  const http = createServer({ requestTimeout: 0 }, (request, response) => {
    serve({ state, requests }, request, response).catch((error) => request.destroy(error))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  // A TCP server that listens has one.
  const { port } = http.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    objects: state.objects,
    sessions: state.sessions,
    requests,
    faults,
    count: (operation) =>
      requests.filter((request) => !operation || request.operation === operation).length,
    putObject(name, content) {
      const bytes = Buffer.from(content)
      const made = { bytes, resource: {}, updated: new Date(), generation: 1 }
      state.objects.set(name, made)
    },
    deleteObject(name) {
      state.objects.delete(name)
    },
    forgetSessions() {
      state.sessions.clear()
    },
    reset() {
      requests.length = 0
      for (const map of [state.objects, state.sessions, state.changed]) map.clear()
      Object.assign(faults, noFaults())
    },
    async close() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
