import type { Readable } from 'node:stream'
import type { FileRecord, NewFile } from '../files/record.ts'
import type { CarcosaError } from '../shared/errors.ts'
import { admit, type Creation } from './admission.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'
import type { Admitted } from './door.ts'
import type { Lease } from './lease.ts'
import type { Counted, WholeFile } from './whole.ts'

export interface TusExchange {
  request: UploadRequest
  admitted: Admitted
  /** Begins the body; on Node this is where `100 Continue` is sent, after all checks (W6). */
  openBody(): Readable
  /** Of a creation, which must have no effect before that is settled; null for what is not counted. */
  counted: Counted | null
}

/** What one request gathers on its way through the library. */
export class Call {
  readonly request: UploadRequest
  readonly exchange: TusExchange
  /** The request as the library sees it: without its body. */
  readonly asked: Pick<Request, 'method' | 'headers' | 'url'>
  lease: Lease | null = null
  record: FileRecord | null = null
  /** What is to be created once its bytes are in the store, which all are here. */
  whole: Pick<WholeFile, 'draft' | 'early'> | null = null
  error: CarcosaError | null = null
  /** The same ticket was used before: answer again, write nothing. */
  replayed = false
  readonly #deps: UploadDeps
  #draft: Promise<NewFile> | null = null
  #body: Readable | null = null

  constructor(deps: UploadDeps, exchange: TusExchange) {
    this.#deps = deps
    this.exchange = exchange
    this.request = exchange.request
    const { method, headers } = exchange.admitted
    this.asked = { method, headers: new Headers(headers), url: 'http://carcosa.invalid/' }
  }

  /** Judges the creation, once; its id is needed before its row is. */
  draft() {
    const { creation } = this.exchange.admitted
    if (!creation) throw new TypeError('only POST creates')
    this.#draft ??= this.#judge(creation)
    return this.#draft
  }

  async #judge(creation: Creation): Promise<NewFile> {
    // What the developer's own code does is an effect.
    if (this.request.route.middleware) await this.exchange.counted?.settled()
    return admit(this.#deps, this.request, creation)
  }

  /** The body, opened once: an empty upload is complete before its empty body is looked at. */
  body(): Readable {
    this.#body ??= this.exchange.openBody()
    return this.#body
  }

  async draftId(): Promise<string> {
    return (await this.draft()).id
  }

  urlOf(id: string): string {
    return `${this.request.prefix}/uploads/${this.request.route.name}/${id}`
  }
}
