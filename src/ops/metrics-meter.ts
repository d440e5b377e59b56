import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Meter } from '../shared/meter.ts'
import { limitedOperations } from '../shared/rate-limits.ts'

/** What labels may say; anything else becomes `other`. */
export interface Labels {
  readonly routes: readonly string[]
  readonly stores: readonly string[]
}

const methods = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PUT']

// Seconds. Requests and locks are short or as long as an upload; uploads take up to days.
const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600]
const lockBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10]
const uploadBuckets = [0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400]

/** Counts in `registry`, with tusd's nouns and the prefix `carcosa_`. */
export function createMeter(registry: Registry, { routes, stores }: Labels): Meter {
  const method = oneOf(methods)
  const route = oneOf(routes)
  const store = oneOf(stores)
  const all = metricsIn(registry)
  for (const name of routes) {
    // So that a rate is known from the first upload on.
    all.created.inc({ route: name }, 0)
    all.finished.inc({ route: name }, 0)
  }
  for (const log of ['audit', 'requests']) all.logLost.inc({ log }, 0)
  for (const operation of limitedOperations) all.rateLimited.inc({ operation }, 0)
  return {
    requestAnswered({ method: asked, status, code, seconds }) {
      const name = method(asked)
      all.requests.inc({ method: name, status })
      all.requestSeconds.observe({ method: name }, seconds)
      if (status >= 400) all.errors.inc({ status, code: code ?? 'none' })
    },
    bytesReceived({ route: name, storeName }, bytes) {
      if (bytes > 0) all.bytes.inc({ route: route(name), store: store(storeName) }, bytes)
    },
    uploadsActive: (change) => all.active.inc(change),
    uploadCreated: (name) => all.created.inc({ route: route(name) }),
    uploadFinished(name, seconds) {
      all.finished.inc({ route: route(name) })
      // The clock of the database said when it began, ours says when it ended.
      all.uploadSeconds.observe({ route: route(name) }, Math.max(seconds, 0))
    },
    uploadTerminated: (name) => all.terminated.inc({ route: route(name) }),
    uploadRejected: (name, code) => all.rejected.inc({ route: route(name), code }),
    uploadExpired: () => all.expired.inc(),
    lockWaited: (seconds) => all.lockSeconds.observe(seconds),
    locksHeld: (change) => all.locks.inc(change),
    callbackRan: (name, seconds) =>
      all.callbackSeconds.observe({ route: route(name) }, seconds),
    bodyGivenUp: (reason) => all.givenUp.inc({ reason }),
    rateLimited: (operation) => all.rateLimited.inc({ operation }),
    quotaRefused: () => all.quotaRefused.inc(),
    eventSubscribers: (change) => all.subscribers.inc(change),
    logEntriesLost: (log, count) => all.logLost.inc({ log }, count),
  }
}

function metricsIn(registry: Registry) {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `carcosa_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `carcosa_${name}`, help, registers })
  const histogram = <L extends string>(
    name: string,
    { help, buckets }: { help: string; buckets: number[] },
    ...labelNames: L[]
  ) => new Histogram({ name: `carcosa_${name}`, help, buckets, labelNames, registers })

  return {
    requests: counter('requests_total', 'Requests answered.', 'method', 'status'),
    errors: counter('errors_total', 'Answers of 400 and above.', 'status', 'code'),
    bytes: counter(
      'bytes_received_total',
      'Bytes of uploads that reached a store, counted when their request ends.',
      'route',
      'store',
    ),
    created: counter('uploads_created_total', 'Uploads that were begun.', 'route'),
    finished: counter('uploads_finished_total', 'Uploads that were stored.', 'route'),
    terminated: counter(
      'uploads_terminated_total',
      'Uploads and files that were removed.',
      'route',
    ),
    rejected: counter(
      'uploads_rejected_total',
      'Uploads that were refused for what arrived.',
      'route',
      'code',
    ),
    expired: counter('uploads_expired_total', 'Uploads that ran out of time.'),
    active: gauge('uploads_active', 'Bodies that are being stored.'),
    locks: gauge('locks_held', 'Leases that this process holds.'),
    subscribers: gauge('event_subscribers', 'Connections that listen to events.'),
    givenUp: counter(
      'bodies_given_up_total',
      'Bodies cut off because their client was silent or too slow.',
      'reason',
    ),
    rateLimited: counter(
      'rate_limited_total',
      'Requests refused for a rate limit.',
      'operation',
    ),
    quotaRefused: counter(
      'quota_refusals_total',
      'What was refused because a quota leaves no room for it.',
    ),
    logLost: counter(
      'log_entries_lost_total',
      'Lines of the audit log or the request log that could not be written.',
      'log',
    ),
    requestSeconds: histogram(
      'request_duration_seconds',
      { help: 'From request to answer.', buckets: requestBuckets },
      'method',
    ),
    uploadSeconds: histogram(
      'upload_duration_seconds',
      {
        help: 'From the creation of an upload to its last byte.',
        buckets: uploadBuckets,
      },
      'route',
    ),
    lockSeconds: histogram('lock_wait_seconds', {
      help: 'Waiting for the lease of an upload.',
      buckets: lockBuckets,
    }),
    callbackSeconds: histogram(
      'callback_duration_seconds',
      { help: 'Running onUploadComplete.', buckets: requestBuckets },
      'route',
    ),
  }
}

/** The name itself if it is one of `names`. */
function oneOf(names: readonly string[]): (name: string) => string {
  const known = new Set(names)
  return (name) => (known.has(name) ? name : 'other')
}
