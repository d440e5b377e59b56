import type { FileHandle } from './handles.ts'
import type { Picked } from './picked.ts'
import { walk } from './walk.ts'

interface PickerWindow {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileHandle[]>
}

/**
 * Lets a person choose files; `input` is what asks where the browser has no picker that
 * gives handles. Empty if nothing was chosen.
 */
export async function choose(input: HTMLInputElement): Promise<Picked[]> {
  const { showOpenFilePicker } = window as PickerWindow
  if (!showOpenFilePicker || input.webkitdirectory) return await chooseBy(input)
  try {
    const handles = await showOpenFilePicker({ multiple: input.multiple })
    return await Promise.all(
      handles.map(async (handle) => picked(await handle.getFile(), handle)),
    )
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return []
    // Frames of other origins must not open it; the input works there too.
    return await chooseBy(input)
  }
}

/** What was dropped, with the files of folders. To be called while the event is handled. */
export async function dropped({ items, files }: DataTransfer): Promise<Picked[]> {
  const found = [...items].filter(({ kind }) => kind === 'file').map(walk)
  if (found.length === 0) return [...files].map((file) => picked(file, null))
  return (await Promise.all(found)).flat()
}

/** What was pasted: files, or a picture out of another program. */
export function pasted(data: DataTransfer | null): Picked[] {
  return [...(data?.files ?? [])].map((file) => picked(file, null))
}

function picked(file: File, handle: FileHandle | null): Picked {
  return { file, handle }
}

function chooseBy(input: HTMLInputElement): Promise<Picked[]> {
  return new Promise((resolve) => {
    const settle = () => {
      input.removeEventListener('change', settle)
      input.removeEventListener('cancel', settle)
      const files = [...(input.files ?? [])]
      // The same file chosen again would not be a change.
      input.value = ''
      resolve(files.map((file) => picked(file, null)))
    }
    input.addEventListener('change', settle)
    input.addEventListener('cancel', settle)
    input.click()
  })
}
