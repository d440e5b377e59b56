import type { Store } from '../../stores/store.ts'
import type { Access } from '../auth/permissions.ts'
import type { Principal } from '../auth/principal.ts'
import { type ProjectGate, projectDeleted } from '../auth/project-gate.ts'
import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import type { Logger } from '../shared/logger.ts'
import { findCopies } from './copies.ts'
import type { Origin, Origins } from './origin.ts'
import type { RecentFiles } from './recent.ts'
import { type FileRecord, isReadable } from './record.ts'
import type { Grant, Signer } from './sign.ts'

/** What reading files stands on. */
export interface FileDeps {
  readonly db: Database
  readonly recent: RecentFiles
  readonly signer: Signer
  readonly stores: ReadonlyMap<string, Store>
  readonly access: Access
  readonly projects: ProjectGate
  readonly log: Logger
}

/** A request to read one file. */
export interface ReadRequest {
  method: string
  /** As it came in the URL. */
  id: string
  /** The query as it came, with the question mark. */
  search: string
  principal(): Promise<Principal | null>
}

/** A file the caller may read, and where its bytes are. */
export interface Readable extends Required<Origins> {
  /** What a signature granted; null if none was needed. */
  grant: Grant | null
}

/**
 * Finds a file for reading. A signature is judged before the file is looked up, and whatever
 * the caller may not read looks like a file that does not exist (promise P6).
 *
 * @throws {CarcosaError} FILE_NOT_FOUND, SIGNATURE_INVALID, PROJECT_DELETED
 */
export async function findReadable(
  deps: FileDeps,
  { method, id, search, principal }: ReadRequest,
): Promise<Readable> {
  const { recent, signer, stores } = deps
  if (!isId(id)) throw notFound()
  const signed = new URLSearchParams(search).has('signature')
  const grant = signed ? signer.verify({ method, fileId: id, query: search }) : null
  const isKept = recent.isKept(id)
  const file = await recent.find(id)
  if (file === null || !isReadable(file.state)) {
    // A credential that is wrong is refused here too, or its refusal would tell what exists.
    await principal()
    throw notFound()
  }
  try {
    if (await deps.projects.isDeleted(file.projectId))
      throw await goneWithProject(deps, file, principal)
    if (!grant) await requireOpen(deps, file, principal)
  } catch (error) {
    // How long the refusal takes would tell that somebody has just read it.
    if (isKept) await recent.findAnew(id)
    throw error
  }
  const store = stores.get(file.storeName)
  if (!store) throw new CarcosaError('STORE_UNKNOWN')
  return { file, store, grant, copies: (error) => findOrigins(deps, file, error) }
}

/** The copies of a file whose own object could not be read. */
async function findOrigins(
  { db, stores, log }: FileDeps,
  { id, storeName: own }: FileRecord,
  error: CarcosaError,
): Promise<Origin[]> {
  const copies = await findCopies(db, id)
  const about = {
    err: error,
    id,
    store: own,
    copies: copies.map((copy) => copy.storeName),
  }
  log.warn(about, 'a file cannot be read from its own store')
  return copies.flatMap(({ storeName, key }) => {
    const store = stores.get(storeName)
    return store ? [{ storeName, store, key }] : []
  })
}

/** Who asks is only found out where the file is not open to all. */
async function requireOpen(
  { access }: FileDeps,
  { projectId, ownerId, route, acl }: FileRecord,
  principal: ReadRequest['principal'],
): Promise<void> {
  const resource = { projectId, ownerId, route, acl }
  if (access.can(null, 'files.read', resource).allowed) return
  const decision = access.can(await principal(), 'files.read', resource)
  if (!decision.allowed) throw notFound(access.explain(decision))
}

/** Of a deleted project only those hear who are in it: links and signatures open nothing. */
async function goneWithProject(
  { access }: FileDeps,
  { projectId, ownerId, route }: FileRecord,
  principal: ReadRequest['principal'],
): Promise<CarcosaError> {
  const resource = { projectId, ownerId, route }
  const { allowed } = access.can(await principal(), 'files.read', resource)
  return allowed ? projectDeleted() : notFound()
}

function notFound(explained = {}): CarcosaError {
  return new CarcosaError('FILE_NOT_FOUND', {
    message: 'There is no file at this URL, or it is not for you.',
    ...explained,
  })
}
