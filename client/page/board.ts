import { byId, create } from './dom.ts'
import { createRow, type Row } from './row.ts'

/** The list, and the two places that say something. */
export interface Board {
  /** A new row above the ones there are, or below them. */
  add(name: string, where?: 'top' | 'bottom'): Row
  /** Rows added until `work` ends keep their order at the top. */
  group<T>(work: () => T): T
  /** Tells those who listen rather than look. */
  announce(sentence: string): void
  /** Shows and tells a sentence that belongs to no row. */
  notice(sentence: string): void
}

export function createBoard(): Board {
  const rows = byId('rows', HTMLUListElement)
  const announcer = byId('announcer', HTMLParagraphElement)
  const notice = byId('notice', HTMLParagraphElement)
  let mark: ChildNode | null = null
  return {
    add(name, where = 'top') {
      const row = createRow(name)
      if (where === 'bottom') rows.append(row.element)
      else if (mark) mark.before(row.element)
      else rows.prepend(row.element)
      return row
    },
    group(work) {
      const ours = document.createComment('')
      rows.prepend(ours)
      mark = ours
      try {
        return work()
      } finally {
        mark = null
        ours.remove()
      }
    },
    announce(sentence) {
      announcer.append(create('span', '', `${sentence} `))
      while (announcer.childElementCount > 5) announcer.firstElementChild?.remove()
    },
    notice(sentence) {
      // Never hidden, since screen readers follow only what is there.
      notice.textContent = sentence
    },
  }
}
