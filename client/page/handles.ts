/**
 * Handles of files, kept in IndexedDB: with one, an upload goes on after a reload without
 * the file being chosen again. Chromium has them. A browser that has not, or that forbids
 * storage, is not an error: there the person chooses the file again.
 */
export interface FileHandle extends FileSystemFileHandle {
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>
}

const database = 'carcosa'
const store = 'handles'

export async function keepHandle(key: string, handle: FileHandle): Promise<void> {
  await inStore('readwrite', (handles) => handles.put(handle, key))
}

export async function findHandle(key: string): Promise<FileHandle | null> {
  const found: unknown = await inStore('readonly', (handles) => handles.get(key))
  return isHandle(found) ? found : null
}

export async function dropHandle(key: string): Promise<void> {
  await inStore('readwrite', (handles) => handles.delete(key))
}

/** Whether the file may be read; with `ask`, a person is asked if that is not settled. */
export async function mayRead(handle: FileHandle, ask: boolean): Promise<boolean> {
  const mode = { mode: 'read' } as const
  if ((await handle.queryPermission?.(mode)) === 'granted') return true
  return ask && (await handle.requestPermission?.(mode)) === 'granted'
}

/** The file, or null if it was moved, removed, or must not be read. */
export async function readHandle(handle: FileHandle): Promise<File | null> {
  try {
    return await handle.getFile()
  } catch {
    return null
  }
}

async function inStore<T>(
  mode: IDBTransactionMode,
  work: (handles: IDBObjectStore) => IDBRequest<T>,
): Promise<T | null> {
  try {
    const db = await open()
    try {
      return await settled(work(db.transaction(store, mode).objectStore(store)))
    } finally {
      db.close()
    }
  } catch {
    return null
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(database, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(store)
  return settled(request)
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function isHandle(value: unknown): value is FileHandle {
  return typeof (value as Partial<FileHandle> | null)?.getFile === 'function'
}
