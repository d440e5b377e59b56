import type { Api, FileRecord } from '../../src/index.ts'
import type {
  RemoteApi,
  RemoteFile,
  RemoteFiles,
  SharedApi,
} from '../../src/remote/remote.ts'
import { type Equal, expectType } from './equal.ts'

/** What `carcosa/remote` promises: what is written for a `SharedApi` works with either. */
declare const inProcess: Api
declare const remote: RemoteApi

export const either: SharedApi[] = [inProcess, remote]
export const files: RemoteFiles[] = [inProcess.files, remote.files]

const found = remote.files.get('x')
expectType<Equal<typeof found, Promise<RemoteFile | null>>>()
expectType<Equal<FileRecord extends RemoteFile ? true : false, true>>()
expectType<Equal<RemoteFile['createdAt'], Date>>()

const one = remote.files.upload('x', { route: 'report' })
expectType<Equal<Awaited<typeof one>, RemoteFile>>()
const many = remote.files.upload(['x'], { route: 'report' })
expectType<Equal<Awaited<typeof many>[number]['data'], RemoteFile | null>>()

/** What a program can do in process only, by name. */
type Missing<Noun extends keyof Api> = Noun extends keyof RemoteApi
  ? Exclude<keyof Api[Noun], keyof RemoteApi[Noun]>
  : 'all of it'
type InProcessOnly = { [Noun in keyof Api]: Missing<Noun> }
expectType<
  Equal<
    InProcessOnly,
    {
      readonly files: 'link' | 'copy' | 'import'
      readonly events: never
      readonly uploads: never
      readonly stores: 'all of it'
      readonly keys: never
      readonly jobs: 'counts'
      readonly usage: 'recount'
      readonly audit: never
      readonly users: 'all of it'
      readonly projects: never
      readonly organizations: never
      readonly members: 'add'
      readonly invitations: 'get' | 'revoke'
      readonly teams:
        | ('get' | 'update' | 'delete')
        | ('listMembers' | 'addMember' | 'removeMember')
    }
  >
>()

export const refused = [
  // @ts-expect-error the project is that of the credential
  remote.files.list({ projectId: 'p2' }),
  // @ts-expect-error the store is the route's to choose
  remote.files.upload('x', { route: 'report', store: 'archive' }),
  // @ts-expect-error whoever asks becomes the owner
  remote.organizations.create({ name: 'Acme', ownerId: 'user_1' }),
  // @ts-expect-error a route is needed
  remote.files.upload('x', {}),
]
