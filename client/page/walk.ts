import type { FileHandle } from './handles.ts'
import type { Picked } from './picked.ts'

/** Not in TypeScript's DOM, since not every browser has it. */
interface ItemWithHandle {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>
}

/** The files of one dropped thing. What cannot be read is left out. */
export function walk(item: DataTransferItem): Promise<Picked[]> {
  // All three must be asked for before the event is over.
  const handle = (item as ItemWithHandle).getAsFileSystemHandle?.()
  const entry = item.webkitGetAsEntry()
  const file = item.getAsFile()
  return files(handle, entry, file)
}

async function files(
  asked: Promise<FileSystemHandle | null> | undefined,
  entry: FileSystemEntry | null,
  file: File | null,
): Promise<Picked[]> {
  // A file made by a program has no place, and so no handle.
  const handle = await asked?.catch(() => null)
  if (handle) return await walkHandle(handle)
  if (entry?.isDirectory) return await walkEntry(entry)
  return file ? [{ file, handle: null }] : []
}

async function walkHandle(handle: FileSystemHandle): Promise<Picked[]> {
  if (isFile(handle)) {
    const file = await handle.getFile().catch(() => null)
    return file ? [{ file, handle }] : []
  }
  const found: Picked[] = []
  for await (const child of (handle as FileSystemDirectoryHandle).values()) {
    found.push(...(await walkHandle(child)))
  }
  return found
}

async function walkEntry(entry: FileSystemEntry): Promise<Picked[]> {
  if (entry.isFile) {
    const file = await readEntry(entry as FileSystemFileEntry)
    return file ? [{ file, handle: null }] : []
  }
  const found: Picked[] = []
  for (const child of await listEntries(entry as FileSystemDirectoryEntry)) {
    found.push(...(await walkEntry(child)))
  }
  return found
}

function readEntry(entry: FileSystemFileEntry): Promise<File | null> {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)))
}

async function listEntries(
  directory: FileSystemDirectoryEntry,
): Promise<FileSystemEntry[]> {
  const reader = directory.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    // Told in portions; an empty one is the end.
    const some = await new Promise<FileSystemEntry[]>((resolve) =>
      reader.readEntries(resolve, () => resolve([])),
    )
    if (some.length === 0) return all
    all.push(...some)
  }
}

function isFile(handle: FileSystemHandle): handle is FileHandle {
  return handle.kind === 'file'
}
