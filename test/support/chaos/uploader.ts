import type { ClientRequest } from 'node:http'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Content } from './content.ts'
import type { Host } from './host.ts'
import type { Plan } from './plan.ts'
import * as tus from './tus.ts'

/** A client that never gives up, and that believes every offset it was told. */
export interface Uploader {
  /** `/uploads/…`, once it is created. */
  readonly path: string
  /** Sends all of it, whatever happens. @throws if the server broke a promise */
  upload(): Promise<void>
  /** What happened to its requests. */
  readonly happened: ReadonlyMap<string, number>
}

const patience = 90_000

export async function createUploader(
  host: Host,
  plan: Plan,
  file: Content,
): Promise<Uploader> {
  const length = plan.deferred ? { 'Upload-Defer-Length': '1' } : sized(file.size)
  const { patience: patient } = plan
  const created = await persist(host, 'POST', () =>
    tus.send(`${host.url}/uploads/called`, 'POST', length, { patience: patient }),
  )
  const path = String(created.headers.location)
  const client = new Client(host, { plan, file, path })
  return { path, upload: () => client.upload(), happened: client.happened }
}

const sized = (size: number) => ({ 'Upload-Length': String(size) })

/** Asks until there is an answer that is not "later". */
async function persist(
  host: Host,
  what: string,
  ask: () => Promise<tus.Answer>,
): Promise<tus.Answer> {
  const until = Date.now() + patience
  for (;;) {
    await host.revive()
    const answer = await ask().catch(() => null)
    if (answer && answer.status < 300) return answer
    const isPassing = answer === null || answer.status === 423 || answer.status === 503
    if (!isPassing || Date.now() > until) throw broken(what, answer)
    await sleep(200)
  }
}

function broken(what: string, answer: tus.Answer | null): Error {
  const said = answer ? `${answer.status} ${answer.body}` : 'no answer'
  return new Error(`${what}: ${said}`)
}

class Client {
  readonly happened = new Map<string, number>()
  readonly #host: Host
  readonly #plan: Plan
  readonly #file: Content
  readonly #path: string
  /** The highest offset any answer told. */
  #acknowledged = 0

  constructor(
    host: Host,
    { plan, file, path }: { plan: Plan; file: Content; path: string },
  ) {
    this.#host = host
    this.#plan = plan
    this.#file = file
    this.#path = path
  }

  async upload(): Promise<void> {
    const { size } = this.#file
    const until = Date.now() + 10 * patience
    for (let at = await this.#ask(); at < size; at = await this.#ask()) {
      if (Date.now() > until) throw new Error(`the upload got no further than ${at}`)
      await this.#sendFrom(at)
    }
  }

  get #url(): string {
    return this.#host.url + this.#path
  }

  async #ask(): Promise<number> {
    const floor = this.#acknowledged
    const answer = await persist(this.#host, 'HEAD', () =>
      tus.send(this.#url, 'HEAD', {}, { patience: this.#plan.patience }),
    )
    return this.#note(floor, answer)
  }

  /** What was told before the request was sent must still be true when it is answered. */
  #note(floor: number, { headers }: tus.Answer): number {
    const offset = Number(headers['upload-offset'])
    if (!(offset >= floor)) throw new Error(`the offset went back: ${floor}, ${offset}`)
    this.#acknowledged = Math.max(this.#acknowledged, offset)
    return offset
  }

  async #sendFrom(at: number): Promise<void> {
    const { random, disturbances, pieceSize } = this.#plan
    const end = Math.min(at + pieceSize, this.#file.size)
    const share = (disturbances * pieceSize) / this.#file.size
    const disturbance = random() < Math.min(share, 0.9) ? this.#choose() : null
    // Within the time that a quick machine needs for the piece.
    const delay = (6 * random() * (end - at)) / 2 ** 20
    await this.#disturbed({ at, end, disturbance, delay })
  }

  #choose(): Disturbance {
    const { kinds = disturbances, random } = this.#plan
    return kinds[Math.floor(random() * kinds.length)] ?? 'gone'
  }

  async #disturbed(sending: Sending): Promise<void> {
    const { at, end, disturbance, delay } = sending
    const patch = this.#patch(at, end)
    const calm = new AbortController()
    const disturbing = disturbance
      ? sleep(delay, null, calm).then(
          () => this.#disturb(disturbance, sending, patch.cut),
          () => {},
        )
      : null
    await patch.answered
    calm.abort()
    await disturbing
  }

  async #disturb(what: Disturbance, { at, end }: Sending, cut: () => void) {
    this.#count(what)
    switch (what) {
      case 'killed':
        return this.#host.kill()
      case 'stopped':
        return this.#host.stop()
      case 'gone':
        return cut()
      case 'asked':
        await this.#ask()
        return
      case 'rivalled':
        await this.#patch(at, end).answered
        return
      case 'moved': {
        const offset = await this.#ask()
        await this.#patch(offset, Math.max(end, offset)).answered
      }
    }
  }

  /** Sends the bytes from `at` to `end`; every answer but a refusal for now is judged. */
  #patch(at: number, end: number) {
    const floor = this.#acknowledged
    const body = this.#file.from(at, undefined, end)
    const { deferred } = this.#plan
    const isLast = end === this.#file.size
    let sent: ClientRequest | undefined
    const answered = patch(this.#url, {
      at,
      body,
      // Without a length the server learns only from the end of the body where that is.
      length: deferred && at % 2 === 0 ? undefined : end - at,
      size: deferred && isLast ? this.#file.size : undefined,
      patience: this.#plan.patience,
      onRequest: (request) => {
        sent = request
      },
    })
      .catch(() => null)
      .then((answer) => {
        body.destroy()
        sent?.destroy()
        if (!answer || [409, 423, 503].includes(answer.status)) {
          this.#count(answer ? `answered ${answer.status}` : 'broken off')
          return
        }
        if (answer.status !== 204) throw broken('PATCH', answer)
        this.#note(floor, answer)
      })
    return { answered, cut: () => sent?.destroy() }
  }

  #count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1)
  }
}

/** What happens to a request in the middle of it. */
const disturbances = [
  /** The server dies. */
  'killed',
  'killed',
  /** The server is stopped properly. */
  'stopped',
  /** The client hangs up. */
  'gone',
  /** Another connection asks for the offset, which takes the upload from this one. */
  'asked',
  /** Another connection asks and goes on. */
  'moved',
  /** Another connection sends the same. */
  'rivalled',
] as const

export type Disturbance = (typeof disturbances)[number]

interface Sending {
  at: number
  end: number
  disturbance: Disturbance | null
  delay: number
}

interface Patching {
  at: number
  body: Readable
  length: number | undefined
  size: number | undefined
  patience: number | undefined
  onRequest(request: ClientRequest): void
}

function patch(url: string, patching: Patching) {
  const { at, body, length, size, patience, onRequest } = patching
  const headers = {
    'Upload-Offset': String(at),
    'Content-Type': 'application/offset+octet-stream',
    ...(length !== undefined && { 'Content-Length': String(length) }),
    ...(size !== undefined && { 'Upload-Length': String(size) }),
  }
  return tus.send(url, 'PATCH', headers, { body, patience, onRequest })
}
