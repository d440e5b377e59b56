import type { FileDescription, Uploadable } from './source.ts'

/** What, beside the file, makes an upload the same upload. */
export interface FingerprintScope {
  readonly endpoint: string
  /**
   * A different input is a different upload: to go on with one that was begun for another
   * album would put the file there.
   */
  readonly input: unknown
  readonly owner: string | undefined
}

/**
 * The key under which an unfinished upload is remembered. It does not look into the file:
 * name, size and time of change tell files apart well enough, as they do for `make` and
 * `rsync`, and reading gigabytes before the first byte is sent would not please anyone.
 */
export function fingerprint(
  file: Uploadable,
  description: FileDescription,
  scope: FingerprintScope,
): string {
  // Set for files that came from a chosen folder, where equal names are common.
  const folder = (file as Partial<File>).webkitRelativePath || undefined
  const { name, size, type, lastModified } = description
  return JSON.stringify([
    scope.endpoint,
    scope.owner ?? null,
    folder ?? name,
    size,
    type,
    lastModified ?? null,
    scope.input ?? null,
  ])
}
